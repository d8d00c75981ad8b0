"""RESIZE_BILINEAR and TILE: every byte equals the reference's."""

from functools import partial

import numpy as np
import pytest

from edgebio.compiler.host_model import HostModel
from tests.compiler import layers_without_weights as layers
from tests.compiler.changes import Change, set_options, set_quantization, set_tensor
from tests.compiler.networks import Net
from tests.compiler.operators.test_refused_operators import check, content, several
from tests.compiler.reference import (
    assert_equal,
    assert_outputs_equal,
    build_network,
    emulated,
    random_inputs,
    sanitized,
)

pytestmark = pytest.mark.usefixtures("tflite_micro")

SHAPE = (1, 6, 4, 3)
SIZES = [(6, 4), (12, 8), (3, 2), (7, 9), (1, 1), (17, 4), (5, 3), (40, 31)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("options", [(0, 0), (1, 0), (0, 1)])
def test_resize(size: tuple[int, int], options: tuple[int, int]) -> None:
    corners, centers = map(bool, options)
    build = partial(layers.resize_bilinear, size=size, corners=corners, centers=centers)
    assert_equal(build, SHAPE, seeds=1)


@pytest.mark.parametrize("shape", [(1, 1, 1, 2), (1, 2, 1, 5), (1, 1, 13, 1)])
def test_resize_of_lines(shape: tuple[int, ...]) -> None:
    for centers in (False, True):
        assert_equal(partial(layers.resize_bilinear, size=(5, 7), centers=centers), shape, seeds=1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (content(1, np.array([5], np.int32)), "size [5]"),
        (content(1, np.array([0, 5], np.int32)), "size [0, 5]"),
        (set_tensor(2, shape=[1, 5, 6, 3]), "output has shape [1, 5, 6, 3], [1, 5, 5, 3] is"),
        (set_quantization(2, scale=[0.9]), "tensors 0 and 2 differ in scale or zero point"),
        (
            set_options(alignCorners=True, halfPixelCenters=True),
            "aligned corners and half pixel centers exclude each other",
        ),
        (
            several(
                content(1, np.array([5, 8000], np.int32)), set_tensor(2, shape=[1, 5, 8000, 3])
            ),
            "4 pixels to 8000: the reference reads outside its input",
        ),
    ],
)
def test_refused_resize(change: Change, reason: str) -> None:
    build = partial(layers.resize_bilinear, size=(5, 5))
    check("RESIZE_BILINEAR", build, change, reason, SHAPE)


@pytest.mark.parametrize("multiples", [[1, 2, 1, 1], [1, 1, 3, 1], [1, 2, 2, 4], [1, 1, 1, 1]])
def test_tile(multiples: list[int]) -> None:
    """tflite-micro lacks it; it copies."""

    def build(net: Net) -> None:
        net.unary()
        layers.tile(net, multiples)

    model = HostModel(build_network(build, SHAPE))
    before = HostModel(build_network(lambda net: net.unary(), SHAPE))
    x = random_inputs(SHAPE[1:])
    np.testing.assert_array_equal(model.run(x), np.tile(before.run(x), multiples))


def test_tile_of_five_axes() -> None:
    """As UpSampling2D of Keras 3 writes it."""

    def build(net: Net) -> None:
        net.unary()
        net.reshape((1, 6, 1, 4, 3))
        layers.tile(net, [1, 1, 2, 1, 1])
        net.reshape((1, 12, 4, 3))

    model = HostModel(build_network(build, SHAPE))
    before = HostModel(build_network(lambda net: net.unary(), SHAPE))
    x = random_inputs(SHAPE[1:])
    np.testing.assert_array_equal(model.run(x), np.repeat(before.run(x), 2, axis=1))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (content(1, np.array([1, 2, 1], np.int32)), "multiples [1, 2, 1] of 4 axes"),
        (content(1, np.array([1, 2, 0, 1], np.int32)), "multiples [1, 2, 0, 1] of 4 axes"),
        (set_tensor(2, shape=[1, 6, 4, 3]), "output has shape [1, 6, 4, 3], [1, 12, 4, 3] is"),
        (set_quantization(2, zeroPoint=[1]), "tensors 0 and 2 differ in scale or zero point"),
    ],
)
def test_refused_tile(change: Change, reason: str) -> None:
    check("TILE", partial(layers.tile, multiples=[1, 2, 1, 1]), change, reason, SHAPE)


def networks() -> list[bytes]:
    def build(net: Net) -> None:
        layers.resize_bilinear(net, (9, 5), centers=True)
        layers.resize_bilinear(net, (4, 11), corners=True)
        layers.resize_bilinear(net, (8, 8))

    return [build_network(build, SHAPE, seed) for seed in range(4)]


def test_sanitizers_report_nothing() -> None:
    assert_outputs_equal(networks(), range(4), sanitized("portable"))


def test_emulated_m4_equals_tflite_micro() -> None:
    assert_outputs_equal(networks(), range(4), emulated("mps2-an386"))
