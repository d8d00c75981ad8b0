"""Text files as recording programs and published data sets have them."""

import json
from pathlib import Path

import numpy as np

from signal_kinds.kind import (
    BY_RATE,
    COUNTS,
    LABELS,
    LSB,
    RATE,
    TIMES,
    VOLTS,
    Kind,
    lines,
    rows,
    timed,
)

_OPENSIGNALS = json.dumps({
    "00:07:80:3B:46:61": {
        "sensor": ["EMG"] * 4, "device": "bitalino_rev", "sampling rate": 500,
        "column": ["nSeq", "I1", "A1", "A2", "A3", "A4"], "label": ["A1", "A2", "A3", "A4"],
    }
})  # fmt: skip


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


_CENTERED = (COUNTS - np.rint(np.median(COUNTS, axis=0)).astype(int)).astype(np.int16)


def _cyton(path: Path) -> None:
    """24 columns: packet, eight signals (here four, twice), others, time, marker."""
    stamps = 1.7e9 + TIMES
    path.write_text(
        "\n".join(
            "\t".join(f"{v:.6f}" for v in [k % 256, *row, *row, *[0.0] * 13, t, 0.0])
            for k, (row, t) in enumerate(zip(VOLTS.tolist(), stamps, strict=True))
        )
    )


def _two_devices(path: Path) -> None:
    devices = {
        f"00:0{k}": {"column": ["nSeq", "DI", "CH1", "CH2"], "label": ["CH1", "CH2"],
                     "sampling rate": 500}
        for k in (7, 8)
    }  # fmt: skip
    raw = COUNTS.astype(int) + 32768
    body = [
        f"{k % 16}\t0\t{a}\t{b}\t{k % 16}\t0\t{c}\t{d}\t"
        for k, (a, b, c, d) in enumerate(raw.tolist())
    ]
    head = ["# OpenSignals Text File Format", f"# {json.dumps(devices)}", "# EndOfHeader"]
    path.write_text("\n".join([*head, *body]))


def _trigno_with_accelerations(path: Path) -> None:
    """Pairs of times and values; accelerations have fewer samples, and end in blanks."""
    names = [f"X[s],Trigno sensor {k}: EMG {k}[V],X[s],Trigno sensor {k}: Acc {k}.X[g]"
             for k in (1, 2)]  # fmt: skip
    body = []
    for k, (t, row) in enumerate(zip(TIMES, COUNTS.tolist(), strict=True)):
        slow = f"{k / 50:.4f},0.1" if k < 60 else ","
        body.append(",".join(f"{t:.6f},{v * 1e-6:.8f},{slow}" for v in row[:2]))
    path.write_text("\n".join([",".join(names), *body]))


def _trigno_of_two_rates(path: Path) -> None:
    body = [
        f"{t:.6f},{v * 1e-6:.8f}," + (f"{2 * t:.6f},0.00001" if k < 300 else ",")
        for k, (t, v) in enumerate(zip(TIMES, COUNTS[:, 0].tolist(), strict=True))
    ]
    path.write_text("\n".join(["X[s],S1: EMG 1[V],X[s],S2: EMG 2[V]", *body]))


def _vicon_with_markers(path: Path) -> None:
    _vicon(path)
    markers = ["", "Trajectories", "100", ",,S1:A,,", "Frame,Sub Frame,X,Y,Z", ",,mm,mm,mm"]
    path.write_text("\n".join([path.read_text(), *markers, *["1,0,1.5,2.5,3.5"] * 120]))


def _vicon_after_joints(path: Path) -> None:
    _vicon(path)
    joints = ["Joints", "100", ",,S1:Hip,,", "Frame,Sub Frame,RX,RY,RZ", ",,deg,deg,deg"]
    path.write_text("\n".join([*joints, *["1,0,1.5,2.5,3.5"] * 120, "", path.read_text()]))


def _bids_table(path: Path) -> None:
    path.write_text("\n".join(rows(separator="\t")))
    columns = {"SamplingFrequency": RATE, "Columns": ["a", "b", "c", "d"], "StartTime": 0}
    path.with_suffix(".json").write_text(json.dumps(columns))


KINDS: tuple[Kind, ...] = (
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
    Kind("BrainFlow", _brainflow, {"columns": ("2", "3", "4", "5")}),
    Kind("BrainFlow of a Cyton", _cyton, {"lsb": LSB}, samples=np.tile(COUNTS, 2)),
    Kind(
        "OpenBCI GUI of 2018",
        lines(
            "%OpenBCI Raw EEG Data",
            "%Number of channels = 4",
            "%Sample Rate = 500.0 Hz",
            "%Other Columns = EEG data in microvolts followed by Accel Data (in G)",
            [
                f"{k % 256}, {', '.join(f'{v:.2f}' for v in r)}, 0.0, 0.0, 0.0, 13:45:23.123, "
                f"{1_520_000_000_000 + 2 * k + k % 3}"
                for k, r in enumerate(VOLTS.tolist())
            ],
        ),
        {"lsb": LSB},
        suffix=".txt",
    ),
    Kind(
        "OpenSignals of two devices",
        _two_devices,
        {"remove_offset": True},
        samples=_CENTERED,
        suffix=".txt",
    ),
    Kind(
        "Delsys with accelerations",
        _trigno_with_accelerations,
        {"lsb": 1e-6},
        samples=COUNTS[:, :2],
    ),
    Kind("Delsys of two rates", _trigno_of_two_rates, refusal="several rates (250, 500 Hz)"),
    Kind(
        "Delsys of two rates, one chosen",
        _trigno_of_two_rates,
        {"lsb": 1e-6, "columns": ("S1: EMG 1[V]",)},
        samples=COUNTS[:, :1],
    ),
    Kind("Vicon Nexus, markers after the signals", _vicon_with_markers),
    Kind("Vicon Nexus, joints before the signals", _vicon_after_joints),
    Kind(
        "Myo armband, two samples in a packet",
        lines(
            "timestamp,emg1,emg2,emg3,emg4",
            [f"{1_456_704_054_738_841 + k // 2 * 4000},{row}" for k, row in enumerate(rows())],
        ),
        {"rate": RATE},
    ),
    Kind(
        "EMG gestures of UCI",
        lines(
            "time\tchannel1\tchannel2\tchannel3\tchannel4\tclass",
            [
                f"{2 * k + 1}\t" + "\t".join(f"{v * 1e-5:g}" for v in r) + f"\t{label}"
                for k, (r, label) in enumerate(zip(COUNTS.tolist(), LABELS, strict=True))
            ],
        ),
        {"lsb": 1e-5},
        recordings=6,
        labels=LABELS,
        suffix=".txt",
    ),
    Kind(
        "windows of 16 x 4 numbers and a class, as on Kaggle",
        lines(rows(np.hstack([np.tile(COUNTS, 16), np.zeros((600, 1))]), form="%.1f")),
        BY_RATE,
        refusal="its last column, 65, hardly ever changes, as labels do: add --label-column 65",
    ),
    Kind(
        "rdsamp of WFDB",
        lines(
            "'Elapsed time','a','b','c','d'",
            "'hh:mm:ss.mmm','mV','mV','mV','mV'",
            [f"'0:0{t:.3f}',{row}" for t, row in zip(TIMES, rows(), strict=True)],
        ),
    ),
    Kind("a data frame of MNE", lines("time,EMG1,EMG2,EMG3,EMG4", timed(form="%.6f"))),
    Kind("BIDS, columns in the JSON beside it", _bids_table, suffix="_physio.tsv"),
)
