"""Text files: separators, names, labels, times, units and gaps."""

import gzip
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from signal_kinds.kind import (
    BY_RATE,
    COUNTS,
    LABELED,
    LABELED_RUNS,
    LABELS,
    LSB,
    NAMES,
    RATE,
    SCALED,
    VOLTS,
    Kind,
    lines,
    rows,
    timed,
)

_LOST = np.delete(np.arange(len(COUNTS)), np.arange(300, 310))
_FILLED = COUNTS[np.where((np.arange(600) >= 300) & (np.arange(600) < 310), 299, np.arange(600))]


def _numpy_text(path: Path) -> None:
    np.savetxt(path, COUNTS, header="written by numpy")


def _gzip(path: Path) -> None:
    path.write_bytes(gzip.compress("\n".join(rows()).encode()))


def _with_hole(path: Path) -> None:
    written = rows()
    written[300] = "1,,3,4"
    path.write_text("\n".join(["a,b,c,d", *written]))


_NUMBERED = [
    f"{row},{['rest', 'fist', 'open hand'].index(label)}"
    for row, label in zip(rows(), LABELS, strict=True)
]
_RUNS: dict[str, Any] = {"recordings": 6, "labels": LABELS}


def _with_events(path: Path) -> None:
    """Each run of a label as an event, in a table beside the signals."""
    path.write_text("\n".join([NAMES, *rows()]))
    events = [f"{k / 5},0.2,{LABELS[100 * k]}" for k in range(6)]
    beside = path.with_name(f"{path.stem}_events.csv")
    beside.write_text("\n".join(["onset,duration,label", *events]))


def stamped(form: Callable[[datetime], str]) -> list[str]:
    """Lines with a time stamp before the numbers; a new day begins in the first second."""
    start = datetime(2024, 3, 1, 23, 59, 59, 500_000)
    stamps = (start + timedelta(milliseconds=2 * k) for k in range(len(COUNTS)))
    return [f"{form(stamp)},{row}" for stamp, row in zip(stamps, rows(), strict=True)]


