"""Kernels for cores with the DSP extension: Cortex-M4, M7, M33."""

import dataclasses

from edgebio.compiler import network as net
from edgebio.compiler import portable
from edgebio.compiler.step import Step


def conv_2d(network: net.Network, layer: net.Conv2D) -> Step:
    """Two pixels by two outputs."""
    step = portable.conv_2d(network, layer)
    return dataclasses.replace(
        step,
        function="eb_run_conv2d_dsp",
        sources=("eb_conv2d_dsp.c", "eb_dsp.h", "eb_patch.c"),
        core="dsp",
        scratch=2 * step.scratch,  # two pixels at a time
    )


def depthwise_conv_2d(network: net.Network, layer: net.DepthwiseConv2D) -> Step | None:
    """Four channels and two taps at a time."""
    if layer.multiplier != 1 or layer.window.channels < 4:
        return None  # four channels at a time, or nothing is gained
    return dataclasses.replace(
        portable.depthwise_conv_2d(network, layer),
        function="eb_run_depthwise_dsp",
        sources=("eb_depthwise.c", "eb_depthwise_dsp.c", "eb_dsp.h", "eb_patch.c"),
        core="dsp",
    )


def fully_connected(network: net.Network, layer: net.FullyConnected) -> Step:
    """Two outputs, four products each at a time."""
    return dataclasses.replace(
        portable.fully_connected(network, layer),
        function="eb_run_fully_connected_dsp",
        sources=("eb_fully_connected_dsp.c", "eb_dsp.h"),
        core="dsp",
    )
