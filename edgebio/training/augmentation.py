"""Augmentation: what happens to electrodes and people, done to training images."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edgebio.frontend.spec import FrontendSpec
from edgebio.recipes import AugmentSettings

Array = npt.NDArray[np.float32]


def augment(
    images: Array,
    targets: Array,
    settings: AugmentSettings,
    rng: np.random.Generator,
    mains: Sequence[int] = (),
) -> tuple[Array, Array]:
    """Change one mini-batch; returns changed copies.

    Parameters
    ----------
    images
        float32, shape (n, frames, bins, channels), in standard deviations; 0 is the mean, so that
        blanking is setting to 0.
    targets
        float32, shape (n, classes): class probabilities.
    settings
        What to do, in this order: mixup, rotation of the ring of electrodes, shift, force, gain,
        mains, noise, channel dropout, masks. Time is stretched when images are cut, see
        `edgebio.training.images.Images.at`.
    mains
        Bins of the mains' frequencies, one of which an image gets; see `mains_bins`.
    """
    n, frames, bins, channels = images.shape
    if settings.mixup:
        # A share of at most one half leaves every image mostly itself.
        share = np.float32(settings.mixup) * rng.random((n, 1), dtype=np.float32)
        other = rng.permutation(n)
        targets = targets + share * (targets[other] - targets)
        images = images + share[:, :, None, None] * (images[other] - images)
    if settings.rotate:
        turn = rng.integers(-settings.rotate, settings.rotate + 1, size=(n, 1))
        images = _rotated(images, turn)
    if settings.shift:
        share = np.float32(settings.shift) * rng.random((n, 1, 1, 1), dtype=np.float32)
        neighbor = _rotated(images, rng.choice([-1, 1], size=(n, 1)))
        images = images + share * (neighbor - images)
    if settings.force:
        offset = rng.standard_normal((n, 1, 1, 1), dtype=np.float32)
        images = images + np.float32(settings.force) * offset
    if settings.gain:
        offset = rng.standard_normal((n, 1, 1, channels), dtype=np.float32)
        images = images + np.float32(settings.gain) * offset
    if settings.mains and mains:
        mains_bin = np.array(mains)[rng.integers(0, len(mains), size=n)]
        distance = np.abs(np.arange(bins) - mains_bin[:, None])
        # Hann's window leaves half of a line's magnitude in the bins beside its own.
        line = np.maximum(0, 1 - distance / 2).astype(np.float32)[:, None, :, None]
        share = rng.random((n, 1, 1, channels), dtype=np.float32)
        images = images + np.float32(settings.mains) * share * line
    if settings.noise:
        images = images + np.float32(settings.noise) * rng.standard_normal(
            images.shape, dtype=np.float32
        )
    if settings.channel_dropout and channels > 1:
        present = rng.random((n, 1, 1, channels), dtype=np.float32) >= settings.channel_dropout
        images = images * present
    if settings.mask_bins:
        masked = _random_spans(n, bins, settings.mask_bins, rng)
        images = images * ~masked[:, None, :, None]
    if settings.mask_frames:
        masked = _random_spans(n, frames, settings.mask_frames, rng)
        images = images * ~masked[:, :, None, None]
    return images, targets


def mains_bins(spec: FrontendSpec) -> list[int]:
    """Bins of an image, counted from its first, that hold 50 and 60 Hz, if it has them."""
    bins = {round(hertz * spec.n_fft / spec.rate) - spec.bins[0] for hertz in (50, 60)}
    return sorted(k for k in bins if 0 <= k < spec.n_bins)


def _rotated(images: Array, turn: npt.NDArray[np.int64]) -> Array:
    """Replace channel c of every image by channel c + turn; `turn` has shape (n, 1)."""
    channels = images.shape[-1]
    source = (np.arange(channels) + turn) % channels
    rotated: Array = np.take_along_axis(images, source[:, None, None, :], axis=-1)
    return rotated


def _random_spans(
    n: int, length: int, longest: int, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Mark up to `longest` successive positions out of `length`, anywhere: shape (n, length)."""
    width = rng.integers(0, min(longest, length) + 1, size=n)
    first = rng.integers(0, length - width + 1)
    number = np.arange(length)
    marked: npt.NDArray[np.bool_] = (number >= first[:, None]) & (number < (first + width)[:, None])
    return marked
