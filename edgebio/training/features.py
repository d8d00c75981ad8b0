"""Time-domain features of EMG windows, each by its equation: the one place that computes them.

Hudgins B, Parker P, Scott RN: A new strategy for multifunction myoelectric control (IEEE Trans.
Biomed. Eng. 40(1):82-94, 1993) for `hudgins`; Wu C, Atashzar SF, Ghassemi MM, Alhanai T: An LSTM
feature imitation network for hand movement recognition from sEMG signals (arXiv 2405.19356), and
the code published with it, for `imitated`.
"""

import numpy as np
import numpy.typing as npt

IMITATED = ("entropy", "rms", "variance", "ssi")
"""Names of what `imitated` computes, in its order."""


def imitated(windows: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Entropy, root mean square, variance and simple square integral of windows.

    Parameters
    ----------
    windows
        float, shape (..., N): standardised samples ``x`` of one channel, in standard deviations.

    Returns
    -------
    ndarray
        float64, shape (..., 4), in the order of `IMITATED`.

    Notes
    -----
    With sums over the N samples::

        entropy   H   = -sum(p log p), p = exp(x) / sum(exp(x))      in nats, 0 to log N
        rms       RMS = sqrt(sum(x^2) / N)                           in standard deviations
        variance  VAR = sum((x - sum(x) / N)^2) / N                  in their squares
        ssi       SSI = sum(x^2)                                     in their squares

    The entropy is that of the source's code: how evenly a softmax spreads over the samples. It is
    near ``log N`` where the muscle rests and falls as peaks stand out.
    """
    x = np.asarray(windows, np.float64)
    squares = np.square(x).sum(axis=-1)
    below = x - x.max(axis=-1, keepdims=True)  # the softmax stays as it is, and nothing overflows
    weights = np.exp(below)
    total = weights.sum(axis=-1)
    entropy = np.log(total) - (weights * below).sum(axis=-1) / total
    return np.stack([entropy, np.sqrt(squares / x.shape[-1]), x.var(axis=-1), squares], axis=-1)


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
