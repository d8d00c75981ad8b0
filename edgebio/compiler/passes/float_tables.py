"""Functions in float32 between DEQUANTIZE and QUANTIZE, as tables of int8.

Converters leave functions in float32 that have no int8 form, such as ELU. From one int8 to one int8
they have 256 results, which are computed here as tflite-micro computes them.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler.ir import layers
from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.network import Network
from edgebio.errors import EdgebioError


def tabulate(network: Network) -> Network:
    """Network without functions in float32.

    Raises
    ------
    EdgebioError
        If there is one that is not between DEQUANTIZE and QUANTIZE, or whose results exceed
        float32; names its operator.
    """
    writers = {layer.output: layer for layer in network.layers}
    remaining = [_tabulated(layer, writers) for layer in network.layers]
    while True:
        read = {*network.outputs, *(index for layer in remaining for index in layer.inputs)}
        used = [
            layer
            for layer in remaining
            if layer.output in read
            or not isinstance(layer, layers.FloatFunction | layers.Dequantize)
        ]
        if len(used) == len(remaining):
            break
        remaining = used
    for layer in remaining:
        if isinstance(layer, layers.FloatFunction):
            raise EdgebioError(
                f"operator {layer.operators[0]} ({layer.kind}): float32 is supported only between "
                "DEQUANTIZE of int8 and QUANTIZE"
            )
    return replace(network, layers=tuple(remaining))


def _tabulated(layer: Layer, writers: Mapping[int, Layer]) -> Layer:
    """The table of a QUANTIZE with the functions before it; others as they are."""
    if not isinstance(layer, layers.Quantize) or isinstance(layer, layers.Dequantize):
        return layer
    functions: list[layers.FloatFunction] = []
    before = writers.get(layer.inputs[0])
    while isinstance(before, layers.FloatFunction):
        functions.insert(0, before)
        before = writers.get(before.inputs[0])
    if not isinstance(before, layers.Dequantize):
        return layer
    codes = np.arange(-128, 128) - before.zero_point
    # `tflite::reference_ops::Dequantize` multiplies in float64.
    values = (float(before.scale) * codes).astype(np.float32)
    for each in functions:
        with np.errstate(all="ignore"):
            values = each.function(values)
        if not np.isfinite(values).all():
            raise EdgebioError(
                f"operator {each.operators[0]} ({each.kind}): results are not finite for some int8"
            )
    return layers.Table(
        (*before.operators, *(i for each in functions for i in each.operators), *layer.operators),
        functions[0].kind if functions else layer.kind,
        before.inputs,
        layer.output,
        table=_quantized(values, layer),
    )


def _quantized(values: NDArray[np.float32], layer: layers.Quantize) -> NDArray[np.int8]:
    """`tflite::reference_ops::AffineQuantize`: quotients in float32, halves away from zero."""
    with np.errstate(over="ignore"):
        steps = np.clip((values / layer.scale).astype(np.float64), -512, 512)
    rounded = np.copysign(np.floor(np.abs(steps) + 0.5), steps).astype(np.int64)
    return np.clip(rounded + layer.zero_point, -128, 127).astype(np.int8)
