"""Numbers of a live source to counts of 16 bits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from edgebio.recordings.counts import scaled_units
from edgebio.sampling.scale import highpass_exponent
from edgebio.sources.url import SourceUrl

OPTIONS = ("lsb", "highpass")
"""Options of every source that sends numbers rather than counts."""


@dataclass(frozen=True)
class CountScale:
    """How numbers become counts.

    Attributes
    ----------
    lsb
        Units of one count; None where the numbers are counts.
    highpass
        Corner of the high-pass in Hz, which takes away an electrode's offset; 0: none.
    units
        Units of the numbers.
    """

    lsb: float | None
    highpass: float
    units: str

    @classmethod
    def from_url(cls, url: SourceUrl, units: str, lsb: float | None = None) -> "CountScale":
        """Read ``lsb`` and ``highpass``; `lsb` is the default."""
        return cls(url.number("lsb", lsb), url.number("highpass", 0.0, above=False) or 0.0, units)

    @property
    def count_units(self) -> str:
        """Meaning of one count."""
        return scaled_units(self.lsb, self.units)

    def stream(self, rate: float) -> "CountScaler":
        """Scale a signal as it goes on."""
        return CountScaler(self, rate)


class CountScaler:
    """Counts of numbers, from the start of a source on.

    The high-pass is that of ``eb_scale.h``, in float64: the mean of the past is subtracted, with a
    time constant of a power of two of samples.
    """

    def __init__(self, scale: CountScale, rate: float) -> None:
        self._lsb = scale.lsb or 1.0
        self._weight = 2.0 ** -highpass_exponent(scale.highpass, rate) if scale.highpass else 0.0
        self._mean: npt.NDArray[np.float64] | None = None

    def counts(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
        """Counts of the next numbers, finite, shape (n, channels)."""
        if self._weight:
            if self._mean is None:
                self._mean = values[0].astype(np.float64)
            result = np.empty(values.shape)
            for row, value in enumerate(values):
                result[row] = value - self._mean
                self._mean = self._mean + self._weight * result[row]
            values = result
        scaled = np.rint(values / self._lsb)
        return np.clip(scaled, -32768, 32767).astype(np.int16)  # a signal check finds full scale


@dataclass(frozen=True)
class Run:
    """Rows `start` to `end` - 1, with the number of samples missing before them, and why."""

    start: int
    end: int
    lost: int
    gap: str


class RunSplitter:
    """Splits the numbers of a source where some are missing, or are no numbers."""

    def __init__(self) -> None:
        self._lost, self._gap = 0, ""

    def split(
        self, values: npt.NDArray[np.float64], gaps: Mapping[int, tuple[int, str]]
    ) -> Iterator[Run]:
        """Split the next numbers.

        Parameters
        ----------
        values
            float64, shape (n, channels); a row with NaN or infinity is no sample.
        gaps
            By row: how many samples are missing before it, and why.
        """
        damaged: npt.NDArray[np.bool_] = np.logical_not(np.isfinite(values).all(axis=1))
        changes = np.flatnonzero(np.diff(damaged)) + 1
        for start, end in pairwise(sorted({0, *gaps, *changes.tolist(), len(values)})):
            if start in gaps:
                lost, reason = gaps[start]
                self._lost += lost
                self._gap = self._gap or reason
            if damaged[start]:
                self._lost += end - start
                self._gap = self._gap or "samples are not numbers"
                continue
            run = Run(start, end, self._lost, self._gap)
            self._lost, self._gap = 0, ""
            yield run
