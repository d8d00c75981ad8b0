"""Verify a graph before anything relies on its structure.

A graph that passes is a chain of supported operators on one image, int8 inside and float32 at most
at the edges. Any other is refused with the index of the operator or tensor and the reason.
"""

import math
from typing import Final

from edgebio.compiler.operators import OPERATORS, STATES
from edgebio.compiler.operators.common import MAX_ELEMENTS, MAX_SIZE, Node
from edgebio.errors import EdgebioError
from edgebio.tflite import Graph, Tensor

_MAX_OPERATORS: Final = 500


def verify(graph: Graph) -> None:
    """Check that `graph` can be compiled.

    Raises
    ------
    EdgebioError
        If it cannot; names the operator or tensor and the reason.
    """
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise EdgebioError(
            f"the model has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; "
            "one of each is supported"
        )
    (input_,), (output,) = graph.inputs, graph.outputs
    _check_edge(graph.tensors[input_], "input")
    _check_edge(graph.tensors[output], "output")
    if len(graph.operators) > _MAX_OPERATORS:
        raise EdgebioError(f"{len(graph.operators):,} operators; at most {_MAX_OPERATORS:,}")
    computed, states = {input_}, set[int]()
    for operator in graph.operators:
        node = Node(graph, operator)
        if len(node.outputs) != 1:
            node.refuse(f"{len(node.outputs)} outputs; 1 is supported")
        if node.kind not in OPERATORS:
            node.refuse(f"not supported; edgebio compiles {', '.join(sorted(OPERATORS))}")
        _check_wiring(graph, node, computed, states)
        computed.add(node.output.index)
        states.update(node.inputs[position] for position in STATES[node.kind])
    if output not in computed or output == input_:
        raise EdgebioError(f"tensor {output}: no operator computes the model's output")


def _check_edge(tensor: Tensor, name: str) -> None:
    """Check the model's input or output."""
    where = f"tensor {tensor.index}: the model's {name}"
    if tensor.data is not None:
        raise EdgebioError(f"{where} is a constant")
    if not tensor.shape or tensor.shape[0] != 1:
        raise EdgebioError(f"{where} has shape {list(tensor.shape)}; only batch 1 is supported")
    if tensor.dtype not in ("int8", "float32"):
        raise EdgebioError(f"{where} is {tensor.dtype}; int8 and float32 are supported")


def _check_wiring(graph: Graph, node: Node, computed: set[int], states: set[int]) -> None:
    """Check that inputs are computed before they are read, the output once, and states are free.

    `computed` and `states` are the outputs and states of the operators before it.
    """
    for position, index in enumerate(node.inputs):
        if index < 0:
            continue
        tensor, is_state = graph.tensors[index], position in STATES[node.kind]
        if is_state and index in computed | states:
            node.refuse(f"its state, tensor {index}, is used by another operator")
        if not is_state and tensor.data is None and index not in computed:
            node.refuse(f"its input, tensor {index}, is not computed before it")
        _check_tensor(node, tensor, is_state)
    output = node.output
    if output.index in computed:
        node.refuse(f"its output, tensor {output.index}, is already written")
    if output.data is not None:
        node.refuse(f"its output, tensor {output.index}, is a constant")
    _check_tensor(node, output, is_state=False)


def _check_tensor(node: Node, tensor: Tensor, is_state: bool) -> None:
    name = f"tensor {tensor.index}"
    if tensor.dynamic:
        node.refuse(f"{name} has a dynamic shape")
    if tensor.variable and not is_state:
        node.refuse(f"{name} is a variable; state between inferences is not supported")
    if tensor.sparse:
        node.refuse(f"{name} is sparse")
    if any(not 1 <= size <= MAX_SIZE for size in tensor.shape):
        node.refuse(f"{name} has shape {list(tensor.shape)}; sizes are 1 to {MAX_SIZE:,}")
    if math.prod(tensor.shape) > MAX_ELEMENTS:
        node.refuse(f"{name} has more than {MAX_ELEMENTS:,} elements")
