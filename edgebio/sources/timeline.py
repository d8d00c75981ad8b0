"""When samples were taken, by when they arrived."""

from collections import deque

import numpy as np
import numpy.typing as npt

_MEMORY = 20.0  # seconds of arrivals that the line is fitted to
_LEAST = 5.0  # seconds before the rate is fitted too
_POINTS = 0.02  # least seconds between two remembered arrivals


class Timeline:
    """Times of evenly sampled data whose arrival jitters.

    Samples arrive late, never early: the line ``offset + number / rate`` runs below all recent
    arrivals and touches the earliest. Its rate is the nominal one at first, and then that of the
    arrivals, so that a clock which is off by some parts in a thousand does not drift away.

    Parameters
    ----------
    rate
        Nominal sampling rate in Hz.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._nominal = rate
        self._arrivals: deque[tuple[int, float]] = deque()
        self._last = -np.inf

    def restart(self) -> None:
        """Forget the arrivals: samples are missing, or the clock has changed."""
        self._arrivals.clear()
        self.rate = self._nominal

    def times(self, first: int, count: int, arrival: float) -> npt.NDArray[np.float64]:
        """Times of samples `first` to ``first + count - 1``, the last of which arrived just now.

        They increase strictly, from call to call too.
        """
        arrivals = self._arrivals
        if not arrivals or arrival - arrivals[-1][1] >= _POINTS:
            arrivals.append((first + count - 1, arrival))
        while arrivals[-1][1] - arrivals[0][1] > _MEMORY:
            arrivals.popleft()
        numbers, moments = np.array(arrivals, np.float64).T
        if moments[-1] - moments[0] >= _LEAST:
            slope = np.polyfit(numbers - numbers[0], moments - moments[0], 1)[0]
            self.rate = float(np.clip(1 / max(slope, 1e-9), 0.98 * self._nominal,
                                      1.02 * self._nominal))  # fmt: skip
        offset = float((moments - numbers / self.rate).min())
        result = offset + np.arange(first, first + count) / self.rate
        # A line that moves back may not make a sample older than the one before it.
        least = self._last + 0.5 / self.rate * np.arange(1, count + 1)
        increasing: npt.NDArray[np.float64] = np.maximum(result, least)
        self._last = float(increasing[-1]) if count else self._last
        return increasing
