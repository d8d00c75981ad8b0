"""Kernels in plain C for any core: one a layer type, without preconditions."""

import dataclasses

import numpy as np

from edgebio.compiler import network as net
from edgebio.compiler.layout import (
    channel_array,
    constant_inputs,
    int8_array,
    output_range,
    window_members,
)
from edgebio.compiler.step import Array, Step, Value


def conv_2d(network: net.Network, layer: net.Conv2D) -> Step:
    """A patch at a time, gathered where it leaves the image."""
    window = layer.window
    direct = window.taps == 1 and not window.padded
    pooled = layer.pool != (1, 1)
    patch = 0 if direct else window.taps * window.channels
    return Step(
        layer,
        "eb_run_conv2d_pooled" if pooled else "eb_run_conv2d",
        ("eb_conv2d.c", "eb_patch.c", "eb_multiply.c"),
        "portable",
        arrays=(
            int8_array(
                "weights", layer.weights, "[outputs][window height][window width][channels]"
            ),
            channel_array(layer.channels),
        ),
        struct="eb_conv2d",
        parameters={
            "weights": "@weights",
            "channels": "@channels",
            "window": window_members(dataclasses.replace(window, output=layer.pooled)),
            "outputs": len(layer.weights),
            "pool_h": layer.pool[0],
            "pool_w": layer.pool[1],
            "direct": int(direct),
            "pad_value": layer.pad_value,
            "range": output_range(layer.range),
        },
        scratch=patch + len(layer.weights) * pooled,
        takes_scratch=True,
    )


def depthwise_conv_2d(network: net.Network, layer: net.DepthwiseConv2D) -> Step:
    """Four neighbouring channels at a time."""
    window = layer.window
    return Step(
        layer,
        "eb_run_depthwise",
        ("eb_depthwise.c", "eb_patch.c"),
        "portable",
        arrays=(
            int8_array("weights", layer.weights, "[window height][window width][outputs]"),
            channel_array(layer.channels),
        ),
        struct="eb_depthwise",
        parameters={
            "weights": "@weights",
            "channels": "@channels",
            "window": window_members(window),
            "multiplier": layer.multiplier,
            "pad_value": layer.pad_value,
            "range": output_range(layer.range),
        },
        scratch=window.taps * window.channels if window.padded else 0,
        takes_scratch=True,
    )


def fully_connected(network: net.Network, layer: net.FullyConnected) -> Step:
    """Four outputs at a time."""
    outputs, inputs = layer.weights.shape
    return Step(
        layer,
        "eb_run_fully_connected",
        ("eb_fully_connected.c", "eb_multiply.c"),
        "portable",
        arrays=(
            int8_array("weights", layer.weights, "[outputs][inputs]"),
            channel_array(layer.channels),
        ),
        struct="eb_fully_connected",
        parameters={
            "weights": "@weights",
            "channels": "@channels",
            "rows": layer.rows,
            "inputs": inputs,
            "outputs": outputs,
            "range": output_range(layer.range),
        },
    )


def pool(network: net.Network, layer: net.Pool) -> Step:
    """Each window by itself, without what lies beyond the image."""
    return Step(
        layer,
        "eb_run_max_pool" if layer.kind == "MAX_POOL_2D" else "eb_run_average_pool",
        ("eb_pool.c",),
        "portable",
        struct="eb_pool",
        parameters={"window": window_members(layer.window), "low": layer.low, "high": layer.high},
        # Unpadded, an output never lies behind the first input that a later output needs.
        in_place=() if layer.window.padded else (0,),
    )


def mean(network: net.Network, layer: net.Mean) -> Step:
    """One sum an output."""
    names = ("outer", "reduced_1", "middle", "reduced_2", "inner")
    return Step(
        layer,
        "eb_run_mean",
        ("eb_mean.c",),
        "portable",
        struct="eb_mean",
        parameters={
            **dict(zip(names, layer.runs, strict=True)),
            "offset": layer.offset,
            "multiplier": layer.multiplier,
            "shift": layer.shift,
            "zero_point": layer.zero_point,
        },
    )


def add(network: net.Network, layer: net.Add) -> Step:
    """Element by element, with broadcast."""
    return Step(
        layer,
        "eb_run_sub" if isinstance(layer, net.Sub) else "eb_run_add",
        ("eb_sub.c" if isinstance(layer, net.Sub) else "eb_add.c",),
        "portable",
        arrays=constant_inputs(network, layer),
        struct="eb_add",
        parameters={
            "size": layer.shape,
            "step_1": layer.steps[0],
            "step_2": layer.steps[1],
            "zero_point_1": layer.zero_points[0],
            "zero_point_2": layer.zero_points[1],
            "multiplier_1": layer.rescale[0][0],
            "shift_1": layer.rescale[0][1],
            "multiplier_2": layer.rescale[1][0],
            "shift_2": layer.rescale[1][1],
            "multiplier": layer.rescale_sum[0],
            "shift": layer.rescale_sum[1],
            "range": output_range(layer.range),
        },
        in_place=_of_output_size(network, layer),
    )


