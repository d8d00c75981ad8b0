"""How the elements of one tensor are picked from another: TRANSPOSE and STRIDED_SLICE."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """Elements of a tensor, in an order.

    Attributes
    ----------
    start : int
        Where the first one lies.
    sizes, steps : tuple of int
        Elements along each axis, outermost first, and how far apart they lie; neighbouring axes
        that can be walked as one are one, axes of size 1 are left out.
    """

    start: int
    sizes: tuple[int, ...]
    steps: tuple[int, ...]

    @property
    def bounds(self) -> tuple[int, int]:
        """Where the first and the last of its elements lie."""
        reaches = [(size - 1) * step for size, step in zip(self.sizes, self.steps, strict=True)]
        low, high = (sum(pick(reach, 0) for reach in reaches) for pick in (min, max))
        return self.start + low, self.start + high

    def is_all_of(self, elements: int) -> bool:
        """Whether it is a whole tensor of so many elements, as it lies."""
        in_order = self.start == 0 and self.steps in ((), (1,))
        return in_order and math.prod(self.sizes) == elements


def transposed(shape: Sequence[int], order: Sequence[int]) -> View:
    """View of a tensor of `shape` with its axes in another order."""
    steps = _steps(shape)
    return _merged(0, [shape[axis] for axis in order], [steps[axis] for axis in order])


def sliced(shape: Sequence[int], begin: Sequence[int], size: Sequence[int],
           stride: Sequence[int]) -> View:  # fmt: skip
    """View of `size` elements along each axis, from `begin` on, `stride` apart."""
    steps = _steps(shape)
    start = sum(first * step for first, step in zip(begin, steps, strict=True))
    return _merged(start, size, [a * b for a, b in zip(stride, steps, strict=True)])


def along_axis(begin: int, end: int, stride: int, size: int, *, from_first: bool,
               to_last: bool) -> tuple[int, int]:  # fmt: skip
    """First index and number of the elements that one axis of a STRIDED_SLICE takes.

    `tflite::strided_slice::StartForAxis` and `StopForAxis` (internal/strided_slice_logic.h).

    Parameters
    ----------
    begin, end
        Indices as given, counted from the end where negative.
    stride
        Not 0.
    size
        Of the axis.
    from_first, to_last
        Whether the masks set `begin` or `end` aside.
    """
    low, high = (0, size) if stride > 0 else (-1, size - 1)
    first, last = (
        min(max(index + size if index < 0 else index, low), high) for index in (begin, end)
    )
    if from_first:
        first = low if stride > 0 else high
    if to_last:
        last = high if stride > 0 else low
    return first, max(math.ceil((last - first) / stride), 0)


def _steps(shape: Sequence[int]) -> list[int]:
    return [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]


def _merged(start: int, sizes: Sequence[int], steps: Sequence[int]) -> View:
    kept: list[tuple[int, int]] = []
    for size, step in zip(sizes, steps, strict=True):
        if size == 1:
            continue
        if kept and kept[-1][1] == size * step:
            kept[-1] = kept[-1][0] * size, step
        else:
            kept.append((size, step))
    return View(start, tuple(size for size, _ in kept), tuple(step for _, step in kept))
