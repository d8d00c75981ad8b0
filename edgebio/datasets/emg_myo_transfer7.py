"""emg-myo-transfer7: seven hand and wrist gestures, Myo armband, eight channels, 200 Hz, 8 bit.

U. Côté-Allard et al., IEEE TNSRE 27(4):760-771, 2019 (arXiv 1801.07756): transfer learning from
many people to one. github.com/UlysseCoteAllard/MyoArmbandDataset, by the authors; it carries a
GPL-3.0 license for everything in it and no separate one for the data.

Files are ``<part>/<subject>/<session>/classe_<i>.dat``, little-endian int16 sample by sample, about
5 s each; i is ``7 * cycle + gesture``. Part ``PreTrainingDataset`` has the session ``training0``,
``EvaluationDataset`` also ``Test0`` and ``Test1``.

Quirks
------
- Names repeat: ``Male0`` of one part is not ``Male0`` of the other. Subjects are named
  ``pre Male0`` and ``eval Male0`` here.
- Of the published subjects, pre-training Female7, Female8 and Female9 are byte-identical to the
  three sessions of evaluation Female0: they are excluded unless named.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError
from edgebio.recordings.readers.damage import check_file
from edgebio.recordings.recording import Recording

_PARTS = {"pre": "PreTrainingDataset", "eval": "EvaluationDataset"}
_SESSIONS = {"1": "training0", "2": "Test0", "3": "Test1"}
_CYCLES = 4
_MAX_BYTES = 200 * 60 * 8 * 2
"""Of a file; published ones hold 5 s."""

DATASET = DataSet(
    name="emg-myo-transfer7",
    title="Myo armband: forearm EMG, 7 hand and wrist gestures, for transfer learning",
    license="GPL-3.0 over the whole repository, none for the data alone",
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
    download_url="https://raw.githubusercontent.com/UlysseCoteAllard/MyoArmbandDataset/"
    "4de3efef85356fbf565d96a150f386d99165cfee/",
    excluded_subjects={
        f"pre Female{number}": "is byte-identical to a session of eval Female0"
        for number in (7, 8, 9)
    },
)


def list_subjects(folder: Path) -> list[str]:
    """Names of the subjects in `folder`."""
    return [
        f"{short} {path.name}"
        for short, part in _PARTS.items()
        for path in (folder / part).glob("*")
        if any(path.glob("*/classe_*.dat"))
    ]


def read_subject(folder: Path, subject: str) -> Iterator[Recording]:
    """Read the recordings of one subject: 28 per session."""
    short, _, name = subject.partition(" ")
    for session, part in _SESSIONS.items():
        session_folder = folder / _PARTS[short] / name / part
        if short == "pre" and session != "1" and not session_folder.is_dir():
            continue
        for number in range(_CYCLES * len(DATASET.classes)):
            cycle, label = divmod(number, len(DATASET.classes))
            path = session_folder / f"classe_{number}.dat"
            yield DATASET.recording(
                _read(path), label, path, subject=subject, session=session, repetition=cycle
            )


def _read(path: Path) -> npt.NDArray[np.int16]:
    check_file(path, _MAX_BYTES, "file of a gesture")
    body = path.read_bytes()
    row = 2 * DATASET.channels
    if not body or len(body) % row:
        raise EdgebioError(f"{path}: {len(body)} bytes; expected samples of {row} bytes each")
    samples = np.frombuffer(body, "<i2").astype(np.int16).reshape(-1, DATASET.channels)
    if samples.min() < -128 or samples.max() > 127:
        row = int(np.argwhere((samples < -128) | (samples > 127))[0, 0])
        raise EdgebioError(f"{path}: sample {row}: {samples[row].tolist()} does not fit 8 bits")
    return samples
