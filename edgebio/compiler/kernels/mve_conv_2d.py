"""Convolution and matrix kernels of Helium: two pixels by four channels, sixteen taps at a time."""

import dataclasses
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler.ir.kernel_call import Array, KernelCall, Overlay
from edgebio.compiler.ir.layers import Conv2D, FullyConnected
from edgebio.compiler.ir.network import Network
from edgebio.compiler.ir.window import Pair, Window
from edgebio.compiler.kernels.layout import (
    MAX_16_BITS,
    clamp_members,
    hides_rounding,
    int8_array,
)
from edgebio.compiler.kernels.mve import NOT_RIGHT, SCRATCH_BYTES, requantizations
from edgebio.compiler.kernels.registry import kernel

_LINE_BYTES: Final = 1024
"""Most bytes of a line of pixels whose length can be chosen."""

_WIDE: Final = {"along_step", "across_step", "output_step", "output_line"}
"""Members of 32 bits."""

_FEW: Final = 9
"""Steps that the fastest kernels take."""


@kernel("mve", Conv2D)
def conv_2d(network: Network, layer: Conv2D) -> KernelCall | str:
    """Two pixels by four channels, sixteen taps at a time."""
    window, weights = layer.window, layer.weights
    if layer.pool == (1, 1) and window.pointwise:
        pixels = math.prod(window.input)
        lines = _Lines(in_lines(window), len(weights), layer.pool, 1, pixels)
        return _conv_2d(layer, lines, weights, layer.pad_value)
    best = _Lines(window, len(weights), layer.pool, 1)
    # Lines along columns give up that the output may overlap the input. Their pieces are gathered
    # from eight rows of the image at a time, by offsets of 16 bits.
    gathered = 7 * window.input[1] * window.channels <= MAX_16_BITS
    if window.channels < 4 and window.dilation[1] == 1 and gathered:
        best = min(best, _Lines(window, len(weights), layer.pool, 0), key=lambda n: n.instructions)
    return _conv_2d(layer, best, weights, layer.pad_value)


@kernel("mve", FullyConnected)
def fully_connected(network: Network, layer: FullyConnected) -> KernelCall | str:
    """Two rows by four outputs, sixteen products at a time: a convolution of 1x1."""
    outputs, inputs = layer.weights.shape
    one, none, line = (1, 1), (0, 0), (1, layer.rows)
    window = Window(line, line, inputs, one, one, one, before=none, after=none)
    weights = layer.weights.reshape(outputs, 1, 1, inputs)
    return _conv_2d(layer, _Lines(window, outputs, one, 1), weights, 0)


def _conv_2d(
    layer: Conv2D | FullyConnected, lines: "_Lines", weights: NDArray[np.int8], pad_value: int
) -> KernelCall | str:
    rows = requantizations(layer.channels)
    if rows is None:
        return NOT_RIGHT
    if max(value for name, value in lines.members.items() if name not in _WIDE) > MAX_16_BITS:
        return "its sizes exceed 16 bits"
    if lines.scratch > SCRATCH_BYTES:
        return f"a line of its input takes {lines.scratch:,} bytes of scratch"
    relu = "_relu" * (lines.rounds and hides_rounding(layer.range))
    return KernelCall(
        layer,
        f"eb_run_conv2d{lines.form}{relu}_mve",
        (
            f"eb_conv2d{'_pooled' * lines.pooled}_mve.c",
            *("eb_conv2d_strips_mve.c", "eb_conv2d_mve.h", "eb_mve.h"),
        ),
        arrays=(_blocks(lines.taps(weights), rows, by_two=lines.form == "_pooled_2x2"),),
        struct="eb_conv2d_mve",
        parameters={
            "weights": "@weights",
            "outputs": lines.outputs,
            **lines.members,
            "zero_point": layer.range.zero_point,
            **clamp_members(layer.range, pad_value),
        },
        scratch=lines.scratch,
        takes_scratch=True,
        in_place=(0,) if lines.overlay else (),
        overlay=lines.overlay or "start",
    )


def _blocks(taps: NDArray[np.int8], rows: list[tuple[int, int, int]], *, by_two: bool) -> Array:
    """Constants of every four outputs, in the order of their use; `taps` (outputs, taps)."""
    steps = taps.shape[1] // 16
    fours = np.pad(taps, ((0, len(rows) - len(taps)), (0, 0))).reshape(-1, 4, steps, 16)
    words = np.array(rows, "<i4").reshape(-1, 4, 3).transpose(2, 0, 1)
    bias, *requantization = (np.ascontiguousarray(each).view(np.int8) for each in words)
    if by_two:
        order = [0, *range(steps - 1, 0, -1)]
        twos = fours.reshape(-1, 2, 2, steps, 16).transpose(0, 1, 3, 2, 4)[:, :, order]
        parts = [twos.reshape(len(fours), -1), bias]
        note = "[2][first step, last ... second][2][16 taps], 4 biases, 4 multipliers, 4 shifts"
    else:
        last_first = fours.transpose(0, 2, 1, 3)[:, ::-1]
        parts = [bias, last_first.reshape(len(fours), -1)]
        note = "4 biases, [last step ... first][4][16 taps], 4 multipliers, 4 shifts"
    blocks = np.concatenate([*parts, *requantization], axis=1)
    return int8_array("weights", blocks, f"[outputs / 4] of {note}")


