"""Build small files of every kind that recordings come in, import each, and print a table.

    python tools/signal_files.py [--json]

Each file is made here from the same counts, so that what is imported can be compared with what was
written. A kind that cannot be read must be refused in one line.
"""

import argparse
import gzip
import json
import struct
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings import ImportOptions, Recording, import_recordings

RATE = 500.0
COUNTS = np.random.default_rng(1).integers(-400, 400, (600, 4)).astype(np.int16)
LABELS = np.repeat(["rest", "fist", "rest", "fist", "open hand", "fist"], 100)
LSB = 0.25
TIMES = np.arange(len(COUNTS)) / RATE


@dataclass(frozen=True)
class Kind:
    """A kind of file: how it is made and imported, and what must come of it.

    Attributes
    ----------
    write
        Writes the file at a path.
    options
        Import options besides those in the file.
    rate
        Rate in Hz of the result.
    samples
        All counts of the result, end to end.
    recordings
        Number of recordings.
    refusal
        Part of the one line that refuses it; None where it is imported.
    """

    name: str
    write: Callable[[Path], None]
    options: Mapping[str, Any] = field(default_factory=dict)
    rate: float = RATE
    samples: npt.NDArray[np.int16] = field(default_factory=lambda: COUNTS)
    recordings: int = 1
    refusal: str | None = None
    suffix: str = ".csv"


@dataclass(frozen=True)
class Outcome:
    """What became of a kind."""

    name: str
    ok: bool
    note: str


def rows(
    values: npt.NDArray[Any] = COUNTS, separator: str = ",", form: str = "%d", decimal: str = "."
) -> list[str]:
    """Lines of numbers."""
    return [separator.join(form % v for v in row).replace(".", decimal) for row in values]


def lines(
    *parts: str | list[str], end: str = "\n", encoding: str = "utf-8"
) -> Callable[[Path], None]:
    """Make a function that writes lines to a file."""
    content = end.join("\n".join(p) if isinstance(p, list) else p for p in parts) + end
    data = content.replace("\n", end).encode(encoding)

    def write(path: Path) -> None:
        path.write_bytes(data)

    return write


def timed(
    step: float = 1 / RATE, form: str = "%.4f", counts: npt.NDArray[Any] = COUNTS
) -> list[str]:
    """Lines with a time before the numbers."""
    return [form % (k * step) + "," + row for k, row in enumerate(rows(counts))]


_VOLTS = COUNTS * LSB
_NAMES = "a,b,c,d"
_LOST = np.delete(np.arange(len(COUNTS)), np.arange(300, 310))
_FILLED = COUNTS[np.where((np.arange(600) >= 300) & (np.arange(600) < 310), 299, np.arange(600))]
_LABELED = [f"{row},{label}" for row, label in zip(rows(), LABELS, strict=True)]
_BY_RATE = {"rate": RATE}
_SCALED = {"rate": RATE, "lsb": LSB}
_OPENSIGNALS = json.dumps({
    "00:07:80:3B:46:61": {
        "sensor": ["EMG"] * 4, "device": "bitalino_rev", "sampling rate": 500,
        "column": ["nSeq", "I1", "A1", "A2", "A3", "A4"], "label": ["A1", "A2", "A3", "A4"],
    }
})  # fmt: skip


def _numpy_text(path: Path) -> None:
    np.savetxt(path, COUNTS, header="written by numpy")


def _gzip(path: Path) -> None:
    path.write_bytes(gzip.compress("\n".join(rows()).encode()))


def _with_hole(path: Path) -> None:
    written = rows()
    written[300] = "1,,3,4"
    path.write_text("\n".join(["a,b,c,d", *written]))


def _trigno(path: Path) -> None:
    names = ",".join(f"X[s],Trigno sensor {k}: EMG {k}[V]" for k in range(1, 5))
    body = [
        ",".join(f"{t:.6f},{v * 1e-6:.8f}" for v in row)
        for t, row in zip(TIMES, COUNTS.tolist(), strict=True)
    ]
    path.write_text("\n".join([names, *body]))


