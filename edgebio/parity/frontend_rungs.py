"""Rungs 1 and 2, the front end: float64 against the twin, the twin against CMSIS-DSP."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import progress
from edgebio.frontend import float64, reference
from edgebio.frontend.constants import WINDOW_SHIFT
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.stages import STAGES, count_clipped
from edgebio.frontend.standardization import Standardization
from edgebio.frontend.twin import Twin
from edgebio.parity.comparison import Part, Rung, compare_exactly, exact_rung, merge_parts
from edgebio.parity.stimuli import Stimulus

FLOAT_NAME, CMSIS_NAME = "float64 STFT against the fixed-point twin", "twin against CMSIS-DSP"
LEVELS = (8, 30, 100, 1000, 10_000)
"""Standard deviations in counts at which rung 1 measures the spectrum."""
MIN_SNR_DB = 40.0
"""Rung 1 holds above this; a 256-point q15 FFT of full-scale frames reaches 45 dB."""

Values = Mapping[str, npt.NDArray[Any]]

_AXES: dict[str, tuple[str, ...]] = {
    "filter": ("channel", "sample"),
    **dict.fromkeys(("window", "scale"), ("channel", "frame", "sample")),
    "exponent": ("channel", "frame"),
    "fft": ("channel", "frame", "bin", "part"),
    **dict.fromkeys(("power", "log", "image"), ("channel", "frame", "bin")),
}


def float_against_twin(spec: FrontendSpec, stimuli: Sequence[Stimulus]) -> Rung:
    """Rung 1: SNR of the fixed-point chain against SciPy in float64, stage by stage.

    Each SNR is the lowest over the stimuli; a silent stimulus has none.
    """
    twin = Twin(spec)
    parts: list[Part] = []
    for stimulus in progress.track(stimuli, "float64 against the twin"):
        fixed = _in_counts(spec, twin.stages(stimulus.samples).values)
        ideal_stages = float64.compute_stages(spec, stimulus.samples)
        for name, measured in fixed.items():
            ideal = getattr(ideal_stages, name)[:, : measured.shape[1]]
            parts.append(Part(name, measured.size, snr_db=float64.snr_db(ideal, measured)))
    stages = tuple(merge_parts(parts))
    spectrum = next((part.snr_db for part in stages if part.name == "fft"), None)
    ok = spectrum is not None and spectrum >= MIN_SNR_DB
    clipped = sum(count_clipped(stimulus.samples) for stimulus in stimuli)
    note = f"holds if the SNR of the spectrum is at least {MIN_SNR_DB:g} dB"
    if clipped:
        total = sum(stimulus.samples.size for stimulus in stimuli)
        note += f"; {clipped:,} of {total:,} samples are clipped at full scale"
    metrics = {"railed": clipped, "snr_by_level": snr_by_level(spec)}
    return Rung(1, FLOAT_NAME, stages, ok, note, metrics)


def snr_by_level(spec: FrontendSpec) -> list[dict[str, float]]:
    """SNR of the spectrum against float64, for noise in the pass band: ``sigma`` and ``snr_db``."""
    from scipy import signal

    low = max(spec.highpass, 0.02 * spec.rate)
    high = min(spec.lowpass or spec.rate, 0.45 * spec.rate)
    n = max(spec.segment_length, 60 * spec.n_fft)
    noise = np.random.default_rng(0).normal(size=(n + 1000, spec.channels))
    band = signal.butter(4, [low, max(high, 1.2 * low)], "bandpass", fs=spec.rate, output="sos")
    wave = signal.sosfilt(band, noise, axis=0)[1000:]
    wave /= wave.std()
    twin, rows = Twin(spec), []
    for sigma in LEVELS:
        samples = np.clip(np.rint(wave * sigma), -32768, 32767).astype(np.int16)
        stages = twin.stages(samples, ("filter", "window", "exponent", "fft", "log"))
        measured = _in_counts(spec, stages.values)["fft"]
        snr_db = float64.snr_db(float64.compute_stages(spec, samples).fft, measured)
        rows.append({"sigma": sigma, "snr_db": round(snr_db, 1)})
    return rows


def twin_against_cmsis(
    spec: FrontendSpec, standardization: Standardization, stimuli: Sequence[Stimulus]
) -> Rung:
    """Rung 2: the twin against the chain around CMSIS-DSP of the same numerics, every value."""
    twin = Twin(spec, standardization)
    wheel = spec.fft_numerics == "scalar" and reference.wheel_is_scalar()
    rfft = reference.pypi_rfft if wheel else None
    parts: list[Part] = []
    for stimulus in progress.track(stimuli, "the twin against CMSIS-DSP"):
        expected = reference.compute_stages(spec, stimulus.samples, standardization, rfft)
        parts += compare_stages(expected, twin.stages(stimulus.samples).values, stimulus.name)
    source = "PyPI cmsisdsp" if wheel else f"CMSIS-DSP's own C, numerics {spec.fft_numerics}"
    return exact_rung(2, CMSIS_NAME, merge_parts(parts), f"reference: {source}")


def compare_stages(expected: Values, measured: Values, source: str) -> list[Part]:
    """Compare the stages that both have, in the order in which they run."""
    parts = []
    for stage in STAGES:
        if stage not in expected or stage not in measured:
            continue
        want, have = expected[stage], measured[stage]
        if stage == "filter":
            # Samples that wait for their hop have not been filtered yet.
            n = min(want.shape[1], have.shape[1])
            want, have = want[:, :n], have[:, :n]
        if stage == "fft" and want.shape == have.shape:
            # Real and imaginary parts alternate: parts 0 and 1 of each bin.
            want, have = (x.reshape(*x.shape[:2], -1, 2) for x in (want, have))
        parts.append(compare_exactly(stage, want, have, _AXES[stage], f"{source}, "))
    return parts


def _in_counts(spec: FrontendSpec, values: Values) -> dict[str, npt.NDArray[Any]]:
    """Stages of the twin in the units of the float64 model."""
    unit = 2.0 ** (spec.n_fft.bit_length() - 1 - WINDOW_SHIFT - values["exponent"])[..., None]
    pairs = values["fft"].astype(np.float64)
    return {
        "filter": values["filter"] / 4096,
        "window": values["window"] / 2**WINDOW_SHIFT,
        "fft": (pairs[..., ::2] + 1j * pairs[..., 1::2]) * unit,
        "log": values["log"] / 1024,
    }