def in_lines(window: Window) -> Window:
    """Arrange the pixels of a 1x1 convolution in lines of even length; the last may be shorter."""
    pixels = math.prod(window.input)
    count = -(-pixels // max(2, _LINE_BYTES // window.channels))
    width = -(-pixels // count)
    width += width % 2 * (count > 1)
    line = (-(-pixels // width), width)
    return dataclasses.replace(window, input=line, output=line)


class _Lines:
    """Lines of pixels of a convolution along an axis of the image: 0 columns, 1 rows.

    Attributes
    ----------
    pool : tuple of int
        Height and width of the MAX_POOL_2D behind it.
    last : int
        Outputs of the last line, which is shorter than the others if there are only `pixels`.
    form : str
        Suffix of the kernel.
    rounds : bool
        Whether there is a kernel without the rounding that a RELU hides.
    """

    def __init__(
        self, window: Window, outputs: int, pool: Pair, axis: int, pixels: int | None = None
    ) -> None:
        self.window, self.outputs, self.pool, self.axis = window, outputs, pool, axis
        self.pooled = pool != (1, 1)
        self.slots, self.span = window.size[1 - axis], window.extent[axis]
        self.column = self.slots * window.channels
        self.steps = -(-self.span * self.column // 16)
        self.columns = (window.output[axis] - 1) * window.stride[axis] + self.span
        whole = self.lines * self.count
        self.last = self.count - (whole - (whole if pixels is None else pixels))
        self.overlay = _overlay(window, outputs, pool, self.count - self.last) if axis else None
        self.direct = (
            window.one_pixel and not self.pooled and window.channels % 16 == 0 and not self.overlay
        )
        few = self.steps <= _FEW
        self.form = "" if few else "_many"
        if self.pooled:
            quick = few and pool == (2, 2)
            self.form = f"_pooled{'_2x2' * quick}{'_step' * (quick and self.steps == 1)}"
        self.rounds = self.form in ("", "_many", "_pooled_2x2")

    def taps(self, weights: NDArray[np.int8]) -> NDArray[np.int8]:
        """Weights (outputs, taps) in the order of a strip; those in gaps of dilation are zero."""
        across_first = weights.transpose(0, 2, 1, 3) if self.axis else weights
        outputs = len(weights)
        dense = np.zeros((outputs, self.span, self.slots, self.window.channels), np.int8)
        dense[:, :: self.window.dilation[self.axis]] = across_first
        flat = dense.reshape(outputs, -1)
        return np.pad(flat, ((0, 0), (0, 16 * self.steps - flat.shape[1])))

    @property
    def places(self) -> int:
        """Pixels under a pool whose places are listed, rounded up to a multiple of 4."""
        return -(-math.prod(self.pool) // 4) * 4 if self.form == "_pooled" else 0

    @property
    def scratch(self) -> int:
        """Bytes of the strips under a pool, their places, and what is read behind them."""
        if self.direct:
            return 0
        beyond = 16 * self.steps - self.span * self.column
        strips = self.pool[1 - self.axis] * self.columns * self.column
        return 4 * self.places + strips + beyond

    @property
    def lines(self) -> int:
        """Lines of outputs."""
        return self.window.output[1 - self.axis] // self.pool[1 - self.axis]

    @property
    def count(self) -> int:
        """Outputs of a line."""
        return self.window.output[self.axis] // self.pool[self.axis]

    @property
    def members(self) -> dict[str, int]:
        """Members of an eb_conv2d_mve."""
        window, axis, across = self.window, self.axis, 1 - self.axis
        steps = (window.input[1] * window.channels, window.channels)
        output_steps = (window.output[1] // self.pool[1] * self.outputs, self.outputs)
        return {
            "steps": self.steps,
            "channels": window.channels,
            "slots": self.slots,
            "dilation": window.dilation[across],
            "columns": self.columns,
            "along": window.input[axis],
            "across": window.input[across],
            "along_step": steps[axis],
            "across_step": steps[across],
            "along_pad": window.before[axis],
            "across_pad": window.before[across],
            "lines": self.lines,
            "line_stride": window.stride[across],
            "count": self.count,
            "stride": window.stride[axis],
            "last": self.last,
            "output_step": output_steps[axis],
            "output_line": output_steps[across],
            "pool_along": self.pool[axis],
            "pool_across": self.pool[across],
            "places": self.places,
            "direct": int(self.direct),
        }

    @property
    def instructions(self) -> float:
        """Approximate instruction count."""
        fours = -(-self.outputs // 4)
        if self.pooled:
            pixels = fours * (28 * self.steps + 30) * math.prod(self.pool) / 4 * self.count
        else:
            pair, single = fours * (14 * self.steps + 22), fours * (8.5 * self.steps + 15)
            pixels = self.count // 2 * (pair + 20) + self.count % 2 * (single + 60)
        # Pieces of a strip are copied eight at a time, byte by byte.
        piece = 40 + self.columns / 8 * (10 + 4 * self.window.channels)
        if not self.axis:
            piece = 80 + self.columns / 8 * (10 + 4 * self.column)
        pieces = self.slots if self.axis else 1
        return self.lines * (90 + pixels + self.pool[1 - self.axis] * pieces * piece)


def _overlay(window: Window, outputs: int, pool: Pair, missing: int) -> Overlay | None:
    """Where the output may overlap the input: the strips of a line are read, then written.

    The last line has `missing` fewer pixels, of input and output.
    """
    lines = window.output[0] // pool[0]
    written = window.output[1] // pool[1] * outputs
    row = window.input[1] * window.channels
    advance = pool[0] * window.stride[0] * row
    # Bytes that are written before a line, and those that neither it nor a later line reads.
    done = [
        (line * written, max(line * advance - window.before[0] * row, 0))
        for line in range(1, lines)
    ]
    larger = lines * written - window.input[0] * row - missing * (outputs - window.channels)
    if larger <= 0 and all(output <= used for output, used in done):
        return "start"
    if larger >= 0 and all(output - larger <= used for output, used in done):
        return "end"
    return None
