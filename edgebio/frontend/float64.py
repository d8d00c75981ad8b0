"""The float64 model of the front end: the same chain without rounding, by SciPy."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgebio.frontend.constants import NOTCH_WIDTH, Q15, q15_window_function
from edgebio.frontend.spec import FrontendSpec

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FloatStages:
    """Values of each stage without rounding.

    Attributes
    ----------
    filter
        float64, shape (channels, n): filtered samples in counts.
    window
        float64, shape (channels, frames, n_fft): windowed frames in counts.
    fft
        complex128, shape (channels, frames, n_fft / 2 + 1): unnormalized DFT in counts.
    log
        float64, shape (channels, frames, bins): ``log2(sqrt(|X|^2 + floor^2))``.
    """

    filter: FloatArray
    window: FloatArray
    fft: npt.NDArray[np.complex128]
    log: FloatArray


def compute_stages(spec: FrontendSpec, samples: npt.NDArray[np.int16]) -> FloatStages:
    """Run a recording through the float64 model, streamed from reset.

    Parameters
    ----------
    spec
        Front end.
    samples
        int16, shape (n, channels); n is at least ``n_fft``.

    Returns
    -------
    FloatStages
        Filter by `scipy.signal.butter` and `sosfilt`, in the steady state of the first sample;
        STFT by `scipy.signal.ShortTimeFFT`.
    """
    from scipy import signal

    filtered = samples.T.astype(np.float64)
    for sos in _filters(spec):
        start = signal.sosfilt_zi(sos)[:, None, :] * filtered[None, :, :1]
        filtered, _ = signal.sosfilt(sos, filtered, axis=-1, zi=start)
    weights = exact_window_function(spec)
    count = spec.frames_in(filtered.shape[1])
    frames = np.lib.stride_tricks.sliding_window_view(filtered, spec.n_fft, axis=-1)
    stft = signal.ShortTimeFFT(
        weights, hop=spec.hop_length, fs=spec.rate, fft_mode="onesided", phase_shift=None
    )
    # ShortTimeFFT centers slice p on sample p * hop; an offset of half a frame makes it frame p.
    spectrum = stft.stft(filtered, p0=0, p1=count, k_offset=spec.n_fft // 2, axis=-1)
    spectrum = np.moveaxis(spectrum, -1, -2)
    bins = spectrum[..., slice(*spec.bins)]
    return FloatStages(
        filter=filtered,
        window=frames[:, :: spec.hop_length][:, :count] * weights,
        fft=spectrum,
        log=0.5 * np.log2(np.abs(bins) ** 2 + spec.floor**2),
    )


def _filters(spec: FrontendSpec) -> list[FloatArray]:
    """Second-order sections of the filters, in order."""
    from scipy import signal

    filters: list[FloatArray] = []
    if spec.highpass:
        filters.append(signal.butter(2, spec.highpass, "highpass", fs=spec.rate, output="sos"))
    if spec.notch:
        notch = signal.iirnotch(spec.notch, spec.notch / NOTCH_WIDTH, fs=spec.rate)
        filters.append(signal.tf2sos(*notch))
    if spec.lowpass:
        filters.append(signal.butter(2, spec.lowpass, "lowpass", fs=spec.rate, output="sos"))
    return filters


def exact_window_function(spec: FrontendSpec) -> FloatArray:
    """Window function without rounding; ``none`` is the constant of Q15."""
    from scipy import signal

    if spec.window_function == "none":
        return q15_window_function(spec) / Q15
    weights: FloatArray = signal.get_window(spec.window_function, spec.n_fft, fftbins=True)
    return weights


def snr_db(exact: npt.NDArray[np.inexact], measured: npt.NDArray[np.inexact]) -> float:
    """Signal-to-noise ratio of `measured` against `exact` in dB; inf where they are equal."""
    noise = float(np.sum(np.abs(measured - exact) ** 2))
    power = float(np.sum(np.abs(exact) ** 2))
    return 10 * np.log10(power / noise).item() if noise and power else float("inf")
