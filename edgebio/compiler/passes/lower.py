"""Lower a verified graph to layers with integer parameters.

Each operator is checked and lowered by its module: scales become integer multipliers, and zero
points are folded into biases. Multipliers, shifts, activation ranges and padding equal
tflite-micro's to the last bit.
"""

from typing import Final

from edgebio.compiler.ir.network import Network
from edgebio.compiler.operators import OPERATORS
from edgebio.compiler.operators.common import Node
from edgebio.tflite import Graph

_MAX_CONSTANTS: Final = 1 << 24  # bytes of all operators' constants together


def lower(graph: Graph) -> Network:
    """Network of a graph that has passed `verify`.

    Raises
    ------
    EdgebioError
        If an operator cannot be compiled exactly; names the operator and the reason.
    """
    layers, constants = [], 0
    for operator in graph.operators:
        node = Node(graph, operator)
        layers.append(OPERATORS[node.kind](node))
        data = (graph.tensors[index].data for index in node.inputs if index >= 0)
        constants += node.extra_bytes + sum(values.nbytes for values in data if values is not None)
        if constants > _MAX_CONSTANTS:
            node.refuse(f"more than {_MAX_CONSTANTS:,} bytes of constants up to here")
    (input_,), (output,) = graph.inputs, graph.outputs
    return Network(graph.tensors, tuple(layers), input_, output, output, graph.sha256)
