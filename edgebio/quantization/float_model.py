"""A float model of another tool, whatever file it comes in, and its conversion with batch 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from edgebio import tflite
from edgebio.errors import EdgebioError
from edgebio.models.keras import tf
from edgebio.quantization import convert, flatbuffer
from edgebio.quantization.keras_file import read_keras
from edgebio.quantization.representative_set import Array, ModelInput
from edgebio.tflite.quantization_scheme import quantization_scheme

_SIGNATURE = "serving_default"


@dataclass(frozen=True)
class FunctionModel:
    """A Keras model or a signature of a SavedModel.

    Attributes
    ----------
    inputs
        In the order in which `function` takes them.
    function
        From a list of tensors to the outputs.
    owner
        Holds the variables; None if they are to be frozen, as the converter does not find those of
        Keras 3.
    """

    inputs: tuple[ModelInput, ...]
    function: Any
    owner: Any

    def convert(self, samples: Sequence[Array]) -> tuple[bytes, bytes]:
        """Convert to a float and an int8 .tflite, by the ranges of samples of each input."""
        specs = [
            tf.TensorSpec((1, *array.shape[1:]), tf.float32, name=_c_name(each.name))
            for each, array in zip(self.inputs, samples, strict=True)
        ]
        concrete = tf.function(lambda *tensors: self.function(tensors)).get_concrete_function(
            *specs
        )
        if self.owner is None:
            concrete = convert_variables_to_constants_v2(concrete)
        functions = [concrete], self.owner
        converters = (tf.lite.TFLiteConverter.from_concrete_functions(*functions) for _ in "12")
        return next(converters).convert(), convert.by_extremes(next(converters), samples)


@dataclass(frozen=True)
class TfliteModel:
    """A float .tflite."""

    inputs: tuple[ModelInput, ...]
    content: bytes

    def convert(self, samples: Sequence[Array]) -> tuple[bytes, bytes]:
        """Fix the batch at 1; quantize by the ranges of samples of each input."""
        model = flatbuffer.unpack(self.content)
        for tensor in model.subgraphs[0].tensors:
            tensor.shapeSignature = None
        content = flatbuffer.pack(model)
        return content, convert.float_tflite_by_extremes(content, samples)


def read_float_model(path: Path) -> FunctionModel | TfliteModel:
    """Read a .keras, .h5, SavedModel folder or float .tflite.

    Raises
    ------
    EdgebioError
        If it cannot be read, or its inputs are not float32.
    """
    if path.is_dir():
        return _read_saved_model(path)
    if path.suffix == ".tflite":
        return _read_tflite(path)
    model, is_keras3 = read_keras(path)
    for each in model.inputs:
        _check_float(each.name, tf.as_dtype(each.dtype).name)
    inputs = tuple(ModelInput(each.name, tuple(each.shape[1:])) for each in model.inputs)
    single = len(inputs) == 1
    return FunctionModel(
        inputs,
        lambda tensors: model(tensors[0] if single else list(tensors), training=False),
        None if is_keras3 else model,
    )


def _read_saved_model(path: Path) -> FunctionModel:
    try:
        loaded = tf.saved_model.load(str(path))
    except Exception as error:  # as with Keras' own files
        text = " ".join(str(error).split())
        raise EdgebioError(
            f"not a SavedModel that TensorFlow reads ({text[:160]}); write it again: "
            "model.export(FOLDER)"
        ) from None
    signatures = loaded.signatures
    if _SIGNATURE not in signatures:
        raise EdgebioError(f"no signature {_SIGNATURE}; write it again: model.export(FOLDER)")
    signature = signatures[_SIGNATURE]
    specs = signature.structured_input_signature[1]
    for name, spec in specs.items():
        _check_float(name, spec.dtype.name)
    inputs = tuple(ModelInput(name, tuple(spec.shape[1:])) for name, spec in specs.items())
    return FunctionModel(
        inputs, lambda tensors: signature(**dict(zip(specs, tensors, strict=True))), loaded
    )


def _read_tflite(path: Path) -> TfliteModel:
    content = path.read_bytes()
    graph = tflite.read(content)
    scheme = quantization_scheme(graph)
    if scheme == "int8":
        raise EdgebioError("int8 already: edgebio build takes it as it is")
    if scheme != "float32":
        raise EdgebioError(
            f"quantized already ({scheme}), and its float weights are lost; quantize the Keras "
            "file or SavedModel that it was made of"
        )
    inputs = []
    for name, index in zip(graph.input_names, graph.inputs, strict=True):
        tensor = graph.tensors[index]
        _check_float(name, tensor.dtype)
        if tensor.dynamic:
            raise EdgebioError(f"input {name} has no fixed shape; convert it with one")
        inputs.append(ModelInput(name, tensor.shape[1:]))
    kinds = {operator.kind for operator in graph.operators}
    if loops := kinds & {"UNIDIRECTIONAL_SEQUENCE_LSTM", "UNIDIRECTIONAL_SEQUENCE_RNN"}:
        raise EdgebioError(
            f"{loops.pop()} cannot be quantized from a .tflite, which lacks the ranges inside it; "
            "quantize the Keras file or SavedModel that it was made of"
        )
    return TfliteModel(tuple(inputs), content)


def _check_float(name: str, dtype: str) -> None:
    if dtype != "float32":
        raise EdgebioError(f"input {name} is {dtype}; only float32 inputs become int8")


def _c_name(name: str) -> str:
    """Name that TensorFlow takes for an argument."""
    return "".join(letter if letter.isalnum() else "_" for letter in name)
