"""Kernels in plain C for any CPU: one per layer type, without preconditions."""

import dataclasses
from collections.abc import Mapping

from edgebio.compiler.ir import layers
from edgebio.compiler.ir.kernel_call import KernelCall, Value
from edgebio.compiler.ir.network import Network
from edgebio.compiler.kernels.layout import (
    channel_array,
    constant_inputs,
    int8_array,
    range_members,
    rescale_members,
    window_members,
)
from edgebio.compiler.kernels.registry import kernel


@kernel("portable", layers.Conv2D)
def conv_2d(network: Network, layer: layers.Conv2D) -> KernelCall:
    """One patch at a time, gathered if it leaves the image."""
    window = layer.window
    pooled = layer.pool != (1, 1)
    patch = 0 if window.one_pixel else window.taps * window.channels
    return _weighted(
        layer,
        f"eb_run_conv2d{'_pooled' * pooled}",
        ("eb_conv2d.c", "eb_patch.c", "eb_multiply.c"),
        "eb_conv2d",
        "[outputs][window height][window width][channels]",
        {
            "window": window_members(dataclasses.replace(window, output=layer.pooled)),
            "outputs": len(layer.weights),
            "pool_h": layer.pool[0],
            "pool_w": layer.pool[1],
            "direct": int(window.one_pixel),
            "pad_value": layer.pad_value,
        },
        patch + len(layer.weights) * pooled,
    )


@kernel("portable", layers.DepthwiseConv2D)
def depthwise_conv_2d(network: Network, layer: layers.DepthwiseConv2D) -> KernelCall:
    """Four neighboring channels at a time."""
    window = layer.window
    gathers = window.padded if layer.channels.proven else not window.one_pixel
    return _weighted(
        layer,
        "eb_run_depthwise",
        ("eb_depthwise.c", "eb_patch.c"),
        "eb_depthwise",
        "[window height][window width][outputs]",
        {
            "window": window_members(window),
            "multiplier": layer.multiplier,
            "pad_value": layer.pad_value,
        },
        window.taps * window.channels if gathers else 0,
    )


@kernel("portable", layers.FullyConnected)
def fully_connected(network: Network, layer: layers.FullyConnected) -> KernelCall:
    """Four outputs at a time."""
    outputs, inputs = layer.weights.shape
    return _weighted(
        layer,
        "eb_run_fully_connected",
        ("eb_fully_connected.c", "eb_multiply.c"),
        "eb_fully_connected",
        "[outputs][inputs]",
        {"rows": layer.rows, "inputs": inputs, "outputs": outputs},
    )


def _weighted(
    layer: layers.Weighted,
    function: str,
    sources: tuple[str, ...],
    struct: str,
    layout: str,
    parameters: Mapping[str, Value],
    scratch: int | None = None,
) -> KernelCall:
    """Call of a kernel that sums products, or of the slow one that wraps as the reference does."""
    proven = layer.channels.proven
    note = "an accumulator can exceed 32 bits: the slow kernel that wraps is used"
    return KernelCall(
        layer,
        function if proven else f"{function}_wrapping",
        sources if proven else ("eb_wrapping.c", "eb_patch.c"),
        arrays=(int8_array("weights", layer.weights, layout), channel_array(layer.channels)),
        struct=struct,
        parameters={
            "weights": "@weights",
            "channels": "@channels",
            **parameters,
            **range_members(layer.range),
        },
        scratch=scratch or 0,
        takes_scratch=scratch is not None,
        notes=() if proven else (note,),
    )


def variant(call: KernelCall, isa: str, *sources: str) -> KernelCall:
    """The same call of a faster kernel, whose function has the suffix `isa`."""
    return dataclasses.replace(call, function=f"{call.function}_{isa}", sources=sources)


@kernel("portable", layers.Pool)
def pool(network: Network, layer: layers.Pool) -> KernelCall:
    """Each window separately, without the padding."""
    return KernelCall(
        layer,
        "eb_run_max_pool" if layer.kind == "MAX_POOL_2D" else "eb_run_average_pool",
        ("eb_pool.c",),
        struct="eb_pool",
        parameters={
            "window": window_members(layer.window),
            "low": layer.range.low,
            "high": layer.range.high,
        },
        # Without padding, an output never lies behind the first input that a later output needs.
        in_place=() if layer.window.padded else (0,),
    )


