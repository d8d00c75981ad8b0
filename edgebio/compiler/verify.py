"""Say whether a graph can be compiled, before anything relies on its shapes, scales or order.

What passes here is a chain of int8 operators of the kinds in `KINDS` on one image, float32 at most
at the edges. What does not is refused with the operator's or tensor's index and the reason.
"""

from collections.abc import Callable
from typing import Final

from edgebio.compiler.node import Node
from edgebio.compiler.rules import elementwise, lstm, moves, sums
from edgebio.errors import EdgebioError
from edgebio.tflite import Graph

_MOST_OPERATORS: Final = 500
_MOST_CONSTANTS: Final = 1 << 24  # bytes of all operators' constants together


def verify(graph: Graph) -> None:
    """Check that `graph` can be compiled.

    Raises
    ------
    EdgebioError
        Where it cannot; the text names the operator or tensor and the reason.
    """
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise EdgebioError(
            f"the model has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; "
            "one of each is supported"
        )
    edges = {graph.inputs[0]: "the model's input", graph.outputs[0]: "the model's output"}
    for index, what in edges.items():
        tensor = graph.tensors[index]
        if tensor.data is not None:
            raise EdgebioError(f"tensor {index}: {what} is a constant")
        if not tensor.shape or tensor.shape[0] != 1:
            raise EdgebioError(
                f"tensor {index}: {what} has shape {list(tensor.shape)}; only batch 1 is supported"
            )
        if tensor.dtype not in ("int8", "float32"):
            raise EdgebioError(
                f"tensor {index}: {what} is {tensor.dtype}; int8 and float32 are supported"
            )
    if len(graph.operators) > _MOST_OPERATORS:
        raise EdgebioError(f"{len(graph.operators):,} operators; at most {_MOST_OPERATORS:,}")
    known = {graph.inputs[0]}
    states: set[int] = set()
    constants = 0
    for operator in graph.operators:
        node = Node(graph, operator)
        if operator.kind not in KINDS:
            node.refuse(f"not supported; edgebio compiles {', '.join(sorted(KINDS))}")
        own = _STATES.get(operator.kind, ())
        node.check_wiring(known, states, own)
        KINDS[operator.kind](node)
        known.add(operator.outputs[0])
        states.update(operator.inputs[position] for position in own)
        constants += node.constant_bytes()
        if constants > _MOST_CONSTANTS:
            node.refuse(f"more than {_MOST_CONSTANTS:,} bytes of constants up to here")
    if graph.outputs[0] not in known or graph.outputs[0] == graph.inputs[0]:
        raise EdgebioError(f"tensor {graph.outputs[0]}: no operator computes the model's output")


KINDS: Final[dict[str, Callable[[Node], None]]] = {
    "ADD": elementwise.add,
    "AVERAGE_POOL_2D": sums.pool,
    "CONCATENATION": moves.concatenation,
    "CONV_2D": sums.conv_2d,
    "DEPTHWISE_CONV_2D": sums.depthwise_conv_2d,
    "DEQUANTIZE": elementwise.dequantize,
    "EXPAND_DIMS": moves.reshape,
    "FULLY_CONNECTED": sums.fully_connected,
    "HARD_SWISH": elementwise.hard_swish,
    "LEAKY_RELU": elementwise.leaky_relu,
    "LOGISTIC": elementwise.logistic,
    "MAX_POOL_2D": sums.pool,
    "MEAN": sums.mean,
    "MUL": elementwise.mul,
    "PAD": moves.pad,
    "PRELU": elementwise.prelu,
    "QUANTIZE": elementwise.quantize,
    "RELU": elementwise.rectify,
    "RELU6": elementwise.rectify,
    "RESHAPE": moves.reshape,
    "SOFTMAX": sums.softmax,
    "SQUEEZE": moves.reshape,
    "STRIDED_SLICE": moves.strided_slice,
    "SUB": elementwise.sub,
    "TANH": elementwise.tanh,
    "TRANSPOSE": moves.transpose,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm.unidirectional_sequence_lstm,
}
"""What can be compiled, by the schema's names."""

_STATES: Final = {"UNIDIRECTIONAL_SEQUENCE_LSTM": lstm.STATES}
