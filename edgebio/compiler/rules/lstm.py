"""Rule of UNIDIRECTIONAL_SEQUENCE_LSTM."""

import math
from typing import Final

from edgebio.compiler import lstm
from edgebio.compiler.node import Node
from edgebio.tflite import Tensor

STATES: Final = (lstm.HIDDEN, lstm.CELL)
"""Positions of the inputs that hold its state from one time step to the next."""

_LEFT_OUT: Final = {
    "peephole weights": range(9, 12),
    "a projection": range(16, 18),
    "layer normalisation": range(20, 24),
}


def unidirectional_sequence_lstm(node: Node) -> None:
    node.count(20, 24)
    source, output = node.activation(node.input(0)), node.activation(node.output)
    for what, positions in _LEFT_OUT.items():
        if any(node.has(position) for position in positions):
            node.refuse(f"{what} is not supported".replace("weights is", "weights are"))
    if node.options["activation"] != "TANH":
        node.refuse(f"activation {node.options['activation']} is not supported; TANH is")
    if node.options["diagonal_recurrent_tensors"]:
        node.refuse("diagonal recurrent weights are not supported")
    clip = float(node.options["cell_clip"])
    if not 0 <= clip < math.inf:  # false for NaN too
        node.refuse(f"cell clip of {clip:g}")
    if len(source.shape) != 3:
        node.refuse(f"tensor {source.index} has {len(source.shape)} axes; 3 are needed")
    batch_axis = 1 if node.options["time_major"] else 0
    if source.shape[batch_axis] != 1:
        node.refuse(
            f"tensor {source.index} has batch {source.shape[batch_axis]}; only batch 1 is supported"
        )
    inputs, units = source.shape[2], output.shape[-1]
    node.shape((*source.shape[:2], units))
    hidden, cell = _states(node, units, output)
    node.factor(lstm.hidden_factor(hidden.scale[0]))
    if lstm.power_of_two(cell.scale[0]) is None:
        node.refuse(
            f"cell state, tensor {cell.index}, has scale {cell.scale[0]:g}; a power of two from "
            f"2^{lstm.POWERS[0]} to 2^{lstm.POWERS[-1]} is needed"
        )
    for gate in range(4):
        for first, columns, factor_of in ((1, inputs, source), (5, units, hidden)):
            weights = node.weights(first + gate, axes=2, axis=0)
            if weights.shape != (units, columns):
                node.refuse(
                    f"weights, tensor {weights.index}, have shape {list(weights.shape)}; "
                    f"{[units, columns]} is needed"
                )
            if len(weights.scale) != 1:
                node.refuse(f"weights, tensor {weights.index}, have {len(weights.scale)} scales")
            node.factor(lstm.gate_factor(factor_of.scale[0], weights.scale[0]))
        if node.bias(12 + gate, units) is None:
            node.refuse(f"input {12 + gate}, a bias, is missing")


def _states(node: Node, units: int, output: Tensor) -> tuple[Tensor, Tensor]:
    """Check hidden and cell state: variables of their own, int8 as the output, and int16."""
    found = []
    for position, name, dtype in (
        (lstm.HIDDEN, "hidden state", "int8"),
        (lstm.CELL, "cell state", "int16"),
    ):
        tensor = node.input(position)
        where = f"{name}, tensor {tensor.index},"
        if not tensor.variable or tensor.data is not None:
            node.refuse(f"{where} is not a variable")
        if tensor.dtype != dtype:
            node.refuse(f"{where} is {tensor.dtype}; only {dtype} is supported")
        if math.prod(tensor.shape) != units:
            node.refuse(f"{where} has shape {list(tensor.shape)} for {units} units")
        node.affine(tensor)
        found.append(tensor)
    hidden, cell = found
    if cell.zero_point[0]:
        node.refuse(f"cell state, tensor {cell.index}, has a zero point other than 0")
    if hidden.scale[0] != output.scale[0] or hidden.zero_point[0] != output.zero_point[0]:
        node.refuse(f"hidden state, tensor {hidden.index}, and output differ in scale")
    if len({node.inputs[p] for p in STATES}) != len(STATES):
        node.refuse("hidden and cell state are one tensor")
    return hidden, cell
