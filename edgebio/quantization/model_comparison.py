"""Run a float model and its int8 form on the same inputs."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edgebio import tflite
from edgebio.errors import EdgebioError
from edgebio.quantization import layer_report, litert
from edgebio.quantization.model_report import InputReport, ModelReport, OutputReport
from edgebio.quantization.representative_set import Array, ModelInput
from edgebio.tflite import Tensor

_COMPARED = 50  # inputs


def compare_models(
    float_model: bytes, int8_model: bytes, inputs: Sequence[ModelInput], samples: Sequence[Array]
) -> ModelReport:
    """Run both models on a representative set, float32 of shape (n, ...) for each input."""
    graph, real = tflite.read(int8_model), tflite.read(float_model)
    count = len(samples[0])
    chosen = np.unique(np.linspace(0, count - 1, _COMPARED).astype(np.int64))
    rows = [array[chosen] for array in samples]
    tensors = [graph.tensors[index] for index in graph.inputs]
    codes = [_quantize(array, tensor) for array, tensor in zip(rows, tensors, strict=True)]
    expected = litert.run(float_model, rows, list(real.outputs))
    measured = litert.run(int8_model, codes, list(graph.outputs), reference=True)
    try:
        layers = layer_report.compare_layers(float_model, int8_model, codes)
    except EdgebioError:  # the converter changed the operators: outputs are compared all the same
        layers = []
    return ModelReport(
        samples=count,
        compared=len(chosen),
        inputs=tuple(
            InputReport(
                name=each.name,
                shape=array.shape[1:],
                scale=float(tensor.scale[0]),
                zero_point=int(tensor.zero_point[0]),
                lowest=float(array.min()),
                highest=float(array.max()),
            )
            for each, array, tensor in zip(inputs, samples, tensors, strict=True)
        ),
        outputs=tuple(
            _output(name, graph.tensors[one], measured[one], expected[other])
            for name, one, other in zip(
                graph.output_names, graph.outputs, real.outputs, strict=True
            )
        ),
        layers=layers,
        bytes={"float": len(float_model), "int8": len(int8_model)},
    )


def _quantize(values: Array, tensor: Tensor) -> npt.NDArray[np.int8]:
    steps = np.rint(values / tensor.scale[0]) + tensor.zero_point[0]
    codes: npt.NDArray[np.int8] = np.clip(steps, -128, 127).astype(np.int8)
    return codes


def _output(
    name: str, tensor: Tensor, codes: npt.NDArray[np.int8], expected: npt.NDArray[np.float32]
) -> OutputReport:
    values = (codes.astype(np.float64) - tensor.zero_point[0]) * tensor.scale[0]
    difference = values - expected
    same = None
    if values.ndim == 2 and values.shape[1] > 1:
        same = float((values.argmax(axis=1) == expected.argmax(axis=1)).mean())
    return OutputReport(
        name=name,
        shape=tensor.shape[1:],
        scale=float(tensor.scale[0]),
        zero_point=int(tensor.zero_point[0]),
        snr_db=layer_report.snr_db(expected, difference),
        worst=float(np.abs(difference).max()),
        same_largest=same,
    )
