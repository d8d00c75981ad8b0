"""Layers between which a RESHAPE changes what the image is: every byte equals tflite-micro's."""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgebio import compiler
from edgebio.compiler import invariants
from edgebio.compiler import network as net
from edgebio.compiler.host import HostModel
from edgebio.errors import EdgebioError
from tests.compiler import many, networks, oracle
from tests.compiler.conftest import SANITIZE, STRICT
from tests.compiler.test_random_networks import (
    CORES,
    emulated_board,
    inputs,
    own_cache,
    shape_of,
)

__all__ = ["own_cache"]

pytestmark = pytest.mark.usefixtures("tflite_micro", "own_cache")

Build = Callable[[networks.Net], None]
KINDS = ("RESHAPE", "EXPAND_DIMS")


def window(size: tuple[int, int], *, same: bool = False, **more: Any) -> dict[str, Any]:
    return {"size": list(size), "stride": [1, 1], "dilation": [1, 1], "same": same, **more}


def max_pool(builder: networks.Net, height: int, width: int) -> None:
    builder.pool(window((height, width), stride=[height, width]), "MAX_POOL_2D")


def image_pooled_under_another_shape(builder: networks.Net) -> None:
    builder.conv(window((3, 3), same=True), 4)
    builder.reshape((1, 6, 8, 4))
    max_pool(builder, 2, 2)


def rows_pooled_as_columns_of_another_length(builder: networks.Net) -> None:
    builder.conv(window((3, 3), same=True), 4)
    builder.reshape((1, 48, 1, 4))
    max_pool(builder, 2, 1)


def channels_pooled_as_pixels(builder: networks.Net) -> None:
    builder.conv(window((3, 3), same=True), 1)
    builder.reshape((1, 1, 8, 6))
    max_pool(builder, 1, 2)


def padding_under_another_shape(builder: networks.Net) -> None:
    builder.pad([[0, 0], [1, 1], [0, 0], [0, 0]])
    builder.reshape((1, 6, 10, 2))
    builder.conv(window((3, 3)), 4)


def padded_channels_read_as_pixels(builder: networks.Net) -> None:
    builder.pad([[0, 0], [0, 0], [0, 0], [1, 1]])
    builder.reshape((1, 8, 24, 1))
    builder.conv(window((3, 3)), 4)


def padded_pixels_read_as_channels(builder: networks.Net) -> None:
    builder.pad([[0, 0], [2, 0], [0, 0], [0, 0]])
    builder.reshape((1, 1, 10, 12))
    builder.conv(window((1, 3)), 4)


def depthwise_of_padding_under_another_shape(builder: networks.Net) -> None:
    builder.pad([[0, 0], [0, 0], [1, 1], [0, 0]])
    builder.reshape((1, 4, 16, 2))
    builder.depthwise(1, window((3, 3)))


IMAGES = (
    image_pooled_under_another_shape,
    rows_pooled_as_columns_of_another_length,
    channels_pooled_as_pixels,
    padding_under_another_shape,
    padded_channels_read_as_pixels,
    padded_pixels_read_as_channels,
    depthwise_of_padding_under_another_shape,
)
"""Networks on (8, 6, 2) whose layers see different images: each stays a layer by itself."""


def conv_and_pool(kind: str) -> Build:
    """`Conv1D(4, 3) -> MaxPooling1D(2)`, lowered with RESHAPE or EXPAND_DIMS."""

    def build(builder: networks.Net) -> None:
        builder.conv_1d(4, causal=False, kind=kind, size=3, stride=1, dilation=1, same=False)
        builder.pool_1d(kind=kind, pool="MAX_POOL_2D", size=2, stride=2, same=False)

    return build


def padding_and_conv(kind: str) -> Build:
    """`ZeroPadding1D((2, 1)) -> Conv1D(4, 3)`."""

    def build(builder: networks.Net) -> None:
        builder.pad([[0, 0], [2, 1], [0, 0]])
        builder.conv_1d(4, causal=False, kind=kind, size=3, stride=1, dilation=1, same=False)

    return build


def causal_conv(kind: str) -> Build:
    """Two causal `Conv1D`, dilated as in temporal convolutional networks, and a pool."""

    def build(builder: networks.Net) -> None:
        for dilation in (1, 2):
            builder.conv_1d(4, causal=True, kind=kind, size=3, stride=1, dilation=dilation)
        builder.pool_1d(kind=kind, pool="MAX_POOL_2D", size=3, stride=3, same=False)

    return build


def depthwise_of_a_sequence(kind: str) -> Build:
    """`ZeroPadding1D -> DepthwiseConv1D -> MaxPooling1D`."""

    def build(builder: networks.Net) -> None:
        builder.pad([[0, 0], [1, 4], [0, 0]])
        given = {"size": 3, "stride": 2, "dilation": 1, "same": True}
        builder.conv_1d(causal=False, kind=kind, layer=builder.depthwise, **given)
        builder.pool_1d(kind=kind, pool="MAX_POOL_2D", size=2, stride=2, same=False)

    return build


