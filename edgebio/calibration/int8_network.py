"""An int8 network that can be trained: weights as real numbers, activations as int8.

Every tensor between two layers is rounded and bounded as in the file, with gradients that pass
through (B. Jacob et al., arXiv 1712.05877, section 3). Trained weights, biases and weight scales
replace those of the file; nothing else changes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import tflite
from edgebio.errors import EdgebioError
from edgebio.models.keras import tf
from edgebio.tflite.constants import with_constants
from edgebio.tflite.metadata import CONVOLUTIONS
from edgebio.training.layer_statistics import moments

_WEIGHTED = (*CONVOLUTIONS, "FULLY_CONNECTED")
_UNWEIGHTED = {
    "MAX_POOL_2D": "MAX", "AVERAGE_POOL_2D": "AVG", "MEAN": "", "RESHAPE": "", "SOFTMAX": "",
}  # fmt: skip
"""Operators without weights; how they pool."""
_ACTIVATIONS: dict[str, Any] = {"NONE": lambda y: y, "RELU": tf.nn.relu, "RELU6": tf.nn.relu6}
_LAYOUTS = {"CONV_2D": (1, 2, 3, 0), "FULLY_CONNECTED": (1, 0)}
"""Axes of the file's weights, in the order of TensorFlow's function."""
_BATCH = 500  # images that are computed at once


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer with weights.

    Attributes
    ----------
    operator
        Of the file.
    weights, bias
        tf.Variable, float32: in the layout of TensorFlow's function for it; and shape (outputs,).
    """

    operator: tflite.graph.Operator
    weights: Any
    bias: Any


class Int8Network:
    """The network of a .tflite, from int8 pixels to class probabilities, up to its logits.

    Attributes
    ----------
    layers : list of Layer
        Layers with weights, in the order of the operators.

    Raises
    ------
    EdgebioError
        If it has an operator that cannot be trained here; the text names it.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._graph = tflite.read(content)
        self.layers: list[Layer] = []
        for operator in self._graph.operators:
            if operator.kind not in (*_WEIGHTED, *_UNWEIGHTED):
                raise EdgebioError(
                    f"operator {operator.index} ({operator.kind}) cannot be calibrated; "
                    f"{', '.join((*_WEIGHTED, *_UNWEIGHTED))} can"
                )
            if operator.kind in _WEIGHTED:
                self.layers.append(self._layer(operator))

    @property
    def convolutions(self) -> list[Layer]:
        """Layers that batch normalization followed, in the order of the operators."""
        return [layer for layer in self.layers if layer.operator.kind in CONVOLUTIONS]

    @property
    def variables(self) -> list[Any]:
        """All weights and biases."""
        return [v for layer in self.layers for v in (layer.weights, layer.bias)]

    def __call__(self, images: Any, until: Layer | None = None) -> Any:
        """Logits, float32 tensor, shape (n, classes); or the sums of a layer before its activation.

        `images` is a float32 tensor, shape (n, frames, bins, channels), in standard deviations.
        """
        layers = iter(self.layers)
        values = {self._graph.inputs[0]: images}
        for operator in self._graph.operators:
            x = values[operator.inputs[0]]
            if operator.kind == "SOFTMAX":
                return x
            if operator.kind in _WEIGHTED:
                layer = next(layers)
                y = _sums(layer, x)
                if layer is until:
                    return y
                y = _ACTIVATIONS[str(operator.options["fused_activation_function"])](y)
            else:
                y = _unweighted(x, operator, self._graph)
            values[operator.outputs[0]] = _rounded(y, self._graph.tensors[operator.outputs[0]])
        return values[self._graph.outputs[0]]

    def moments(
        self, layer: Layer, images: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Mean and deviation of the sums of a layer over images: each float64, (outputs,)."""
        mean, variance = moments(
            self(tf.constant(images[k : k + _BATCH]), layer).numpy()
            for k in range(0, len(images), _BATCH)
        )
        return mean, np.sqrt(variance)

    def content(self) -> bytes:
        """Content of the file with the trained weights in int8 and biases in int32."""
        values, scales = {}, {}
        for layer in self.layers:
            source, kernel, bias = layer.operator.inputs
            tensors = self._graph.tensors
            weights, kind, axis = layer.weights.numpy(), layer.operator.kind, tensors[kernel].axis
            if kind in _LAYOUTS:
                weights = weights.transpose(np.argsort(_LAYOUTS[kind]))
            else:
                weights = weights.reshape(tensors[kernel].shape)
            rest = tuple(k for k in range(weights.ndim) if k != axis)
            largest = np.abs(weights).max(axis=rest if len(tensors[kernel].scale) > 1 else None)
            # A filter of zeros needs a scale too, as kernels divide by it.
            scale = np.maximum(np.atleast_1d(largest) / 127, 1e-9).astype(np.float32)
            shape = [1] * weights.ndim
            if len(scale) > 1:
                shape[axis] = -1
            values[kernel] = np.clip(np.rint(weights / scale.reshape(shape)), -127, 127).astype(
                np.int8
            )
            scales[kernel] = scale
            scales[bias] = tensors[source].scale * scale
            limit = np.iinfo(np.int32).max
            values[bias] = np.clip(
                np.rint(layer.bias.numpy() / scales[bias].astype(np.float64)), -limit, limit
            ).astype(np.int32)
        return with_constants(self._content, values, scales)

    def _layer(self, operator: tflite.graph.Operator) -> Layer:
        kernel, bias = (self._graph.tensors[index] for index in operator.inputs[1:3])
        if kernel.data is None or bias.data is None or kernel.dtype != "int8":
            raise EdgebioError(
                f"operator {operator.index} ({operator.kind}): only int8 weights with a bias can "
                "be calibrated"
            )
        weights = _real(kernel)
        if operator.kind in _LAYOUTS:
            weights = weights.transpose(_LAYOUTS[operator.kind])
        else:
            multiplier = int(operator.options["depth_multiplier"])
            weights = weights.reshape(*kernel.shape[1:3], -1, multiplier)
        return Layer(operator, tf.Variable(weights), tf.Variable(_real(bias)))


