"""Operators that move elements: every byte equals tflite-micro's."""

import numpy as np
import pytest

from tests.compiler.networks import Net
from tests.compiler.reference import (
    assert_equal,
    kinds,
)

pytestmark = pytest.mark.usefixtures("tflite_micro")


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_concatenation(axis: int) -> None:
    def build(net: Net) -> None:
        shape = list(net.shape_of(net.at))
        shape[axis] = 5
        data = net.rng.integers(-128, 128, shape).astype(np.int8)
        scale, zero = net.scale_of(net.at), net.zero_of(net.at)
        constant = net.tensor(tuple(shape), "INT8", scale, zero, data=data)
        net.concatenation([constant, net.at], axis)
        net.unary()

    assert_equal(build, (1, 3, 4, 2))


@pytest.mark.parametrize("order", [[0, 3, 1, 2], [0, 2, 3, 1], [3, 2, 1, 0], [0, 1, 3, 2]])
def test_transpose(order: list[int]) -> None:
    def build(net: Net) -> None:
        net.transpose(order)
        net.reshape((1, 60))

    assert kinds(assert_equal(build, (1, 3, 4, 5))) == ["TRANSPOSE"]


def test_transpose_that_moves_nothing_is_dropped() -> None:
    def build(net: Net) -> None:
        net.transpose([0, 2, 1, 3])
        net.unary()

    assert "TRANSPOSE" not in kinds(assert_equal(build, (1, 1, 4, 5)))


def test_transpose_of_five_axes_in_four_runs() -> None:
    def build(net: Net) -> None:
        net.reshape((2, 3, 1, 2, 5))
        net.transpose([3, 4, 0, 2, 1])
        net.reshape((1, 60))

    assert_equal(build, (1, 3, 4, 5))


def test_strided_slices() -> None:
    def build(net: Net) -> None:
        net.thinned()
        net.thinned()
        net.unary()

    assert_equal(build, (1, 12, 13, 9), seeds=4)


@pytest.mark.parametrize(
    ("begin", "end", "strides", "masks", "shape"),
    [
        ([0, -1, 0], [0, 0, 0], [1, 1, 1], (5, 5, 2), (1, 5)),  # the last step of an LSTM
        ([0, -3, 1], [1, -1, 4], [1, 1, 2], (0, 0, 0), (1, 2, 2)),
        ([0, -100, 0], [1, 100, 100], [1, 3, 1], (0, 0, 0), (1, 3, 5)),
        ([0, 5, 4], [1, -100, 0], [1, -2, -1], (1, 2, 0), (1, 3, 4)),
        ([0, 0, 0], [0, 0, 0], [1, -1, 1], (7, 7, 0), (1, 7, 5)),
        ([0, 2, 3], [1, 3, 4], [1, 1, 1], (0, 0, 6), (1,)),
    ],
)
def test_strided_slice_with_masks(
    begin: list[int],
    end: list[int],
    strides: list[int],
    masks: tuple[int, int, int],
    shape: tuple[int, ...],
) -> None:
    def build(net: Net) -> None:
        options = dict(zip(("beginMask", "endMask", "shrinkAxisMask"), masks, strict=True))
        net.strided_slice(begin, end, strides, shape, **options)

    assert_equal(build, (1, 7, 5))


def test_slice_of_the_first_element_is_not_dropped() -> None:
    def build(net: Net) -> None:
        net.unary()
        net.strided_slice([0, 0, 0], [1, 1, 1], [1, 1, 1], (1, 1, 1))

    assert assert_equal(build, (1, 7, 5)).output_shape == (1, 1)


def test_squeeze_and_expand_dims_are_dropped() -> None:
    def build(net: Net) -> None:
        net.unary()
        net.squeeze(1, "SQUEEZE")
        net.expand(1, "EXPAND_DIMS")
        net.dense()

    assert len(kinds(assert_equal(build, (1, 1, 6)))) == 2