def all_of_a_sequence(shape: tuple[int, int]) -> Build:
    """Layers on a sequence of `shape`, which may be one step or one channel."""

    def build(builder: networks.Net) -> None:
        builder.conv_1d(16, causal=False, size=3, stride=1, dilation=1, same=True)
        size = min(shape[0], 2)
        builder.pool_1d(pool="MAX_POOL_2D", size=size, stride=size, same=False)
        builder.conv_1d(5, causal=True, size=2, stride=1, dilation=1)

    return build


def clamp_under_another_shape(builder: networks.Net) -> None:
    builder.conv(window((3, 3)), 4)
    builder.graph.tensors[builder.at].quantization.zeroPoint = [-20]
    builder.reshape((1, 1, 24, 4))
    output = builder.activation((1, 1, 24, 4), builder.scale_of(builder.at), -20)
    builder.operator("RELU", [builder.at], [output])
    builder.at = output


SEQUENCES = {
    conv_and_pool: 1,
    padding_and_conv: 1,
    causal_conv: 2,
    depthwise_of_a_sequence: 2,
}
"""Networks on (20, 2), and of how many layers they are after fusion."""


class Plain(networks.Net):
    """Layers without fused activations, which would leave few values to compare."""

    def fused(self) -> int:
        return 0


def built(build: Build, shape: tuple[int, ...]) -> bytes:
    builder = Plain(np.random.default_rng(0), (1, *shape))
    build(builder)
    return builder.finish()


def every_network() -> list[bytes]:
    models = [built(build, (8, 6, 2)) for build in (*IMAGES, clamp_under_another_shape)]
    models += [built(family(kind), (20, 2)) for family in SEQUENCES for kind in KINDS]
    for shape in ((1, 2), (20, 1), (9, 16)):
        models.append(built(all_of_a_sequence(shape), shape))
    return models


@pytest.mark.parametrize("build", IMAGES)
def test_layers_that_see_other_images_are_not_fused(build: Build) -> None:
    program = compiler.compile_model(built(build, (8, 6, 2)))
    assert len(program.steps) == 2
    assert any("under another shape" in note for note in program.network.notes)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", SEQUENCES)
def test_layers_on_a_sequence_are_fused(family: Callable[[str], Build], kind: str) -> None:
    program = compiler.compile_model(built(family(kind), (20, 2)))
    assert len(program.steps) == SEQUENCES[family]


def test_a_clamp_under_another_shape_goes_into_the_layer_before_it() -> None:
    assert len(compiler.compile_model(built(clamp_under_another_shape, (8, 6, 2))).steps) == 1


@pytest.mark.parametrize("core", CORES)
def test_every_byte_is_right(core: compiler.Core) -> None:
    right(lambda models, x: many.sanitized(models, x, core, (*STRICT, *SANITIZE)))


@pytest.mark.parametrize("board", ["mps2-an386", "mps3-an547"])
def test_every_byte_is_right_on_boards(board: str) -> None:
    chosen = emulated_board(board)
    right(lambda models, x: many.emulated(chosen, models, x))


def right(run: Callable[[list[bytes], list[NDArray[np.int8]]], list[NDArray[np.uint8]]]) -> None:
    models = every_network()
    x = [inputs(0, shape_of(model)) for model in models]
    for model, given, got in zip(models, x, run(models, x), strict=True):
        wanted, _ = oracle.outputs(model, given)
        assert len(np.unique(wanted)) > 5
        assert wanted.tobytes() == got.tobytes()


