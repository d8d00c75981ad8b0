"""The float64 model of the front end: the same chain without rounding, by SciPy."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgebio.frontend.constants import NOTCH_WIDTH, Q15, taper
from edgebio.frontend.spec import FrontendSpec

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FloatStages:
    """What the chain computes without rounding.

    Attributes
    ----------
    filter
        float64, shape (channels, n): filtered samples in counts.
    window
        float64, shape (channels, columns, fft): tapered frames in counts.
    fft
        complex128, shape (channels, columns, fft / 2 + 1): unnormalised DFT in counts.
    log
        float64, shape (channels, columns, bins): ``log2(sqrt(|X|^2 + floor^2))``.
    """

    filter: FloatArray
    window: FloatArray
    fft: npt.NDArray[np.complex128]
    log: FloatArray


def stages(spec: FrontendSpec, samples: npt.NDArray[np.int16]) -> FloatStages:
    """Run a recording through the float64 model, streamed from reset.

    Parameters
    ----------
    spec
        Front end.
    samples
        int16, shape (n, channels); n is at least ``fft``.

    Returns
    -------
    FloatStages
        Filter by `scipy.signal.butter` and `sosfilt` (started on the first sample's level), STFT
        by `scipy.signal.ShortTimeFFT`.
    """
    from scipy import signal

    filtered = samples.T.astype(np.float64)
    for sos in _filters(spec):
        start = signal.sosfilt_zi(sos)[:, None, :] * filtered[None, :, :1]
        filtered, _ = signal.sosfilt(sos, filtered, axis=-1, zi=start)
    weights = exact_taper(spec)
    columns = (filtered.shape[1] - spec.n_fft) // spec.hop_length + 1
    frames = np.lib.stride_tricks.sliding_window_view(filtered, spec.n_fft, axis=-1)
    stft = signal.ShortTimeFFT(
        weights, hop=spec.hop_length, fs=spec.rate, fft_mode="onesided", phase_shift=None
    )
    # ShortTimeFFT numbers slices by their centre; p covers samples p * hop - fft / 2 onwards,
    # so an offset of fft / 2 samples makes slice c cover what column c covers.
    first = spec.n_fft // 2
    spectrum = stft.stft(filtered, p0=0, p1=columns, k_offset=first, axis=-1)
    spectrum = np.moveaxis(spectrum, -1, -2)
    chosen = spectrum[..., slice(*spec.bins)]
    return FloatStages(
        filter=filtered,
        window=frames[:, :: spec.hop_length][:, :columns] * weights,
        fft=spectrum,
        log=0.5 * np.log2(np.abs(chosen) ** 2 + spec.floor**2),
    )


def _filters(spec: FrontendSpec) -> list[FloatArray]:
    """Second-order sections of the filters, in the order in which they run."""
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


def exact_taper(spec: FrontendSpec) -> FloatArray:
    """Window function without rounding; ``none`` is the same constant as in Q15."""
    from scipy import signal

    if spec.window_function == "none":
        return taper(spec) / Q15
    weights: FloatArray = signal.get_window(spec.window_function, spec.n_fft, fftbins=True)
    return weights


def snr_db(exact: npt.NDArray[np.inexact], measured: npt.NDArray[np.inexact]) -> float:
    """Signal-to-noise ratio of `measured` against `exact` in dB; inf where they are equal."""
    noise = float(np.sum(np.abs(measured - exact) ** 2))
    power = float(np.sum(np.abs(exact) ** 2))
    return 10 * np.log10(power / noise).item() if noise and power else float("inf")
