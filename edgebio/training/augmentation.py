"""What happens to electrodes and people, done to images while they are trained on."""

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
    """Change one mini-batch.

    Parameters
    ----------
    images
        float32, shape (n, columns, bins, channels), in standard deviations; 0 is the mean, so
        that blanking is setting to 0.
    targets
        float32, shape (n, classes): class probabilities.
    settings
        What to do, in this order: mixup, turning the ring of electrodes, force, gain, mains,
        noise, channel dropout, masks. Time is stretched where images are cut, see
        `edgebio.training.images.Images.at`.
    rng
        Where chance comes from.
    mains
        Bins of the mains' frequencies, one of which an image hums at; see `mains_bins`.

    Returns
    -------
    images, targets : ndarray
        As given, changed; the arguments keep their values.
    """
    n, columns, bins, channels = images.shape
    if settings.mixup:
        # A share of at most one half leaves every image mostly itself.
        share = np.float32(settings.mixup) * rng.random((n, 1), dtype=np.float32)
        other = rng.permutation(n)
        targets = targets + share * (targets[other] - targets)
        images = images + share[:, :, None, None] * (images[other] - images)
    if settings.rotate:
        turn = rng.integers(-settings.rotate, settings.rotate + 1, size=(n, 1))
        images = _turned(images, turn)
    if settings.shift:
        share = np.float32(settings.shift) * rng.random((n, 1, 1, 1), dtype=np.float32)
        neighbour = _turned(images, rng.choice([-1, 1], size=(n, 1)))
        images = images + share * (neighbour - images)
    if settings.force:
        offset = rng.standard_normal((n, 1, 1, 1), dtype=np.float32)
        images = images + np.float32(settings.force) * offset
    if settings.gain:
        offset = rng.standard_normal((n, 1, 1, channels), dtype=np.float32)
        images = images + np.float32(settings.gain) * offset
    if settings.mains and mains:
        humming = np.array(mains)[rng.integers(0, len(mains), size=n)]
        away = np.abs(np.arange(bins) - humming[:, None])
        # Hann's window leaves half of a line's magnitude in the bins beside its own.
        line = np.maximum(0, 1 - away / 2).astype(np.float32)[:, None, :, None]
        share = rng.random((n, 1, 1, channels), dtype=np.float32)
        images = images + np.float32(settings.mains) * share * line
    if settings.noise:
        images = images + np.float32(settings.noise) * rng.standard_normal(
            images.shape, dtype=np.float32
        )
    if settings.channel_dropout and channels > 1:
        kept = rng.random((n, 1, 1, channels), dtype=np.float32) >= settings.channel_dropout
        images = images * kept
    if settings.mask_bins:
        masked = _stretch(n, bins, settings.mask_bins, rng)
        images = images * ~masked[:, None, :, None]
    if settings.mask_frames:
        masked = _stretch(n, columns, settings.mask_frames, rng)
        images = images * ~masked[:, :, None, None]
    return images, targets


def mains_bins(spec: FrontendSpec) -> list[int]:
    """Rows of the image that the mains' two frequencies stand in, 50 and 60 Hz, if it has them."""
    rows = {round(hertz * spec.n_fft / spec.rate) - spec.bins[0] for hertz in (50, 60)}
    return sorted(row for row in rows if 0 <= row < spec.n_bins)


def _turned(images: Array, by: npt.NDArray[np.int64]) -> Array:
    """Channel c of every image becomes that of channel c + by; `by` has shape (n, 1)."""
    channels = images.shape[-1]
    source = (np.arange(channels) + by) % channels
    turned: Array = np.take_along_axis(images, source[:, None, None, :], axis=-1)
    return turned


def _stretch(n: int, length: int, most: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Mark up to `most` neighbours out of `length`, anywhere: shape (n, length)."""
    width = rng.integers(0, min(most, length) + 1, size=n)
    first = rng.integers(0, length - width + 1)
    number = np.arange(length)
    marked: npt.NDArray[np.bool_] = (number >= first[:, None]) & (number < (first + width)[:, None])
    return marked
