"""A trainable int8 network, against the generated C of the same file."""

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason='needs pip install "edgebio[train]"')

from edgebio import tflite
from edgebio.calibration.int8_network import Int8Network
from edgebio.compiler.host_model import HostModel
from edgebio.errors import EdgebioError
from edgebio.models.keras import tf
from edgebio.tflite.constants import with_constants

NETWORKS = ["emg_cnn", "emg_dscnn", "ecg_cnn"]


@pytest.fixture(params=NETWORKS)
def content(request, models_folder):
    return (models_folder / f"{request.param}.tflite").read_bytes()


def images(content, n=40):
    graph = tflite.read(content)
    shape = graph.tensors[graph.inputs[0]].shape[1:]
    return np.random.default_rng(1).integers(-80, 80, (n, *shape)).astype(np.int8)


def pixels_to_float(content, pixels):
    source = tflite.read(content).tensors[tflite.read(content).inputs[0]]
    return ((pixels - source.zero_point[0]) * source.scale[0]).astype(np.float32)


def test_untrained_network_is_unchanged(content):
    """Weights are the same, but a filter uses all codes, which the converter may not have done."""
    saved = Int8Network(content).content()
    assert len(saved) == len(content)
    x = images(content)
    before, after = HostModel(content).run(x).astype(int), HostModel(saved).run(x).astype(int)
    assert np.abs(before - after).max() <= 2
    again = Int8Network(saved).content()
    assert np.abs(HostModel(again).run(x).astype(int) - after).max() <= 1


def test_network_computes_what_the_device_computes(content):
    x = images(content)
    logits = Int8Network(content)(tf.constant(pixels_to_float(content, x)))
    probabilities = tf.nn.softmax(logits).numpy()
    host = HostModel(content)
    expected = (host.run(x).astype(float) - host.output_zero_point) * host.output_scale
    assert np.abs(probabilities - expected).max() < 0.06
    assert np.corrcoef(probabilities.ravel(), expected.ravel())[0, 1] > 0.995


def test_only_constants_change_in_training(content):
    network = Int8Network(content)
    x = tf.constant(pixels_to_float(content, images(content)))
    target = tf.one_hot(np.arange(40) % network(x).shape[-1], network(x).shape[-1])
    losses = []
    for _ in range(12):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(target, network(x)))
        losses.append(float(loss))
        for variable, slope in zip(
            network.variables, tape.gradient(loss, network.variables), strict=True
        ):
            variable.assign_sub(0.002 * slope)
    assert losses[-1] < losses[0]
    saved = network.content()
    before, after = tflite.read(content), tflite.read(saved)
    assert after.operators == before.operators
    for one, other in zip(before.tensors, after.tensors, strict=True):
        assert (one.name, one.shape, one.dtype) == (other.name, other.shape, other.dtype)
        np.testing.assert_array_equal(one.zero_point, other.zero_point)
        if one.data is None:
            np.testing.assert_array_equal(one.scale, other.scale)
    # The file holds what was learned, but for the rounding of weights.
    learned = tf.nn.softmax(network(x)).numpy()
    read_back = tf.nn.softmax(Int8Network(saved)(x)).numpy()
    assert np.abs(learned - read_back).max() < 0.1


def test_moments_of_a_layer_are_those_of_its_sums(models_folder):
    content = (models_folder / "emg_cnn.tflite").read_bytes()
    network, x = Int8Network(content), pixels_to_float(content, images(content, 700))
    layer = network.convolutions[1]
    y = network(tf.constant(x), layer).numpy().astype(float)
    mean, deviation = network.moments(layer, x)
    np.testing.assert_allclose(mean, y.mean(axis=(0, 1, 2)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(deviation, y.std(axis=(0, 1, 2)), rtol=1e-4)


def test_unknown_operator_is_named(models_folder):
    graph = None
    for path in sorted(models_folder.glob("*.tflite")):
        kinds = {o.kind for o in tflite.read(path).operators}
        if "ADD" in kinds:
            graph = path
    if graph is None:
        pytest.skip("no reference model has an addition")
    with pytest.raises(EdgebioError, match=r"operator \d+ \(\w+\) cannot be calibrated"):
        Int8Network(graph.read_bytes())


def test_constants_of_another_size_are_refused(content):
    kernel = Int8Network(content).layers[0].operator.inputs[1]
    with pytest.raises(EdgebioError, match=f"tensor {kernel}: 3 bytes do not fit"):
        with_constants(content, {kernel: np.zeros(3, np.int8)}, {})
    with pytest.raises(EdgebioError, match=f"scales of tensor {kernel}"):
        with_constants(content, {}, {kernel: np.zeros(1000, np.float32)})
