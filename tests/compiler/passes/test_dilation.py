"""Convolutions of blocks become dilated ones: every byte equals tflite-micro's on the file itself.

Where SPACE_TO_BATCH_ND pads, a PAD before it does so for tflite-micro: its own padding is whatever
is in memory.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from edgebio import compiler
from edgebio.compiler.host_model import HostModel
from edgebio.compiler.ir.layers import Convolution
from edgebio.errors import EdgebioError
from edgebio.parity.reference_model import static_model
from tests.compiler.changes import Change, assert_refused, set_quantization
from tests.compiler.layers_of_shapes import blocks, inner
from tests.compiler.networks import Net
from tests.compiler.reference import random_inputs, reference_outputs

pytestmark = pytest.mark.usefixtures("tflite_micro")

Pairs = list[list[int]]

IMAGES: tuple[tuple[list[int], list[int], Pairs, Pairs], ...] = (
    ([2, 2], [3, 3], [[2, 2], [2, 2]], [[0, 0], [0, 0]]),
    ([2, 2], [3, 3], [[0, 0], [0, 0]], [[0, 0], [0, 0]]),
    ([3, 2], [2, 3], [[3, 0], [2, 2]], [[0, 0], [0, 0]]),
    ([3, 4], [3, 1], [[0, 0], [0, 2]], [[0, 0], [0, 2]]),
    ([1, 5], [1, 2], [[0, 0], [5, 5]], [[0, 0], [0, 5]]),
    ([2, 3], [1, 1], [[0, 0], [1, 1]], [[0, 0], [1, 1]]),
    ([1, 1], [3, 2], [[1, 1], [0, 1]], [[0, 0], [0, 0]]),
)
LINES: tuple[tuple[int, int, list[int], list[int]], ...] = (
    (2, 3, [4, 0], [0, 0]), (4, 2, [2, 6], [0, 4]), (8, 3, [8, 8], [0, 0]), (3, 1, [0, 0], [0, 0]),
)  # fmt: skip


def start(shape: tuple[int, ...], seed: int) -> Net:
    return Net(np.random.default_rng(seed), shape)


def raw_outputs(net: Net, x: NDArray[np.int8]) -> NDArray[np.int8]:
    """As tflite-micro computes the file itself."""
    raw, _ = reference_outputs(net.finish(), x, resolve=False)
    return raw.reshape(len(x), -1)


def own_outputs(net: Net, x: NDArray[np.int8], layers: int = 1) -> NDArray[np.int8]:
    data = net.finish()
    model = HostModel(data)
    assert len(model.program.calls) == layers
    y = model.run(x).reshape(len(x), -1)
    assert raw_static(data, x).tobytes() == y.tobytes()
    return y


def raw_static(data: bytes, x: NDArray[np.int8]) -> NDArray[np.int8]:
    """As tflite-micro computes the model with dilated convolutions."""
    return reference_outputs(static_model(data), x, resolve=False)[0]


def check(
    shape: tuple[int, ...], block: list[int], size: list[int], pads: Pairs, crops: Pairs,
    depthwise: bool,
) -> None:  # fmt: skip
    """Compare with blocks of an image that a PAD has padded before."""
    varies = False
    for seed in range(2):
        x = random_inputs(shape[1:], seed, 6)
        nets = []
        for apart in (False, True):
            net = start(shape, seed)
            inside = pads
            if apart:
                net.pad([[0, 0], *pads, [0, 0]])
                inside = [[0, 0]] * len(pads)
            net.rng = np.random.default_rng(seed)
            layer = net.depthwise if depthwise else net.conv
            blocks(net, block, inside, crops, partial(inner, net, layer, size))
            nets.append(net)
        raw = raw_outputs(nets[1], x)
        np.testing.assert_array_equal(own_outputs(nets[0], x), raw)
        varies |= len(np.unique(raw)) > 1
    assert varies


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize(("block", "size", "pads", "crops"), IMAGES)
def test_images(
    depthwise: bool, block: list[int], size: list[int], pads: Pairs, crops: Pairs
) -> None:
    check((1, 12, 10, 3), block, size, pads, crops, depthwise)


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize(("block", "size", "pads", "crops"), LINES)
def test_lines(depthwise: bool, block: int, size: int, pads: list[int], crops: list[int]) -> None:
    check((1, 24, 4), [block], [size], [pads], [crops], depthwise)


def test_causal_network_with_residuals() -> None:
    """PAD before the blocks, as causal padding is written."""
    for seed in range(2):
        net = start((1, 32, 5), seed)
        for block in (2, 4, 8):
            trunk = net.at
            net.pad([[0, 0], [2 * block, 0], [0, 0]])
            layer = partial(net.conv, outputs=5)
            blocks(net, [block], [[0, 0]], [[0, 0]], partial(inner, net, layer, [3]))
            net.binary("ADD", trunk)
        x = random_inputs((32, 5), seed)
        raw = raw_outputs(net, x)
        np.testing.assert_array_equal(own_outputs(net, x, layers=6), raw)
        layers = HostModel(net.finish()).program.network.layers
        windows = [layer.window for layer in layers if isinstance(layer, Convolution)]
        assert [window.dilation for window in windows] == [(1, 2), (1, 4), (1, 8)]
        assert [window.before for window in windows] == [(0, 4), (0, 8), (0, 16)]


def strided(net: Net) -> None:
    window = {"size": [3, 3], "stride": [2, 2], "dilation": [1, 1], "same": False}
    net.conv(window=window)


def whole(
    inside: Callable[[Net], None] = lambda net: inner(net, net.conv, [3, 3]),
    crops: Pairs = [[0, 0], [0, 0]],  # noqa: B006
) -> Net:
    net = start((1, 12, 12, 3), 0)
    blocks(net, [2, 2], [[2, 2], [2, 2]], crops, lambda: inside(net))
    return net


def other_blocks(net: Net) -> None:
    block = net.graph.tensors[net.graph.operators[-1].inputs[1]]
    values = np.array([4, 1], np.int32)
    net.model.buffers[block.buffer].data = np.frombuffer(values.tobytes(), np.uint8)


def second_reader(net: Net) -> None:
    net.at = int(net.graph.operators[0].outputs[0])
    net.unary()


@pytest.mark.parametrize(
    ("net", "change", "reason"),
    [
        (whole, second_reader, "only around one convolution, with BATCH_TO_SPACE_ND behind it"),
        (lambda: whole(Net.unary), None, "here is QUANTIZE"),
        (lambda: whole(lambda net: None), None, "here is BATCH_TO_SPACE_ND"),
        (lambda: whole(strided), None, "stride 2 between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND"),
        (lambda: whole(crops=[[0, 0], [4, 0]]), None, "more is cropped, [(0, 0), (4, 0)], than"),
        (whole, other_blocks, "blocks of [2, 2] become blocks of [4, 1]"),
        (whole, set_quantization(3, zeroPoint=[99]), "tensors 0 and 3 differ in scale or zero"),
    ],
)
def test_refused(net: Callable[[], Net], change: Change | None, reason: str) -> None:
    network = net()
    if change:
        change(network)
    assert_refused(network, "(SPACE_TO_BATCH_ND): " if "stride" not in reason else "(CONV_2D): ")
    assert_refused(network, reason)


def test_blocks_that_end_nowhere_are_refused() -> None:
    net = whole()
    net.graph.operators.pop()
    net.at = int(net.graph.operators[-1].outputs[0])
    assert_refused(net, "here is the output of the model")
    net = whole()
    del net.graph.operators[0]
    with pytest.raises(EdgebioError, match="is not computed before it"):
        compiler.compile_model(net.finish())
