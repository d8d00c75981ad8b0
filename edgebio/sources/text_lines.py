"""Numbers in lines of text, as any Arduino prints them: separator, columns, counter and rate."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

_MOST = 4096  # characters of a line; longer ones are noise
_SHARE = 0.8  # of the lines that a layout must explain
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "": "blanks"}
_LABELED = re.compile(r"\s*([^\d\s:=+-][^:=]*)[:=]\s*")
_ROUND_RATES = (
    50, 100, 125, 128, 200, 250, 256, 300, 400, 500, 512, 600, 750, 800, 1000, 1024, 1200, 1250,
    1500, 2000, 2048, 2400, 2500, 3000, 4000, 4096, 5000, 8000,
)  # fmt: skip


class LineBuffer:
    """Lines of a stream of bytes; what came before the first line end is left out.

    Attributes
    ----------
    damaged : int
        Lines that were no text, or too long.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._rest = b""
        self._started = False

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that `data` completes; a damaged line is an empty one."""
        *lines, self._rest = re.split(rb"\r\n|\n|\r(?!$)", self._rest + data)
        if len(self._rest) > _MOST:
            self._rest, self._started = b"", False
            self.damaged += 1
        if lines and not self._started:
            self._started = True
            del lines[0]
        return [self._text(line) for line in lines if line.strip()]

    def _text(self, line: bytes) -> str:
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            self.damaged += 1
            return ""


@dataclass(frozen=True)
class TextLayout:
    """How the lines of a device are laid out.

    Attributes
    ----------
    separator
        Between columns; empty for blanks.
    columns
        Number of columns, the counter included.
    names
        Names of the channels.
    counter, counts
        Column of a counter or of a time stamp, left out of the channels, and what it counts; None
        where there is none.
    step
        What the counter counts up by from sample to sample.
    modulus
        Where a counter of samples starts over; 0: unknown.
    """

    separator: str
    columns: int
    names: tuple[str, ...]
    counter: int | None = None
    counts: Literal["samples", "time"] = "samples"
    step: float = 1.0
    modulus: int = 0

    def describe(self) -> str:
        """Say what was recognized."""
        text = f"{len(self.names)} channels separated by {_SEPARATORS[self.separator]}"
        if self.counter is not None:
            kind = "counter" if self.counts == "samples" else "time"
            text += f"; column {self.counter + 1} is a {kind}"
        return text

    def parse(self, line: str) -> npt.NDArray[np.float64] | None:
        """Numbers of a line, shape (columns,); None where it is damaged or something else."""
        fields = split(line, self.separator)
        if len(fields) != self.columns:
            return None
        numbers = [_number(field) for field in fields]
        if None in numbers:
            return None
        values = np.array(numbers, np.float64)
        return values if np.isfinite(values).all() else None

    def channels(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Columns that are channels, of rows of numbers."""
        return values if self.counter is None else np.delete(values, self.counter, axis=1)


def recognize(lines: Sequence[str]) -> TextLayout | None:
    """Recognize the layout of the first lines of a device; None where most are no numbers."""
    best: tuple[int, str, int] = (0, "", 0)
    for separator in _SEPARATORS:
        rows = [split(line, separator) for line in lines]
        lengths = Counter(
            len(row) for row in rows if row and all(_number(field) is not None for field in row)
        )
        if not lengths:
            continue
        columns, count = lengths.most_common(1)[0]
        if count >= _SHARE * len(lines) and (columns, count) > (best[0], best[2]):
            best = (columns, separator, count)
    columns, separator, _ = best
    if not columns:
        return None
    layout = TextLayout(separator, columns, ("",) * columns)
    values = np.array([row for line in lines if (row := layout.parse(line)) is not None])
    names = _names(lines, layout)
    counted = _with_counter(layout, values) if columns > 1 else layout
    own = tuple(name for number, name in enumerate(names) if number != counted.counter)
    return replace(counted, names=own)


def split(line: str, separator: str) -> list[str]:
    """Fields of a line; empty ones at its end are no columns."""
    fields = line.split(separator or None)
    while fields and not fields[-1].strip():
        fields.pop()
    return fields


def round_rate(rate: float) -> float:
    """Rate that was meant by a measured one: a usual rate within 2 %, or three digits."""
    usual = min(_ROUND_RATES, key=lambda each: abs(each - rate))
    return float(usual) if abs(usual - rate) <= 0.02 * usual else float(f"{rate:.3g}")


def _number(field: str) -> float | None:
    """Value of a field such as ``12``, ``-0.5``, ``1,5`` or ``ch1:12``."""
    text = field.strip()
    if labeled := _LABELED.match(text):
        text = text[labeled.end() :]
    if "_" in text:
        return None
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def _names(lines: Sequence[str], layout: TextLayout) -> list[str]:
    """Names of the columns: labels of the fields, a line of names, or numbers."""
    for line in lines:
        fields = [field.strip() for field in split(line, layout.separator)]
        if len(fields) != layout.columns:
            continue
        labels = [match[1].strip() if (match := _LABELED.match(f)) else "" for f in fields]
        if all(labels) and layout.parse(line) is not None:
            return labels
        if all(fields) and not any(_number(field) is not None for field in fields):
            return fields
    return [f"channel {number + 1}" for number in range(layout.columns)]


def _with_counter(layout: TextLayout, values: npt.NDArray[np.float64]) -> TextLayout:
    """Find a column that counts samples or time."""
    steps = np.diff(values, axis=0)
    if len(steps) < 10:
        return layout
    for column, own in enumerate(steps.T):
        back = np.unique(own[own < 0])
        if (own == 1).mean() > 0.9 and len(back) <= 1:
            modulus = int(1 - back[0]) if len(back) and (own < 0).sum() > 1 else 0
            return replace(layout, counter=column, counts="samples", modulus=modulus)
    for column, own in enumerate(steps.T):
        usual = float(np.median(own))
        if usual > 0 and (own >= 0).mean() > 0.98 and (np.abs(own - usual) <= usual).mean() > 0.9:
            mean = float(np.mean(own[own <= 2 * usual]))
            return replace(layout, counter=column, counts="time", step=mean)
    return layout
