"""Sliding windows of convolutions and pools."""

from dataclasses import dataclass

Pair = tuple[int, int]
"""Height and width."""


@dataclass(frozen=True)
class Window:
    """A window that slides over an image of height x width x channels."""

    input: Pair
    output: Pair
    channels: int
    size: Pair
    stride: Pair
    dilation: Pair
    before: Pair
    after: Pair

    @property
    def padded(self) -> bool:
        """Whether some output reads outside the image."""
        return any((*self.before, *self.after))

    @property
    def taps(self) -> int:
        """Number of pixels under the window."""
        return self.size[0] * self.size[1]

    @property
    def one_pixel(self) -> bool:
        """Whether it is a single pixel that never leaves the image."""
        return self.taps == 1 and not self.padded

    @property
    def pointwise(self) -> bool:
        """Whether each output pixel is computed from the input pixel at its own place."""
        return self.one_pixel and self.stride == (1, 1)

    @property
    def extent(self) -> Pair:
        """Height and width that the window spans, including the gaps of its dilation."""
        (height, width), (gap_h, gap_w) = self.size, self.dilation
        return (height - 1) * gap_h + 1, (width - 1) * gap_w + 1

    @property
    def transposed(self) -> "Window":
        """The same window with rows and columns exchanged.

        If input and output are one pixel wide or high, it reads and writes the same bytes.
        """
        fields = ("input", "output", "size", "stride", "dilation", "before", "after")
        pairs = {name: getattr(self, name)[::-1] for name in fields}
        return Window(channels=self.channels, **pairs)