def _shimmer(path: Path) -> None:
    times = 1.6e12 + TIMES * 1000
    body = [f"{t:.3f}\t{r}\t" for t, r in zip(times, rows(separator="\t"), strict=True)]
    names = ["Shimmer_1_Timestamp_Unix_CAL", *(f"Shimmer_1_EMG_CH{k}_CAL" for k in range(1, 5))]
    head = ['"sep=\t"', "\t".join([*names, ""]), "\t".join(["ms", *["mV"] * 4, ""])]
    path.write_text("\n".join([*head, *body]))


def _vicon(path: Path) -> None:
    head = [
        "Devices",
        "500",
        ",,Noraxon - EMG,,,",
        "Frame,Sub Frame,EMG1,EMG2,EMG3,EMG4",
        ",,V,V,V,V",
    ]
    body = [f"{k // 5 + 1},{k % 5},{row}" for k, row in enumerate(rows())]
    path.write_text("\n".join([*head, *body]))


def _brainflow(path: Path) -> None:
    stamps = 1.7e9 + TIMES
    body = [
        "\t".join([f"{k % 256:.6f}", *(f"{v:.6f}" for v in row), f"{t:.6f}", "0.000000"])
        for k, (row, t) in enumerate(zip(COUNTS.tolist(), stamps, strict=True))
    ]
    path.write_text("\n".join(body))


def _npy(path: Path) -> None:
    np.save(path, COUNTS)


def _npz(path: Path) -> None:
    np.savez(path, samples=COUNTS, grip=LABELS)


def _hdf5(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["session/emg"] = COUNTS


def _matlab(path: Path) -> None:
    from scipy.io import savemat

    savemat(path, {"emg": COUNTS, "fs": 500.0}, do_compression=True)


def _edf(path: Path) -> None:
    import edfio

    signals = [
        edfio.EdfSignal.from_digital(
            channel, 500, label=f"EMG {k}", physical_dimension="uV",
            physical_range=(-32.768, 32.767), digital_range=(-32768, 32767),
        )
        for k, channel in enumerate(COUNTS[:500].T.copy())
    ]  # fmt: skip
    edfio.Edf(signals).write(path)


def _edf_with_offset(path: Path) -> None:
    """An EDF as MNE exports: the physical range is that of the data, far from 0."""
    import edfio

    signals = [
        edfio.EdfSignal.from_digital(
            channel, 500, label=f"EMG {k}", physical_dimension="uV",
            physical_range=(0, 65535), digital_range=(-32768, 32767),
        )
        for k, channel in enumerate(COUNTS[:500].T.copy())
    ]  # fmt: skip
    edfio.Edf(signals).write(path)


def _wfdb(path: Path) -> None:
    import wfdb

    wfdb.wrsamp(
        path.stem, fs=RATE, units=["mV"] * 4, sig_name=list("abcd"), fmt=["16"] * 4,
        d_signal=COUNTS.astype(np.int64), adc_gain=[1000] * 4, baseline=[0] * 4,
        write_dir=str(path.parent),
    )  # fmt: skip


def _brainvision(path: Path) -> None:
    channels = "".join(f"Ch{k}=E{k},,0.5,uV\n" for k in range(1, 5))
    path.write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nDataFile=file.eeg\n"
        "MarkerFile=file.vmrk\nDataFormat=BINARY\nDataOrientation=MULTIPLEXED\n"
        "NumberOfChannels=4\nSamplingInterval=2000\n[Binary Infos]\nBinaryFormat=INT_16\n"
        f"[Channel Infos]\n{channels}"
    )
    path.with_suffix(".eeg").write_bytes(COUNTS.astype("<i2").tobytes())
    path.with_suffix(".vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n[Marker Infos]\n"
        "Mk1=New Segment,,1,1,0\nMk2=Stimulus,fist,101,100,0\n"
    )


def _epn(path: Path) -> None:
    trials = {
        f"idx_{k}": {
            "gestureName": "fist" if k % 2 else "open",
            "emg": {f"ch{c + 1}": column.tolist() for c, column in enumerate(part.T)},
        }
        for k, part in enumerate(np.split(np.hstack([COUNTS, COUNTS]), 6))
    }
    path.write_text(json.dumps({"userInfo": {"name": "user7"}, "trainingSamples": trials}))


