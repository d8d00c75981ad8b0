"""Layout of the kernels' constants and parameters in C."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from edgebio.compiler.ir.kernel_call import Array, Value
from edgebio.compiler.ir.layer import Channels, Range, Rescale
from edgebio.compiler.ir.window import Window
from edgebio.errors import EdgebioError
from edgebio.tflite import Tensor

MAX_16_BITS: Final = 65_535
"""Largest size in the parameters of a kernel."""


def int8_array(name: str, values: Any, note: str) -> Array:
    """Constant array of int8, in memory order."""
    return Array(name, "int8_t", tuple(np.asarray(values).ravel().tolist()), note)


def constant_inputs(inputs: Sequence[Tensor]) -> tuple[Array, ...]:
    """Constant ones of a layer's inputs, as arrays ``input_1``, ``input_2`` ..."""
    return tuple(
        int8_array(f"input_{position}", tensor.data, "constant input")
        for position, tensor in enumerate(inputs, 1)
        if tensor.data is not None
    )


def channel_array(channels: Channels) -> Array:
    """Bias and requantization of every output channel."""
    rows = zip(channels.bias, channels.multiplier, channels.shift, strict=True)
    return Array("channels", "eb_channel", tuple(rows), "bias, multiplier, shift")


def range_members(limits: Range) -> dict[str, Value]:
    """The member ``range`` of type eb_range."""
    range_ = {"zero_point": limits.zero_point, "low": limits.low, "high": limits.high}
    return {"range": range_}


def clamp_members(limits: Range, pad_value: int | None = None) -> dict[str, Value]:
    """Members of the fast kernels: whether and where they clamp, and their padding."""
    return {
        "clamped": int((limits.low, limits.high) != (-128, 127)),
        **({} if pad_value is None else {"pad_value": pad_value}),
        "low": limits.low,
        "high": limits.high,
    }


def hides_rounding(limits: Range) -> bool:
    """Whether the fused activation hides the rounding of negative sums."""
    return limits.low >= limits.zero_point


def rescale_members(rescale: Rescale, prefix: str = "", suffix: str = "") -> dict[str, Value]:
    """Members ``multiplier`` and ``shift``."""
    names = (f"{prefix}{name}{suffix}" for name in ("multiplier", "shift"))
    return dict(zip(names, rescale, strict=True))


def window_members(window: Window) -> Mapping[str, Value]:
    """Members of an eb_window."""
    members = {
        "input": window.input,
        "output": window.output,
        "window": window.size,
        "stride": window.stride,
        "dilation": window.dilation,
        "pad": window.before,
    }
    sizes = {f"{name}_{s}": pair[i] for name, pair in members.items() for i, s in enumerate("hw")}
    sizes["channels"] = window.channels
    if max(sizes.values()) > MAX_16_BITS:
        raise EdgebioError(f"a window has sizes that exceed 16 bits: {sizes}")
    return {**sizes}


def line_members(window: Window, axis: int, **middle: int) -> dict[str, Value]:
    """Members of a depthwise convolution along lines of an axis, `middle` among them."""
    across = 1 - axis
    steps, output_steps = (
        (size[1] * window.channels, window.channels) for size in (window.input, window.output)
    )
    return {
        "along": window.input[axis],
        "across": window.input[across],
        "along_step": steps[axis],
        "across_step": steps[across],
        "along_pad": window.before[axis],
        "across_pad": window.before[across],
        "lines": window.output[across],
        "line_stride": window.stride[across],
        **middle,
        "output_step": output_steps[axis],
        "output_line": output_steps[across],
    }
