"""Operators that gather elements by constant places: every byte equals tflite-micro's."""

import math
from functools import partial

import numpy as np
import pytest

from tests.compiler import layers_without_weights as layers
from tests.compiler.changes import Change, set_options, set_tensor
from tests.compiler.networks import Net
from tests.compiler.operators.test_refused_operators import check, content
from tests.compiler.reference import (
    assert_equal,
    assert_outputs_equal,
    build_network,
    emulated,
    sanitized,
)

pytestmark = pytest.mark.usefixtures("tflite_micro")

SHAPE = (1, 6, 4, 8)
GATHERS = (
    (1, [5, 0, 0, 3]),
    (2, [3]),
    (3, [7, 2, 4]),
    (-1, [0, 2, 4, 6]),
    (2, [[0, 1], [3, 0]]),
    (1, [5, 4, 3, 2, 1, 0]),
    (3, 4),
)
PADS = (
    [[0, 0], [2, 1], [1, 2], [0, 0]],
    [[0, 0], [5, 5], [0, 3], [0, 0]],
    [[0, 0], [0, 2], [3, 0], [4, 1]],
    [[0, 0], [0, 0], [0, 0], [7, 0]],
    [[0, 0], [0, 0], [0, 0], [0, 0]],
)


def and_then(build: partial[None], net: Net) -> None:
    """A network whose layers cannot be all views."""
    net.unary()
    build(net)


@pytest.mark.parametrize(("axis", "indices"), GATHERS)
def test_gather(axis: int, indices: object) -> None:
    assert_equal(partial(and_then, partial(layers.gather, axis=axis, indices=indices)), SHAPE)


@pytest.mark.parametrize("mode", ["REFLECT", "SYMMETRIC"])
@pytest.mark.parametrize("pads", PADS)
def test_mirror_pad(mode: str, pads: list[list[int]]) -> None:
    if mode == "REFLECT":
        pads = [
            [min(pad, size - 1) for pad in pair] for pair, size in zip(pads, SHAPE, strict=True)
        ]
    assert_equal(partial(and_then, partial(layers.mirror_pad, mode=mode, pads=pads)), SHAPE)


@pytest.mark.parametrize("size", [(6, 4), (12, 8), (3, 2), (7, 9), (1, 1), (17, 4), (5, 3)])
@pytest.mark.parametrize("options", [(0, 0), (1, 0), (0, 1)])
def test_resize_nearest_neighbor(size: tuple[int, int], options: tuple[int, int]) -> None:
    build = partial(layers.resize, size=size, corners=bool(options[0]), centers=bool(options[1]))
    assert_equal(partial(and_then, build), SHAPE)


@pytest.mark.parametrize("kind", ["SPACE_TO_DEPTH", "DEPTH_TO_SPACE"])
@pytest.mark.parametrize(("shape", "block"), [(SHAPE, 2), (SHAPE, 1), ((1, 6, 3, 18), 3)])
def test_space_and_depth(kind: str, shape: tuple[int, ...], block: int) -> None:
    assert_equal(partial(and_then, partial(layers.blocks, kind=kind, block=block)), shape)


