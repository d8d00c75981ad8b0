"""Layers are fused where that is exact, and nowhere else: every byte equals tflite-micro's."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgebio import compiler, tflite
from edgebio.compiler.host_model import HostModel
from edgebio.errors import EdgebioError
from tests.compiler.networks import Net
from tests.compiler.passes.reshaped_networks import (
    IMAGES,
    KINDS,
    SEQUENCES,
    Family,
    build_plain,
    clamp_under_another_shape,
    reshaped_networks,
)
from tests.compiler.reference import (
    KERNEL_SETS,
    Build,
    Run,
    assert_equal,
    assert_outputs_equal,
    build_network,
    emulated,
    kinds,
    random_inputs,
    reference_outputs,
    sanitized,
)

pytestmark = pytest.mark.usefixtures("tflite_micro")


@pytest.mark.parametrize("build", IMAGES)
def test_layers_that_see_other_images_are_not_fused(build: Build) -> None:
    program = compiler.compile_model(build_plain(build, (8, 6, 2)))
    assert len(program.calls) == 2
    assert any("under another shape" in note for note in program.network.notes)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", SEQUENCES)
def test_layers_on_a_sequence_are_fused(family: Family, kind: str) -> None:
    program = compiler.compile_model(build_plain(family(kind), (20, 2)))
    assert len(program.calls) == SEQUENCES[family]


def test_clamp_under_another_shape_is_fused() -> None:
    assert len(compiler.compile_model(build_plain(clamp_under_another_shape, (8, 6, 2))).calls) == 1


@pytest.mark.parametrize("isa", KERNEL_SETS)
def test_every_byte_equals_tflite_micro(isa: compiler.KernelSet) -> None:
    check_outputs(sanitized(isa))


@pytest.mark.parametrize("board", ["mps2-an386", "mps3-an547"])
def test_every_byte_equals_tflite_micro_on_boards(board: str) -> None:
    check_outputs(emulated(board))


def check_outputs(run: Run) -> None:
    models = reshaped_networks()
    assert_outputs_equal(models, range(len(models)), run, least_values=6)


def clamp(net: Net, kind: str) -> None:
    """Add RELU or RELU6 without rescaling."""
    output = net.activation(net.shape_of(net.at), net.scale_of(net.at), net.zero_of(net.at))
    net.operator(kind, [net.at], [output])
    net.at = output


def test_layers_that_are_never_read_are_dropped() -> None:
    net = Net(np.random.default_rng(1), (1, 5, 5, 3))
    trunk = net.at
    net.conv()
    net.at = trunk
    net.dense()
    model = HostModel(net.finish())
    assert kinds(model) == ["FULLY_CONNECTED"]


def test_pad_is_fused_into_the_convolution() -> None:
    def build(net: Net) -> None:
        net.pad([[0, 0], [2, 1], [0, 3], [0, 0]])
        net.conv()

    model = assert_equal(build, (1, 6, 6, 3))
    assert [call.layer.operators for call in model.program.calls] == [(0, 1)]


@pytest.mark.parametrize("kind", ["RELU", "RELU6"])
@pytest.mark.parametrize("layer", ["conv", "pool", "add", "dense"])
def test_clamp_is_fused_into_the_layer_before_it(layer: str, kind: str) -> None:
    def build(net: Net) -> None:
        getattr(net, layer)()
        if layer != "pool":  # its output has its input's zero point
            net.graph.tensors[net.at].quantization.zeroPoint = [-20]  # at -128, RELU does nothing
        clamp(net, kind)

    graph = tflite.read(build_network(build, (1, 6, 6, 3)))
    last = compiler.compile_model(graph).calls[-1].layer
    assert last.operators[-1] == len(graph.operators) - 1
    assert last.activation.endswith(kind)
    assert_equal(build, (1, 6, 6, 3))


def test_clamp_is_not_fused_if_both_values_are_read() -> None:
    def build(net: Net) -> None:
        net.conv()
        trunk = net.at
        clamp(net, "RELU")
        net.binary("ADD", trunk)

    assert_equal(build, (1, 6, 6, 3))


@pytest.mark.parametrize("kind", ["SUB", "MUL"])
def test_clamp_is_fused_into_sub_and_mul(kind: str) -> None:
    def build(net: Net) -> None:
        net.binary(kind)
        clamp(net, "RELU")

    assert len(assert_equal(build, (1, 5, 4, 3)).program.calls) == 1


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
"""Operators that the converter uses if it does not know the batch; they are refused."""


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
        x = random_inputs(model.input_shape)
        expected, _ = reference_outputs(path.read_bytes(), x)
        assert len(np.unique(expected)) > 5
        assert expected.tobytes() == model.run(x).tobytes(), path.stem
