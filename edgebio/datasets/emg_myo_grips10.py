"""emg-myo-grips10: ten grips and hand postures, Myo armband, eight channels, 200 Hz, 8 bit.

Wang Z: Open-access dataset of sEMG (github.com/ZheWang98/Open-access-dataset-of-sEMG), which asks
to cite the repository and describes itself as open access; no license is stated.

Files are ``EMG_S<subject>/<gesture>_<class 1-10>_x.mat`` (MATLAB 5; gesture names partly in
Chinese): one matrix N x 8 named ``data1`` (``data`` for some subjects) of the armband's int8
samples divided by 128. Each holds about 140 s: 20 contractions of about 3 s with about 4 s of rest
between.

Quirks
------
- Starts and ends of the contractions are not marked. They are detected here by an envelope (see
  `find_contractions`), and only they are returned: a label over a whole file would call rest a
  grip. That gives 20 in every file of subjects 2, 3, 5, 6, 7 and 10, and 19 in one other.
- Bandwidth is 100 Hz at most, and a constant of about -0.8 counts is on every channel.
- One continuous file per class and subject is all there is: a single session, "1".
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError
from edgebio.recordings.readers import mat
from edgebio.recordings.recording import Recording

DATASET = DataSet(
    name="emg-myo-grips10",
    title="Myo armband: forearm EMG, 10 grips and hand postures",
    license="none stated; its author describes it as open access",
    citation="Wang Z., Open-access-dataset-of-sEMG, github.com/ZheWang98, 2023",
    rate=200.0,
    channels=8,
    units="counts of the armband's 8-bit converter",
    classes=(
        "fist",
        "two-finger pinch",
        "two fingers",
        "three fingers",
        "thumb up",
        "tripod",
        "spherical grip",
        "open hand",
        "index pointing",
        "cylindrical grip",
    ),
    page="https://github.com/ZheWang98/Open-access-dataset-of-sEMG",
    download_url="https://raw.githubusercontent.com/ZheWang98/Open-access-dataset-of-sEMG/"
    "ed97372036c8bffc5d0cc242195c1dc57a30161d/",
    subject_prefix="EMG_S{subject}/",
)

_PREFIX = "EMG_S"
_FILE = re.compile(r".+_([0-9]+)_x\.mat")
_MATRICES = ("data1", "data")
_FULL_SCALE = 128


def list_subjects(folder: Path) -> list[str]:
    """Names of the subjects in `folder`."""
    paths = folder.glob(f"{_PREFIX}*")
    return [path.name.removeprefix(_PREFIX) for path in paths if any(path.glob("*.mat"))]


def read_subject(folder: Path, subject: str) -> Iterator[Recording]:
    """Read the contractions of one subject, about 20 of each of 10 grips."""
    parent = folder / f"{_PREFIX}{subject}"
    files: dict[int, Path] = {}
    for path in sorted(parent.glob("*.mat")):
        match = _FILE.fullmatch(path.name)
        if not match or not 1 <= int(match[1]) <= len(DATASET.classes):
            raise EdgebioError(f"{path}: expected a name that ends in _<class 1-10>_x.mat")
        if int(match[1]) in files:
            raise EdgebioError(f"{path}: class {match[1]} is also in {files[int(match[1])].name}")
        files[int(match[1])] = path
    for label, name in enumerate(DATASET.classes):
        if label + 1 not in files:
            raise EdgebioError(
                f"{parent}: no file of class {label + 1} ({name}), *_{label + 1}_x.mat: "
                "edgebio data fetch emg-myo-grips10"
            )
        path = files[label + 1]
        samples = _read(path)
        for number, (start, end) in enumerate(find_contractions(samples, DATASET.rate)):
            yield DATASET.recording(
                samples[start:end], label, path, subject=subject, repetition=number
            )


def find_contractions(samples: npt.NDArray[np.int16], rate: float) -> list[tuple[int, int]]:
    """Find the contractions in samples of shape (n, channels): first sample, one past the last.

    The envelope is the RMS over channels and 0.25 s of the signal above 10 Hz (2nd-order
    Butterworth, zero phase). A contraction is where it stays above ``p10 + 0.35 (p90 - p10)`` of
    its own percentiles, gaps under 0.5 s bridged, for at least 1 s.
    """
    from scipy.signal import butter, sosfiltfilt

    if len(samples) < rate:
        return []
    highpass = butter(2, 10, "highpass", fs=rate, output="sos")
    power = np.mean(sosfiltfilt(highpass, samples, axis=0) ** 2, axis=1)
    width = round(0.25 * rate)
    envelope = np.sqrt(np.convolve(power, np.full(width, 1 / width), mode="same"))
    low, high = np.percentile(envelope, (10, 90))
    above = np.concatenate(([False], envelope > low + 0.35 * (high - low), [False]))
    edges = np.flatnonzero(above[1:] != above[:-1]).reshape(-1, 2)
    merged: list[tuple[int, int]] = []
    for start, end in edges.tolist():
        if merged and start - merged[-1][1] < 0.5 * rate:
            start = merged.pop()[0]
        merged.append((start, end))
    return [(start, end) for start, end in merged if end - start >= rate]


def _read(path: Path) -> npt.NDArray[np.int16]:
    """Converter counts of the matrix of a file."""
    shapes = mat.list_shapes(path)
    name = next((name for name in _MATRICES if name in shapes), None)
    if name is None:
        raise EdgebioError(
            f"{path}: holds {', '.join(shapes) or 'nothing'}; expected data1 or data"
        )
    values = mat.read_matrices(path, {name: DATASET.channels})[name]
    counts = values * _FULL_SCALE
    bad = ~((counts == np.rint(counts)) & (counts >= -_FULL_SCALE) & (counts < _FULL_SCALE))
    for row, column in np.argwhere(bad)[:1].tolist():
        raise EdgebioError(
            f"{mat.matrix_locator(path, name)(row, column)}: {values[row, column]:g} is not an "
            f"8-bit sample / {_FULL_SCALE}"
        )
    narrowed: npt.NDArray[np.int16] = counts.astype(np.int16)
    return narrowed
