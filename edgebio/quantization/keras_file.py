"""Read a Keras model by the Keras that wrote it: Keras 3, or Keras 2 (tf_keras).

A file may hold Python code of its own (Lambda layers), which runs when it is read. Keras' safe mode
is on for every kind of file, so such a file is refused.
"""

import importlib.util
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py

from edgebio.errors import EdgebioError, MissingToolError
from edgebio.models.keras import keras as keras2

_RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "ConvLSTM2D")


def read_keras(path: Path) -> tuple[Any, bool]:
    """Model of a .keras or .h5 file, and whether it is one of Keras 3.

    Raises
    ------
    EdgebioError
        If the file is damaged, holds weights only, Lambda layers, or layers of its own.
    """
    is_keras3 = not _keras_version(path).startswith("2.")
    if is_keras3 and importlib.util.find_spec("keras") is None:
        raise MissingToolError("a file of Keras 3 needs Keras 3: pip install keras")
    try:
        model = _load(path, is_keras3)
    except Exception as error:  # Keras raises anything, over many lines
        raise EdgebioError(_reason(error)) from None
    if not getattr(model, "inputs", None):
        raise EdgebioError("the model has no input yet: begin it with keras.Input(shape)")
    if is_keras3 and (loops := [each for each in _layers(model) if _kind(each) in _RECURRENT]):
        raise EdgebioError(
            f"layer {loops[0].name!r} ({_kind(loops[0])} of Keras 3) becomes a loop, which has no "
            "int8 form; build and save the model with tf_keras, whose LSTM becomes one operator"
        )
    return model, is_keras3


def _load(path: Path, is_keras3: bool) -> Any:
    if is_keras3:
        import keras as keras3

        return keras3.saving.load_model(path, compile=False, safe_mode=True)
    # Keras 2 heeds its argument for .keras files only; this scope is what it asks for both.
    from tf_keras.src.saving import serialization_lib

    with serialization_lib.SafeModeScope(True):
        return keras2.models.load_model(path, compile=False, safe_mode=True)


def _keras_version(path: Path) -> str:
    """Version of the Keras that wrote a file."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return str(json.loads(archive.read("metadata.json"))["keras_version"])
        with h5py.File(path, "r") as file:
            if "model_config" not in file.attrs:
                raise EdgebioError(
                    "holds weights only; save the whole model: model.save('model.keras')"
                )
            version = file.attrs.get("keras_version", "2.")
            return version.decode() if isinstance(version, bytes) else str(version)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        raise EdgebioError(
            "not a file of Keras, or damaged; save it again: model.save('model.keras')"
        ) from None


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    if "ambda" in text:
        return (
            "a Lambda layer holds Python code, which is not run from a file; replace it by layers, "
            "or run the code that builds the model and save it with model.export(FOLDER)"
        )
    if "not locate class" in text or "Unknown layer" in text or "Unknown object" in text:
        return (
            "a layer of your own is not known here; run the code that defines it and save the "
            "model with model.export(FOLDER), then quantize FOLDER"
        )
    return f"Keras does not read it ({text[:160]}); save it again: model.save('model.keras')"


def _layers(model: Any) -> list[Any]:
    """Layers of a model, those of models inside it included."""
    inner = [getattr(layer, "layers", None) for layer in model.layers]
    return [
        each
        for layer, layers in zip(model.layers, inner, strict=True)
        for each in (_layers(layer) if layers else [layer])
    ]


def _kind(layer: Any) -> str:
    return type(layer).__name__
