"""Time-domain features of EMG segments, each by its equation.

Hudgins B, Parker P, Scott RN: A new strategy for multifunction myoelectric control (IEEE Trans.
Biomed. Eng. 40(1):82-94, 1993) for `hudgins_features`; Wu C, Atashzar SF, Ghassemi MM, Alhanai T:
An LSTM feature imitation network for hand movement recognition from sEMG signals (arXiv
2405.19356), and the code published with it, for `imitated_features`.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

IMITATED_FEATURES = ("entropy", "rms", "variance", "ssi")
"""Names of the features of `imitated_features`, in its order."""
Entropy = Literal["amplitude", "softmax"]
BIN = 0.25
"""Width of the amplitude histogram's bins, in standard deviations."""

_BINS = 1024  # of the histogram; values beyond them count as the last
_CHUNK = 1024  # segments at once


def imitated_features(
    segments: npt.NDArray[np.floating], entropy: Entropy = "amplitude"
) -> npt.NDArray[np.float64]:
    """Entropy, root mean square, variance and simple square integral of segments.

    Parameters
    ----------
    segments
        float, shape (..., N): standardized samples ``x`` of one channel, in standard deviations.
    entropy
        Which entropy, see below.

    Returns
    -------
    ndarray
        float64, shape (..., 4), in the order of `IMITATED_FEATURES`.

    Notes
    -----
    With sums over the N samples::

        entropy   H   = -sum(p log p)                                in nats, 0 to log N
        rms       RMS = sqrt(sum(x^2) / N)                           in standard deviations
        variance  VAR = sum((x - sum(x) / N)^2) / N                  in their squares
        ssi       SSI = sum(x^2)                                     in their squares

    ``amplitude`` is Shannon's entropy of the amplitude: p is the share of samples in each bin of a
    histogram whose bins are `BIN` wide, the same for all segments. It is 0 at rest and rises with
    the contraction. ``softmax`` is what the source's code computes: p = exp(x) / sum(exp(x)) for
    each sample. It is near log N at rest and falls as single peaks stand out.
    """
    x = np.asarray(segments, np.float64)
    squares = np.square(x).sum(axis=-1)
    first = _amplitude_entropy(x) if entropy == "amplitude" else _softmax_entropy(x)
    return np.stack([first, np.sqrt(squares / x.shape[-1]), x.var(axis=-1), squares], axis=-1)


def _amplitude_entropy(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    length = x.shape[-1]
    rows = x.reshape(-1, length)
    share = np.arange(length + 1) / length
    terms = -share * np.log(np.maximum(share, 1 / length))  # of each count; 0 for none
    entropy = np.empty(len(rows))
    for first in range(0, len(rows), _CHUNK):
        chunk = np.clip(np.rint(rows[first : first + _CHUNK] / BIN) + _BINS // 2, 0, _BINS - 1)
        bins = chunk.astype(np.int64) + _BINS * np.arange(len(chunk))[:, None]
        counts = np.bincount(bins.ravel(), minlength=_BINS * len(chunk))
        entropy[first : first + _CHUNK] = terms[counts].reshape(-1, _BINS).sum(axis=1)
    return entropy.reshape(x.shape[:-1])


def _softmax_entropy(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    shifted = x - x.max(axis=-1, keepdims=True)  # softmax does not change, and nothing overflows
    weights = np.exp(shifted)
    total = weights.sum(axis=-1)
    entropy: npt.NDArray[np.float64] = np.log(total) - (weights * shifted).sum(axis=-1) / total
    return entropy


def hudgins_features(
    signal: npt.NDArray[np.floating],
    starts: npt.NDArray[np.integer],
    length: int,
    threshold: float,
) -> npt.NDArray[np.float64]:
    """Hudgins' features of overlapping segments of one signal.

    Parameters
    ----------
    signal
        float, shape (n, channels): filtered, without mean.
    starts, length
        First sample of every segment, and samples N of a segment.
    threshold
        Smallest step of a crossing or a turn that is more than noise; in the signal's unit.

    Returns
    -------
    ndarray
        float64, shape (segments, 4 * channels): MAV, WL, ZC and SSC of all channels in turn.

    Notes
    -----
    With the slope ``d[i] = x[i + 1] - x[i]``::

        mean absolute value   MAV = sum(|x[i]|) / N
        waveform length       WL  = sum(|d[i]|)
        zero crossings        ZC  = number of i with x[i] x[i + 1] < 0 and |d[i]| > threshold
        slope sign changes    SSC = number of i with d[i] d[i + 1] < 0
                                    and max(|d[i]|, |d[i + 1]|) > threshold
    """
    # Sums over segments are differences of running sums, at any overlap.
    slope = np.diff(signal, axis=0)
    crossing = (signal[:-1] * signal[1:] < 0) & (np.abs(slope) > threshold)
    turn = (slope[:-1] * slope[1:] < 0) & (
        np.maximum(np.abs(slope[:-1]), np.abs(slope[1:])) > threshold
    )
    return np.concatenate(
        [
            _sums(np.abs(signal), starts, length) / length,
            _sums(np.abs(slope), starts, length - 1),
            _sums(crossing, starts, length - 1),
            _sums(turn, starts, length - 2),
        ],
        axis=1,
    )


def _sums(
    values: npt.NDArray[np.generic], starts: npt.NDArray[np.integer], length: int
) -> npt.NDArray[np.float64]:
    running = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    sums: npt.NDArray[np.float64] = running[starts + length] - running[starts]
    return sums
