"""Quantize a float model of another tool to an int8 .tflite.

Networks of a run and brought models share the conversion (`edgebio.quantization.convert`), its
process, and the comparison with the float network; a run adds front end, metadata and test set.
"""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgebio import storage, tflite
from edgebio.errors import EdgebioError
from edgebio.quantization.converter_process import run_converter
from edgebio.quantization.model_report import ModelReport
from edgebio.quantization.representative_set import match_inputs, read_arrays
from edgebio.tflite.quantization_scheme import quantization_scheme

SUFFIXES = (".keras", ".h5", ".hdf5", ".tflite")
_SAVED_MODEL = "saved_model.pb"
_NO_OPERATOR = re.compile(r"'?tf\.(\w+)'? op is neither a custom op nor a flex op")


@dataclass(frozen=True)
class QuantizedModel:
    """Result of `quantize_model`: the int8 .tflite, and its report."""

    model: Path
    report: ModelReport

    def document(self) -> dict[str, Any]:
        """Content to print as JSON."""
        return {"model": str(self.model), **self.report.document()}


def is_float_model(path: Path) -> bool:
    """Whether a path is that of a model file or a SavedModel, and not of a run."""
    return path.suffix in SUFFIXES or (path / _SAVED_MODEL).is_file()


def quantize_model(model: Path, calibration: Path, output: Path) -> QuantizedModel:
    """Write a float model as a .tflite that is int8 throughout, with weights per channel.

    Parameters
    ----------
    model
        A .keras or .h5 file, the folder of a SavedModel, or a float .tflite. Its batch becomes 1.
    calibration
        A .npy of inputs like those of training, shape (n, ...), whose extremes become the ranges;
        of a model with several inputs, a .npz with an array for each.
    output
        The .tflite to write.

    Raises
    ------
    EdgebioError
        If model and inputs do not fit or cannot be read, or an operator has no int8 form.
    CheckFailedError
        If the converter fails.
    """
    if not model.exists():
        raise EdgebioError(f"{model}: no such file or folder; give a .keras, .h5, SavedModel or "
                           ".tflite")  # fmt: skip
    if not is_float_model(model):
        raise EdgebioError(f"{model}: not a .keras, .h5, .tflite or SavedModel")
    if output.suffix != ".tflite":
        raise EdgebioError(f"{output}: write it to a name that ends with .tflite")
    arrays = read_arrays(calibration)
    with tempfile.TemporaryDirectory(prefix="edgebio-") as scratch:
        checked = Path(scratch, calibration.name).with_suffix(".npz")
        named: dict[str, Any] = {f"={name}": x for name, x in arrays.items()}
        np.savez(checked, **named)
        content, report = run_converter(convert_model, model, 2, checked, calibration)
    storage.write_bytes(output, content)
    return QuantizedModel(output, ModelReport.model_validate_json(report))


def convert_model(
    path: Path, int8_model: Path, report: Path, arrays: Path, calibration: Path
) -> None:
    """Convert a model and compare it with its float form, in a process of its own.

    `arrays` are the checked ones of the file `calibration`, which messages name.
    """
    from edgebio.quantization.float_model import read_float_model
    from edgebio.quantization.int8_islands import fill_islands
    from edgebio.quantization.model_comparison import compare_models

    model = read_float_model(path)
    with np.load(arrays) as file:
        by_name = {name.removeprefix("="): file[name] for name in file.files}
    samples = match_inputs(by_name, model.inputs, calibration)
    try:
        float_content, converted = model.convert(samples)
    except EdgebioError:
        raise
    except Exception as error:  # the converter raises what MLIR prints
        if missing := sorted(set(_NO_OPERATOR.findall(str(error)))):
            raise EdgebioError(
                f"TensorFlow Lite has no operator for {', '.join(missing[:3])}; replace the layer "
                "that computes it"
            ) from None
        raise
    content = fill_islands(converted)
    _check_int8(content)
    int8_model.write_bytes(content)
    result = compare_models(float_content, content, model.inputs, samples)
    report.write_text(result.model_dump_json())


def _check_int8(content: bytes) -> None:
    graph = tflite.read(content)
    if quantization_scheme(graph) == "int8":
        return
    edges = {"QUANTIZE", "DEQUANTIZE"}
    kinds = dict.fromkeys(
        operator.kind
        for operator in graph.operators
        if operator.kind not in edges
        and any(graph.tensors[index].dtype == "float32" for index in operator.outputs)
    )
    raise EdgebioError(
        f"the converter leaves {', '.join(list(kinds)[:3])} in float32; replace the layer that "
        "computes it by one with an int8 form"
    )
