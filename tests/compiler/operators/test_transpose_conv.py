"""TRANSPOSE_CONV: every byte equals tflite-micro's."""

from functools import partial

import numpy as np
import pytest

from tests.compiler.changes import Change, set_options, set_quantization, set_tensor
from tests.compiler.networks import Net
from tests.compiler.operators.test_refused_operators import check, inputs
from tests.compiler.reference import (
    assert_equal,
    assert_outputs_equal,
    build_network,
    emulated,
    sanitized,
)
from tests.compiler.transpose_conv_layer import any_transpose_conv, transpose_conv

pytestmark = pytest.mark.usefixtures("tflite_micro")

WINDOWS = (
    ((2, 2), (2, 2)),
    ((3, 3), (2, 2)),
    ((1, 1), (1, 1)),
    ((4, 3), (1, 2)),
    ((1, 2), (3, 3)),
    ((5, 5), (2, 3)),
    ((2, 7), (4, 1)),
)


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize(("size", "stride"), WINDOWS)
def test_windows(size: tuple[int, int], stride: tuple[int, int], same: bool) -> None:
    for shape in ((1, 4, 5, 3), (1, 1, 6, 4), (1, 1, 1, 2)):
        build = partial(transpose_conv, size=size, stride=stride, same=same)
        assert_equal(build, shape, seeds=3)


@pytest.mark.parametrize("cut", [-3, 1, 2])
@pytest.mark.parametrize("same", [True, False])
def test_other_outputs(cut: int, same: bool) -> None:
    """The output's shape is that of its tensor, larger or smaller than the windows reach."""
    assert_equal(
        partial(transpose_conv, size=(3, 2), stride=(2, 2), same=same, cut=cut), (1, 4, 5, 3), 4
    )


def test_without_bias() -> None:
    build = partial(transpose_conv, size=(3, 3), stride=(2, 2), same=True, bias=False)
    assert_equal(build, (1, 4, 5, 3), 4)


def test_bias_at_the_end_of_int32_wraps() -> None:
    def build(net: Net) -> None:
        transpose_conv(net, (3, 3), (2, 2), same=True)
        tensors = net.graph.operators[0].inputs
        if len(tensors) > 3:
            buffer = net.model.buffers[net.graph.tensors[tensors[3]].buffer]
            ends = np.where(np.arange(len(buffer.data) // 4) % 2, 2**31 - 1, -(2**31))
            buffer.data = np.frombuffer(ends.astype(np.int32).tobytes(), np.uint8)

    networks = [build_network(build, (1, 4, 5, 3), seed) for seed in range(4)]
    assert_outputs_equal(networks, range(4), sanitized("portable"))


def shift_weights(net: Net) -> None:
    quantization = net.graph.tensors[1].quantization
    quantization.zeroPoint = [1] * len(quantization.scale)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_options(strideH=0), "stride of 0"),
        (set_tensor(0, shape=[1, 4, 4, 3]), "weights of shape"),
        (set_tensor(0, shape=[1, 4, 8]), "tensor 0 has 3 axes; 4 are required"),
        (shift_weights, "weights, tensor 1, have a zero point"),
        (set_quantization(4, scale=[1e-20]), "its scales require a factor of"),
        (set_options(fusedActivationFunction=4), "fused activation TANH is not supported"),
        (inputs(_1=0), "weights, tensor 0, are not constant"),
    ],
)
def test_refused(change: Change, reason: str) -> None:
    build = partial(transpose_conv, size=(3, 3), stride=(2, 2), same=True)
    check("TRANSPOSE_CONV", build, change, reason)


def networks() -> list[bytes]:
    def build(net: Net) -> None:
        net.conv()
        any_transpose_conv(net)
        net.unary()
        any_transpose_conv(net)

    return [build_network(build, (1, 4, 3, 2), seed) for seed in range(10)]


def test_sanitizers_report_nothing() -> None:
    assert_outputs_equal(networks(), range(10), sanitized("mve"))


def test_emulated_m4_equals_tflite_micro() -> None:
    assert_outputs_equal(networks(), range(10), emulated("mps2-an386"))
