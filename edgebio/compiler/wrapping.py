"""Kernels for sums that may leave 32 bits: slow, and as the reference computes them."""

import dataclasses
from typing import Final

from edgebio.compiler import network as net
from edgebio.compiler import portable
from edgebio.compiler.step import Step

_NOTE: Final = "an accumulator of it can leave 32 bits: taken is the slow kernel that wraps"


def conv_2d(network: net.Network, layer: net.Conv2D) -> Step:
    """One product at a time."""
    return _wrapping(portable.conv_2d(network, layer), "eb_run_conv2d_wrapping")


def depthwise_conv_2d(network: net.Network, layer: net.DepthwiseConv2D) -> Step:
    """One product at a time, each over a patch of its own."""
    window = layer.window
    direct = window.taps == 1 and not window.padded
    step = _wrapping(portable.depthwise_conv_2d(network, layer), "eb_run_depthwise_wrapping")
    return dataclasses.replace(step, scratch=0 if direct else window.taps * window.channels)


def fully_connected(network: net.Network, layer: net.FullyConnected) -> Step:
    """One product at a time."""
    step = portable.fully_connected(network, layer)
    return _wrapping(step, "eb_run_fully_connected_wrapping")


def _wrapping(step: Step, function: str) -> Step:
    return dataclasses.replace(
        step,
        function=function,
        sources=("eb_wrapping.c", "eb_patch.c"),
        core="portable",
        notes=(_NOTE,),
    )
