"""BATCH_MATMUL: every byte equals tflite-micro's."""

import numpy as np
import pytest

from tests.compiler import layers_without_weights as layers
from tests.compiler.changes import Change, set_options, set_quantization, set_tensor
from tests.compiler.networks import Net
from tests.compiler.operators.test_refused_operators import check, content, inputs
from tests.compiler.reference import (
    assert_equal,
    assert_outputs_equal,
    build_network,
    emulated,
    sanitized,
)

pytestmark = pytest.mark.usefixtures("tflite_micro")

ADJOINTS = [(False, False), (True, False), (False, True), (True, True)]


@pytest.mark.parametrize(("adj_x", "adj_y"), ADJOINTS)
@pytest.mark.parametrize("first", [True, False])
def test_times_a_constant(adj_x: bool, adj_y: bool, first: bool) -> None:
    def build(net: Net) -> None:  # 4 x 3, or its transpose
        depth = (4 if adj_x else 3) if first else (3 if adj_y else 4)
        transposed = adj_y if first else not adj_x
        other = (1, 5, depth) if transposed else (1, depth, 5)
        matrix = layers.matrix(net, other)
        layers.batch_matmul(net, matrix, adj_x=adj_x, adj_y=adj_y, first=first)

    assert_equal(build, (1, 4, 3))


@pytest.mark.parametrize("shape", [(1, 6, 4), (1, 3, 6, 4), (1, 2, 3, 6, 4)])
@pytest.mark.parametrize("adj", [True, False])
def test_a_tensor_times_itself(shape: tuple[int, ...], adj: bool) -> None:
    def build(net: Net) -> None:
        trunk = net.at
        net.unary()
        layers.batch_matmul(net, trunk, adj_x=adj, adj_y=not adj)

    model = assert_equal(build, shape)
    assert model.program.macs == np.prod(shape) * shape[-1 if adj else -2]


@pytest.mark.parametrize("other", [(4, 5), (1, 4, 5), (2, 1, 4, 5), (1, 3, 4, 5)])
def test_repeated_along_the_batch(other: tuple[int, ...]) -> None:
    def build(net: Net) -> None:
        layers.batch_matmul(net, layers.matrix(net, other))
        net.reshape((1, *net.shape_of(net.at)))
        net.unary()

    assert_equal(build, (1, 3, 6, 4))


def test_scales_are_multiplied_in_float32() -> None:
    """The product of both scales decides the last bit of the multiplier."""

    def build(net: Net) -> None:
        layers.batch_matmul(net, layers.matrix(net, (1, 16, 16)))

    assert_equal(build, (1, 8, 16), seeds=6)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_options(adjX=True), "4 columns times 3 rows"),
        (set_options(adjY=True), "3 columns times 5 rows"),
        (set_tensor(2, shape=[1, 4, 4]), "output has shape [1, 4, 4], [1, 4, 5] is"),
        (inputs(_0=1), "both inputs are constants"),
        (content(1, np.zeros((2, 3, 5), np.int8)), "output has shape [1, 4, 5], [2, 4, 5] is"),
        (content(1, np.zeros(3, np.int8)), "tensor 1 has 1 axes; 2 to 5 are supported"),
        (set_quantization(2, scale=[1e-25]), "its scales require a factor of"),
        (
            set_quantization(1, scale=[0.1] * 5, zeroPoint=[0] * 5, quantizedDimension=2),
            "tensor 1 has 5 scales; 1 is required",
        ),
    ],
)
def test_refused(change: Change, reason: str) -> None:
    def build(net: Net) -> None:
        layers.batch_matmul(net, layers.matrix(net, (1, 3, 5)))

    check("BATCH_MATMUL", build, change, reason, (1, 4, 3))


def attention(net: Net) -> None:
    trunk = net.at
    net.unary()
    layers.batch_matmul(net, trunk, adj_y=True)
    net.softmax()
    layers.batch_matmul(net, trunk)
    net.dense()


def networks() -> list[bytes]:
    return [build_network(attention, (1, 7, 6), seed) for seed in range(4)]


def test_attention() -> None:
    assert_equal(attention, (1, 9, 4))


def test_sanitizers_report_nothing() -> None:
    assert_outputs_equal(networks(), range(4), sanitized("portable"))


def test_emulated_m4_equals_tflite_micro() -> None:
    assert_outputs_equal(networks(), range(4), emulated("mps2-an386"))
