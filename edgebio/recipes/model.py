"""Section ``[model]``: the network of task ``stft_classifier``."""

from typing import Annotated, Literal

from pydantic import Field

from edgebio.section import Section

Filters = Annotated[tuple[Annotated[int, Field(gt=0, le=512)], ...], Field(min_length=1)]


class ModelSettings(Section):
    """A compact CNN, plain or depthwise-separable.

    Attributes
    ----------
    family : {"cnn", "dscnn"}
        3x3 convolutions, or one of them followed by depthwise-separable blocks.
    filters : tuple of int
        Filters of each block.
    kernel_frames : tuple of int
        Frames under the kernel of each block, without padding in time, for a network that computes
        only what new frames change; its pools are 1x2, over bins. Empty for 3x3 with padding.
    pool_after : tuple of int
        Indices of the blocks before a 2x2 max-pool.
    flatten : bool
        Pass on every position of the last block's map instead of their mean, for classes that have
        a fixed position in the image, such as beats.
    dense : int
        Units of a hidden layer before the classifier; 0 for none.
    dropout : float
        Rate before the classifier.
    """

    family: Literal["cnn", "dscnn"] = "cnn"
    filters: Filters = (32, 48, 64, 64)
    kernel_frames: tuple[Annotated[int, Field(gt=0, le=64)], ...] = ()
    pool_after: tuple[int, ...] = (1, 2)
    flatten: bool = False
    dense: Annotated[int, Field(ge=0, le=1024)] = 0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
