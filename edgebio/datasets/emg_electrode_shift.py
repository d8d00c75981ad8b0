"""emg-electrode-shift: five gestures before and after the armband was moved, 8 channels, 200 Hz.

E. Campbell et al., J. NeuroEngineering and Rehabilitation 2024, doi 10.1186/s12984-024-01355-4
(context-informed incremental learning); carried by github.com/LibEMG/CIILData, folder
ElectrodeShift. No license is stated there.

Files are ``ElectrodeShift/subject<n>/<part>/R_<repetition>_C_<class>.csv``, about 3 s each. Part
``training`` has five repetitions of each class with the armband in its first position, ``trial_1``
to ``trial_4`` two each after it was moved by a few centimeters.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError
from edgebio.recordings.readers.delimited_text import read_counts
from edgebio.recordings.recording import Recording

CLASSES = ("hand close", "hand open", "no motion", "wrist extension", "wrist flexion")
"""Classes of the files, by number."""

REPOSITORY = (
    "https://raw.githubusercontent.com/LibEMG/CIILData/b7230dd253b3cd2c2603f5fdeb0c3711551ba19f/"
)
"""Address of the repository that carries this set and emg-minimal-training."""

_NAME = re.compile(r"R_(\d+)_C_(\d+)\.csv")
_ROOT = "ElectrodeShift/subject"
_PARTS = {"training": "training", **{f"trial {n}": f"trial_{n}" for n in range(1, 5)}}

DATASET = DataSet(
    name="emg-electrode-shift",
    title="Myo armband: forearm EMG, 5 gestures, before and after the armband was moved",
    license="none stated",
    citation="Campbell et al., J. NeuroEng. Rehabil. 2024, doi 10.1186/s12984-024-01355-4",
    rate=200.0,
    channels=8,
    units="counts of the armband's 8-bit converter",
    classes=CLASSES,
    sessions=tuple(_PARTS),
    page="https://github.com/LibEMG/CIILData",
    download_url=REPOSITORY,
    subject_prefix=f"{_ROOT}{{subject}}/",
)


def list_subjects(folder: Path) -> list[str]:
    """Names of the subjects in `folder`."""
    return names_of_subjects(folder, _ROOT)


def read_subject(folder: Path, subject: str) -> Iterator[Recording]:
    """Read the recordings of one subject."""
    for session, part in _PARTS.items():
        yield from read_part(DATASET, folder / f"{_ROOT}{subject}" / part, subject, session)


def names_of_subjects(folder: Path, root: str) -> list[str]:
    """Names of the subjects whose folders begin with `root`."""
    paths = folder.glob(f"{root}*")
    prefix = Path(root).name
    return [path.name.removeprefix(prefix) for path in paths if any(path.rglob("R_*_C_*.csv"))]


def read_part(dataset: DataSet, folder: Path, subject: str, session: str) -> Iterator[Recording]:
    """Read the files of one part, by repetition and class."""
    files = {
        (int(match[1]), int(match[2])): path
        for path in folder.glob("R_*_C_*.csv")
        if (match := _NAME.fullmatch(path.name))
    }
    if not files:
        raise EdgebioError(
            f"{folder}: no R_<repetition>_C_<class>.csv: edgebio data fetch {dataset.name}"
        )
    for (repetition, label), path in sorted(files.items()):
        if label >= len(dataset.classes):
            raise EdgebioError(f"{path}: class {label}; there are {len(dataset.classes)}")
        yield dataset.recording(
            read_counts(path, dataset.channels), label, path, subject=subject, session=session,
            repetition=repetition,
        )  # fmt: skip
