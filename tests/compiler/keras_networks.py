"""Convert networks of Keras to int8, with an open batch and a fixed one.

``python -m tests.compiler.keras_networks FOLDER keras|tf_keras`` writes NAME.tflite and NAME.npz:
inputs, and what TensorFlow Lite's reference kernels compute, where it has them all.
"""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

RESOLVERS = ("BUILTIN_REF", "BUILTIN_WITHOUT_DEFAULT_DELEGATES")


def flatten(k: Any, batch: int | None) -> Any:
    x = image = k.layers.Input((16, 12, 2), batch_size=batch)
    for outputs in (4, 6):
        x = k.layers.Conv2D(outputs, 3, activation="relu")(x)
    x = k.layers.Flatten()(x)
    return k.Model(image, k.layers.Dense(5, activation="softmax")(x))


def tcn(k: Any, batch: int | None) -> Any:
    sequence = k.layers.Input((48, 6), batch_size=batch)
    x = k.layers.Conv1D(8, 1)(sequence)
    for dilation in (1, 2, 4, 8):
        trunk = x
        x = k.layers.Conv1D(8, 3, padding="causal", dilation_rate=dilation, activation="relu")(x)
        x = k.layers.Add()([x, trunk])
    x = k.layers.GlobalAveragePooling1D()(x)
    return k.Model(sequence, k.layers.Dense(4)(x))


def dilated(k: Any, batch: int | None) -> Any:
    x = image = k.layers.Input((20, 18, 3), batch_size=batch)
    x = k.layers.Conv2D(4, 3, padding="same", dilation_rate=2, activation="relu")(x)
    x = k.layers.Conv2D(5, 3, dilation_rate=(3, 2))(x)
    x = k.layers.DepthwiseConv2D(3, padding="same", dilation_rate=2)(x)
    x = k.layers.DepthwiseConv2D((3, 2), dilation_rate=(2, 2))(x)
    return k.Model(image, x)


def unet(k: Any, batch: int | None) -> Any:
    image = k.layers.Input((16, 16, 2), batch_size=batch)
    x = first = k.layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    x = second = k.layers.Conv2D(8, 3, padding="same", activation="relu")(
        k.layers.MaxPooling2D()(x)
    )
    x = k.layers.Conv2D(8, 3, padding="same", activation="relu")(k.layers.MaxPooling2D()(x))
    for outputs, size, skip in ((8, 2, second), (4, 3, first)):
        x = k.layers.Conv2DTranspose(outputs, size, strides=2, padding="same")(x)
        x = k.layers.Concatenate()([x, skip])
    return k.Model(image, k.layers.Conv2D(1, 1, activation="sigmoid")(x))


def eegnet(k: Any, batch: int | None) -> Any:
    signal = k.layers.Input((8, 64, 1), batch_size=batch)
    x = k.layers.Conv2D(4, (1, 16), padding="same", use_bias=False)(signal)
    x = k.layers.BatchNormalization()(x)
    x = k.layers.DepthwiseConv2D((8, 1), depth_multiplier=2, use_bias=False)(x)
    x = k.layers.Activation("elu")(k.layers.BatchNormalization()(x))
    x = k.layers.AveragePooling2D((1, 4))(x)
    x = k.layers.SeparableConv2D(8, (1, 8), padding="same", use_bias=False)(x)
    x = k.layers.Activation("elu")(k.layers.BatchNormalization()(x))
    x = k.layers.Flatten()(k.layers.AveragePooling2D((1, 4))(x))
    return k.Model(signal, k.layers.Dense(4)(x))


def reshapes(k: Any, batch: int | None) -> Any:
    x = sequence = k.layers.Input((24, 4), batch_size=batch)
    x = k.layers.Conv1D(6, 3, activation="relu")(x)
    x = k.layers.Conv2D(4, (3, 1), activation="relu")(k.layers.Reshape((11, 2, 6))(x))
    x = k.layers.Dense(6)(k.layers.Reshape((-1, 8))(x))
    x = k.layers.Flatten()(k.layers.Permute((2, 1))(x))
    return k.Model(sequence, k.layers.Dense(3)(x))


def transposed(k: Any, batch: int | None) -> Any:
    x = sequence = k.layers.Input((16, 3), batch_size=batch)
    x = k.layers.Conv1D(6, 3, strides=2, padding="same", activation="relu")(x)
    return k.Model(sequence, k.layers.Conv1DTranspose(4, 3, strides=2, padding="same")(x))


NETWORKS = (flatten, tcn, dilated, unet, eegnet, reshapes, transposed)


def outputs_of(tf: Any, model: bytes, x: Any) -> Any:
    """Outputs of TensorFlow Lite; None where it lacks an operator."""
    for resolver in RESOLVERS:
        kind = getattr(tf.lite.experimental.OpResolverType, resolver)
        try:
            interpreter = tf.lite.Interpreter(
                model_content=model, experimental_op_resolver_type=kind
            )
            interpreter.allocate_tensors()
        except (RuntimeError, ValueError):
            continue
        rows = []
        for image in x:
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
            interpreter.invoke()
            rows.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
        return np.stack(rows)
    return None


def convert(folder: Path, which: str) -> None:
    """Write all networks of one Keras."""
    import tensorflow as tf

    module = __import__(which)
    for build in NETWORKS:
        for batch in (None, 1):
            rng = np.random.default_rng(0)
            model = build(module, batch)
            for weights in model.weights:  # no output saturates, no bias is zero
                if len(weights.shape) == 1:
                    weights.assign(rng.uniform(0.05, 0.3, weights.shape))
            shape = model.inputs[0].shape[1:]
            images = rng.normal(size=(32, 1, *shape)).astype(np.float32)
            converter = tf.lite.TFLiteConverter.from_keras_model(model)
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda x=images: ([row] for row in x)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
            data = converter.convert()
            name = f"{which}_{build.__name__}_{'open' if batch is None else 'fixed'}"
            (folder / f"{name}.tflite").write_bytes(data)
            x = rng.integers(-128, 128, (8, *shape)).astype(np.int8)
            y = outputs_of(tf, data, x)
            np.savez(folder / f"{name}.npz", x=x, **({} if y is None else {"y": y}))


if __name__ == "__main__":
    os.environ["TF_USE_LEGACY_KERAS"] = str(int(sys.argv[2] == "tf_keras"))
    convert(Path(sys.argv[1]), sys.argv[2])
