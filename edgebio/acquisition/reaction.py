"""When a hand began to move after a prompt, by the activity of its muscles."""

import numpy as np
import numpy.typing as npt

_WINDOW = 0.05  # seconds of the moving mean
_DEVIATIONS = 5.0
_LEAST_BEFORE = 0.3  # seconds


def reaction_seconds(
    samples: npt.NDArray[np.int16], times: npt.NDArray[np.float64], prompt: float
) -> float | None:
    """Time from a prompt to the first clear change of the activity, in seconds.

    The activity is the mean absolute difference of consecutive samples over all channels, smoothed
    over 50 ms. It has changed when it leaves the mean before the prompt by five standard deviations
    (Hodges and Bui, Electroencephalogr. Clin. Neurophysiol. 101:511, 1996, with differences in
    place of a rectified signal).

    Parameters
    ----------
    samples, times
        int16, shape (n, channels), and when each was taken, shape (n,), in seconds.
    prompt
        Time of the prompt.

    Returns
    -------
    float or None
        None where nothing changes, or too little came before the prompt.
    """
    if len(times) < 2:
        return None
    rate = (len(times) - 1) / max(times[-1] - times[0], 1e-9)
    width = max(1, round(_WINDOW * rate))
    activity = np.abs(np.diff(samples.astype(np.int32), axis=0)).mean(axis=1)
    smooth = np.convolve(activity, np.full(width, 1 / width), "full")[: len(activity)]
    smooth[: min(width, len(smooth))] = smooth[min(width, len(smooth) - 1)]
    at = int(np.searchsorted(times[1:], prompt))
    if at < max(_LEAST_BEFORE * rate, 2 * width):
        return None
    before = smooth[at - int(_LEAST_BEFORE * rate) : at]
    limit = _DEVIATIONS * max(float(before.std()), 0.05 * float(before.mean()), 1e-6)
    changed = np.flatnonzero(np.abs(smooth[at:] - before.mean()) > limit)
    return float(times[1 + at + changed[0]] - prompt) if len(changed) else None
