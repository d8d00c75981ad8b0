"""emg-uci-gestures: forearm EMG of seven gestures, Myo armband, eight channels, 36 people, 1000 Hz.

"EMG data for gestures", UCI Machine Learning Repository, doi 10.24432/C5ZP5C: S. Lobov, N. Krilova,
I. Kastalskiy, V. Kazantsev, V. Makarov, Sensors 18(4):1122, 2018. CC BY 4.0.

Files are ``<subject 01-36>/<series 1-2>_raw_data_<time>.txt``: tab-separated, a line of names, then
milliseconds, eight channels in volts, and the class: 0 unmarked, 1 to 7 the gestures, each held for
3 s with 3 s of pause, twice per series. A series is a session, recorded a minute or two after the
other. A recording is a gesture with the unmarked stretch after it, a repetition its occurrence in
the series; unmarked samples have no class.

Quirks
------
- The armband itself samples at 200 Hz, 8 bits: rows repeat, and hold nothing of the EMG above
  100 Hz.
- Steps are 1e-5 V. Where the times jump, rows continue as if they did not.
- Few subjects did the seventh gesture, extended palm.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError
from edgebio.recordings.counts import check_finite, scale_to_counts
from edgebio.recordings.preprocessing.repetitions import count_occurrences, split_at_repetitions
from edgebio.recordings.readers import delimited_text as text
from edgebio.recordings.recording import Recording

_LSB = 1e-5
_COLUMNS = ("time", *(f"channel{k}" for k in range(1, 9)), "class")

DATASET = DataSet(
    name="emg-uci-gestures",
    title="Myo armband: forearm EMG, 7 hand and wrist gestures, 36 people",
    license="CC BY 4.0",
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


def list_subjects(folder: Path) -> list[str]:
    """Names of the subjects in `folder`: numbers without leading zeros."""
    return [str(int(path.name)) for path in _folders(folder)]


def read_subject(folder: Path, subject: str) -> Iterator[Recording]:
    """Read the two series of one subject."""
    parent = next(path for path in _folders(folder) if int(path.name) == int(subject))
    for session in DATASET.sessions:
        paths = sorted(parent.glob(f"{session}_raw_data_*.txt"))
        if len(paths) != 1:
            raise EdgebioError(
                f"{parent}: {len(paths)} files {session}_raw_data_*.txt; expected one per series"
            )
        yield from _read(paths[0], subject, session)


def _folders(folder: Path) -> list[Path]:
    """Folders of the subjects, which may be in the folder of the published archive."""
    return [
        path
        for path in (*folder.glob("[0-9][0-9]"), *folder.glob("EMG_data*/[0-9][0-9]"))
        if any(path.glob("*_raw_data_*.txt"))
    ]


def _read(path: Path, subject: str, session: str) -> Iterator[Recording]:
    head, _, body = text.read_text(path).partition(b"\n")
    names = tuple(head.decode("utf-8", "replace").split())
    if names != _COLUMNS:
        raise EdgebioError(
            f"{path}: line 1: columns {' '.join(names)[:80]}; expected {' '.join(_COLUMNS)}"
        )
    if not body:
        raise EdgebioError(f"{path}: only column names; expected one line per sample")
    values = text.parse_numbers(body.replace(b"\t", b","), len(_COLUMNS), str(path), "any", 2)
    check_finite(values, text.line_locator(str(path), 2))
    step = float(np.median(np.diff(values[:, 0]))) if len(values) > 1 else 1.0
    if not 0.5 <= step <= 1.5:
        raise EdgebioError(f"{path}: a row each {step:g} ms; expected one each ms")
    classes = values[:, -1]
    bad = (classes != np.rint(classes)) | (classes < 0) | (classes > len(DATASET.classes))
    for row in np.flatnonzero(bad)[:1].tolist():
        raise EdgebioError(
            f"{path}: line {row + 2}: class {classes[row]:g}; expected 0 to {len(DATASET.classes)}"
        )
    locate = text.line_locator(str(path), 2, range(1, len(_COLUMNS) - 1))
    samples = scale_to_counts(values[:, 1:-1], _LSB, locate)
    labels = classes.astype(np.int16) - 1  # unmarked, 0, becomes UNLABELED
    numbers = count_occurrences(labels)
    for begin, end, movement in split_at_repetitions(labels + 1, numbers):
        part, number = slice(begin, end), int(numbers[movement])
        yield DATASET.recording(
            samples[part], labels[part], path, subject=subject, session=session, repetition=number
        )