KINDS: tuple[Kind, ...] = (
    Kind("commas", lines(rows()), BY_RATE),
    Kind("names", lines(NAMES, rows()), BY_RATE),
    Kind("semicolons, decimal comma", lines("a;b;c;d", rows(VOLTS, ";", "%.2f", ",")), SCALED),
    Kind("tabs", lines(rows(separator="\t")), BY_RATE, suffix=".txt"),
    Kind("blanks, as numpy.savetxt writes", _numpy_text, BY_RATE, suffix=".txt"),
    Kind(
        "aligned by blanks",
        lines(["  ".join(f"{v:6d}" for v in r) for r in COUNTS]),
        BY_RATE,
        suffix=".dat",
    ),
    Kind("sep=; in the first line", lines("sep=;", "a;b;c;d", rows(separator=";")), BY_RATE),
    Kind(
        "comment lines and a rate", lines("# subject 1", "# sampling rate: 500 Hz", NAMES, rows())
    ),
    Kind("a row of units", lines(NAMES, "mV,mV,mV,mV", rows()), BY_RATE),
    Kind(
        "quoted names and numbers",
        lines('"a","b","c","d"', [",".join(f'"{v}"' for v in row) for row in COUNTS]),
        BY_RATE,
    ),
    Kind(
        "quoted, with decimal commas",
        lines(
            '"a","b","c","d"',
            [",".join(f'"{v:.2f}"'.replace(".", ",") for v in row) for row in VOLTS],
        ),
        SCALED,
    ),
    Kind("UTF-16 with a mark", lines(NAMES, rows(), encoding="utf-16"), BY_RATE),
    Kind("UTF-16 without a mark", lines(NAMES, rows(), encoding="utf-16-le"), BY_RATE),
    Kind("UTF-8 with a mark", lines("\ufeffa,b,c,d", rows()), BY_RATE),
    Kind("Latin-1", lines("µV 1,µV 2,µV 3,µV 4", rows(), encoding="latin-1"), BY_RATE),
    Kind("lines ended by CR", lines(NAMES, rows(), end="\r"), BY_RATE),
    Kind("lines ended by CR LF", lines(NAMES, rows(), end="\r\n"), BY_RATE),
    Kind("trailing separators", lines("a,b,c,d,", [row + "," for row in rows()]), BY_RATE),
    Kind(
        "gzip",
        _gzip,
        BY_RATE,
        suffix=".csv.gz",
    ),
    Kind("blank lines at the end", lines(rows(), "", "", ""), BY_RATE),
    Kind(
        "names of pandas",
        lines(",0,1,2,3", [f"{k},{row}" for k, row in enumerate(rows())]),
        BY_RATE,
    ),
    Kind(
        "a text column that nothing uses",
        lines(NAMES + ",note", [row + ",ok" for row in rows()]),
        BY_RATE,
    ),
    Kind("a column of labels", lines(NAMES + ",grip", LABELED), LABELED_RUNS, recordings=6),
    Kind(
        "one-hot labels",
        lines(
            NAMES + ",fist,rest",
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
        BY_RATE,
    ),
    Kind(
        "a counter that lost samples",
        lines("index,a,b,c,d", [f"{k},{rows()[k]}" for k in _LOST]),
        BY_RATE,
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
    Kind("an empty cell", _with_hole, BY_RATE, refusal="line 302, field 2: nan"),
    Kind(
        "an empty cell, cut",
        _with_hole,
        {"rate": RATE, "gaps": "cut"},
        samples=np.delete(COUNTS, 300, axis=0),
        recordings=2,
    ),
    Kind("channels x samples", lines(rows(COUNTS.T)), BY_RATE, refusal="4 lines of 600 numbers"),
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
    Kind("decimals without a step", lines(rows(VOLTS, form="%.2f")), BY_RATE, refusal="--lsb 0.25"),
    Kind(
        "24 bits with an offset",
        lines(rows(COUNTS.astype(int) + 7_000_000)),
        {"rate": RATE, "remove_offset": True},
        samples=(COUNTS - np.rint(np.median(COUNTS, axis=0)).astype(int)).astype(np.int16),
    ),
    Kind(
        "24 bits",
        lines(rows(COUNTS.astype(int) + 7_000_000)),
        BY_RATE,
        refusal="does not fit a 16-bit sample",
    ),
    Kind(
        "another unit than the file's, converted",
        lines("a (mV),b (mV)", rows(VOLTS[:, :2], form="%.2f")),
        {"rate": RATE, "units": "V", "lsb": LSB / 1000},
        samples=COUNTS[:, :2],
    ),
    Kind(
        "a unit that is not the file's",
        lines("a (g),b (g)", rows(COUNTS[:, :2])),
        {"rate": RATE, "units": "V"},
        refusal="its unit is g, which V is not a part of",
    ),
    Kind("only text", lines("a,b", "c,d"), BY_RATE, refusal="no line of numbers"),
    Kind(
        "ISO 8601 with a zone, over midnight",
        lines("time,a,b,c,d", stamped(lambda t: t.isoformat(timespec="milliseconds") + "+01:00")),
    ),
    Kind(
        "ISO 8601 without a zone or a name",
        lines(stamped(lambda t: t.isoformat(sep=" ", timespec="microseconds"))),
    ),
    Kind("ISO 8601, UTC", lines("t,a,b,c,d", stamped(lambda t: f"{t:%Y-%m-%dT%H:%M:%S.%f}Z"))),
    Kind("times of day", lines("time,a,b,c,d", stamped(lambda t: f"{t:%H:%M:%S.%f}"))),
    Kind(
        "dates of either order",
        lines("time,a,b,c,d", stamped(lambda t: f"{t:%d/%m/%Y %H:%M:%S.%f}")),
    ),
    Kind(
        "time stamps that lost samples",
        lines("time,a,b,c,d", [stamped(datetime.isoformat)[k] for k in _LOST]),
        samples=COUNTS[_LOST],
        recordings=2,
    ),
    Kind(
        "time stamps that contradict --rate",
        lines("time,a,b,c,d", stamped(datetime.isoformat)),
        {"rate": 1000.0},
        refusal="times are those of 500 Hz, not 1000 Hz",
    ),
    Kind(
        "time stamps in whole seconds",
        lines("time,a,b,c,d", stamped(lambda t: f"{t:%Y-%m-%d %H:%M:%S}")),
        refusal="does not state its rate; add --rate HZ",
    ),
    Kind(
        "a header that contradicts the times",
        lines("# sampling rate: 250 Hz", "time,a,b,c,d", timed()),
        refusal="states 250 Hz, but its times are those of 500 Hz",
    ),
    Kind("names from 1", lines("1,2,3,4", rows(VOLTS, form="%.2f")), SCALED),
    Kind(
        "an index and names from 1",
        lines(",1,2,3,4", [f"{k},{row}" for k, row in enumerate(rows())]),
        BY_RATE,
    ),
    Kind("labels by name", lines(f"{NAMES},gesture", LABELED), BY_RATE, **_RUNS),
    Kind(
        "numbers as labels by name",
        lines(f"{NAMES},class", _NUMBERED),
        {"rate": RATE, "classes": {"0": "rest", "1": "fist", "2": "open hand"}},
        **_RUNS,
    ),
    Kind(
        "labels without a name",
        lines(_NUMBERED),
        BY_RATE,
        refusal="its last column, 5, hardly ever changes, as labels do: add --label-column 5",
    ),
    Kind(
        "labels without a name, first",
        lines([f"{row.rsplit(',', 1)[1]},{row.rsplit(',', 1)[0]}" for row in _NUMBERED]),
        BY_RATE,
        refusal="its first column, 1, hardly ever changes, as labels do: add --label-column 1",
    ),
    Kind(
        "one-hot labels that nothing names",
        lines(
            f"{NAMES},fist,rest,open",
            [
                f"{row},{int(label == 'fist')},{int(label == 'rest')},{int(label[0] == 'o')}"
                for row, label in zip(rows(), LABELS, strict=True)
            ],
        ),
        BY_RATE,
        refusal="add --label-column 'fist,rest,open'",
    ),
    Kind(
        "a dead channel of several",
        lines("ch1,ch2,ch3,ch4", [f"{row.rsplit(',', 1)[0]},0" for row in rows()]),
        BY_RATE,
        samples=np.hstack([COUNTS[:, :3], np.zeros((600, 1), np.int16)]),
    ),
    Kind(
        "a column of subjects",
        lines(f"{NAMES},subject", [f"{row},{k // 300}" for k, row in enumerate(rows())]),
        BY_RATE,
        recordings=2,
    ),
    Kind(
        "signals of muscles among others",
        lines(
            "emg_l,emg_r,acc_x,battery",
            [f"{row.rsplit(',', 2)[0]},0.5,3.7" for row in rows()],
        ),
        BY_RATE,
        samples=COUNTS[:, :2],
    ),
    Kind("events beside the file", _with_events, BY_RATE, **_RUNS),
    Kind(
        "a table of events",
        lines("onset,duration,trial_type", [f"{k},0.5,fist" for k in range(9)]),
        BY_RATE,
        refusal="a table about recordings, not signals",
    ),
    Kind(
        "16 bits without a sign",
        lines(rows(COUNTS.astype(int) + 40_000)),
        BY_RATE,
        refusal="remove the offset of each channel (--remove-offset), or give a larger step: --lsb",
    ),
)
