"""Lower a verified graph to layers with integer parameters.

Each operator is checked and lowered by its module: scales become integer multipliers, and zero
points are folded into biases. Multipliers, shifts, activation ranges and padding equal
tflite-micro's to the last bit.
"""

from typing import Final

from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.network import Network
from edgebio.compiler.operators import OPERATORS, STATES
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
    layers: list[Layer] = []
    constants = 0
    for operator in graph.operators:
        node = Node(graph, operator)
        lowered = OPERATORS[node.kind](node)
        layers += lowered if isinstance(lowered, tuple) else (lowered,)
        data = (graph.tensors[index].data for index in node.inputs if index >= 0)
        constants += node.extra_bytes + sum(values.nbytes for values in data if values is not None)
        if constants > _MAX_CONSTANTS:
            node.refuse(f"more than {_MAX_CONSTANTS:,} bytes of constants up to here")
    network = Network(
        graph.tensors, tuple(layers), graph.inputs, graph.outputs, graph.outputs, graph.sha256
    )
    if network.states:
        _check_forgetful(graph, layers)
    return network


def _check_forgetful(graph: Graph, layers: list[Layer]) -> None:
    """Check that no operator beside a state begins anew with every inference.

    tflite-micro resets the states of all operators or of none.
    """
    lasting = {index for layer in layers if layer.states for index in layer.operators}
    for operator in graph.operators:
        if STATES[operator.kind] and operator.index not in lasting:
            Node(graph, operator).refuse(
                "its state begins anew with every inference, that of other operators lasts; a "
                "network with both is not supported"
            )
