"""ARG_MAX: every index equals tflite-micro's."""

from functools import partial

import numpy as np
import pytest

from edgebio.compiler.host_model import HostModel
from tests.compiler import layers_without_weights as layers
from tests.compiler.changes import Change, assert_refused, set_quantization, set_tensor
from tests.compiler.networks import Net
from tests.compiler.operators.test_refused_operators import check, content
from tests.compiler.reference import (
    assert_equal,
    assert_outputs_equal,
    build_network,
    emulated,
    random_inputs,
    sanitized,
)

pytestmark = pytest.mark.usefixtures("tflite_micro")

SHAPE = (1, 5, 4, 7)


@pytest.mark.parametrize("axis", [1, 2, 3, -1, -3])
def test_arg_max(axis: int) -> None:
    assert_equal(partial(layers.arg_max, axis=axis), SHAPE)


def test_the_first_of_equal_ones() -> None:
    data = build_network(partial(layers.arg_max, axis=1), (1, 9))
    x = random_inputs((9,), count=6)
    x[0], x[1, 3:], x[2, [0, 8]] = 5, 127, 127
    x[1, :3] = -1
    assert HostModel(data).run(x)[:3].ravel().tolist() == [0, 3, 0]
    np.testing.assert_array_equal(HostModel(data).run(x).ravel(), x.argmax(axis=1))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (content(1, np.array(4, np.int32)), "axis [4] of 4"),
        (content(1, np.array([1, 2], np.int32)), "axis [1, 2] of 4"),
        (set_tensor(2, shape=[1, 5, 7]), "output has shape [1, 5, 7], [1, 5, 4] is"),
        (set_quantization(0, zeroPoint=[200]), "tensor 0 has zero point 200; int8 holds"),
    ],
)
def test_refused(change: Change, reason: str) -> None:
    check("ARG_MAX", partial(layers.arg_max, axis=3), change, reason, SHAPE)


def test_indices_of_64_bits_are_refused() -> None:
    """As tf.argmax makes them without output_type=tf.int32; tflite-micro lacks them, too."""
    net = Net(np.random.default_rng(0), SHAPE)
    layers.arg_max(net, 3)
    net.graph.tensors[net.at].type = 4
    assert_refused(net, "tensor 2: the model's output is int64; int8, uint8, float32, int32 are")


def networks() -> list[bytes]:
    def build(net: Net) -> None:
        net.conv()
        layers.arg_max(net, 3)

    return [build_network(build, SHAPE, seed) for seed in range(4)]


def test_sanitizers_report_nothing() -> None:
    assert_outputs_equal(networks(), range(4), sanitized("dsp"))


def test_emulated_m4_equals_tflite_micro() -> None:
    assert_outputs_equal(networks(), range(4), emulated("mps2-an386"))
