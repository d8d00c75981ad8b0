"""emg-uci-basic-hand: two-channel forearm EMG of six grasps, 500 Hz.

"sEMG for Basic Hand movements", UCI Machine Learning Repository: C. Sapsanis, G. Georgoulas, A.
Tzes, 21st Mediterranean Conference on Control and Automation (MED), 716-722, 2013. CC BY 4.0, as
all of that repository.

Files are MATLAB 5: ``Database 1/{female_1,female_2,female_3,male_1,male_2}.mat`` and ``Database
2/male_day_{1,2,3}.mat``. They hold ``<grasp>_ch1`` and ``<grasp>_ch2`` of spher, tip, palm, lat,
cyl and hook: a row a trial, 30 rows of 3000 samples in the first database, 100 of 2500 in the
second. Numbers are volts after the amplifier (Delsys Bagnoli).

Quirks
------
- Speed and force were left to the people. A trial begins before the hand moves, under its label.
- The second database is one man on three days: ``male day`` here, with three sessions. Whether he
  is also male 1 or 2 is not told, so he is left out unless named.
- Filtered to 15-500 Hz and 50 Hz notched before publication, so numbers lie on no grid. A count is
  1/16384 of the converter's widest range, +-10 V; its own steps (14 bits) are twice that.
"""

from pathlib import Path

import numpy as np

from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError
from edgebio.recordings import mat, text
from edgebio.recordings.recording import Recording

_LSB = 10 / 16384
_GRASPS = ("spher", "tip", "palm", "lat", "cyl", "hook")
_SAMPLES = (3000, 2500)
_DAYS = "male day"
_ONE_DAY = ("female 1", "female 2", "female 3", "male 1", "male 2")

DATASET = DataSet(
    name="emg-uci-basic-hand",
    title="forearm EMG, 6 grasps, 5 people and one man on three days",
    licence="CC BY 4.0",
    citation="Sapsanis, Georgoulas and Tzes, MED 2013, 716-722",
    rate=500.0,
    channels=2,
    units="10/16384 V after the amplifier",
    classes=("spherical", "tip", "palmar", "lateral", "cylindrical", "hook"),
    sessions=("1", "2", "3"),
    page="https://archive.ics.uci.edu/dataset/313/semg+for+basic+hand+movements",
    left_out={_DAYS: "may be male 1 or male 2 again"},
)


def subjects(folder: Path) -> list[str]:
    """Names of the people in `folder`."""
    return [person for person in (*_ONE_DAY, _DAYS) if _files(folder, person)]


def load(folder: Path, subject: str) -> list[Recording]:
    """Read the trials of one person.

    Raises
    ------
    EdgebioError
        Where a file is cut, lacks a matrix, or holds trials of another length or a number that is
        none.
    """
    return [
        recording
        for session, path in _files(folder, subject).items()
        for recording in _read(path, subject, session)
    ]


def _files(folder: Path, subject: str) -> dict[str, Path]:
    """Files of a person, by session."""
    stem = subject.replace(" ", "_")
    named = {day: f"{stem}_{day}" for day in "123"} if subject == _DAYS else {"1": stem}
    found = {session: sorted(folder.rglob(f"{name}.mat")) for session, name in named.items()}
    return {session: paths[0] for session, paths in found.items() if paths}


def _read(path: Path, subject: str, session: str) -> list[Recording]:
    names = [(f"{grasp}_ch1", f"{grasp}_ch2") for grasp in _GRASPS]
    held = mat.read(path, {name: _SAMPLES for pair in names for name in pair})
    recordings = []
    for label, (first, second) in enumerate(names):
        if held[first].shape != held[second].shape:
            raise EdgebioError(
                f"{path}: {first} is {' x '.join(map(str, held[first].shape))}, {second} "
                f"{' x '.join(map(str, held[second].shape))}; expected the same trials"
            )
        if not len(held[first]):
            raise EdgebioError(f"{path}: {first} holds no trial")
        for trial, pair in enumerate(zip(held[first], held[second], strict=True)):
            volts = np.stack(pair, axis=1).astype(np.float64)

            def at(row: int, column: int, names=(first, second), trial: int = trial) -> str:  # type: ignore[no-untyped-def]
                return f"{path}: {names[column]} row {trial + 1}, column {row + 1}"

            text.check_finite(volts, at)
            recordings.append(
                DATASET.recording(
                    text.to_counts(np.rint(volts / _LSB), at),
                    label, path, subject=subject, session=session, repetition=trial,
                )
            )  # fmt: skip
    return recordings
