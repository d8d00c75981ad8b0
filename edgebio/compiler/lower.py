"""From a verified graph to layers: scales become integer multipliers, zero points fold into biases.

Multipliers, shifts, activation ranges and padding are tflite-micro's to the last bit (arithmetic).
"""

from collections.abc import Callable
from typing import Final

from edgebio.compiler import network as net
from edgebio.compiler.lowering import elementwise, lstm, moves, sums
from edgebio.compiler.source import Source
from edgebio.tflite import Graph


def lower(graph: Graph) -> net.Network:
    """Make the network of a graph that `verify` has passed.

    Raises
    ------
    EdgebioError
        Where an accumulator could overflow 32 bits.
    """
    return net.Network(
        tensors=graph.tensors,
        layers=tuple(
            _LOWER[operator.kind](Source(graph, operator)) for operator in graph.operators
        ),
        input=graph.inputs[0],
        output=graph.outputs[0],
        declared_output=graph.outputs[0],
        sha256=graph.sha256,
    )


_LOWER: Final[dict[str, Callable[[Source], net.Layer]]] = {
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
    "RELU": elementwise.relu,
    "RELU6": elementwise.relu6,
    "RESHAPE": moves.reshape,
    "SOFTMAX": sums.softmax,
    "SQUEEZE": moves.reshape,
    "STRIDED_SLICE": moves.strided_slice,
    "SUB": elementwise.sub,
    "TANH": elementwise.tanh,
    "TRANSPOSE": moves.transpose,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm.unidirectional_sequence_lstm,
}
