"""emg-grabmyo: forearm and wrist EMG, sixteen gestures and rest, three days, 28 channels, 2048 Hz.

GRABMyo, PhysioNet grabmyo 1.1.0: A. Pradhan, J. He, N. Jiang, Sci. Data 9:733, 2022, doi
10.1038/s41597-022-01836-y; A. L. Goldberger et al., Circulation 101(23):e215-e220, 2000. CC BY 4.0.

Files are ``Session<s>/session<s>_participant<p>/session<s>_participant<p>_gesture<g>_trial<t>``,
``.hea`` and ``.dat``: WFDB, 32 signals of 5 s; 43 subjects, days 1, 8 and 29, 17 gestures, 7
trials. A label holds for its whole file; a repetition is a trial.

Quirks
------
- Signals are F1-F16 (forearm), U1, W1-W6, U2, U3, W7-W12 (wrist), U4. U1-U4 are not electrodes:
  the channels are F1-F16, then W1-W12.
- Each signal of each file has a gain of its own, as it was stretched to 16 bits: counts of two
  files are not comparable, and are converted to steps of 0.2 uV here.
- The whole set takes 8.8 GB of memory: name the subjects to load.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError
from edgebio.recordings.readers import wfdb
from edgebio.recordings.recording import Recording

_CHANNELS = (*(f"F{k}" for k in range(1, 17)), *(f"W{k}" for k in range(1, 13)))
_STEP = 2e-4
"""Millivolts of a count."""
_FILE = re.compile(r"_gesture([0-9]{1,2})_trial([1-9])\.hea")

DATASET = DataSet(
    name="emg-grabmyo",
    title="GRABMyo: forearm and wrist EMG, 16 gestures and rest, three days",
    license="CC BY 4.0",
    citation="Pradhan, He and Jiang, Sci. Data 9:733, 2022; Goldberger et al., Circulation "
    "101(23):e215-e220, 2000",
    rate=2048.0,
    channels=len(_CHANNELS),
    units="0.2 uV",
    classes=(
        "lateral prehension",
        "thumb adduction",
        "thumb and little finger opposition",
        "thumb and index finger opposition",
        "thumb and index finger extension",
        "thumb and little finger extension",
        "index and middle finger extension",
        "little finger extension",
        "index finger extension",
        "thumb extension",
        "wrist extension",
        "wrist flexion",
        "forearm supination",
        "forearm pronation",
        "hand open",
        "hand close",
        "rest",
    ),
    sessions=("1", "2", "3"),
    page="https://physionet.org/content/grabmyo/1.1.0/",
)


def list_subjects(folder: Path) -> list[str]:
    """Names of the subjects in `folder`."""
    paths = folder.glob("Session[123]/session[123]_participant*")
    return list({path.name.rpartition("participant")[2] for path in paths})


def read_subject(folder: Path, subject: str) -> Iterator[Recording]:
    """Read the recordings of one subject: the sessions, gestures and trials that are here."""
    for session in DATASET.sessions:
        parent = folder / f"Session{session}" / f"session{session}_participant{subject}"
        files = _headers(parent)
        trials = sorted({trial for _, trial in files})
        for label in sorted({label for label, _ in files}):
            for trial in trials:
                path = files.get((label, trial))
                if path is None:
                    raise EdgebioError(
                        f"{parent}: no trial {trial + 1} of gesture {label + 1}; others have it"
                    )
                record = wfdb.read_record(path)
                samples = record.counts_of_step(_CHANNELS, _STEP)
                units = {record.units[record.channels.index(name)] for name in _CHANNELS}
                if record.rate != DATASET.rate or units != {"mV"}:
                    raise EdgebioError(
                        f"{path}: {', '.join(sorted(units))} at {record.rate:g} Hz; expected mV at "
                        f"{DATASET.rate:g}"
                    )
                yield DATASET.recording(
                    samples, label, path, subject=subject, session=session, repetition=trial
                )


def _headers(folder: Path) -> dict[tuple[int, int], Path]:
    """Headers in a folder, by class and trial from 0."""
    files = {}
    for path in folder.glob("*.hea"):
        match = _FILE.fullmatch(path.name.removeprefix(folder.name))
        if not match or not 1 <= int(match[1]) <= len(DATASET.classes):
            raise EdgebioError(
                f"{path}: expected a name like {folder.name}_gesture1_trial1.hea, gestures 1 to "
                f"{len(DATASET.classes)}"
            )
        files[int(match[1]) - 1, int(match[2]) - 1] = path
    return files
