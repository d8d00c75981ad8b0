"""Tables of heart beats as Kaggle's "ECG Heartbeat Categorization Dataset" publishes them.

M. Kachuee, S. Fazeli, M. Sarrafzadeh, ECG heartbeat classification: a deep transferable
representation, IEEE ICHI 2018 (arXiv 1805.00794). A row is one beat of one lead at 125 Hz: 187
numbers within 0 to 1, from the R peak on, zeros after the beat's end, and a last one, its class.
Each beat was scaled to its own range, so that nothing is left of amplitudes.

Quirks
------
- Who a beat is of is not told: people stand on both sides of any split, the published one included,
  and figures on it say nothing of people who were not recorded.
- A row that repeats an earlier one is left out.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings import text
from edgebio.recordings.recording import Recording

RATE, SAMPLES, SCALE = 125.0, 187, 4096
PERSON = "unknown"
CAVEAT = (
    "Who a beat is of is not told: people stand on both sides of any split of this set, and its "
    "figures say nothing of people who were not recorded."
)
UNITS = f"1/{SCALE} of a beat's range"


def read(path: Path, session: str, classes: tuple[str, ...], seen: set[bytes]) -> list[Recording]:
    """Read a table; every row becomes a recording, its beat in the middle of it.

    Parameters
    ----------
    path
        The file.
    session
        Name of its part of the set.
    classes
        What the labels number.
    seen
        Rows that were read before, of this and other tables; those of this one are added.

    Raises
    ------
    EdgebioError
        Where the file is missing, empty or cut, or a value is none of a beat or a class.
    """
    middle = np.array([SAMPLES // 2])
    recordings = []
    for number, (samples, label) in enumerate(_rows(path, classes)):
        content = samples.tobytes()
        if content in seen:
            continue
        seen.add(content)
        recordings.append(
            Recording(
                samples=samples[:, None],
                rate=RATE,
                units=UNITS,
                labels=np.full(SAMPLES, label, np.int16),
                classes=classes,
                subject=PERSON,
                session=session,
                repetition=number,
                source=f"{path}, line {number + 1}",
                beats=middle,
            )
        )
    return recordings


def _rows(path: Path, classes: Sequence[str]) -> Iterator[tuple[npt.NDArray[np.int16], int]]:
    source, line = str(path), 1
    for block in text.blocks(text.read(path)):
        values = text.numbers(block, SAMPLES + 1, source, "any", line).astype(np.float64)
        text.check_finite(values, text.in_text(source, line))
        beats, labels = values[:, :-1], values[:, -1]
        wrong = np.argwhere((beats < 0) | (beats > 1))
        if len(wrong):
            row, field = wrong[0].tolist()
            raise EdgebioError(
                f"{source}: line {line + row}, field {field + 1}: {beats[row, field]:g}; expected "
                "0 to 1"
            )
        bad = np.flatnonzero(~np.isin(labels, np.arange(len(classes))))
        if len(bad):
            raise EdgebioError(
                f"{source}: line {line + int(bad[0])}, field {SAMPLES + 1}: class "
                f"{labels[bad[0]]:g}; expected 0 to {len(classes) - 1}"
            )
        yield from zip(
            np.rint(beats * SCALE).astype(np.int16), labels.astype(int).tolist(), strict=True
        )
        line += len(values)
