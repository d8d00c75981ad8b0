"""Small files of every format, and ways to damage them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgebio.recordings import Recording

RNG = np.random.default_rng(0)
EVENTS = [(0.5, 0.5, "T1"), (1.5, None, "T0"), (2.0, 1.0, "T2"), (9.0, 1.0, "late")]


def recording(n: int = 50, label: int = 0, seed: int = 0, **changes: object) -> Recording:
    rng = np.random.default_rng(seed)
    fields = {
        "samples": rng.integers(-32768, 32768, (n, 3), np.int16),
        "rate": 500.0,
        "units": "counts",
        "labels": np.full(n, label, np.int16),
        "classes": ("rest", "Faust", "握拳"),
        "subject": "7",
        "session": "b",
        "repetition": 2,
        "source": "somewhere/x.csv",
    }
    return Recording(**{**fields, **changes})  # type: ignore[arg-type]


def write_edf(path: Path, kind="Edf", rates=(100, 100), ranges=((-3276.8, 3276.7),) * 2,
              units=("uV", "uV"), events=EVENTS, seconds=4) -> list[np.ndarray]:  # fmt: skip
    """Write an EDF or BDF file; returns the digital values of each signal."""
    edfio = pytest.importorskip("edfio", reason="the package edfio is not installed")
    package = {"Edf": edfio.EdfSignal, "Bdf": edfio.BdfSignal}[kind]
    limits = (-32768, 32767) if kind == "Edf" else (-800000, 800000)
    if kind == "Bdf":
        ranges = ((-80000, 80000),) * 2
    signals, values = [], []
    for k, (rate, physical, unit) in enumerate(zip(rates, ranges, units, strict=True)):
        digital = RNG.integers(-2000, 2000, rate * seconds)
        digital[:3] = limits[0] if kind == "Edf" else -9000, k, 1999
        values.append(digital)
        signals.append(
            package.from_digital(
                digital.astype(np.int16 if kind == "Edf" else np.int32), rate, label=f"C{k}",
                physical_dimension=unit, physical_range=physical, digital_range=limits,
            )
        )  # fmt: skip
    annotations = [edfio.EdfAnnotation(*event) for event in events]
    getattr(edfio, kind)(signals, annotations=annotations).write(path)
    return values


def write_wfdb(
    folder: Path, name: str, samples, *, leads, gain, fmt, rate, symbols=None, comments=()
) -> Path:
    package = pytest.importorskip("wfdb", reason="the package wfdb is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    channels = samples.shape[1]
    package.wrsamp(
        name, fs=rate, units=["mV"] * channels, sig_name=list(leads),
        d_signal=samples.astype(np.int64), fmt=[fmt] * channels, adc_gain=[gain] * channels,
        baseline=[0] * channels, comments=list(comments), write_dir=str(folder),
    )  # fmt: skip
    if symbols:
        positions = np.array([position for position, _ in symbols])
        codes = [symbol for _, symbol in symbols]
        package.wrann(name, "atr", positions, codes, write_dir=str(folder))
    return folder / f"{name}.hea"


def write_mat(path: Path, arrays: dict[str, np.ndarray], version: str = "5") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if version == "5":
        from scipy.io import savemat

        savemat(path, arrays, do_compression=True)
        return path
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in arrays.items():
            file[name] = values.T
            file[name].attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM")
    return path


def ninapro_matrices(channels: int, lsb: float, offset: int = 0) -> dict[str, np.ndarray]:
    """Rest, then movements 1 and 2 twice each, 40 samples long with 20 of rest after each."""
    stimulus, repetition = [0] * 10, [0] * 10
    for movement in (1, 2):
        for number in (1, 2):
            stimulus += [movement + offset] * 40 + [0] * 20
            repetition += [number] * 40 + [0] * 20
    n = len(stimulus)
    counts = np.arange(n)[:, None] % 100 + np.arange(channels)
    return {
        "emg": counts * lsb,
        "restimulus": np.array(stimulus, np.int8)[:, None],
        "rerepetition": np.array(repetition, np.int8)[:, None],
        "subject": np.array([[3]], np.uint8),
        "exercise": np.array([[2]], np.uint8),
        "glove": np.zeros((n, 22)),
    }


NINAPRO_MAPPING = """
[variables]
samples = "emg"
labels = "restimulus"
repetition = "rerepetition"
subject = "subject"

[values]
rate = 2000
units = "V"
lsb = 5e-7
rest_repetition = 0

[classes]
0 = "rest"
1 = "E2 movement 1"
2 = "E2 movement 2"
"""


def edit(old: str, new: str) -> Callable[[Path], None]:
    """Make a function that replaces text in a file."""

    def change(path: Path) -> None:
        body = path.read_bytes()
        assert old.encode() in body
        path.write_bytes(body.replace(old.encode(), new.encode()))

    return change


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 - 3])


def cut_row(path: Path) -> None:
    """Cut delimited text within a row; a cut within its last number cannot be detected."""
    body = path.read_bytes()
    path.write_bytes(body[: body.rindex(b",", 0, len(body) // 2)])


def cut_signal(suffix: str) -> Callable[[Path], None]:
    return lambda path: cut(path.with_suffix(suffix))
