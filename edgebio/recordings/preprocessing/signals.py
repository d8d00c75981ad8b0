"""Channels, band and sampling rate."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.recording import Recording

_ORDER = 4  # of the Butterworth band-pass, which runs forward and backward
_MAX_RATIO = 1000  # largest factor of a change of rate


def select_channels(recordings: Sequence[Recording], channels: Sequence[int]) -> list[Recording]:
    """Keep the channels of these numbers, from 1, in this order."""
    for r in recordings:
        if not 1 <= min(channels) <= max(channels) <= r.channels:
            bad = max(channels) if min(channels) >= 1 else min(channels)
            raise EdgebioError(
                f"{r.source}: no channel {bad}; its {r.channels} are numbered from 1"
            )
    indices = [number - 1 for number in channels]
    return [replace(r, samples=np.ascontiguousarray(r.samples[:, indices])) for r in recordings]


def band_pass(recording: Recording, low: float, high: float) -> Recording:
    """Filter from `low` to `high` Hz without phase: 4th-order Butterworth, both ways, float64."""
    from scipy import signal

    if not high < recording.rate / 2:
        raise EdgebioError(
            f"{recording.source}: {high:g} Hz is not below half of {recording.rate:g} Hz"
        )
    sections = signal.butter(_ORDER, (low, high), "bandpass", fs=recording.rate, output="sos")
    # A constant is outside the band, but padding would leave traces of a large one at the ends.
    centered = recording.samples - recording.samples.mean(axis=0)
    length = min(len(centered) - 1, int(3 * recording.rate / low))
    filtered = signal.sosfiltfilt(sections, centered, axis=0, padlen=max(0, length))
    return replace(recording, samples=_round_to_counts(filtered))


def resample(recording: Recording, rate: float) -> Recording:
    """Change the rate by a polyphase filter that removes what is above half of the lower rate.

    Labels are those of the nearest sample; beats move with their labels. The rates must have a
    ratio of whole numbers up to 1000.
    """
    from scipy import signal

    if recording.rate == rate:
        return recording
    ratio = Fraction(rate / recording.rate).limit_denominator(_MAX_RATIO)
    up, down = ratio.numerator, ratio.denominator
    if not up or abs(up / down * recording.rate / rate - 1) > 1e-6 or up > _MAX_RATIO:
        raise EdgebioError(
            f"{recording.source}: {recording.rate:g} Hz cannot be resampled to {rate:g} Hz by a "
            f"ratio of whole numbers up to {_MAX_RATIO}"
        )
    samples = _round_to_counts(
        signal.resample_poly(recording.samples.astype(np.float64), up, down, padtype="line")
    )
    nearest = np.minimum(np.arange(len(samples)) * down // up, len(recording.labels) - 1)
    labels, beats = recording.labels[nearest], None
    if recording.beats is not None:
        moved = np.minimum((recording.beats * up + down // 2) // down, len(samples) - 1)
        beats, first = np.unique(moved, return_index=True)
        labels[beats] = recording.labels[recording.beats[first]]
    return replace(recording, samples=samples, rate=rate, labels=labels, beats=beats)


def _round_to_counts(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    limits = np.iinfo(np.int16)
    return np.clip(np.rint(values), limits.min, limits.max).astype(np.int16)
