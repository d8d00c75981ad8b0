"""Verify a graph before anything relies on its structure.

A graph that passes has supported operators only, in the order in which they run, int8 inside and
float32 at most at the edges. Any other is refused with the index of the operator or tensor and the
reason.
"""

import math
from typing import Final

from edgebio.compiler.operators import OPERATORS, SEVERAL_OUTPUTS, STATES
from edgebio.compiler.operators.common import MAX_ELEMENTS, MAX_SIZE, Node
from edgebio.compiler.passes.remedies import supported_instead
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
    for name, edges in (("input", graph.inputs), ("output", graph.outputs)):
        if not edges:
            raise EdgebioError(f"the model has no {name}s")
        for index in edges:
            _check_edge(graph.tensors[index], name)
    if len(set(graph.inputs)) < len(graph.inputs):
        raise EdgebioError(f"a tensor is two of the model's inputs, {list(graph.inputs)}")
    if len(graph.operators) > _MAX_OPERATORS:
        raise EdgebioError(f"{len(graph.operators):,} operators; at most {_MAX_OPERATORS:,}")
    variables = {
        each.inputs[0] if each.kind == "READ_VARIABLE" else each.outputs[0]
        for each in graph.operators
        if each.kind in ("READ_VARIABLE", "ASSIGN_VARIABLE")
    }
    computed, states = {*graph.inputs, *variables}, set[int]()
    for operator in graph.operators:
        node = Node(graph, operator)
        if not node.outputs or (len(node.outputs) > 1 and node.kind not in SEVERAL_OUTPUTS):
            node.refuse(f"{len(node.outputs)} outputs; 1 is supported")
        if node.kind not in OPERATORS:
            node.refuse(supported_instead(node.kind))
        _check_wiring(graph, node, computed, states, variables)
        computed.update(node.outputs)
        states.update(node.inputs[position] for position in STATES[node.kind])
    for output in graph.outputs:
        if output not in computed:
            raise EdgebioError(f"tensor {output}: no operator computes the model's output")


def _check_edge(tensor: Tensor, name: str) -> None:
    """Check the model's input or output."""
    where = f"tensor {tensor.index}: the model's {name}"
    if tensor.data is not None or tensor.variable:
        raise EdgebioError(f"{where} is a {'variable' if tensor.variable else 'constant'}")
    if not tensor.shape or tensor.shape[0] != 1:
        raise EdgebioError(
            f"{where} has shape {list(tensor.shape)}; only batch 1 is supported: convert it with "
            "batch 1, as edgebio quantize does"
        )
    dtypes = ("int8", "uint8", "float32", *(("int32",) if name == "output" else ()))
    if tensor.dtype not in dtypes:
        raise EdgebioError(f"{where} is {tensor.dtype}; {', '.join(dtypes)} are supported")


def _check_wiring(
    graph: Graph, node: Node, computed: set[int], states: set[int], variables: set[int]
) -> None:
    """Check that inputs are computed before they are read, outputs once, and states are free.

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
        _check_tensor(node, tensor, is_state or index in variables)
    for position, index in enumerate(node.outputs):
        output = graph.tensors[index]
        if index in computed - variables or index in node.outputs[:position]:
            node.refuse(f"its output, tensor {index}, is already written")
        if output.data is not None:
            node.refuse(f"its output, tensor {index}, is a constant")
        _check_tensor(node, output, index in variables)


def _check_tensor(node: Node, tensor: Tensor, is_state: bool) -> None:
    name = f"tensor {tensor.index}"
    if tensor.dynamic:
        node.refuse(f"{name} has a dynamic shape")
    if tensor.variable and not is_state:
        node.refuse(f"{name} is a variable, which only an operator with a state may use")
    if tensor.sparse:
        node.refuse(f"{name} is sparse")
    if any(not 1 <= size <= MAX_SIZE for size in tensor.shape):
        node.refuse(f"{name} has shape {list(tensor.shape)}; sizes are 1 to {MAX_SIZE:,}")
    if math.prod(tensor.shape) > MAX_ELEMENTS:
        node.refuse(f"{name} has more than {MAX_ELEMENTS:,} elements")
