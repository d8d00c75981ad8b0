"""Time-domain features of EMG windows, each by its equation: the one place that computes them.

Hudgins B, Parker P, Scott RN: A new strategy for multifunction myoelectric control (IEEE Trans.
Biomed. Eng. 40(1):82-94, 1993) for `hudgins`; Wu C, Atashzar SF, Ghassemi MM, Alhanai T: An LSTM
feature imitation network for hand movement recognition from sEMG signals (arXiv 2405.19356), and
the code published with it, for `imitated`.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

IMITATED = ("entropy", "rms", "variance", "ssi")
"""Names of what `imitated` computes, in its order."""
Entropy = Literal["amplitude", "softmax"]
BIN = 0.25
"""Width of the amplitude histogram's bins, in standard deviations."""

_BINS = 1024  # of the histogram; what is beyond them counts as the last
_AT_ONCE = 1024  # windows


def imitated(
    windows: npt.NDArray[np.floating], entropy: Entropy = "amplitude"
) -> npt.NDArray[np.float64]:
    """Entropy, root mean square, variance and simple square integral of windows.

    Parameters
    ----------
    windows
        float, shape (..., N): standardised samples ``x`` of one channel, in standard deviations.
    entropy
        Which entropy, see below.

    Returns
    -------
    ndarray
        float64, shape (..., 4), in the order of `IMITATED`.

    Notes
    -----
    With sums over the N samples::

        entropy   H   = -sum(p log p)                                in nats, 0 to log N
        rms       RMS = sqrt(sum(x^2) / N)                           in standard deviations
        variance  VAR = sum((x - sum(x) / N)^2) / N                  in their squares
        ssi       SSI = sum(x^2)                                     in their squares

    ``amplitude`` is Shannon's entropy of the amplitude: p is the share of samples in each bin of a
    histogram whose bins are `BIN` wide, the same for all windows. It is 0 at rest and rises with
    the contraction. ``softmax`` is what the source's code computes: p = exp(x) / sum(exp(x)), a
    share for each sample. It is near log N at rest and falls as single peaks stand out.
    """
    x = np.asarray(windows, np.float64)
    squares = np.square(x).sum(axis=-1)
    told = _of_amplitude(x) if entropy == "amplitude" else _of_softmax(x)
    return np.stack([told, np.sqrt(squares / x.shape[-1]), x.var(axis=-1), squares], axis=-1)


def _of_amplitude(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    length = x.shape[-1]
    rows = x.reshape(-1, length)
    share = np.arange(length + 1) / length
    part = -share * np.log(np.maximum(share, 1 / length))  # of each count; 0 for none
    found = np.empty(len(rows))
    for first in range(0, len(rows), _AT_ONCE):
        some = np.clip(np.rint(rows[first : first + _AT_ONCE] / BIN) + _BINS // 2, 0, _BINS - 1)
        places = some.astype(np.int64) + _BINS * np.arange(len(some))[:, None]
        counts = np.bincount(places.ravel(), minlength=_BINS * len(some))
        found[first : first + _AT_ONCE] = part[counts].reshape(-1, _BINS).sum(axis=1)
    return found.reshape(x.shape[:-1])


def _of_softmax(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    below = x - x.max(axis=-1, keepdims=True)  # the softmax stays as it is, and nothing overflows
    weights = np.exp(below)
    total = weights.sum(axis=-1)
    entropy: npt.NDArray[np.float64] = np.log(total) - (weights * below).sum(axis=-1) / total
    return entropy


def hudgins(
    signal: npt.NDArray[np.floating],
    begin: npt.NDArray[np.integer],
    window: int,
    threshold: float,
) -> npt.NDArray[np.float64]:
    """Hudgins' features of overlapping windows of one signal.

    Parameters
    ----------
    signal
        float, shape (n, channels): filtered, without mean.
    begin
        First sample of every window.
    window
        Samples N of a window.
    threshold
        What a crossing or a turn has to exceed, to be more than noise; in the signal's unit.

    Returns
    -------
    ndarray
        float64, shape (windows, 4 * channels): MAV, WL, ZC and SSC of all channels in turn.

    Notes
    -----
    With the slope ``d[i] = x[i + 1] - x[i]``::

        mean absolute value   MAV = sum(|x[i]|) / N
        waveform length       WL  = sum(|d[i]|)
        zero crossings        ZC  = how many i have x[i] x[i + 1] < 0 and |d[i]| > threshold
        slope sign changes    SSC = how many i have d[i] d[i + 1] < 0
                                    and max(|d[i]|, |d[i + 1]|) > threshold
    """
    # Sums over windows are differences of running sums, at any overlap.
    slope = np.diff(signal, axis=0)
    crossing = (signal[:-1] * signal[1:] < 0) & (np.abs(slope) > threshold)
    turn = (slope[:-1] * slope[1:] < 0) & (
        np.maximum(np.abs(slope[:-1]), np.abs(slope[1:])) > threshold
    )
    return np.concatenate(
        [
            _sums(np.abs(signal), begin, window) / window,
            _sums(np.abs(slope), begin, window - 1),
            _sums(crossing, begin, window - 1),
            _sums(turn, begin, window - 2),
        ],
        axis=1,
    )


def _sums(
    values: npt.NDArray[np.generic], begin: npt.NDArray[np.integer], length: int
) -> npt.NDArray[np.float64]:
    running = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    sums: npt.NDArray[np.float64] = running[begin + length] - running[begin]
    return sums
