"""emg-myo-transfer7: seven hand and wrist gestures, Myo armband, eight channels, 200 Hz, 8 bit.

U. Côté-Allard et al., IEEE TNSRE 27(4):760-771, 2019 (arXiv 1801.07756): transfer learning from
many people to one. github.com/UlysseCoteAllard/MyoArmbandDataset, by the authors; it carries a
GPL-3.0 licence for everything in it and no separate one for the data.

Files are ``<part>/<person>/<session>/classe_<i>.dat``, little-endian int16 sample by sample, about
5 s each; i is ``7 * cycle + gesture``. Part ``PreTrainingDataset`` has the session ``training0``,
``EvaluationDataset`` also ``Test0`` and ``Test1``.

Quirks
------
- Names begin anew in each part: ``Male0`` of the one is not ``Male0`` of the other. Here a person
  is ``pre Male0`` or ``eval Male0``.
- Of the published people, pre-training Female7, Female8 and Female9 are byte-identical to the three
  sessions of evaluation Female0: they are left out unless named.
"""

from pathlib import Path

import numpy as np

from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError
from edgebio.recordings.recording import Recording

_PARTS = {"pre": "PreTrainingDataset", "eval": "EvaluationDataset"}
_SESSIONS = {"1": "training0", "2": "Test0", "3": "Test1"}
_CYCLES = 4
_MOST_BYTES = 200 * 60 * 8 * 2
"""Of a file; published ones hold 5 s."""

DATASET = DataSet(
    name="emg-myo-transfer7",
    title="Myo armband: forearm EMG, 7 hand and wrist gestures, for transfer learning",
    licence="GPL-3.0 over the whole repository, none for the data alone",
    citation="Cote-Allard et al., IEEE TNSRE 27(4):760-771, 2019, arXiv 1801.07756",
    rate=200.0,
    channels=8,
    units="counts of the armband's 8-bit converter",
    classes=(
        "neutral",
        "radial deviation",
        "wrist flexion",
        "ulnar deviation",
        "wrist extension",
        "hand close",
        "hand open",
    ),
    sessions=tuple(_SESSIONS),
    page="https://github.com/UlysseCoteAllard/MyoArmbandDataset",
    files="https://raw.githubusercontent.com/UlysseCoteAllard/MyoArmbandDataset/"
    "4de3efef85356fbf565d96a150f386d99165cfee/",
    left_out={
        f"pre Female{number}": "is byte-identical to a session of eval Female0"
        for number in (7, 8, 9)
    },
)


def subjects(folder: Path) -> list[str]:
    """Names of the people in `folder`."""
    return [
        f"{short} {place.name}"
        for short, part in _PARTS.items()
        for place in (folder / part).glob("*")
        if any(place.glob("*/classe_*.dat"))
    ]


def load(folder: Path, subject: str) -> list[Recording]:
    """Read the recordings of one person: 28 a session.

    Raises
    ------
    EdgebioError
        Where a file is missing, cut within a sample, or no 8-bit signal.
    """
    short, _, name = subject.partition(" ")
    recordings = []
    for session, part in _SESSIONS.items():
        place = folder / _PARTS[short] / name / part
        if short == "pre" and session != "1" and not place.is_dir():
            continue
        for number in range(_CYCLES * len(DATASET.classes)):
            path = place / f"classe_{number}.dat"
            samples = _read(path)
            recordings.append(
                DATASET.recording(
                    samples,
                    number % len(DATASET.classes),
                    path,
                    subject=subject,
                    session=session,
                    repetition=number // len(DATASET.classes),
                )
            )
    return recordings


def _read(path: Path) -> "np.ndarray[tuple[int, int], np.dtype[np.int16]]":
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise EdgebioError(f"{path}: {size:,} bytes; a gesture has up to {_MOST_BYTES:,}")
        body = path.read_bytes()
    except FileNotFoundError:
        raise EdgebioError(
            f"{path}: missing; {DATASET.name} has classe_0.dat to classe_27.dat in every session"
        ) from None
    except OSError as error:
        raise EdgebioError(f"{path}: {error.strerror or error}") from None
    row = 2 * DATASET.channels
    if not body or len(body) % row:
        raise EdgebioError(f"{path}: {len(body)} bytes; expected samples of {row} bytes each")
    samples = np.frombuffer(body, "<i2").astype(np.int16).reshape(-1, DATASET.channels)
    if samples.min() < -128 or samples.max() > 127:
        at = int(np.argwhere((samples < -128) | (samples > 127))[0, 0])
        raise EdgebioError(f"{path}: sample {at}: {samples[at].tolist()} is not of 8 bits")
    return samples
