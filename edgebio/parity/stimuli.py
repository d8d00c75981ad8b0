"""Inputs of the front end to verify it with: recordings, and signals that stress fixed point."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgebio.frontend.spec import FrontendSpec
from edgebio.recordings import Recording

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class Stimulus:
    """Samples for a front end: int16, shape (n, channels); `name` describes them."""

    name: str
    samples: Samples


def recorded(recordings: Sequence[Recording], images: int, spec: FrontendSpec) -> list[Stimulus]:
    """Draw whole recordings, in random order, until they give `images` images."""
    chosen: list[Stimulus] = []
    left = images
    for index in np.random.default_rng(0).permutation(len(recordings)):
        recording = recordings[index]
        n = min(len(recording.samples), spec.segment_length + (left - 1) * spec.step)
        if left <= 0 or n < spec.segment_length:
            continue
        chosen.append(Stimulus(recording.source, recording.samples[:n]))
        left -= (n - spec.segment_length) // spec.step + 1
    return chosen


def generated(spec: FrontendSpec) -> list[Stimulus]:
    """Chirp, square, impulses, constant, one bit, full-scale noise, quiet noise, silence."""
    n, channels = spec.segment_length + 8 * spec.step, spec.channels
    random = np.random.default_rng(1)
    t = np.arange(n)[:, None]
    phase = random.uniform(0, 2 * np.pi, channels)
    waves = {
        "chirp": 30000 * np.sin(phase + np.pi * t * t / (2 * n)),
        "square": 32767 * np.sign(np.sin(phase + 2 * np.pi * t / spec.n_fft * 3)),
        "impulses": 32767 * (random.integers(0, 40, (n, channels)) == 0),
        "constant": np.full((n, channels), -20000),
        "one bit": random.integers(0, 2, (n, channels)),
        "full-scale noise": random.choice([-32768, 32767], (n, channels)),
        "quiet noise": random.normal(0, 8, (n, channels)),
        "silence": np.zeros((n, channels)),
    }
    return [
        Stimulus(f"generated {name}", np.clip(np.rint(wave), -32768, 32767).astype(np.int16))
        for name, wave in waves.items()
    ]
