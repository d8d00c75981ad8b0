"""Float against int8: every layer, and the decisions."""

import importlib.util
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import tflite
from edgebio.errors import EdgebioError
from edgebio.frontend.standardization import PIXEL_SCALE
from edgebio.quantize import flatbuffer, litert

_FILTERS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
"""Axis of the weights along which their filters lie, by operator."""


def layers(
    float_model: bytes, int8_model: bytes, images: npt.NDArray[np.int8]
) -> list[dict[str, Any]]:
    """Compare what every layer computes.

    Each network runs by itself from the image on, so that the figure of a layer holds the errors
    of those before it.

    Parameters
    ----------
    float_model, int8_model
        Contents of the two .tflite files, the second made from the first.
    images
        int8 pixels, shape (n, columns, bins, channels).

    Returns
    -------
    list of dict
        By layer: ``index``, ``name``, ``operator``, ``shape``, ``values`` (how many were compared),
        ``scale``, ``zero_point``, ``snr_db`` (power of the float values over that of the
        difference), ``worst`` (largest difference, in float units) and ``saturated`` (share of
        values at either end of int8; for what a ReLU made, at the upper end).

    Raises
    ------
    EdgebioError
        Where the two do not have the same operators.
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
    pixels = images.astype(np.float32) * np.float32(PIXEL_SCALE)
    expected = litert.run(float_model, pixels, outputs[0])
    found = litert.run(int8_model, images, outputs[1], reference=True)
    report = []
    for index, (kind, one, other) in enumerate(zip(names, *outputs, strict=True)):
        tensor = integer.subgraphs[0].tensors[other]
        scale, zero = float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0])
        values = (found[other].astype(np.float64) - zero) * scale
        difference = values - expected[one]
        low = zero > -128  # at -128 the lowest code is 0, which a ReLU gives in any number
        ends = (found[other] == 127) | ((found[other] == -128) & low)
        report.append(
            {
                "index": index,
                "name": _name(real.subgraphs[0].tensors[one].name.decode(), kind),
                "operator": kind,
                "shape": [int(x) for x in tensor.shape[1:]],
                "values": int(values.size),
                "scale": scale,
                "zero_point": zero,
                "snr_db": _snr(expected[one], difference),
                "worst": float(np.abs(difference).max()),
                "saturated": float(ends.mean()),
            }
        )
    return report


def weights(graph: tflite.Graph) -> dict[str, Any]:
    """Tell what there is to compress in the weights of an int8 network.

    Kernels read every weight from flash as it is: what is zero or the same costs as much as
    anything else, unless it is stored compressed and unpacked into RAM.

    Returns
    -------
    dict
        ``bytes`` of all weights without biases, ``deflated`` (bytes of them after zlib's best),
        ``zeros`` (share), and ``distinct``: most values of one filter, or of one output's row.
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


def decide(model: bytes, images: npt.NDArray[np.int8]) -> tuple[npt.NDArray[np.int8], str]:
    """Compute outputs of an int8 .tflite, by the kernels that are right where they are installed.

    Parameters
    ----------
    model
        Content of the file.
    images
        int8 pixels, shape (n, columns, bins, channels).

    Returns
    -------
    outputs : ndarray
        int8, shape (n, classes).
    kernels : str
        ``"tflite-micro"``, which generated C equals bit for bit, or ``"LiteRT"``, which strays
        from it by a step now and then.
    """
    if importlib.util.find_spec("tflite_micro") is None:
        graph = tflite.read(model)
        output = graph.outputs[0]
        return litert.run(model, images, [output], reference=True)[output], "LiteRT"
    from tflite_micro import runtime

    micro = runtime.Interpreter.from_bytes(model)
    outputs = []
    for k in range(len(images)):
        micro.reset()  # an LSTM starts from zero state with every input
        micro.set_input(images[k : k + 1], 0)
        micro.invoke()
        outputs.append(micro.get_output(0)[0])
    return np.stack(outputs), "tflite-micro"


def _snr(expected: npt.NDArray[np.float32], difference: npt.NDArray[np.float64]) -> float | None:
    """Signal to noise in dB; None where there is no noise."""
    noise = float(np.square(difference).sum())
    signal = float(np.square(expected.astype(np.float64)).sum())
    if not noise:
        return None
    return round(float(10 * np.log10(max(signal, 1e-30) / noise)), 2)


def _name(tensor: str, kind: str) -> str:
    """Layer's name in the recipe's network, from the fused names that the converter gives."""
    parts = tensor.split(";")[-1].split("/")
    return parts[1] if len(parts) > 1 else kind.lower()
