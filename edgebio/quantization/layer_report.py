"""Float against int8 layer by layer, and what there is to compress in the weights."""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import tflite
from edgebio.errors import EdgebioError
from edgebio.quantization import flatbuffer, litert

_FILTERS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
"""Axis of the weights along which their filters lie, by operator."""


def compare_layers(
    float_model: bytes,
    int8_model: bytes,
    inputs: npt.NDArray[np.int8] | Sequence[npt.NDArray[np.int8]],
) -> list[dict[str, Any]]:
    """Compare the outputs of every layer, for int8 inputs, shape (n, ...), or a list of them.

    Each network runs by itself from the input on, so that the SNR of a layer includes the errors of
    the layers before it.

    Returns
    -------
    list of dict
        By layer: ``index``, ``name``, ``operator``, ``shape``, ``values`` (number compared),
        ``scale``, ``zero_point``, ``snr_db`` (power of the float values over that of the
        difference), ``worst`` (largest difference, in float units) and ``saturated`` (share of
        values at either end of int8; after a ReLU, at the upper end).

    Raises
    ------
    EdgebioError
        If the two do not have the same operators.
    """
    real, integer = flatbuffer.unpack(float_model), flatbuffer.unpack(int8_model)
    names = flatbuffer.kinds(real)
    if names != flatbuffer.kinds(integer):
        raise EdgebioError(
            "the converter changed the operators while it quantized: "
            f"{', '.join(names)} became {', '.join(flatbuffer.kinds(integer))}"
        )
    outputs = [
        [int(operator.outputs[0]) for operator in model.subgraphs[0].operators]
        for model in (real, integer)
    ]
    codes = [inputs] if isinstance(inputs, np.ndarray) else inputs
    edges = [integer.subgraphs[0].tensors[int(i)] for i in integer.subgraphs[0].inputs]
    values = [_dequantize(array, edge) for array, edge in zip(codes, edges, strict=True)]
    expected = litert.run(float_model, values, outputs[0])
    quantized = litert.run(int8_model, codes, outputs[1], reference=True)
    report = []
    for index, (kind, one, other) in enumerate(zip(names, *outputs, strict=True)):
        tensor = integer.subgraphs[0].tensors[other]
        scale, zero = float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0])
        difference = (quantized[other].astype(np.float64) - zero) * scale - expected[one]
        low = zero > -128  # at -128 the lowest code is 0, which is no saturation after a ReLU
        ends = (quantized[other] == 127) | ((quantized[other] == -128) & low)
        report.append(
            {
                "index": index,
                "name": _name(real.subgraphs[0].tensors[one].name.decode(), kind),
                "operator": kind,
                "shape": [int(x) for x in tensor.shape[1:]],
                "values": difference.size,
                "scale": scale,
                "zero_point": zero,
                "snr_db": snr_db(expected[one], difference),
                "worst": float(np.abs(difference).max()),
                "saturated": float(ends.mean()),
            }
        )
    return report


def weight_statistics(graph: tflite.Graph) -> dict[str, Any]:
    """Measure what there is to compress in the weights of an int8 network.

    Kernels read every weight from flash as it is: zeros and repeated values cost as much as any
    other, unless weights are stored compressed and unpacked into RAM. The result has ``bytes`` of
    all weights without biases, ``deflated`` (their bytes after zlib), ``zeros`` (share), and
    ``distinct``: most different values of one filter or output.
    """
    kernels = []
    for operator in graph.operators:
        axis = _FILTERS.get(operator.kind)
        data = None if axis is None else graph.tensors[operator.inputs[1]].data
        if axis is not None and data is not None:
            kernels.append(np.moveaxis(data, axis, 0).reshape(data.shape[axis], -1))
    packed = np.concatenate([kernel.ravel() for kernel in kernels])
    return {
        "bytes": packed.nbytes,
        "deflated": len(zlib.compress(packed.tobytes(), 9)),
        "zeros": float((packed == 0).mean()),
        "distinct": max(len(np.unique(row)) for kernel in kernels for row in kernel),
    }


def snr_db(expected: npt.NDArray[np.float32], difference: npt.NDArray[np.float64]) -> float | None:
    """Power of the expected values over that of the difference, in dB; None without one."""
    noise = float(np.square(difference).sum())
    signal = float(np.square(expected.astype(np.float64)).sum())
    if not noise:
        return None
    return round(float(10 * np.log10(max(signal, 1e-30) / noise)), 2)


def _dequantize(codes: npt.NDArray[np.int8], tensor: Any) -> npt.NDArray[np.float32]:
    scale, zero = tensor.quantization.scale[0], tensor.quantization.zeroPoint[0]
    return (codes.astype(np.float32) - np.float32(zero)) * np.float32(scale)


def _name(tensor: str, kind: str) -> str:
    """Layer's name in the recipe's network, from the fused names of the converter."""
    parts = tensor.split(";")[-1].split("/")
    return parts[1] if len(parts) > 1 else kind.lower()
