"""How a .tflite is quantized: what its activations and constants are."""

from typing import Final, Literal

from edgebio.tflite.graph import Graph, Tensor

QuantizationScheme = Literal[
    "int8", "float32", "float16 weights", "dynamic range", "int16 activations", "uint8",
    "partly float32", "no scales",
]  # fmt: skip
"""``"int8"``: every activation is. ``"dynamic range"``: int8 weights, float activations.
``"no scales"``: int8 without scales."""

_EDGE_KINDS: Final = frozenset({"QUANTIZE", "DEQUANTIZE"})


def quantization_scheme(graph: Graph) -> QuantizationScheme:
    """Scheme of a graph, whose inputs and outputs may be float32 behind and before int8."""
    constants = {tensor.dtype for tensor in graph.tensors if tensor.data is not None}
    computed = [
        graph.tensors[index]
        for operator in graph.operators
        if operator.kind not in _EDGE_KINDS
        for index in operator.outputs
    ]
    activations = {tensor.dtype for tensor in computed}
    if "int16" in activations:
        return "int16 activations"
    if "float32" in activations:
        if "int8" in activations:
            return "partly float32"
        if "float16" in constants:
            return "float16 weights"
        return "dynamic range" if _has_int8_weights(graph) else "float32"
    if "uint8" in activations:
        return "uint8"
    if any(tensor.dtype == "int8" and not len(tensor.scale) for tensor in computed):
        return "no scales"
    return "int8"


def _has_int8_weights(graph: Graph) -> bool:
    """Whether a constant of a network of float activations is int8 (not an index or a pad)."""
    return any(_is_weights(tensor) for tensor in graph.tensors)


def _is_weights(tensor: Tensor) -> bool:
    return tensor.data is not None and tensor.dtype in ("int8", "int4") and len(tensor.scale) > 0
