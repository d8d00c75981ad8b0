"""Streams through each operator that a stream may recompute: the bytes of the whole window."""

from collections.abc import Callable

import numpy as np
import pytest

from edgebio import compiler
from tests.compiler import batch_of_streams
from tests.compiler import layers_without_weights as layers
from tests.compiler.networks import Net
from tests.compiler.test_random_streams import check
from tests.compiler.transpose_conv_layer import any_transpose_conv

pytestmark = pytest.mark.usefixtures("tflite_micro")

OPERATORS: tuple[Callable[[Net], None], ...] = (
    lambda net: layers.unary(net, "ABS"),
    lambda net: layers.unary(net, "ELU"),
    lambda net: layers.bound(net, "MINIMUM"),
    layers.bounded_branch,
    lambda net: layers.reduction(net, "SUM", [1]),
    lambda net: layers.reduction(net, "SUM", [3]),
    lambda net: layers.reduction(net, "REDUCE_MAX", [1]),
    lambda net: layers.reduction(net, "REDUCE_MAX", [3]),
    layers.l2_normalization,
    layers.log_softmax,
    lambda net: layers.gather(net, 3, [0, 2, 1]),
    lambda net: layers.gather(net, 1, [0, 2, 1]),
    lambda net: layers.mirror_pad(net, "REFLECT", [[0, 0], [1, 1], [1, 1], [0, 0]]),
    lambda net: layers.resize(net, (20, 8)),
    lambda net: layers.blocks(net, "SPACE_TO_DEPTH", 2),
    lambda net: layers.blocks(net, "DEPTH_TO_SPACE", 2),
    any_transpose_conv,
)


def test_streams_equal_whole_windows() -> None:
    programs = []
    for add_operator in OPERATORS:
        net = Net(np.random.default_rng(5), (1, 14, 4, 4))
        window = {"size": [3, 3], "stride": [1, 1], "dilation": [1, 1], "same": False}
        net.conv(window, outputs=4)
        add_operator(net)
        net.dense()
        programs.append(compiler.compile_model(net.finish(), "dsp", hop=2))
    check(programs, batch_of_streams.sanitized, 0)
