"""emg-minimal-training: five gestures, one second of each to learn from, 8 channels, 200 Hz.

E. Campbell et al., IEEE 10394393 (context-informed incremental learning, minimal training data);
carried by github.com/LibEMG/CIILData, folder MinimalTrainingData. No license is stated there.

Files are ``MinimalTrainingData/subject<n>/train/R_0_C_<class>.csv``, 200 samples of each class, and
``.../test/trial_<k>/R_<repetition>_C_<class>.csv``, seven trials of two or three repetitions, about
3 s each.
"""

from collections.abc import Iterator
from pathlib import Path

from edgebio.datasets.dataset import DataSet
from edgebio.datasets.emg_electrode_shift import (
    CLASSES,
    REPOSITORY,
    names_of_subjects,
    read_part,
)
from edgebio.recordings.recording import Recording

_ROOT = "MinimalTrainingData/subject"
_PARTS = {"training": "train", **{f"trial {n}": f"test/trial_{n}" for n in range(7)}}

DATASET = DataSet(
    name="emg-minimal-training",
    title="Myo armband: forearm EMG, 5 gestures, one second of each to learn from",
    license="none stated",
    citation="Campbell et al., 2023, IEEE 10394393",
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
