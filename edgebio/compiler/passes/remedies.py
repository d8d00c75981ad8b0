"""What to do about a model that is not compiled: other operators, and how to quantize it."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edgebio.compiler.operators import OPERATORS
from edgebio.tflite import Graph
from edgebio.tflite.quantization_scheme import QuantizationScheme, quantization_scheme

_MOST: Final = 3  # alternatives to name

_ALTERNATIVES: Final[Mapping[str, tuple[str, ...]]] = {
    "ARG_MIN": ("ARG_MAX",),
    "BATCH_MATMUL": ("FULLY_CONNECTED",),
    "CAST": ("QUANTIZE",),
    "CONV_3D": ("CONV_2D",),
    "CUMSUM": ("SUM",),
    "DIV": ("MUL",),
    "EMBEDDING_LOOKUP": ("GATHER",),
    "EQUAL": ("MAXIMUM", "MINIMUM"),
    "EXP": ("LOGISTIC", "ELU"),
    "GELU": ("HARD_SWISH", "ELU", "LEAKY_RELU"),
    "GREATER": ("MAXIMUM", "MINIMUM"),
    "LESS": ("MAXIMUM", "MINIMUM"),
    "NEG": ("SUB", "MUL"),
    "POW": ("MUL",),
    "REDUCE_MIN": ("REDUCE_MAX", "MINIMUM"),
    "RSQRT": ("L2_NORMALIZATION",),
    "SELECT": ("MAXIMUM", "MINIMUM"),
    "SELECT_V2": ("MAXIMUM", "MINIMUM"),
    "SLICE": ("STRIDED_SLICE",),
    "SQRT": ("L2_NORMALIZATION",),
    "SQUARE": ("MUL",),
    "SQUARED_DIFFERENCE": ("SUB", "MUL"),
    "TILE": ("RESIZE_NEAREST_NEIGHBOR", "CONCATENATION"),
    "TOPK_V2": ("ARG_MAX",),
    "WHERE": ("MAXIMUM", "MINIMUM"),
    "WHILE": ("UNIDIRECTIONAL_SEQUENCE_LSTM",),
}
"""Operators that can take the place of one that is not supported."""

_QUANTIZE: Final = "edgebio quantize {} --calibration X.npy -o OUT.tflite"
_REASONS: Final[Mapping[QuantizationScheme, str]] = {
    "float32": "a float32 model",
    "float16 weights": "its weights are float16, its activations float32",
    "dynamic range": "its weights are int8, its activations float32 (dynamic range)",
    "int16 activations": "its activations are int16 (16x8)",
    "uint8": "its activations are uint8, of TensorFlow 1",
    "no scales": "its int8 tensors have no scales",
}


def supported_instead(kind: str) -> str:
    """Text on the supported operators that are nearest to one that is not."""
    nearest = [name for name in _ALTERNATIVES.get(kind, ()) if name in OPERATORS]
    nearest = nearest or difflib.get_close_matches(kind, OPERATORS, n=_MOST, cutoff=0.7)
    text = "replace the layer that computes it"
    if nearest:
        text = f"supported instead: {', '.join(nearest[:_MOST])}"
    return f"not supported; {text}"


def with_remedy(reason: str, graph: Graph, model: Path | str | None) -> str:
    """Why a model is not compiled, and the command that mends it if its quantization is the cause.

    `reason` is that of the compiler, `model` the path of the model.
    """
    scheme = quantization_scheme(graph)
    if scheme == "int8":
        return reason
    if scheme != "partly float32":
        reason = _REASONS[scheme]
    source = str(model or "MODEL.tflite") if scheme == "float32" else "MODEL.keras"
    of = "" if scheme == "float32" else ", from the float model"
    return f"{reason}; make it int8{of}: {_QUANTIZE.format(source)}"