def _real(tensor: tflite.Tensor) -> npt.NDArray[np.float32]:
    """Values of a constant as real numbers."""
    assert tensor.data is not None
    shape = [1] * len(tensor.shape)
    if len(tensor.scale) > 1:
        shape[tensor.axis] = -1
    real = tensor.data.astype(np.float64) * tensor.scale.reshape(shape).astype(np.float64)
    return real.astype(np.float32)


def _sums(layer: Layer, x: Any) -> Any:
    options = layer.operator.options
    if layer.operator.kind == "FULLY_CONNECTED":
        return tf.matmul(tf.reshape(x, (-1, layer.weights.shape[0])), layer.weights) + layer.bias
    stride = (int(options["stride_h"]), int(options["stride_w"]))
    dilation = (int(options["dilation_h_factor"]), int(options["dilation_w_factor"]))
    if layer.operator.kind == "CONV_2D":
        y = tf.nn.conv2d(x, layer.weights, stride, str(options["padding"]), dilations=dilation)
    else:
        y = tf.nn.depthwise_conv2d(
            x, layer.weights, (1, *stride, 1), str(options["padding"]), dilations=dilation
        )
    return y + layer.bias


def _rounded(y: Any, tensor: tflite.Tensor) -> Any:
    """Round and bound values like an int8 tensor; gradients pass inside the bounds."""
    scale, zero = float(tensor.scale[0]), int(tensor.zero_point[0])
    return tf.quantization.fake_quant_with_min_max_args(
        y, min=(-128 - zero) * scale, max=(127 - zero) * scale
    )


def _unweighted(x: Any, operator: tflite.graph.Operator, graph: tflite.Graph) -> Any:
    """Output of an operator without weights."""
    options = operator.options
    match operator.kind:
        case "MEAN":
            axes = graph.tensors[operator.inputs[1]].data
            return tf.reduce_mean(x, axes, keepdims=bool(options["keep_dims"]))
        case "RESHAPE":
            return tf.reshape(x, (-1, *graph.tensors[operator.outputs[0]].shape[1:]))
        case kind:
            size = options["filter_height"], options["filter_width"]
            stride = options["stride_h"], options["stride_w"]
            return tf.nn.pool(x, size, _UNWEIGHTED[kind], stride, str(options["padding"]))
