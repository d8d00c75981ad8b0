"""emg-uci-basic-hand: two-channel forearm EMG of six grasps, 500 Hz.

"sEMG for Basic Hand movements", UCI Machine Learning Repository: C. Sapsanis, G. Georgoulas, A.
Tzes, 21st Mediterranean Conference on Control and Automation (MED), 716-722, 2013. CC BY 4.0, as
all of that repository.

Files are MATLAB 5: ``Database 1/{female_1,female_2,female_3,male_1,male_2}.mat`` and ``Database
2/male_day_{1,2,3}.mat``. They hold ``<grasp>_ch1`` and ``<grasp>_ch2`` of spher, tip, palm, lat,
cyl and hook: a row per trial, 30 rows of 3000 samples in the first database, 100 of 2500 in the
second. Numbers are volts after the amplifier (Delsys Bagnoli).

Quirks
------
- Speed and force were free. A trial begins before the hand moves, under its label.
- The second database is one man on three days: ``male day`` here, with three sessions. Whether he
  is also male 1 or 2 is not published, so he is excluded unless named.
- Filtered to 15-500 Hz and notched at 50 Hz before publication, so numbers lie on no grid. A count
  is 1/16384 of 10 V; the converter's own steps (14 bits) are twice that.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError
from edgebio.recordings.counts import scale_to_counts
from edgebio.recordings.readers import mat
from edgebio.recordings.recording import Recording

_LSB = 10 / 16384
_GRASPS = ("spher", "tip", "palm", "lat", "cyl", "hook")
_SAMPLES = (3000, 2500)
_DAYS = "male day"
_ONE_DAY = ("female 1", "female 2", "female 3", "male 1", "male 2")

DATASET = DataSet(
    name="emg-uci-basic-hand",
    title="forearm EMG, 6 grasps, 5 people and one man on three days",
    license="CC BY 4.0",
    citation="Sapsanis, Georgoulas and Tzes, MED 2013, 716-722",
    rate=500.0,
    channels=2,
    units="10/16384 V after the amplifier",
    classes=("spherical", "tip", "palmar", "lateral", "cylindrical", "hook"),
    sessions=("1", "2", "3"),
    page="https://archive.ics.uci.edu/dataset/313/semg+for+basic+hand+movements",
    excluded_subjects={_DAYS: "may be male 1 or male 2 again"},
)


def list_subjects(folder: Path) -> list[str]:
    """Names of the subjects in `folder`."""
    return [subject for subject in (*_ONE_DAY, _DAYS) if _files(folder, subject)]


def read_subject(folder: Path, subject: str) -> Iterator[Recording]:
    """Read the trials of one subject."""
    for session, path in _files(folder, subject).items():
        yield from _read(path, subject, session)


def _files(folder: Path, subject: str) -> dict[str, Path]:
    """Files of a subject, by session."""
    stem = subject.replace(" ", "_")
    names = {day: f"{stem}_{day}" for day in "123"} if subject == _DAYS else {"1": stem}
    matches = {session: sorted(folder.rglob(f"{name}.mat")) for session, name in names.items()}
    return {session: paths[0] for session, paths in matches.items() if paths}


def _read(path: Path, subject: str, session: str) -> Iterator[Recording]:
    names = [(f"{grasp}_ch1", f"{grasp}_ch2") for grasp in _GRASPS]
    matrices = mat.read_matrices(path, {name: _SAMPLES for pair in names for name in pair})
    for label, (first, second) in enumerate(names):
        trials, others = matrices[first], matrices[second]
        if trials.shape != others.shape:
            raise EdgebioError(
                f"{path}: {first} is {' x '.join(map(str, trials.shape))}, {second} "
                f"{' x '.join(map(str, others.shape))}; expected the same trials"
            )
        if not len(trials):
            raise EdgebioError(f"{path}: {first} holds no trial")
        # Both channels as columns of one matrix, trial by trial.
        volts = np.stack([trials.ravel(), others.ravel()], axis=1).astype(np.float64)
        length = trials.shape[1]

        def locate(row: int, column: int, pair=(first, second), length=length) -> str:  # type: ignore[no-untyped-def]
            return f"{path}: {pair[column]} row {row // length + 1}, column {row % length + 1}"

        counts = scale_to_counts(volts, _LSB, locate).reshape(len(trials), length, 2)
        for trial, samples in enumerate(counts):
            yield DATASET.recording(
                samples, label, path, subject=subject, session=session, repetition=trial
            )