def mul(network: net.Network, layer: net.Mul) -> Step:
    """Element by element, with broadcast."""
    return Step(
        layer,
        "eb_run_mul",
        ("eb_mul.c",),
        "portable",
        arrays=constant_inputs(network, layer),
        struct="eb_mul",
        parameters={
            "size": layer.shape,
            "step_1": layer.steps[0],
            "step_2": layer.steps[1],
            "zero_point_1": layer.zero_points[0],
            "zero_point_2": layer.zero_points[1],
            "multiplier": layer.rescale[0],
            "shift": layer.rescale[1],
            "range": output_range(layer.range),
        },
        in_place=_of_output_size(network, layer),
    )


def _of_output_size(network: net.Network, layer: net.Layer) -> tuple[int, ...]:
    """Positions of the inputs that are walked as the output is."""
    size = network.bytes(layer.output)
    return tuple(p for p, index in enumerate(layer.inputs) if network.bytes(index) == size)


def prelu(network: net.Network, layer: net.Prelu) -> Step:
    """Element by element, with broadcast of the slopes."""
    return Step(
        layer,
        "eb_run_prelu",
        ("eb_prelu.c",),
        "portable",
        arrays=(int8_array("slopes", layer.slopes, "slopes below zero"),),
        struct="eb_prelu",
        parameters={
            "slopes": "@slopes",
            "size": layer.shape,
            "step": layer.steps,
            "zero_point": layer.zero_points[0],
            "slope_zero_point": layer.zero_points[1],
            "output_zero_point": layer.zero_points[2],
            "multiplier": layer.rescale[0][0],
            "shift": layer.rescale[0][1],
            "slope_multiplier": layer.rescale[1][0],
            "slope_shift": layer.rescale[1][1],
        },
        in_place=(0,),
    )


def lstm(network: net.Network, layer: net.Lstm) -> Step:
    """Four gates of a unit at a time; the hidden state is the output's row before."""
    arrays = []
    products: dict[str, Value] = {}
    for name, weights, bias, rescale in (
        ("input", "weights", "bias", "rescale"),
        ("recurrent", "recurrent", "recurrent_bias", "recurrent_rescale"),
    ):
        side_by_side = np.stack([getattr(gate, weights) for gate in layer.gates], axis=-1)
        sums = np.stack([getattr(gate, bias) for gate in layer.gates], axis=-1)
        factors = [getattr(gate, rescale) for gate in layer.gates]
        arrays += [
            int8_array(f"{name}_weights", side_by_side, f"[units][{name}s][4 gates]"),
            Array(
                f"{name}_bias", "int32_t", tuple(sums.ravel().tolist()),
                "[units][4 gates], with the zero point folded in",
            ),
        ]  # fmt: skip
        products[name] = {
            "weights": f"@{name}_weights",
            "bias": f"@{name}_bias",
            "multiplier": tuple(multiplier for multiplier, _ in factors),
            "shift": tuple(shift for _, shift in factors),
        }
    return Step(
        layer,
        "eb_run_lstm",
        ("eb_lstm.c",),
        "portable",
        arrays=tuple(arrays),
        struct="eb_lstm",
        parameters={
            **products,
            "steps": layer.steps,
            "inputs": layer.columns,
            "units": layer.units,
            "forget_multiplier": layer.forget[0],
            "forget_shift": layer.forget[1],
            "update_multiplier": layer.update[0],
            "update_shift": layer.update[1],
            "hidden_multiplier": layer.hidden[0],
            "hidden_shift": layer.hidden[1],
            "hidden_zero_point": layer.zero_point,
            "clip": layer.clip,
            "cell_shift": 12 + layer.power,
        },
        scratch=2 * layer.units,
    )


def table(network: net.Network, layer: net.Table) -> Step:
    """One look-up an element."""
    return Step(
        layer,
        "eb_run_table",
        ("eb_table.c",),
        "portable",
        arrays=(int8_array("table", layer.table, "answers for -128 ... 127"),),
        arguments=("@table", str(network.bytes(layer.output))),
        in_place=(0,),
    )


def softmax(network: net.Network, layer: net.Softmax) -> Step:
    """Exponentials by a table of distances from the largest logit."""
    return Step(
        layer,
        "eb_run_softmax",
        ("eb_softmax.c",),
        "portable",
        arrays=(
            Array("exponentials", "int32_t", layer.exponentials, "exp(-distance * scale), Q0.31"),
        ),
        struct="eb_softmax",
        parameters={
            "exponentials": "@exponentials",
            "count": len(layer.exponentials),
            "rows": layer.rows,
            "classes": layer.classes,
        },
        in_place=(0,),
    )


def quantize(network: net.Network, layer: net.Quantize | net.Dequantize) -> Step:
    """Between int8 and float32, at the edges of a network."""
    count = network.bytes(layer.output if isinstance(layer, net.Quantize) else layer.inputs[0])
    quantizes = isinstance(layer, net.Quantize)
    return Step(
        layer,
        "eb_run_quantize" if quantizes else "eb_run_dequantize",
        ("eb_float_edges.c",),
        "portable",
        arguments=(f"{float(layer.scale).hex()}f", str(layer.zero_point), str(count)),
    )