def _xdf(path: Path) -> None:
    """Chunks of the XDF specification 1.0: header, a stream's header, its samples and footer."""

    def chunk(tag: int, content: bytes) -> bytes:
        body = struct.pack("<H", tag) + content
        return struct.pack("<BI", 4, len(body)) + body

    stream = struct.pack("<I", 1)
    names = "".join(f"<channel><label>E{k}</label><unit>uV</unit></channel>" for k in range(4))
    header = (
        "<?xml version='1.0'?><info><name>EMG</name><type>EMG</type><channel_count>4"
        "</channel_count><nominal_srate>500</nominal_srate><channel_format>int16</channel_format>"
        f"<desc><channels>{names}</channels></desc></info>"
    )
    samples = b"".join(
        struct.pack("<Bd", 8, 10 + t) + row.astype("<i2").tobytes()
        for t, row in zip(TIMES.tolist(), COUNTS, strict=True)
    )
    path.write_bytes(
        b"XDF:"
        + chunk(1, b"<?xml version='1.0'?><info><version>1.0</version></info>")
        + chunk(2, stream + header.encode())
        + chunk(3, stream + struct.pack("<BI", 4, len(COUNTS)) + samples)
        + chunk(6, stream + b"<?xml version='1.0'?><info></info>")
    )


