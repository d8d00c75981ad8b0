"""How constants and parameters of the kernels are laid out in C."""

from typing import Any, Final

import numpy as np

from edgebio.compiler import network as net
from edgebio.compiler.step import Array, Value
from edgebio.errors import EdgebioError

MOST_16_BITS: Final = 65_535
"""Largest size that the parameters of a kernel hold."""


def int8_array(name: str, values: Any, note: str) -> Array:
    """Give a constant array of int8, in the order of memory."""
    return Array(name, "int8_t", tuple(np.asarray(values).ravel().tolist()), note)


def constant_inputs(network: net.Network, layer: net.Layer) -> tuple[Array, ...]:
    """Give the inputs of a layer that are constants, as arrays ``input_1``, ``input_2`` ..."""
    return tuple(
        int8_array(f"input_{position}", network.tensors[index].data, "constant input")
        for position, index in enumerate(layer.inputs, 1)
        if network.tensors[index].data is not None
    )


def channel_array(channels: net.Channels) -> Array:
    """Give bias and requantisation of every output channel."""
    rows = zip(channels.bias, channels.multiplier, channels.shift, strict=True)
    return Array("channels", "eb_channel", tuple(rows), "bias, multiplier, shift")


def output_range(limits: net.Range) -> Value:
    """Give the members of an eb_range."""
    return {"zero_point": limits.zero_point, "low": limits.low, "high": limits.high}


def window_members(window: net.Window) -> Value:
    """Give the members of an eb_window."""
    members = {
        "input": window.input,
        "output": window.output,
        "window": window.size,
        "stride": window.stride,
        "dilation": window.dilation,
        "pad": window.before,
    }
    sides = {f"{name}_{s}": pair[i] for name, pair in members.items() for i, s in enumerate("hw")}
    sides["channels"] = window.channels
    if max(sides.values()) > MOST_16_BITS:
        raise EdgebioError(f"a window has sizes that 16 bits do not hold: {sides}")
    return {**sides}
