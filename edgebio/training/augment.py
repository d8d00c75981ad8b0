"""What happens to electrodes and people, done to images while they are trained on."""

import numpy as np
import numpy.typing as npt

from edgebio.recipes import AugmentSettings

Array = npt.NDArray[np.float32]


def augment(
    images: Array, targets: Array, settings: AugmentSettings, rng: np.random.Generator
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
        What to do, in this order: mixup, gain, noise, channel dropout, band mask.
    rng
        Where chance comes from.

    Returns
    -------
    images, targets : ndarray
        As given, changed; the arguments keep their values.
    """
    n, _, bins, channels = images.shape
    if settings.mixup:
        # A share of at most one half leaves every image mostly itself.
        share = np.float32(settings.mixup) * rng.random((n, 1), dtype=np.float32)
        other = rng.permutation(n)
        targets = targets + share * (targets[other] - targets)
        images = images + share[:, :, None, None] * (images[other] - images)
    if settings.gain:
        offset = rng.standard_normal((n, 1, 1, channels), dtype=np.float32)
        images = images + np.float32(settings.gain) * offset
    if settings.noise:
        images = images + np.float32(settings.noise) * rng.standard_normal(
            images.shape, dtype=np.float32
        )
    if settings.channel_dropout:
        kept = rng.random((n, 1, 1, channels), dtype=np.float32) >= settings.channel_dropout
        images = images * kept
    if settings.mask_bins:
        width = rng.integers(0, min(settings.mask_bins, bins) + 1, size=n)
        first = rng.integers(0, bins - width + 1)
        number = np.arange(bins)
        masked = (number >= first[:, None]) & (number < (first + width)[:, None])
        images = images * ~masked[:, None, :, None]
    return images, targets