_LABELED_RUNS = {"rate": RATE, "label_column": "grip"}
KINDS: tuple[Kind, ...] = (
    Kind("commas", lines(rows()), _BY_RATE),
    Kind("names", lines(_NAMES, rows()), _BY_RATE),
    Kind("semicolons, decimal comma", lines("a;b;c;d", rows(_VOLTS, ";", "%.2f", ",")), _SCALED),
    Kind("tabs", lines(rows(separator="\t")), _BY_RATE, suffix=".txt"),
    Kind("blanks, as numpy.savetxt writes", _numpy_text, _BY_RATE, suffix=".txt"),
    Kind(
        "aligned by blanks",
        lines(["  ".join(f"{v:6d}" for v in r) for r in COUNTS]),
        _BY_RATE,
        suffix=".dat",
    ),
    Kind("sep=; in the first line", lines("sep=;", "a;b;c;d", rows(separator=";")), _BY_RATE),
    Kind(
        "comment lines and a rate", lines("# subject 1", "# sampling rate: 500 Hz", _NAMES, rows())
    ),
    Kind("a row of units", lines(_NAMES, "mV,mV,mV,mV", rows()), _BY_RATE),
    Kind(
        "quoted names and numbers",
        lines('"a","b","c","d"', [",".join(f'"{v}"' for v in row) for row in COUNTS]),
        _BY_RATE,
    ),
    Kind(
        "quoted, with decimal commas",
        lines(
            '"a","b","c","d"',
            [",".join(f'"{v:.2f}"'.replace(".", ",") for v in row) for row in _VOLTS],
        ),
        _SCALED,
    ),
    Kind("UTF-16 with a mark", lines(_NAMES, rows(), encoding="utf-16"), _BY_RATE),
    Kind("UTF-16 without a mark", lines(_NAMES, rows(), encoding="utf-16-le"), _BY_RATE),
    Kind("UTF-8 with a mark", lines("\ufeffa,b,c,d", rows()), _BY_RATE),
    Kind("Latin-1", lines("µV 1,µV 2,µV 3,µV 4", rows(), encoding="latin-1"), _BY_RATE),
    Kind("lines ended by CR", lines(_NAMES, rows(), end="\r"), _BY_RATE),
    Kind("lines ended by CR LF", lines(_NAMES, rows(), end="\r\n"), _BY_RATE),
    Kind("trailing separators", lines("a,b,c,d,", [row + "," for row in rows()]), _BY_RATE),
    Kind(
        "gzip",
        _gzip,
        _BY_RATE,
        suffix=".csv.gz",
    ),
    Kind("blank lines at the end", lines(rows(), "", "", ""), _BY_RATE),
    Kind(
        "names of pandas",
        lines(",0,1,2,3", [f"{k},{row}" for k, row in enumerate(rows())]),
        _BY_RATE,
    ),
    Kind(
        "a text column that nothing uses",
        lines(_NAMES + ",note", [row + ",ok" for row in rows()]),
        _BY_RATE,
    ),
    Kind("a column of labels", lines(_NAMES + ",grip", _LABELED), _LABELED_RUNS, recordings=6),
    Kind(
        "one-hot labels",
        lines(
            _NAMES + ",fist,rest",
            [
                f"{row},{int(label == 'fist')},{int(label == 'rest')}"
                for row, label in zip(rows(), LABELS, strict=True)
            ],
        ),
        {"rate": RATE, "label_column": "fist,rest"},
        recordings=5,
    ),
    Kind("times", lines("time,a,b,c,d", timed())),
    Kind("times in ms", lines("t (ms),a,b,c,d", timed(1000 / RATE, "%g"))),
    Kind("times without names", lines(timed())),
    Kind(
        "times that contradict --rate",
        lines("time,a,b,c,d", timed()),
        {"rate": 1000.0},
        refusal="times are those of 500 Hz, not 1000 Hz",
    ),
    Kind(
        "a counter",
        lines("index,a,b,c,d", [f"{k},{row}" for k, row in enumerate(rows())]),
        _BY_RATE,
    ),
    Kind(
        "a counter that lost samples",
        lines("index,a,b,c,d", [f"{k},{rows()[k]}" for k in _LOST]),
        _BY_RATE,
        samples=COUNTS[_LOST],
        recordings=2,
    ),
    Kind(
        "lost samples, filled",
        lines("time,a,b,c,d", [timed()[k] for k in _LOST]),
        {"gaps": "fill"},
        samples=_FILLED,
    ),
    Kind(
        "lost samples, refused",
        lines("time,a,b,c,d", [timed()[k] for k in _LOST]),
        {"gaps": "refuse"},
        refusal="10 samples are lost",
    ),
    Kind("an empty cell", _with_hole, _BY_RATE, refusal="line 302, field 2: nan"),
    Kind(
        "an empty cell, cut",
        _with_hole,
        {"rate": RATE, "gaps": "cut"},
        samples=np.delete(COUNTS, 300, axis=0),
        recordings=2,
    ),
    Kind("channels x samples", lines(rows(COUNTS.T)), _BY_RATE, refusal="4 lines of 600 numbers"),
    Kind(
        "channels x samples, transposed", lines(rows(COUNTS.T)), {"rate": RATE, "transposed": True}
    ),
    Kind(
        "one number per line (tidy)",
        lines(
            "time,channel,value",
            [f"{t},{c},{v}" for t, r in enumerate(COUNTS) for c, v in enumerate(r)],
        ),
        {"rate": RATE, "columns": ()},
        refusal="one number per line",
    ),
    Kind(
        "decimals without a step", lines(rows(_VOLTS, form="%.2f")), _BY_RATE, refusal="--lsb 0.25"
    ),
    Kind(
        "24 bits with an offset",
        lines(rows(COUNTS.astype(int) + 7_000_000)),
        {"rate": RATE, "remove_offset": True},
        samples=(COUNTS - np.rint(np.median(COUNTS, axis=0)).astype(int)).astype(np.int16),
    ),
    Kind(
        "24 bits",
        lines(rows(COUNTS.astype(int) + 7_000_000)),
        _BY_RATE,
        refusal="does not fit a 16-bit sample",
    ),
    Kind(
        "another unit than the file's, converted",
        lines("a (mV),b (mV)", rows(_VOLTS[:, :2], form="%.2f")),
        {"rate": RATE, "units": "V", "lsb": LSB / 1000},
        samples=COUNTS[:, :2],
    ),
    Kind(
        "a unit that is not the file's",
        lines("a (g),b (g)", rows(COUNTS[:, :2])),
        {"rate": RATE, "units": "V"},
        refusal="its unit is g, which V is not a part of",
    ),
    Kind("only text", lines("a,b", "c,d"), _BY_RATE, refusal="no line of numbers"),
    Kind(
        "OpenBCI GUI",
        lines(
            "%OpenBCI Raw EXG Data",
            "%Number of channels = 4",
            "%Sample Rate = 250 Hz",
            "%Board = OpenBCI_GUI$BoardGanglion",
            "Sample Index, EXG Channel 0, EXG Channel 1, EXG Channel 2, EXG Channel 3, "
            "Accel Channel 0, Timestamp, Timestamp (Formatted)",
            [
                f"{k % 256}, {', '.join(map(str, map(float, r)))}, 0.5, {1.6e9 + k / 250:.6f}, "
                "2024-01-01 10:00:00.123"
                for k, r in enumerate(COUNTS.tolist())
            ],
        ),
        {},
        250.0,
        suffix=".txt",
    ),
    Kind(
        "OpenSignals",
        lines(
            "# OpenSignals Text File Format",
            "# " + _OPENSIGNALS,
            "# EndOfHeader",
            [f"{k % 16}\t1\t{row}\t" for k, row in enumerate(rows(separator="\t"))],
        ),
        suffix=".txt",
    ),
    Kind(
        "BioSPPy",
        lines(
            "# Simple Text Format",
            "# Sampling Rate (Hz):= 500.00",
            "# Resolution:= 12",
            "# Labels:= a\tb\tc\td",
            rows(separator="\t"),
        ),
        suffix=".txt",
    ),
    Kind("Delsys Trigno", _trigno, {"lsb": 1e-6}),
    Kind(
        "Noraxon",
        lines(
            "Frequency (Hz),500",
            "time,LT TIB.ANT. (uV),LT GAST. (uV),RT TIB. (uV),RT GAST. (uV)",
            timed(),
        ),
    ),
    Kind("Vicon Nexus", _vicon),
    Kind("Shimmer", _shimmer),
    Kind("NumPy array", _npy, _BY_RATE, suffix=".npy"),
    Kind("NPZ with labels", _npz, _LABELED_RUNS, recordings=6, suffix=".npz"),
    Kind("HDF5", _hdf5, _BY_RATE, suffix=".h5"),
    Kind("MATLAB 5", _matlab, {"rate_column": "fs"}, suffix=".mat"),
    Kind("EDF", _edf, samples=COUNTS[:500], suffix=".edf"),
    Kind("EDF whose zero is beyond 16 bits", _edf_with_offset, samples=COUNTS[:500], suffix=".edf"),
    Kind("WFDB", _wfdb, suffix=".hea"),
    Kind("BrainVision", _brainvision, recordings=1, suffix=".vhdr"),
    Kind(
        "EPN-612",
        _epn,
        rate=200.0,
        samples=np.hstack([COUNTS, COUNTS]),
        recordings=6,
        suffix=".json",
    ),
    Kind("XDF", _xdf, suffix=".xdf"),
    Kind("BrainFlow", _brainflow, {"columns": ("2", "3", "4", "5")}),
)


