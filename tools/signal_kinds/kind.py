"""A kind of signal file, and the counts, labels and lines that the files are made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

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
    labels
        Class of every sample of the result, empty for none; None: not compared.
    refusal
        Part of the one line that refuses it; None where it is imported.
    """

    name: str
    write: Callable[[Path], None]
    options: Mapping[str, Any] = field(default_factory=dict)
    rate: float = RATE
    samples: npt.NDArray[np.int16] = field(default_factory=lambda: COUNTS)
    recordings: int = 1
    labels: npt.NDArray[np.str_] | None = None
    refusal: str | None = None
    suffix: str = ".csv"


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


VOLTS = COUNTS * LSB
NAMES = "a,b,c,d"
LABELED = [f"{row},{label}" for row, label in zip(rows(), LABELS, strict=True)]
BY_RATE = {"rate": RATE}
SCALED = {"rate": RATE, "lsb": LSB}
LABELED_RUNS = {"rate": RATE, "label_column": "grip"}