@kernel("portable", layers.Mean)
def mean(network: Network, layer: layers.Mean) -> KernelCall:
    """One sum per output."""
    names = ("outer", "reduced_1", "middle", "reduced_2", "inner")
    return KernelCall(
        layer,
        "eb_run_mean",
        ("eb_mean.c",),
        struct="eb_mean",
        parameters={
            **dict(zip(names, layer.runs, strict=True)),
            "offset": layer.offset,
            **rescale_members(layer.rescale),
            "zero_point": layer.zero_point,
        },
    )


@kernel("portable", layers.Add, layers.Sub)
def add(network: Network, layer: layers.Add) -> KernelCall:
    """Element by element, with broadcast."""
    return _broadcast(
        network,
        layer,
        "sub" if isinstance(layer, layers.Sub) else "add",
        "eb_add",
        {
            **rescale_members(layer.rescale[0], suffix="_1"),
            **rescale_members(layer.rescale[1], suffix="_2"),
            **rescale_members(layer.rescale_sum),
        },
    )


@kernel("portable", layers.Mul)
def mul(network: Network, layer: layers.Mul) -> KernelCall:
    """Element by element, with broadcast."""
    return _broadcast(network, layer, "mul", "eb_mul", rescale_members(layer.rescale))


def _broadcast(
    network: Network,
    layer: layers.Broadcast,
    name: str,
    struct: str,
    rescale: Mapping[str, Value],
) -> KernelCall:
    size = network.bytes(layer.output)
    return KernelCall(
        layer,
        f"eb_run_{name}",
        (f"eb_{name}.c",),
        arrays=constant_inputs([network.tensors[index] for index in layer.inputs]),
        struct=struct,
        parameters={
            "size": layer.shape,
            "step_1": layer.steps[0],
            "step_2": layer.steps[1],
            "zero_point_1": layer.zero_points[0],
            "zero_point_2": layer.zero_points[1],
            **rescale,
            **range_members(layer.range),
        },
        # Inputs that are read in the order of the output.
        in_place=tuple(p for p, index in enumerate(layer.inputs) if network.bytes(index) == size),
    )


@kernel("portable", layers.Table)
def table(network: Network, layer: layers.Table) -> KernelCall:
    """One look-up per element."""
    return KernelCall(
        layer,
        "eb_run_table",
        ("eb_table.c",),
        arrays=(int8_array("table", layer.table, "results for -128 ... 127"),),
        arguments=("@table", str(network.bytes(layer.output))),
        in_place=(0,),
    )


@kernel("portable", layers.Quantize, layers.Dequantize)
def quantize(network: Network, layer: layers.Quantize) -> KernelCall:
    """Between int8 and float32, at the edges of a network."""
    from_int8 = isinstance(layer, layers.Dequantize)
    count = network.bytes(layer.inputs[0] if from_int8 else layer.output)
    return KernelCall(
        layer,
        "eb_run_dequantize" if from_int8 else "eb_run_quantize",
        ("eb_float_edges.c",),
        arguments=(f"{float(layer.scale).hex()}f", str(layer.zero_point), str(count)),
    )


@kernel("portable", layers.Pad)
def pad(network: Network, layer: layers.Pad) -> KernelCall:
    """Rows copied between constants."""
    missing = 4 - len(layer.shape)
    before, after = zip(*((0, 0),) * missing, *layer.pads, strict=True)
    return KernelCall(
        layer,
        "eb_run_pad",
        ("eb_pad.c",),
        struct="eb_pad",
        parameters={
            "size": (1,) * missing + layer.shape,
            "before": before,
            "after": after,
            "value": layer.value,
        },
    )


@kernel("portable", layers.KernelLayer, layers.Concatenation, layers.Lstm)
def lowered(network: Network, layer: layers.KernelLayer) -> KernelCall:
    """The kernel to which the operator was lowered."""
    return KernelCall(
        layer,
        f"eb_run_{layer.kernel}",
        (f"eb_{layer.kernel}.c", *layer.headers),
        arrays=layer.arrays,
        struct=f"eb_{layer.kernel}",
        parameters=layer.parameters,
        scratch=layer.scratch,
        in_place=layer.in_place,
        lists_inputs=layer.lists_inputs,
    )
