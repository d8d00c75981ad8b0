"""Elements of one tensor picked from another: TRANSPOSE, STRIDED_SLICE, SPLIT and the like."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """Elements of a tensor, in an order.

    Attributes
    ----------
    start : int
        Position of the first one.
    sizes, steps : tuple of int
        Elements along each axis, outermost first, and the distance between them. Neighboring axes
        that can be traversed as one are merged, axes of size 1 are left out.
    """

    start: int
    sizes: tuple[int, ...]
    steps: tuple[int, ...]

    @classmethod
    def of(cls, start: int, sizes: Sequence[int], steps: Sequence[int]) -> "View":
        """View with merged axes."""
        axes: list[tuple[int, int]] = []
        for size, step in zip(sizes, steps, strict=True):
            if size == 1:
                continue
            if axes and axes[-1][1] == size * step:
                axes[-1] = axes[-1][0] * size, step
            else:
                axes.append((size, step))
        return cls(start, tuple(size for size, _ in axes), tuple(step for _, step in axes))

    @property
    def bounds(self) -> tuple[int, int]:
        """Positions of the first and the last of its elements."""
        reaches = [(size - 1) * step for size, step in zip(self.sizes, self.steps, strict=True)]
        low, high = (sum(pick(reach, 0) for reach in reaches) for pick in (min, max))
        return self.start + low, self.start + high

    @property
    def has_neighbors_only(self) -> bool:
        """Whether its elements are neighbors, in their order."""
        return self.steps in ((), (1,))

    def is_all_of(self, elements: int) -> bool:
        """Whether it is a whole tensor of this many elements, in their order."""
        in_order = self.start == 0 and self.has_neighbors_only
        return in_order and math.prod(self.sizes) == elements


def strides(shape: Sequence[int]) -> list[int]:
    """Elements between neighbors along each axis of a contiguous tensor."""
    return [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