@pytest.mark.parametrize("axis", [1, 2, 3, -1])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_pack(axis: int, count: int) -> None:
    def build(net: Net) -> None:
        net.unary()
        layers.pack(net, axis, count)
        net.reshape((1, math.prod(net.shape_of(net.at))))
        net.unary()

    assert_equal(build, (1, 5, 4))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (content(1, np.array([6], np.int32)), "indices [6] of an axis of 6"),
        (content(1, np.array([-1], np.int32)), "indices [-1] of an axis of 6"),
        (set_options(axis=4), "axis 4 of 4"),
        (set_options(batchDims=1), "1 batch axes are not supported"),
        (set_tensor(2, shape=[1, 1, 4, 8]), "output has shape [1, 1, 4, 8], [1, 2, 4, 8] is"),
    ],
)
def test_refused_gather(change: Change, reason: str) -> None:
    check("GATHER", partial(layers.gather, axis=1, indices=[3, 1]), change, reason, SHAPE)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (content(1, np.array([[0, 0], [6, 0], [0, 0], [0, 0]], np.int32)), "paddings (6, 0) of an"),
        (content(1, np.array([[0, 0], [-1, 0], [0, 0], [0, 0]], np.int32)), "paddings (-1, 0) of"),
        (content(1, np.zeros((3, 2), np.int32)), "paddings of shape [3, 2] for 4 axes"),
        (set_tensor(2, shape=[1, 6, 4, 8]), "output has shape [1, 6, 4, 8], [1, 9, 7, 8] is"),
    ],
)
def test_refused_mirror_pad(change: Change, reason: str) -> None:
    build = partial(layers.mirror_pad, mode="REFLECT", pads=PADS[0])
    check("MIRROR_PAD", build, change, reason, SHAPE)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (content(1, np.array([5], np.int32)), "size [5]"),
        (content(1, np.array([0, 5], np.int32)), "size [0, 5]"),
        (set_tensor(2, shape=[1, 5, 6, 8]), "output has shape [1, 5, 6, 8], [1, 5, 5, 8] is"),
    ],
)
def test_refused_resize(change: Change, reason: str) -> None:
    build = partial(layers.resize, size=(5, 5))
    check("RESIZE_NEAREST_NEIGHBOR", build, change, reason, SHAPE)


@pytest.mark.parametrize(
    ("kind", "block", "reason"),
    [
        ("SPACE_TO_DEPTH", 0, "blocks of 0 pixels"),
        ("SPACE_TO_DEPTH", 4, "blocks of 4 pixels of 6 x 4"),
        ("DEPTH_TO_SPACE", 3, "blocks of 3 x 3 pixels from 8 channels"),
        ("DEPTH_TO_SPACE", 1, "output has shape [1, 12, 8, 2], [1, 6, 4, 8] is"),
    ],
)
def test_refused_blocks(kind: str, block: int, reason: str) -> None:
    build = partial(layers.blocks, kind=kind, block=2)
    check(kind, build, set_options(blockSize=block), reason, SHAPE)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_options(axis=5), "axis 5 of 4"),
        (set_tensor(1, shape=[1, 5, 3]), "shapes [1, 5, 4] and [1, 5, 3] differ"),
        (set_tensor(2, shape=[1, 2, 5, 3]), "output has shape [1, 2, 5, 3], [1, 2, 5, 4] is"),
    ],
)
def test_refused_pack(change: Change, reason: str) -> None:
    def build(net: Net) -> None:
        other = net.tensor(
            (1, 5, 4), "INT8", net.scale_of(0), net.zero_of(0), data=np.zeros((1, 5, 4), np.int8)
        )
        output = net.activation((1, 2, 5, 4), net.scale_of(0), net.zero_of(0))
        net.operator("PACK", [0, other], [output], "PackOptions", axis=1, valuesCount=2)
        net.at = output

    if "differ" in reason:
        change = content(1, np.zeros((1, 5, 3), np.int8))
    check("PACK", build, change, reason, (1, 5, 4))


def networks() -> list[bytes]:
    def build(net: Net) -> None:
        net.unary()
        layers.gather(net, 1, [5, 0, 3, 3, 1, 2])
        layers.mirror_pad(net, "REFLECT", [[0, 0], [3, 0], [1, 2], [0, 2]])
        layers.resize(net, (4, 6))
        layers.blocks(net, "SPACE_TO_DEPTH", 2)
        layers.blocks(net, "DEPTH_TO_SPACE", 2)

    return [build_network(build, SHAPE, seed) for seed in range(4)]


def test_sanitizers_report_nothing() -> None:
    assert_outputs_equal(networks(), range(4), sanitized("portable"))


def test_emulated_m4_equals_tflite_micro() -> None:
    assert_outputs_equal(networks(), range(4), emulated("mps2-an386"))
