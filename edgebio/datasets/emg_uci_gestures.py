"""emg-uci-gestures: forearm EMG of seven gestures, Myo armband, eight channels, 36 people, 1000 Hz.

"EMG data for gestures", UCI Machine Learning Repository, doi 10.24432/C5ZP5C: S. Lobov, N. Krilova,
I. Kastalskiy, V. Kazantsev, V. Makarov, Sensors 18(4):1122, 2018. CC BY 4.0.

Files are ``<person 01-36>/<series 1-2>_raw_data_<time>.txt``: tab-separated, a line of names, then
milliseconds, eight channels in volts, and the class: 0 unmarked, 1 to 7 the gestures, each held for
3 s with 3 s of pause, twice a series.

A series is a session, taken a minute or two after the other. A recording is a gesture with the
unmarked stretch after it (`parts.cut`), a repetition its occurrence in the series; unmarked samples
have no class.

Quirks
------
- The armband itself samples at 200 Hz, 8 bits: rows repeat it, and there is nothing of the EMG
  above 100 Hz in them.
- Steps are 1e-5 V. Where the times jump, rows stand as if they did not.
- Few people did the seventh gesture, extended palm.
"""

import re
from pathlib import Path

import numpy as np

from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError
from edgebio.recordings import parts, text
from edgebio.recordings.recording import Recording

_LSB = 1e-5
_COLUMNS = ("time", *(f"channel{k}" for k in range(1, 9)), "class")
_FILE = re.compile(r"([12])_raw_data_.*\.txt")

DATASET = DataSet(
    name="emg-uci-gestures",
    title="Myo armband: forearm EMG, 7 hand and wrist gestures, 36 people",
    licence="CC BY 4.0",
    citation="Lobov et al., Sensors 18(4):1122, 2018, doi 10.24432/C5ZP5C",
    rate=1000.0,
    channels=8,
    units="1e-05 V",
    classes=(
        "rest",
        "fist",
        "wrist flexion",
        "wrist extension",
        "radial deviation",
        "ulnar deviation",
        "extended palm",
    ),
    sessions=("1", "2"),
    page="https://archive.ics.uci.edu/dataset/481/emg+data+for+gestures",
)


def subjects(folder: Path) -> list[str]:
    """Names of the people in `folder`: numbers without leading zeros."""
    return [str(int(place.name)) for place in _folders(folder)]


def load(folder: Path, subject: str) -> list[Recording]:
    """Read the two series of one person.

    Raises
    ------
    EdgebioError
        Where a series is missing or there twice, or a file is cut, ragged, of another rate, or
        holds anything but numbers and classes 0 to 7.
    """
    place = next(p for p in _folders(folder) if int(p.name) == int(subject))
    recordings = []
    for session in DATASET.sessions:
        told = {path: _FILE.fullmatch(path.name) for path in sorted(place.glob("*.txt"))}
        found = [path for path, match in told.items() if match and match[1] == session]
        if len(found) != 1:
            raise EdgebioError(
                f"{place}: {len(found)} files {session}_raw_data_*.txt; expected one a series"
            )
        recordings += _read(found[0], subject, session)
    return recordings


def _folders(folder: Path) -> list[Path]:
    """Folders of the people, which may lie in the folder of the published archive."""
    return [
        place
        for place in (*folder.glob("[0-9][0-9]"), *folder.glob("EMG_data*/[0-9][0-9]"))
        if any(place.glob("*_raw_data_*.txt"))
    ]


def _read(path: Path, subject: str, session: str) -> list[Recording]:
    head, _, body = text.read(path).partition(b"\n")
    names = tuple(head.decode("utf-8", "replace").split())
    if names != _COLUMNS:
        raise EdgebioError(
            f"{path}: line 1: columns {' '.join(names)[:80]}; expected {' '.join(_COLUMNS)}"
        )
    if not body:
        raise EdgebioError(f"{path}: only a line of names; expected one line a sample")
    values = text.numbers(body.replace(b"\t", b","), len(_COLUMNS), str(path), "any", 2)
    text.check_finite(values, text.in_text(str(path), 2))
    step = float(np.median(np.diff(values[:, 0]))) if len(values) > 1 else 1.0
    if not 0.5 <= step <= 1.5:
        raise EdgebioError(f"{path}: a row each {step:g} ms; expected one each ms")
    classes = values[:, -1]
    wrong = (classes != np.rint(classes)) | (classes < 0) | (classes > len(DATASET.classes))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise EdgebioError(
            f"{path}: line {row + 2}: class {classes[row]:g}; expected 0 to {len(DATASET.classes)}"
        )
    samples = text.to_counts(
        np.rint(values[:, 1:-1] / _LSB), text.in_text(str(path), 2, range(1, len(_COLUMNS) - 1))
    )
    labels = classes.astype(np.int16) - 1  # unmarked, 0, becomes UNLABELLED
    numbers = parts.occurrences(labels)
    return [
        DATASET.recording(
            samples[begin:end], labels[begin:end], path, subject=subject, session=session,
            repetition=int(numbers[at]),
        )
        for begin, end, at in parts.cut(labels + 1, numbers)
    ]  # fmt: skip
