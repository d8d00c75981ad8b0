"""UNIDIRECTIONAL_SEQUENCE_LSTM: from zero state; no peepholes, projection or layer normalization.

tflite-micro's integer LSTM (micro/kernels/lstm_eval_common.cc) scales every gate's sum to Q3.12 and
every gate's result to Q0.15, in int16; the cell state is int16 with a power of two as scale.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler.arithmetic import quantize_multiplier
from edgebio.compiler.ir.kernel_call import Array, Value
from edgebio.compiler.ir.layer import Rescale
from edgebio.compiler.ir.layers import Lstm
from edgebio.compiler.kernels.layout import int8_array, rescale_members
from edgebio.compiler.operators.common import Node, operator, weighted_sums

# Positions among the inputs; the four gates have neighboring ones.
_WEIGHTS, _RECURRENT, _BIAS, _HIDDEN, _CELL = 1, 5, 12, 18, 19
_GATES: Final = ("input", "forget", "cell", "output")
_UNSUPPORTED: Final = {
    "peephole weights are": range(9, 12),
    "a projection is": range(16, 18),
    "layer normalization is": range(20, 24),
}
_POWERS: Final = range(-24, 1)  # exponents of the cell state's scale
_SUM, _RESULT = 2.0**-12, 2.0**-15  # scales of a gate


@operator("UNIDIRECTIONAL_SEQUENCE_LSTM", states=(_HIDDEN, _CELL))
def unidirectional_sequence_lstm(node: Node) -> Lstm:
    source, clip = node.check_unary(20, 24), float(np.float32(node.options["cell_clip"]))
    for name, positions in _UNSUPPORTED.items():
        if any(node.has_input(position) for position in positions):
            node.refuse(f"{name} not supported")
    if node.activation != "TANH":
        node.refuse(f"activation {node.activation} is not supported; TANH is")
    if node.options["diagonal_recurrent_tensors"]:
        node.refuse("diagonal recurrent weights are not supported")
    if not 0 <= clip < math.inf:  # false for NaN, too
        node.refuse(f"cell clip of {clip:g}")
    name = f"tensor {source.index}"
    if len(source.shape) != 3:
        node.refuse(f"{name} has {len(source.shape)} axes; 3 are required")
    batch = source.shape[1 if node.options["time_major"] else 0]
    if batch != 1:
        node.refuse(f"{name} has batch {batch}; only batch 1 is supported")
    steps, columns, units = math.prod(source.shape[:2]), source.shape[2], node.output.shape[-1]
    node.check_shape((*source.shape[:2], units))
    hidden_factor, power = _check_states(node, units)
    clip /= float(node.input(_CELL).scale[0])
    products: dict[str, Value] = {}
    arrays: list[Array] = []
    for name, first, factor, size in (
        ("input", _WEIGHTS, 0, columns),
        ("recurrent", _RECURRENT, _HIDDEN, units),
    ):
        gates = [_gate(node, gate, first, factor, (units, size)) for gate in range(len(_GATES))]
        weights, bias, rescale = zip(*gates, strict=True)
        multiplier, shift = zip(*rescale, strict=True)
        sums, note = np.stack(bias, axis=-1), "[units][4 gates], with the zero point folded in"
        arrays += [
            int8_array(f"{name}_weights", np.stack(weights, axis=-1), f"[units][{name}s][4 gates]"),
            Array(f"{name}_bias", "int32_t", tuple(sums.ravel().tolist()), note),
        ]
        products[name] = {
            "weights": f"@{name}_weights",
            "bias": f"@{name}_bias",
            "multiplier": multiplier,
            "shift": shift,
        }
    update = quantize_multiplier(_RESULT * _RESULT / 2.0**power)
    return Lstm(
        *node.fields(),
        kernel="lstm",
        headers=("eb_lstm.h",),
        parameters={
            **products,
            "steps": steps,
            "inputs": columns,
            "units": units,
            **rescale_members(quantize_multiplier(_RESULT), prefix="forget_"),
            **rescale_members(update, prefix="update_"),
            **rescale_members(quantize_multiplier(hidden_factor), prefix="hidden_"),
            "hidden_zero_point": node.zero_point(_HIDDEN),
            "clip": int(min(clip, 32767.0)),
            "cell_shift": 12 + power,
        },
        arrays=tuple(arrays),
        scratch=2 * units,
        elements=((steps * columns,), steps * units),
        macs=steps * 4 * units * (columns + units),
    )


def _check_states(node: Node, units: int) -> tuple[float, int]:
    """Check hidden and cell state: variables, int8 as the output and int16.

    Returns the factor from the product of two gates' results to the hidden state, and the exponent
    of the cell state's scale.
    """
    hidden, cell = node.input(_HIDDEN), node.input(_CELL)
    for tensor, state, dtype in ((hidden, "hidden", "int8"), (cell, "cell", "int16")):
        name = f"{state} state, tensor {tensor.index},"
        if not tensor.variable or tensor.data is not None:
            node.refuse(f"{name} is not a variable")
        if tensor.dtype != dtype:
            node.refuse(f"{name} is {tensor.dtype}; only {dtype} is supported")
        if math.prod(tensor.shape) != units:
            node.refuse(f"{name} has shape {list(tensor.shape)} for {units} units")
        node.check_one_scale(tensor)
    if cell.zero_point[0]:
        node.refuse(f"cell state, tensor {cell.index}, has a zero point other than 0")
    if (hidden.scale[0], hidden.zero_point[0]) != (node.output.scale[0], node.output_zero_point):
        node.refuse(f"hidden state, tensor {hidden.index}, and output differ in scale")
    fraction, exponent = math.frexp(float(cell.scale[0]))
    if fraction != 0.5 or exponent - 1 not in _POWERS:
        node.refuse(
            f"cell state, tensor {cell.index}, has scale {cell.scale[0]:g}; a power of two from "
            f"2^{_POWERS[0]} to 2^{_POWERS[-1]} is required"
        )
    return node.check_factor(_RESULT * _RESULT / float(hidden.scale[0])), exponent - 1


def _gate(
    node: Node, gate: int, first: int, factor: int, shape: tuple[int, int]
) -> tuple[NDArray[np.int8], tuple[int, ...], Rescale]:
    """Weights, biases and rescaling of a gate's products with the input at position `factor`."""
    tensor, weights = weighted_sums.read_weights(node, first + gate, axes=2, axis=0)
    name = f"weights, tensor {tensor.index}, have"
    if weights.shape != shape:
        node.refuse(f"{name} shape {list(weights.shape)}; {list(shape)} is required")
    if len(tensor.scale) != 1:
        node.refuse(f"{name} {len(tensor.scale)} scales")
    bias = np.zeros(len(weights), np.int64)
    if first == _WEIGHTS:
        if not node.has_input(_BIAS + gate):
            node.refuse(f"input {_BIAS + gate}, a bias, is missing")
        bias = weighted_sums.read_bias(node, _BIAS + gate, len(weights))
    folded, proven = weighted_sums.fold_zero_point(bias, weights, node.zero_point(factor))
    if not proven:
        node.refuse(f"an accumulator of its {_GATES[gate]} gate can overflow 32 bits")
    real = float(node.input(factor).scale[0]) * float(tensor.scale[0]) / _SUM
    return weights, folded, quantize_multiplier(node.check_factor(real))
