"""WFDB records (PhysioNet), and EDF files whose ends are not what their headers state."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from signal_kinds.kind import COUNTS, RATE, Kind

_NAMES = list("abcd")


def _write(path: Path, name: str, counts: npt.NDArray[np.int16]) -> None:
    import wfdb

    channels = counts.shape[1]
    wfdb.wrsamp(
        name, fs=RATE, units=["mV"] * channels, sig_name=_NAMES[:channels], fmt=["16"] * channels,
        d_signal=counts.astype(np.int64), adc_gain=[1000] * channels, baseline=[0] * channels,
        write_dir=str(path.parent),
    )  # fmt: skip


def _whole(path: Path) -> None:
    _write(path, path.stem, COUNTS)


def _edited(first: str, *, names: bool = True):  # type: ignore[no-untyped-def]
    """A record with another first line, or without names."""

    def write(path: Path) -> None:
        _write(path, path.stem, COUNTS)
        header = path.read_text().splitlines()
        header[0] = first
        if not names:
            header[1:] = [line.rsplit(" ", 6)[0] for line in header[1:]]
        path.write_text("\n".join(header) + "\n")

    return write


def _segments(path: Path) -> None:
    """Two segments with 50 samples lost between them."""
    _write(path, "one", COUNTS[:300])
    _write(path, "two", COUNTS[300:])
    path.write_text(f"{path.stem}/3 4 {RATE:g} 650\none 300\n~ 50\ntwo 300\n")


def _segments_of_other_channels(path: Path) -> None:
    """A layout of two channels; the second segment has only one of them."""
    _write(path, "one", COUNTS[:300, :2])
    _write(path, "two", COUNTS[300:, :1])
    layout = "".join(f"~ 0 1000(0)/mV 16 0 0 0 0 {name}\n" for name in "ab")
    path.with_name("layout.hea").write_text(f"layout 2 {RATE:g} 0\n{layout}")
    path.write_text(f"{path.stem}/3 2 {RATE:g} 600\nlayout 0\none 300\ntwo 300\n")


def _two_rates(path: Path) -> None:
    """Frames of two samples of a, and one of b."""
    frames = np.concatenate([COUNTS[:, 0].reshape(300, 2), COUNTS[:300, 1:2]], axis=1)
    frames.astype("<i2").tofile(path.with_suffix(".dat"))
    path.write_text(
        f"{path.stem} 2 250 300\n{path.stem}.dat 16x2 1000/mV 16 0 0 0 0 a\n"
        f"{path.stem}.dat 16 1000/mV 16 0 0 0 0 b\n"
    )


def _missing(path: Path) -> None:
    counts = COUNTS.copy()
    counts[100:110, 2] = -32768
    _write(path, path.stem, counts)


def _signal_file(path: Path) -> None:
    _write(path, path.stem, COUNTS)


def _edf(path: Path, records: str = "5       ", cut: int = 0) -> None:
    """Five records of 0.2 s."""
    import edfio

    signals = [
        edfio.EdfSignal.from_digital(
            channel, 500, label=f"EMG {k}", physical_dimension="uV",
            physical_range=(-32.768, 32.767), digital_range=(-32768, 32767),
        )
        for k, channel in enumerate(COUNTS[:500].T.copy())
    ]  # fmt: skip
    edfio.Edf(signals, data_record_duration=0.2).write(path)
    content = bytearray(path.read_bytes())
    content[236:244] = records.encode()
    path.write_bytes(content[: len(content) - cut])


KINDS: tuple[Kind, ...] = (
    Kind("WFDB without a length", _edited(f"file 4 {RATE:g}"), suffix=".hea"),
    Kind("WFDB without names", _edited(f"file 4 {RATE:g} 600", names=False), suffix=".hea"),
    Kind("WFDB without a rate", _edited("file 4"), {"rate": RATE}, suffix=".hea"),
    Kind(
        "WFDB without a rate, not given",
        _edited("file 4"),
        suffix=".hea",
        refusal="does not state its rate; add --rate HZ",
    ),
    Kind("WFDB segments with a gap", _segments, recordings=2, suffix=".hea"),
    Kind(
        "WFDB segments, the gap filled",
        _segments,
        {"gaps": "fill"},
        samples=np.concatenate(
            [COUNTS[:300], np.repeat(COUNTS[299:300], 50, axis=0), COUNTS[300:]]
        ),
        suffix=".hea",
    ),
    Kind(
        "WFDB segments of other channels",
        _segments_of_other_channels,
        samples=COUNTS[:300, :2],
        suffix=".hea",
    ),
    Kind(
        "WFDB segments, a channel that all have",
        _segments_of_other_channels,
        {"columns": ("a",)},
        samples=COUNTS[:, :1],
        suffix=".hea",
    ),
    Kind("WFDB of two rates", _two_rates, suffix=".hea", refusal="several rates (500, 250 Hz)"),
    Kind(
        "WFDB of two rates, one chosen",
        _two_rates,
        {"columns": ("a",)},
        samples=COUNTS[:, :1],
        suffix=".hea",
    ),
    Kind("WFDB with missing samples", _missing, suffix=".hea", refusal="missing, as are 10 values"),
    Kind(
        "WFDB with missing samples, cut",
        _missing,
        {"gaps": "cut"},
        samples=np.delete(COUNTS, np.arange(100, 110), axis=0),
        recordings=2,
        suffix=".hea",
    ),
    Kind(
        "WFDB at another rate than it states",
        _whole,
        {"rate": 1000.0},
        suffix=".hea",
        refusal="its rate is 500 Hz, not 1000 Hz",
    ),
    Kind(
        "a part of a WFDB record", _signal_file, suffix=".dat", refusal="give its header, file.hea"
    ),
    Kind(
        "EDF of -1 records",
        lambda path: _edf(path, "-1      "),
        samples=COUNTS[:500],
        suffix=".edf",
    ),
    Kind(
        "EDF whose last record is cut",
        lambda path: _edf(path, cut=100),
        samples=COUNTS[:400],
        suffix=".edf",
    ),
    Kind(
        "EDF of -1 records, cut",
        lambda path: _edf(path, "-1      ", 100),
        samples=COUNTS[:400],
        suffix=".edf",
    ),
    Kind(
        "EDF whose end is missing",
        lambda path: _edf(path, cut=1700),
        suffix=".edf",
        refusal="header indicates 5 data records, 2 are there",
    ),
)
