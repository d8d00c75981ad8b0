"""An int8 network as one that can learn: its weights as real numbers, its activations as int8.

Every tensor between two layers is rounded and bounded as in the file, with gradients that pass
through (B. Jacob et al., arXiv 1712.05877, section 3). What is learned goes back into the same
file: weights, biases and the weights' scales; nothing else changes.
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

_WITH_WEIGHTS = (*CONVOLUTIONS, "FULLY_CONNECTED")
_AT_ONCE = 500  # images that go through together


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer with weights.

    Attributes
    ----------
    operator
        As the file has it.
    weights
        tf.Variable, float32, laid out as TensorFlow's function for it takes them.
    bias
        tf.Variable, float32, shape (outputs,).
    """

    operator: tflite.graph.Operator
    weights: Any
    bias: Any


class Network:
    """The network of a .tflite, from pixels to logits.

    Parameters
    ----------
    content
        A .tflite with int8 pixels in and int8 class probabilities out.

    Attributes
    ----------
    layers : list of Layer
        Layers with weights, in their order.

    Raises
    ------
    EdgebioError
        Where it has an operator that cannot learn here; the text names it.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._graph = tflite.read(content)
        self.layers: list[Layer] = []
        for operator in self._graph.operators:
            if operator.kind not in (*_WITH_WEIGHTS, *_PLAIN):
                raise EdgebioError(
                    f"operator {operator.index} ({operator.kind}) cannot be adapted to a wearer; "
                    f"{', '.join((*_WITH_WEIGHTS, *_PLAIN))} can"
                )
            if operator.kind in _WITH_WEIGHTS:
                self.layers.append(self._layer(operator))

    @property
    def convolutions(self) -> list[Layer]:
        """Layers that batch normalisation stood behind, in their order."""
        return [layer for layer in self.layers if layer.operator.kind in CONVOLUTIONS]

    @property
    def variables(self) -> list[Any]:
        """Everything that can be learned."""
        return [v for layer in self.layers for v in (layer.weights, layer.bias)]

    def __call__(self, images: Any, upto: Layer | None = None) -> Any:
        """Logits, or what a layer sums up before it is bounded.

        Parameters
        ----------
        images
            float32 tensor, shape (n, columns, bins, channels), in standard deviations.
        upto
            The layer; the whole network if None.

        Returns
        -------
        tensor
            float32, shape (n, classes), or (n, ..., outputs) of the layer.
        """
        layers = iter(self.layers)
        values = {self._graph.inputs[0]: images}
        for operator in self._graph.operators:
            x = values[operator.inputs[0]]
            if operator.kind == "SOFTMAX":
                return x
            if operator.kind in _WITH_WEIGHTS:
                layer = next(layers)
                y = _sum(layer, x)
                if layer is upto:
                    return y
                y = _ACTIVATIONS[str(operator.options["activation"])](y)
            else:
                y = _PLAIN[operator.kind](x, operator, self._graph)
            values[operator.outputs[0]] = _rounded(y, self._graph.tensors[operator.outputs[0]])
        return values[self._graph.outputs[0]]

    def moments(
        self, layer: Layer, images: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Mean and deviation of what a layer sums up over images: each float64, (outputs,)."""
        mean, variance = moments(
            self(tf.constant(images[k : k + _AT_ONCE]), layer).numpy()
            for k in range(0, len(images), _AT_ONCE)
        )
        return mean, np.sqrt(variance)

    def content(self) -> bytes:
        """Write the file with what has been learned: weights in int8, biases in int32."""
        values, scales = {}, {}
        for layer in self.layers:
            source, kernel, bias = layer.operator.inputs
            tensors = self._graph.tensors
            weights = _as_filed(layer.operator.kind, layer.weights.numpy(), tensors[kernel].shape)
            axis = tensors[kernel].axis
            rest = tuple(k for k in range(weights.ndim) if k != axis)
            largest = np.abs(weights).max(axis=rest if len(tensors[kernel].scale) > 1 else None)
            # A filter of zeros needs a scale too; the converter's own kernels divide by it.
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
                "be adapted to a wearer"
            )
        weights = _real(kernel)
        if operator.kind == "CONV_2D":
            weights = weights.transpose(1, 2, 3, 0)
        elif operator.kind == "FULLY_CONNECTED":
            weights = weights.T
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


def _as_filed(
    kind: str, weights: npt.NDArray[np.float32], shape: tuple[int, ...]
) -> npt.NDArray[np.float32]:
    """Lay weights out as the file has them."""
    if kind == "CONV_2D":
        return weights.transpose(3, 0, 1, 2)
    return weights.T if kind == "FULLY_CONNECTED" else weights.reshape(shape)


def _sum(layer: Layer, x: Any) -> Any:
    options = layer.operator.options
    if layer.operator.kind == "FULLY_CONNECTED":
        return tf.matmul(tf.reshape(x, (-1, layer.weights.shape[0])), layer.weights) + layer.bias
    stride = (int(options["stride_h"]), int(options["stride_w"]))
    dilation = (int(options["dilation_h"]), int(options["dilation_w"]))
    if layer.operator.kind == "CONV_2D":
        y = tf.nn.conv2d(x, layer.weights, stride, str(options["padding"]), dilations=dilation)
    else:
        y = tf.nn.depthwise_conv2d(
            x, layer.weights, (1, *stride, 1), str(options["padding"]), dilations=dilation
        )
    return y + layer.bias


def _rounded(y: Any, tensor: tflite.Tensor) -> Any:
    """Round and bound values as an int8 tensor does; gradients pass where nothing is cut off."""
    scale, zero = float(tensor.scale[0]), int(tensor.zero_point[0])
    return tf.quantization.fake_quant_with_min_max_args(
        y, min=(-128 - zero) * scale, max=(127 - zero) * scale
    )


def _pool(how: str) -> Any:
    def pool(x: Any, operator: tflite.graph.Operator, graph: tflite.Graph) -> Any:
        o = operator.options
        size, stride = (o["filter_h"], o["filter_w"]), (o["stride_h"], o["stride_w"])
        return tf.nn.pool(x, size, how, stride, str(o["padding"]))

    return pool


def _mean(x: Any, operator: tflite.graph.Operator, graph: tflite.Graph) -> Any:
    axes = graph.tensors[operator.inputs[1]].data
    return tf.reduce_mean(x, axes, keepdims=bool(operator.options["keep_dims"]))


def _reshape(x: Any, operator: tflite.graph.Operator, graph: tflite.Graph) -> Any:
    return tf.reshape(x, (-1, *graph.tensors[operator.outputs[0]].shape[1:]))


_PLAIN: dict[str, Any] = {
    "MAX_POOL_2D": _pool("MAX"),
    "AVERAGE_POOL_2D": _pool("AVG"),
    "MEAN": _mean,
    "RESHAPE": _reshape,
    "SOFTMAX": None,
}
_ACTIVATIONS: dict[str, Any] = {
    "NONE": lambda y: y,
    "RELU": tf.nn.relu,
    "RELU6": tf.nn.relu6,
}