KERAS = """
import sys
import numpy as np, tensorflow as tf, tf_keras as keras

layers = keras.layers
tf.keras.utils.set_random_seed(1)
networks = {
    "pool": [layers.Conv1D(4, 3), layers.MaxPooling1D(2)],
    "padding": [layers.ZeroPadding1D(2), layers.Conv1D(4, 3, activation="relu")],
    "causal": [
        layers.Conv1D(4, 3, padding="causal"),
        layers.Conv1D(4, 3, padding="causal", activation="relu"),
        layers.MaxPooling1D(2),
    ],
    "dilated": [layers.Conv1D(4, 3, padding="causal", dilation_rate=rate) for rate in (1, 2, 4)],
    "depthwise": [layers.DepthwiseConv1D(3, padding="same"), layers.MaxPooling1D(2)],
    "grouped": [layers.Conv1D(8, 3, groups=2), layers.AveragePooling1D(2)],
    "normalized": [
        layers.Conv1D(8, 5, padding="same"), layers.BatchNormalization(), layers.ReLU(),
        layers.MaxPooling1D(2), layers.Conv1D(8, 5), layers.GlobalAveragePooling1D(),
    ],
    "reshaped": [
        layers.Reshape((8, 5, 4)), layers.Conv2D(4, 3, padding="same"),
        layers.Reshape((5, 8, 4)), layers.MaxPooling2D(2),
    ],
    "padded": [
        layers.Reshape((8, 5, 4)), layers.ZeroPadding2D(((1, 1), (0, 0))),
        layers.Reshape((5, 10, 4)), layers.Conv2D(4, 3),
    ],
}
x = np.random.default_rng(0).normal(size=(64, 1, 40, 4)).astype(np.float32)
for name, stack in networks.items():
    image = layers.Input((40, 4), batch_size=int(sys.argv[2]) or None)
    model = keras.Model(image, keras.Sequential(stack)(image))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([row] for row in x)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    open(f"{sys.argv[1]}/{name}.tflite", "wb").write(converter.convert())
"""
UNKNOWN_BATCH = {"dilated": "SPACE_TO_BATCH_ND", "reshaped": "SHAPE", "padded": "SHAPE"}
"""Operators to which the converter takes where it does not know the batch; they are refused."""


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 0])
def test_networks_of_keras(batch: int, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="TensorFlow, which converts the models, is missing")
    subprocess.run(
        [sys.executable, "-c", KERAS, str(tmp_path), str(batch)],
        check=True, capture_output=True, env={**os.environ, "TF_USE_LEGACY_KERAS": "1"},
    )  # fmt: skip
    paths = sorted(tmp_path.glob("*.tflite"))
    assert len(paths) == 9
    for path in paths:
        if not batch and path.stem in UNKNOWN_BATCH:
            with pytest.raises(
                EdgebioError, match=rf"\({UNKNOWN_BATCH[path.stem]}\): not supported"
            ):
                compiler.compile_model(path)
            continue
        model = HostModel(path)
        x = inputs(0, model.input_shape)
        wanted, _ = oracle.outputs(path.read_bytes(), x)
        assert len(np.unique(wanted)) > 5
        assert wanted.tobytes() == model.run(x).tobytes(), path.stem


def changed(network: net.Network, position: int, **fields: Any) -> net.Network:
    """The network with other fields of one layer."""
    layers = list(network.layers)
    layers[position] = dataclasses.replace(layers[position], **fields)
    return dataclasses.replace(network, layers=tuple(layers))


def test_a_fault_of_the_compiler_is_an_error() -> None:
    network = compiler.compile_model(built(image_pooled_under_another_shape, (8, 6, 2))).network
    conv, pool = network.layers
    assert isinstance(conv, net.Conv2D)
    assert isinstance(pool, net.Pool)
    invariants.check(network)

    def refused(wrong: net.Network, reason: str) -> None:
        with pytest.raises(EdgebioError) as error:
            invariants.check(wrong)
        assert str(error.value).startswith("internal error of the compiler")
        assert reason in str(error.value)

    # The fusion as it was: a pool of a column's windows on a row of pixels.
    row = dataclasses.replace(conv.window, input=(1, 48), output=(1, 48))
    fused = {"window": row, "pool": (2, 1), "output": pool.output}
    one = dataclasses.replace(network, layers=network.layers[:1])
    refused(changed(one, 0, **fused), "operator 0 (CONV_2D) pools (2, 1) of (1, 48) pixels")
    refused(changed(network, 0, weights=conv.weights[:, :2]), "has weights (4, 2, 3, 2)")
    refused(changed(network, 0, weights=conv.weights[:3]), "writes 144 elements, where its output")
    for name, value, reason in (
        ("input", (8, 7), "fits (8, 7) times"),
        ("output", (8, 0), "has a window of output (8, 0)"),
        ("before", (0, 0), "fits (7, 5) times"),
        ("channels", 3, "has weights (4, 3, 3, 2), where its window takes (4, 3, 3, 3)"),
        ("stride", (1, 0), "has a window of stride (1, 0)"),
    ):
        wrong = dataclasses.replace(conv.window, **{name: value})
        refused(changed(network, 0, window=wrong), reason)
    taller = dataclasses.replace(pool.window, input=(7, 8))
    refused(changed(network, 1, window=taller), "reads (224,) elements, where its inputs have")
    refused(dataclasses.replace(network, layers=network.layers[1:]), "no layer before it writes")
    refused(dataclasses.replace(network, layers=network.layers[:1]), "no layer writes the model's")
    refused(dataclasses.replace(network, layers=network.layers[:1] * 2), "another has written")
    refused(dataclasses.replace(network, declared_output=0), "the model's output, of 96")


def test_a_fusion_that_computes_another_image_is_an_error() -> None:
    network = compiler.compile_model(built(image_pooled_under_another_shape, (8, 6, 2))).network
    conv, pool = network.layers
    # As many elements of other pixels: no count of them shows it.
    pooled = dataclasses.replace(conv, pool=(2, 2), output=pool.output)  # type: ignore[call-arg]
    invariants.check(dataclasses.replace(network, layers=(pooled,)))
    with pytest.raises(EdgebioError, match=r"operator 0 \(CONV_2D\) does not compute the image"):
        invariants.check_fusion(pool, pooled)
