"""Rungs of the front end: float64 against the twin, the twin against CMSIS-DSP."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import progress
from edgebio.frontend import fallback, float64, reference
from edgebio.frontend.constants import WINDOW_SHIFT
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.frontend.twin import STAGES, Twin, railed_samples
from edgebio.parity.comparison import Part, Rung, compare_exactly, exact_rung, merge_parts
from edgebio.parity.stimuli import Stimulus

LEVELS = (8, 30, 100, 1000, 10_000)
"""Standard deviations, in counts, at which rung 1 measures the spectrum."""
LEAST_SNR_DB = 40.0
"""Rung 1 holds above this; a 256-point q15 FFT of full-scale frames reaches 45 dB."""

_AXES: dict[str, tuple[str, ...]] = {
    "filter": ("channel", "sample"),
    "window": ("channel", "frame", "sample"),
    "scale": ("channel", "frame", "sample"),
    "exponent": ("channel", "frame"),
    "fft": ("channel", "frame", "bin", "part"),
    "power": ("channel", "frame", "bin"),
    "log": ("channel", "frame", "bin"),
    "image": ("channel", "frame", "bin"),
}


def float_against_twin(spec: FrontendSpec, stimuli: Sequence[Stimulus]) -> Rung:
    """Rung 1: SNR of the fixed-point chain against SciPy in float64, stage by stage.

    Each figure is the lowest over the stimuli; silent ones have no signal to compare.
    """
    twin = Twin(spec)
    parts: list[Part] = []
    for stimulus in progress.track(stimuli, "float64 against the twin"):
        fixed = _in_counts(spec, twin.stages(stimulus.samples).values)
        exact_stages = float64.stages(spec, stimulus.samples)
        for name, measured in fixed.items():
            ideal = getattr(exact_stages, name)[:, : measured.shape[1]]
            parts.append(Part(name, measured.size, snr_db=float64.snr_db(ideal, measured)))
    stages = tuple(merge_parts(parts))
    spectrum = next((part.snr_db for part in stages if part.name == "fft"), None)
    ok = spectrum is not None and spectrum >= LEAST_SNR_DB
    railed = sum(railed_samples(stimulus.samples) for stimulus in stimuli)
    note = f"holds where the spectrum has at least {LEAST_SNR_DB:g} dB"
    if railed:
        total = sum(stimulus.samples.size for stimulus in stimuli)
        note += f"; {railed:,} of {total:,} samples are at an end of 16 bits: overdriven?"
    return Rung(
        1,
        "float64 STFT against the fixed-point twin",
        stages,
        ok,
        note,
        {"railed": railed, "snr_by_level": snr_by_level(spec)},
    )


def snr_by_level(spec: FrontendSpec) -> list[dict[str, float]]:
    """SNR of the spectrum against float64 for noise in the band of the filters, by its level.

    Returns
    -------
    list of dict
        ``sigma`` in counts and ``snr_db``, from a few counts to near full scale.
    """
    from scipy import signal

    low = max(spec.highpass, 0.02 * spec.rate)
    high = min(spec.lowpass or spec.rate, 0.45 * spec.rate)
    n = max(spec.segment_length, 60 * spec.n_fft)
    noise = np.random.default_rng(0).normal(size=(n + 1000, spec.channels))
    band = signal.butter(4, [low, max(high, 1.2 * low)], "bandpass", fs=spec.rate, output="sos")
    wave = signal.sosfilt(band, noise, axis=0)[1000:]
    wave /= wave.std()
    rows = []
    for sigma in LEVELS:
        samples = np.clip(np.rint(wave * sigma), -32768, 32767).astype(np.int16)
        fixed = _in_counts(spec, Twin(spec).stages(samples, ("filter", "window", "exponent",
                                                             "fft", "log")).values)  # fmt: skip
        compare_exactly = float64.stages(spec, samples).fft
        rows.append({"sigma": sigma, "snr_db": round(float64.snr_db(compare_exactly, fixed["fft"]), 1)})
    return rows


def twin_against_cmsis(
    spec: FrontendSpec, standard: Standardization, stimuli: Sequence[Stimulus]
) -> Rung:
    """Rung 2: the twin against the chain around CMSIS-DSP of the same core class, every value."""
    twin = Twin(spec, standard)
    wheel = spec.fft_numerics == "scalar" and fallback.wheel_is_scalar()
    rfft = reference.pypi_rfft if wheel else None
    parts: list[Part] = []
    for stimulus in progress.track(stimuli, "the twin against CMSIS-DSP"):
        expected = reference.stages(spec, stimulus.samples, standard, rfft)
        measured = twin.stages(stimulus.samples).values
        parts += compare_stages(expected, measured, stimulus.name)
    whose = "PyPI cmsisdsp" if wheel else f"CMSIS-DSP's own C, class {spec.fft_numerics}"
    return exact_rung(2, "twin against CMSIS-DSP", merge_parts(parts), f"reference: {whose}")


def compare_stages(
    expected: Mapping[str, npt.NDArray[Any]], measured: Mapping[str, npt.NDArray[Any]], name: str
) -> list[Part]:
    """Compare all stages that both sides have, in the order in which they run."""
    parts = []
    for stage in STAGES:
        if stage in expected and stage in measured:
            want, have = expected[stage], measured[stage]
            if stage == "filter":
                # Samples that wait for their hop have not been filtered yet.
                n = min(want.shape[1], have.shape[1])
                want, have = want[:, :n], have[:, :n]
            if stage == "fft" and want.shape == have.shape:
                # Real and imaginary parts lie side by side: part 0 and 1 of each bin.
                want, have = (x.reshape(*x.shape[:2], -1, 2) for x in (want, have))
            parts.append(compare_exactly(stage, want, have, _AXES[stage], f"{name}, "))
    return parts


def _in_counts(
    spec: FrontendSpec, values: Mapping[str, npt.NDArray[Any]]
) -> dict[str, npt.NDArray[Any]]:
    """Stages of the twin in the units of the float64 model."""
    unit = 2.0 ** (spec.n_fft.bit_length() - 1 - WINDOW_SHIFT - values["exponent"])[..., None]
    pairs = values["fft"].astype(np.float64)
    return {
        "filter": values["filter"] / 4096,
        "window": values["window"] / 2**WINDOW_SHIFT,
        "fft": (pairs[..., ::2] + 1j * pairs[..., 1::2]) * unit,
        "log": values["log"] / 1024,
    }