def try_kind(kind: Kind, folder: Path) -> Outcome:
    """Write and import a file of a kind, and compare."""
    path = folder / f"file{kind.suffix}"
    kind.write(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            recordings = import_recordings([path], ImportOptions(**kind.options))
    except EdgebioError as error:
        message = str(error).replace(str(path), path.name)
        refused = kind.refusal is not None and kind.refusal in message and "\n" not in message
        return Outcome(kind.name, refused, f"refused: {message}")
    if kind.refusal is not None:
        return Outcome(kind.name, False, f"imported; expected a refusal with {kind.refusal!r}")
    return _compare(kind, recordings)


def _compare(kind: Kind, recordings: list[Recording]) -> Outcome:
    problems = []
    if recordings[0].rate != kind.rate:
        problems.append(f"{recordings[0].rate:g} Hz instead of {kind.rate:g}")
    samples = np.concatenate([recording.samples for recording in recordings])
    if samples.shape != kind.samples.shape:
        problems.append(f"shape {samples.shape} instead of {kind.samples.shape}")
    elif (samples != kind.samples).any():
        problems.append(f"{int((samples != kind.samples).sum())} values differ")
    if len(recordings) != kind.recordings:
        problems.append(f"{len(recordings)} recordings instead of {kind.recordings}")
    return Outcome(kind.name, not problems, "; ".join(problems) or "0 values differ")


def main() -> int:
    """Print the table; 1 if a kind failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    outcomes = []
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(try_kind(kind, Path(folder)))
    if arguments.json:
        print(json.dumps([vars(outcome) for outcome in outcomes], indent=2))
    else:
        for outcome in outcomes:
            print(f"{'ok  ' if outcome.ok else 'FAIL'}  {outcome.name:40} {outcome.note}")
        print(f"{sum(o.ok for o in outcomes)} of {len(outcomes)} kinds as expected")
    return 0 if all(outcome.ok for outcome in outcomes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
