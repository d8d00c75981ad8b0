"""Choose a kernel for every layer, and lay its constants out as that kernel wants them.

Each layer type has candidates in order of preference; the first whose core class fits the target
and whose preconditions hold is taken. `portable` runs anywhere and has no preconditions.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from edgebio.compiler import network as net

Core = Literal["portable", "dsp", "mve"]
"""Instruction set that kernels may use: plain C, the DSP extension, Helium."""

CORES: Final[dict[Core, tuple[Core, ...]]] = {
    "portable": ("portable",),
    "dsp": ("dsp", "portable"),
    "mve": ("mve", "dsp", "portable"),
}
"""Core classes whose kernels run on a core, best first."""

Value = int | float | str | tuple["Value", ...] | Mapping[str, "Value"]
"""A C initialiser: a number, a name, a list, or a struct by its members."""


@dataclass(frozen=True, eq=False)
class Array:
    """A constant array of the generated code.

    Attributes
    ----------
    name : str
        What it holds; the layer's name is put before it.
    ctype : str
        Type of an element.
    values : tuple
        Its elements.
    note : str
        Its layout.
    """

    name: str
    ctype: str
    values: tuple[Value, ...]
    note: str

    @property
    def bytes(self) -> int:
        """Size in flash."""
        return len(self.values) * {"int8_t": 1, "int32_t": 4, "eb_channel": 12}[self.ctype]


@dataclass(frozen=True, eq=False)
class Step:
    """A layer with its kernel.

    Attributes
    ----------
    layer : Layer
    function : str
        The kernel's C function.
    sources : tuple of str
        C files that it needs, in firmware_assets/kernels, and headers besides eb_kernels.h.
    core : str
        Core class of the kernel.
    arrays : tuple of Array
        Constants; referred to in `parameters` and `arguments` as ``@name``.
    struct : str
        Type of the parameter struct, empty where the kernel takes plain arguments.
    parameters : mapping
        Members of the struct.
    arguments : tuple of str
        Arguments before the activations.
    scratch : int
        Bytes of scratch memory; with them, or with `takes_scratch`, the kernel takes a pointer.
    takes_scratch : bool
        Whether the kernel's last parameter is a scratch pointer, which may be NULL.
    in_place : tuple of int
        Positions of inputs that the output may overwrite.
    """

    layer: net.Layer
    function: str
    sources: tuple[str, ...]
    core: Core
    arrays: tuple[Array, ...] = ()
    struct: str = ""
    parameters: Mapping[str, Value] | None = None
    arguments: tuple[str, ...] = ()
    scratch: int = 0
    takes_scratch: bool = False
    in_place: tuple[int, ...] = ()

    @property
    def constant_bytes(self) -> int:
        """Flash of weights, biases and tables."""
        return sum(array.bytes for array in self.arrays)


def choose(network: net.Network, core: Core = "portable") -> tuple[Step, ...]:
    """Give every layer of `network` the best kernel for `core`."""
    return tuple(_choose(network, layer, core) for layer in network.layers)


def _choose(network: net.Network, layer: net.Layer, core: Core) -> Step:
    for kernel_core, candidate in CANDIDATES[type(layer)]:
        if kernel_core in CORES[core]:
            step = candidate(network, layer)
            if step is not None:
                return step
    raise AssertionError(f"no portable kernel for {layer.kind}")


def _int8(name: str, values: Any, note: str) -> Array:
    return Array(name, "int8_t", tuple(np.asarray(values).ravel().tolist()), note)


def _channels(channels: net.Channels) -> Array:
    rows = zip(channels.bias, channels.multiplier, channels.shift, strict=True)
    return Array("channels", "eb_channel", tuple(rows), "bias, multiplier, shift")


def _range(limits: net.Range) -> Value:
    return {"zero_point": limits.zero_point, "low": limits.low, "high": limits.high}


def _window(window: net.Window) -> Value:
    members = {
        "input": window.input,
        "output": window.output,
        "window": window.size,
        "stride": window.stride,
        "dilation": window.dilation,
        "pad": window.before,
    }
    sides = {f"{name}_{s}": pair[i] for name, pair in members.items() for i, s in enumerate("hw")}
    return {**sides, "channels": window.channels}


def _conv_2d(network: net.Network, layer: net.Conv2D) -> Step:
    window = layer.window
    direct = window.taps == 1 and not window.padded
    return Step(
        layer,
        "eb_run_conv2d",
        ("eb_conv2d.c", "eb_patch.c", "eb_multiply.c"),
        "portable",
        arrays=(
            _int8("weights", layer.weights, "[outputs][window height][window width][channels]"),
            _channels(layer.channels),
        ),
        struct="eb_conv2d",
        parameters={
            "weights": "@weights",
            "channels": "@channels",
            "window": _window(window),
            "outputs": len(layer.weights),
            "pad_value": layer.pad_value,
            "range": _range(layer.range),
        },
        scratch=0 if direct else window.taps * window.channels,
        takes_scratch=True,
    )


def _conv_2d_dsp(network: net.Network, layer: net.Conv2D) -> Step:
    step = _conv_2d(network, layer)
    return dataclasses.replace(
        step,
        function="eb_run_conv2d_dsp",
        sources=("eb_conv2d_dsp.c", "eb_dsp.h", "eb_patch.c"),
        core="dsp",
        scratch=2 * step.scratch,  # two pixels at a time
    )


def _depthwise_conv_2d(network: net.Network, layer: net.DepthwiseConv2D) -> Step:
    window = layer.window
    return Step(
        layer,
        "eb_run_depthwise",
        ("eb_depthwise.c", "eb_patch.c"),
        "portable",
        arrays=(
            _int8("weights", layer.weights, "[window height][window width][outputs]"),
            _channels(layer.channels),
        ),
        struct="eb_depthwise",
        parameters={
            "weights": "@weights",
            "channels": "@channels",
            "window": _window(window),
            "multiplier": layer.multiplier,
            "pad_value": layer.pad_value,
            "range": _range(layer.range),
        },
        scratch=window.taps * window.channels if window.padded else 0,
        takes_scratch=True,
    )


def _depthwise_conv_2d_dsp(network: net.Network, layer: net.DepthwiseConv2D) -> Step | None:
    if layer.multiplier != 1 or layer.window.channels < 4:
        return None  # four channels at a time, or nothing is gained
    return dataclasses.replace(
        _depthwise_conv_2d(network, layer),
        function="eb_run_depthwise_dsp",
        sources=("eb_depthwise.c", "eb_depthwise_dsp.c", "eb_dsp.h", "eb_patch.c"),
        core="dsp",
    )


def _fully_connected(network: net.Network, layer: net.FullyConnected) -> Step:
    outputs, inputs = layer.weights.shape
    return Step(
        layer,
        "eb_run_fully_connected",
        ("eb_fully_connected.c", "eb_multiply.c"),
        "portable",
        arrays=(_int8("weights", layer.weights, "[outputs][inputs]"), _channels(layer.channels)),
        struct="eb_fully_connected",
        parameters={
            "weights": "@weights",
            "channels": "@channels",
            "rows": layer.rows,
            "inputs": inputs,
            "outputs": outputs,
            "range": _range(layer.range),
        },
    )


def _fully_connected_dsp(network: net.Network, layer: net.FullyConnected) -> Step:
    return dataclasses.replace(
        _fully_connected(network, layer),
        function="eb_run_fully_connected_dsp",
        sources=("eb_fully_connected_dsp.c", "eb_dsp.h"),
        core="dsp",
    )


def _pool(network: net.Network, layer: net.Pool) -> Step:
    return Step(
        layer,
        "eb_run_max_pool" if layer.kind == "MAX_POOL_2D" else "eb_run_average_pool",
        ("eb_pool.c",),
        "portable",
        struct="eb_pool",
        parameters={"window": _window(layer.window), "low": layer.low, "high": layer.high},
        # Unpadded, an output never lies behind the first input that a later output needs.
        in_place=() if layer.window.padded else (0,),
    )


def _mean(network: net.Network, layer: net.Mean) -> Step:
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


def _add(network: net.Network, layer: net.Add) -> Step:
    constants = {
        index: _int8(f"input_{position}", network.tensors[index].data, "constant input")
        for position, index in enumerate(layer.inputs, 1)
        if network.tensors[index].data is not None
    }
    size = network.bytes(layer.output)
    return Step(
        layer,
        "eb_run_add",
        ("eb_add.c",),
        "portable",
        arrays=tuple(constants.values()),
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
            "range": _range(layer.range),
        },
        in_place=tuple(p for p, index in enumerate(layer.inputs) if network.bytes(index) == size),
    )


def _pad(network: net.Network, layer: net.Pad) -> Step:
    missing = 4 - len(layer.shape)
    pads = ((0, 0),) * missing + layer.pads
    return Step(
        layer,
        "eb_run_pad",
        ("eb_pad.c",),
        "portable",
        struct="eb_pad",
        parameters={
            "size": (1,) * missing + layer.shape,
            "before": tuple(before for before, _ in pads),
            "after": tuple(after for _, after in pads),
            "value": layer.value,
        },
    )


def _table(network: net.Network, layer: net.Table) -> Step:
    return Step(
        layer,
        "eb_run_table",
        ("eb_table.c",),
        "portable",
        arrays=(_int8("table", layer.table, "answers for -128 ... 127"),),
        arguments=("@table", str(network.bytes(layer.output))),
        in_place=(0,),
    )


def _softmax(network: net.Network, layer: net.Softmax) -> Step:
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


def _quantize(network: net.Network, layer: net.Quantize | net.Dequantize) -> Step:
    count = network.bytes(layer.output if isinstance(layer, net.Quantize) else layer.inputs[0])
    quantizes = isinstance(layer, net.Quantize)
    return Step(
        layer,
        "eb_run_quantize" if quantizes else "eb_run_dequantize",
        ("eb_float_edges.c",),
        "portable",
        arguments=(f"{float(layer.scale).hex()}f", str(layer.zero_point), str(count)),
    )


Candidate = Callable[[net.Network, Any], Step | None]
"""Gives a layer a kernel, or None where the kernel's preconditions do not hold."""

CANDIDATES: Final[dict[type[net.Layer], tuple[tuple[Core, Candidate], ...]]] = {
    net.Add: (("portable", _add),),
    net.Conv2D: (("dsp", _conv_2d_dsp), ("portable", _conv_2d)),
    net.Dequantize: (("portable", _quantize),),
    net.DepthwiseConv2D: (("dsp", _depthwise_conv_2d_dsp), ("portable", _depthwise_conv_2d)),
    net.FullyConnected: (("dsp", _fully_connected_dsp), ("portable", _fully_connected)),
    net.Mean: (("portable", _mean),),
    net.Pad: (("portable", _pad),),
    net.Pool: (("portable", _pool),),
    net.Quantize: (("portable", _quantize),),
    net.Softmax: (("portable", _softmax),),
    net.Table: (("portable", _table),),
}
"""Kernels by layer type, best first."""
