"""Frames that stress a fixed-point chain, drawn by hypothesis."""

from typing import get_args

import numpy as np
from hypothesis import strategies as st

from edgebio.frontend.spec import FftLength, FrontendSpec

KINDS = (
    "noise", "chirp", "square", "impulse", "constant", "one-bit", "full-scale", "nyquist", "zero",
)  # fmt: skip


def signal(kind: str, n: int, channels: int, amplitude: float, seed: int) -> np.ndarray:
    """Samples of one kind: int16, shape (n, channels); `amplitude` is from 0 to 1 of full scale."""
    random = np.random.default_rng(seed)
    t = np.arange(n)[:, None]
    phase = random.uniform(0, 2 * np.pi, channels)
    rate = random.uniform(0.01, 0.5, channels)
    wave = {
        "noise": lambda: random.normal(size=(n, channels)) / 3,
        "chirp": lambda: np.sin(phase + np.pi * rate * t * t / n),
        "square": lambda: np.sign(np.sin(phase + 2 * np.pi * rate * t)),
        "impulse": lambda: (random.integers(0, 50, (n, channels)) == 0) * 1.0,
        "constant": lambda: np.ones((n, channels)) * random.choice([-1, 1], channels),
        "one-bit": lambda: random.integers(0, 2, (n, channels)) / (32767 * max(amplitude, 1e-6)),
        "full-scale": lambda: random.choice([-1.1, 1.1], (n, channels)) / max(amplitude, 1e-6),
        "nyquist": lambda: np.where(t % 2, -1.0, 1.0) * np.ones(channels),
        "zero": lambda: np.zeros((n, channels)),
    }[kind]()
    return np.clip(np.rint(wave * amplitude * 32767), -32768, 32767).astype(np.int16)


def full_scale(n_fft):
    """Squares and sines of many periods and phases, chirps, DC, Nyquist: int16 (frames * n_fft, 1).

    A period of 4 and some phases put all of a frame's energy into one half of a complex value.
    """
    t = np.arange(n_fft)
    waves = [np.full(n_fft, 1.0), np.full(n_fft, -1.0), 1.0 - 2 * (t % 2)]
    for period in [*np.geomspace(2, 2 * n_fft, 60), 4.0, 8.0, 16.0]:
        for phase in np.linspace(0, 1, 8, endpoint=False):
            angle = 2 * np.pi * (t / period + phase)
            waves += [np.where(np.sin(angle) >= 0, 1.0, -1.0), np.sin(angle)]
    waves += [np.sin(np.pi * sweep * t * t / n_fft) for sweep in np.linspace(0.05, 1, 20)]
    random = np.random.default_rng(n_fft)
    for k in range(1, n_fft // 2):  # even and odd samples turn together with bin k's factor
        angle = 4 * np.pi * k * (t // 2) / n_fft + random.uniform(0, 2 * np.pi)
        waves.append(np.sign(np.where(t % 2, np.sin(angle), np.cos(angle)) + 1e-9))
    return np.rint(np.clip(np.concatenate(waves) * 32768, -32768, 32767)).astype(np.int16)[:, None]


@st.composite
def cases(draw: st.DrawFn) -> tuple[FrontendSpec, np.ndarray]:
    """Draw a specification and a recording for it."""
    n_fft: FftLength = draw(st.sampled_from(get_args(FftLength)))
    hop = draw(st.integers(1, n_fft))
    frames = draw(st.integers(1, 4))
    first = draw(st.integers(0, n_fft // 2))
    rate = draw(st.sampled_from([178.0, 200.0, 1000.0, 2000.0]))
    spec = FrontendSpec(
        rate=rate,
        channels=draw(st.integers(1, 4)),
        n_fft=n_fft,
        hop_length=hop,
        segment_length=n_fft + (frames - 1) * hop,
        step_frames=draw(st.integers(1, frames)),
        bins=(first, draw(st.integers(first + 1, n_fft // 2 + 1))),
        window_function=draw(st.sampled_from(["hann", "hamming", "none"])),
        highpass=draw(st.sampled_from([0.0, 0.5, 20.0, 70.0])),
        notch=draw(st.sampled_from([0, 50, 60])),
        lowpass=draw(st.sampled_from([0.0, 0.4 * rate])),
        floor=draw(st.sampled_from([0.01, 1.0, 64.0, 4096.0])),
        standardization=draw(st.sampled_from(["bin", "channel", "none"])),
        fft_numerics=draw(st.sampled_from(["scalar", "dsp"])),
    )
    n = spec.segment_length + draw(st.integers(0, 4 * hop))
    kind = draw(st.sampled_from(KINDS))
    amplitude = draw(st.sampled_from([1.0, 0.3, 0.01, 0.0005]))
    return spec, signal(kind, n, spec.channels, amplitude, draw(st.integers(0, 2**32)))
