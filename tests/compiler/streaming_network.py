"""Streaming networks with variables, made as microWakeWord makes its own: run as a script.

python -m tests.compiler.streaming_network OUTPUT.tflite [uint8]
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

STEP, BINS = 3, 10
"""New frames of each inference, and their bins."""


def mixed_network() -> tf.Module:
    """A strided convolution, then two blocks of depthwise convolutions of mixed sizes."""
    random = np.random.default_rng(0)
    filters, sizes = 8, ((5,), (7, 11))

    def weights(*shape: int) -> tf.Variable:
        spread = 1.5 / np.sqrt(np.prod(shape[:-1]))
        return tf.Variable((random.normal(size=shape) * spread).astype(np.float32))

    class Mixed(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            lengths = [2, *(max(each) - 1 for each in sizes), 4]
            channels = [BINS, *([filters] * (len(sizes) + 1))]
            self.states = [
                tf.Variable(tf.zeros([1, length, 1, each]), trainable=False, name=f"stream_{i}")
                for i, (length, each) in enumerate(zip(lengths, channels, strict=True))
            ]
            self.first = weights(5, 1, BINS, filters)
            self.depthwise = [
                [weights(size, 1, filters // len(each), 1) for size in each] for each in sizes
            ]
            self.pointwise = [weights(1, 1, filters, filters) for _ in sizes]
            self.dense = weights(5 * filters, 1)

        def stream(self, index: int, x: tf.Tensor) -> tf.Tensor:
            """The last frames of a stream and the new ones; the newest are stored."""
            state = self.states[index]
            memory = tf.concat([state, x], 1)
            state.assign(memory[:, -state.shape[1] :])
            return memory

        @tf.function(input_signature=[tf.TensorSpec([1, STEP, BINS], tf.float32)])
        def __call__(self, x: tf.Tensor) -> tf.Tensor:
            x = self.stream(0, tf.expand_dims(x, 2))
            x = tf.nn.relu(tf.nn.conv2d(x, self.first, [1, STEP, 1, 1], "VALID"))
            for index, kernels in enumerate(self.depthwise):
                memory = self.stream(1 + index, x)
                parts = tf.split(memory, len(kernels), 3)
                rows = [
                    tf.nn.depthwise_conv2d(part[:, -kernel.shape[0] :], kernel, [1] * 4, "VALID")
                    for part, kernel in zip(parts, kernels, strict=True)
                ]
                x = tf.nn.conv2d(tf.concat(rows, 3), self.pointwise[index], 1, "VALID")
                x = tf.nn.relu(x)
            x = self.stream(1 + len(self.depthwise), x)
            return tf.sigmoid(tf.matmul(tf.reshape(x, [1, -1]), self.dense))

    return Mixed()


def convert(module: tf.Module, output: "tf.DType") -> bytes:
    """int8 with int8 variables."""

    def representative() -> Iterator[list[NDArray[np.float32]]]:
        random = np.random.default_rng(1)
        for _ in range(200):
            yield [random.normal(size=(1, STEP, BINS)).astype(np.float32)]

    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, module.__call__.get_concrete_function())
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = {tf.lite.Optimize.DEFAULT}
        converter.experimental_enable_resource_variables = True
        converter._experimental_variable_quantization = True
        converter.target_spec.supported_ops = {tf.lite.OpsSet.TFLITE_BUILTINS_INT8}
        converter.inference_input_type = tf.int8
        converter.inference_output_type = output
        converter.representative_dataset = tf.lite.RepresentativeDataset(representative)
        data: bytes = converter.convert()
        return data


if __name__ == "__main__":
    kind = tf.uint8 if "uint8" in sys.argv[2:] else tf.int8
    Path(sys.argv[1]).write_bytes(convert(mixed_network(), kind))
