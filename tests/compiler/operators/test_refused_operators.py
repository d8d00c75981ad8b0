"""Operators that cannot be compiled exactly are refused by name, index and reason."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.compiler.changes import (
    Change,
    assert_refused,
    set_options,
    set_quantization,
    set_tensor,
)
from tests.compiler.networks import Net

pytestmark = pytest.mark.usefixtures("tflite_micro")


def network(build: Callable[[Net], None], shape: tuple[int, ...] = (1, 4, 4, 2)) -> Net:
    net = Net(np.random.default_rng(0), shape)
    build(net)
    return net


def inputs(**changed: int) -> Change:
    """Put other tensors at some inputs of the first operator."""

    def change(net: Net) -> None:
        operator = net.graph.operators[0]
        tensors = list(operator.inputs)
        for position, tensor in changed.items():
            tensors[int(position[1:])] = tensor
        operator.inputs = tensors

    return change


def content(index: int, values: Any) -> Change:
    """Change a constant's values and, with them, its shape."""

    def change(net: Net) -> None:
        tensor = net.graph.tensors[index]
        data = np.asarray(values)
        tensor.shape = list(data.shape)
        net.model.buffers[tensor.buffer].data = np.frombuffer(data.tobytes(), np.uint8)

    return change


def several(*changes: Change) -> Change:
    def change(net: Net) -> None:
        for each in changes:
            each(net)

    return change


def check(
    kind: str, build: Callable[[Net], None], change: Change, reason: str,
    shape: tuple[int, ...] = (1, 4, 4, 2),
) -> None:  # fmt: skip
    net = network(build, shape)
    change(net)
    assert_refused(net, f"operator 0 ({kind}): {reason}")


@pytest.mark.parametrize("kind", ["SUB", "MUL"])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_options(fusedActivationFunction=4), "fused activation TANH is not supported"),
        (set_tensor(2, shape=[1, 4, 4, 3]), "output has shape [1, 4, 4, 3], [1, 4, 4, 2] is"),
        (inputs(_0=1), "both inputs are constants"),
        (set_quantization(0, scale=[float("nan")]), "tensor 0 has scale nan"),
        (
            set_quantization(1, scale=[0.1, 0.2], zeroPoint=[0, 0]),
            "tensor 1 has 2 scales; 1 is required",
        ),
        (content(1, np.zeros(3, np.int8)), "shapes [1, 4, 4, 2] and [3] do not broadcast"),
    ],
)
def test_sub_and_mul(kind: str, change: Change, reason: str) -> None:
    check(kind, lambda net: net.binary(kind), change, reason)


def test_scales_that_are_too_far_apart() -> None:
    far = set_quantization(2, scale=[1e-12])
    check("SUB", lambda net: net.binary("SUB"), far, "input scales")
    far = set_quantization(2, scale=[1e-25])
    check("MUL", lambda net: net.binary("MUL"), far, "its scales require a factor of")
    far = several(set_quantization(0, scale=[1e30]), set_quantization(2, scale=[1e-30]))
    check("SUB", lambda net: net.binary("SUB"), far, "its scales require a factor of")


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        (
            "LOGISTIC",
            set_quantization(1, scale=[0.01]),
            "output has scale 0.01 and zero point -128; 1/256 and -128",
        ),
        (
            "LOGISTIC",
            set_quantization(1, zeroPoint=[0]),
            "output has scale 0.00390625 and zero point 0",
        ),
        (
            "TANH",
            set_quantization(1, scale=[0.1]),
            "output has scale 0.1 and zero point 0; 1/128 and 0 are",
        ),
        ("TANH", set_quantization(0, scale=[1e-9]), "input has scale 1e-09; 2^-28 to 16"),
        ("LOGISTIC", set_quantization(0, scale=[16.0]), "input has scale 16; 2^-28 to 16"),
        ("TANH", set_tensor(1, shape=[1, 4, 8]), "output has shape [1, 4, 8]"),
        ("LEAKY_RELU", set_options(alpha=-0.5), "alpha of -0.5"),
        ("LEAKY_RELU", set_options(alpha=float("nan")), "alpha of nan"),
        ("LEAKY_RELU", set_options(alpha=float("inf")), "alpha of inf"),
        ("LEAKY_RELU", set_quantization(1, scale=[1e-28]), "its scales require a factor"),
        ("HARD_SWISH", set_quantization(1, scale=[1e-6]), "input scale"),
        ("HARD_SWISH", set_quantization(0, scale=[1e9]), "its scales require a factor"),
        ("HARD_SWISH", set_quantization(0, scale=[1e-9]), "input scale 1e-09 and output scale"),
    ],
)
def test_tables(kind: str, change: Change, reason: str) -> None:
    check(kind, lambda net: net.table(kind), change, reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_tensor(1, buffer=0), "its input, tensor 1, is not computed before it"),
        (inputs(_1=0), "its slopes, tensor 0, are not constant"),
        (content(1, np.zeros((1, 4, 4, 4, 2), np.int8)), "5 axes; at most 4"),
        (
            content(1, np.zeros((4, 1, 4, 2), np.int8)),
            "output has shape [1, 4, 4, 2], [4, 4, 4, 2]",
        ),
        (set_quantization(1, scale=[0.0]), "tensor 1 has scale 0"),
    ],
)
def test_prelu(change: Change, reason: str) -> None:
    check("PRELU", lambda net: net.prelu(), change, reason)


def join(net: Net) -> None:
    scale, zero = net.scale_of(0), net.zero_of(0)
    other = net.tensor((1, 4, 4, 3), "INT8", scale, zero, data=np.zeros((1, 4, 4, 3), np.int8))
    net.concatenation([other], 3)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_options(axis=4), "axis 4 of 4"),
        (set_options(axis=-5), "axis -5 of 4"),
        (set_options(axis=1), "tensor 0 of shape [1, 4, 4, 2] does not fit the output"),
        (set_options(fusedActivationFunction=1), "fused activation RELU is not supported"),
        (set_tensor(2, shape=[1, 4, 4, 6]), "output has shape [1, 4, 4, 6], [1, 4, 4, 5]"),
        (
            set_quantization(1, scale=[0.5]),
            "tensor 1 and the output have different scales or zero points",
        ),
        (inputs(_0=1), "all inputs are constants"),
        (content(1, np.zeros((1, 4, 3), np.int8)), "tensor 1 of shape [1, 4, 3] does not fit"),
    ],
)
def test_concatenation(change: Change, reason: str) -> None:
    check("CONCATENATION", join, change, reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (content(1, np.array([0, 1, 2, 2], np.int32)), "axes [0, 1, 2, 2] of 4"),
        (content(1, np.array([0, 1, 2, -1], np.int32)), "axes [0, 1, 2, -1] of 4"),
        (content(1, np.array([0, 1, 2], np.int32)), "axes [0, 1, 2] of 4"),
        (set_tensor(1, buffer=0), "its input, tensor 1, is not computed before it"),
        (set_tensor(2, shape=[1, 4, 4, 2]), "output has shape [1, 4, 4, 2], [1, 2, 4, 4]"),
    ],
)
def test_transpose(change: Change, reason: str) -> None:
    check("TRANSPOSE", lambda net: net.transpose([0, 3, 1, 2]), change, reason)


def test_transpose_with_too_many_runs() -> None:
    net = Net(np.random.default_rng(0), (1, 96))
    net.reshape((2, 3, 2, 4, 2))
    net.transpose([4, 3, 2, 1, 0])
    net.reshape((1, 96))
    assert_refused(net, "operator 1 (TRANSPOSE): 5 runs of axes; at most 4")


def slice_(net: Net) -> None:
    net.strided_slice([0, 1, 0, 0], [1, 3, 4, 2], [1, 1, 2, 1], (1, 2, 2, 2))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (content(3, np.array([1, 0, 1, 1], np.int32)), "strides [1, 0, 1, 1]"),
        (content(3, np.array([1, 1, -(1 << 31), 1], np.int32)), "strides [1, 1, -2147483648, 1]"),
        (content(1, np.array([0, 1], np.int32)), "2 and 4 and 4 indices for 4 axes"),
        (set_options(ellipsisMask=1), "ellipsis_mask is not supported"),
        (set_options(newAxisMask=2), "new_axis_mask is not supported"),
        (set_options(offset=True), "offset is not supported"),
        (set_options(shrinkAxisMask=4), "element 0 by 2 of axis 2, which has 4"),
        (
            several(set_options(shrinkAxisMask=2), content(1, np.array([0, 4, 0, 0], np.int32))),
            "element 4 by 1 of axis 1, which has 4",
        ),
        (
            content(2, np.array([1, 1, 4, 2], np.int32)),
            "output has shape [1, 2, 2, 2], [1, 0, 2, 2]",
        ),
        (set_tensor(2, type=0), "end, tensor 2, must be constant int32"),
    ],
)
def test_strided_slice(change: Change, reason: str) -> None:
    check("STRIDED_SLICE", slice_, change, reason)


def lstm(net: Net) -> None:
    net.lstm(3)


def lstm_tensor(position: int, change: Callable[[int], Change]) -> Change:
    """Change the tensor at an input of the LSTM."""

    def apply(net: Net) -> None:
        change(int(net.graph.operators[0].inputs[position]))(net)

    return apply


LSTM: tuple[tuple[Change, str], ...] = (
    (inputs(_9=1), "peephole weights are not supported"),
    (inputs(_16=1), "a projection is not supported"),
    (inputs(_21=1), "layer normalization is not supported"),
    (inputs(_1=-1), "input 1 is missing"),
    (inputs(_13=-1), "input 13, a bias, is missing"),
    (inputs(_18=-1), "input 18 is missing"),
    (inputs(_18=0), "its state, tensor 0, is used by another operator"),
    (set_options(fusedActivationFunction=1), "activation RELU is not supported; TANH is"),
    (set_options(diagonalRecurrentTensors=True), "diagonal recurrent weights are not supported"),
    (set_options(cellClip=-1.0), "cell clip of -1"),
    (set_options(cellClip=float("nan")), "cell clip of nan"),
    (set_options(timeMajor=True), "tensor 0 has batch 5; only batch 1 is supported"),
    (
        lstm_tensor(18, lambda i: set_tensor(i, isVariable=False)),
        "hidden state, tensor 13, is not a",
    ),
    (
        lstm_tensor(19, lambda i: set_tensor(i, type=0)),
        "cell state, tensor 14, is float32; only int16",
    ),
    (
        lstm_tensor(19, lambda i: set_tensor(i, shape=[1, 4])),
        "cell state, tensor 14, has shape [1, 4] for 3",
    ),
    (
        lstm_tensor(19, lambda i: set_quantization(i, scale=[0.0003])),
        "cell state, tensor 14, has scale",
    ),
    (
        lstm_tensor(19, lambda i: set_quantization(i, scale=[2.0])),
        "a power of two from 2^-24 to 2^0",
    ),
    (
        lstm_tensor(19, lambda i: set_quantization(i, zeroPoint=[1])),
        "has a zero point other than 0",
    ),
    (
        lstm_tensor(18, lambda i: set_quantization(i, scale=[0.5])),
        "hidden state, tensor 13, and output",
    ),
    (
        lstm_tensor(3, lambda i: set_quantization(i, scale=[0.1] * 3, zeroPoint=[0] * 3)),
        "have 3 scales",
    ),
    (
        lstm_tensor(3, lambda i: set_quantization(i, zeroPoint=[1])),
        "have a zero point other than 0",
    ),
    (lstm_tensor(6, lambda i: set_tensor(i, buffer=0)), "is not computed before it"),
    (lstm_tensor(3, lambda i: set_quantization(i, scale=[1e29])), "its scales require a factor of"),
    (inputs(_19=13), "cell state, tensor 13, is int8; only int16"),
)


@pytest.mark.parametrize(("change", "reason"), LSTM)
def test_lstm(change: Change, reason: str) -> None:
    net = network(lstm, (1, 5, 2))
    change(net)
    assert_refused(net, "operator 0 (UNIDIRECTIONAL_SEQUENCE_LSTM): ")
    assert_refused(net, reason)


def test_lstm_of_four_axes_or_wrong_weights() -> None:
    net = network(lstm, (1, 5, 2))
    net.graph.tensors[0].shape = [1, 5, 2, 1]
    assert_refused(net, "tensor 0 has 4 axes; 3 are required")
    net = network(lstm, (1, 5, 2))
    net.graph.tensors[0].shape = [1, 5, 3]
    assert_refused(net, "have shape [3, 2]; [3, 3] is required")


def test_lstms_that_share_their_state() -> None:
    net = Net(np.random.default_rng(0), (1, 5, 2))
    net.lstm(2)
    net.lstm(2)
    first, second = net.graph.operators
    inputs = list(second.inputs)
    inputs[18] = first.inputs[18]
    second.inputs = inputs
    kind = "UNIDIRECTIONAL_SEQUENCE_LSTM"
    reason = "its state, tensor 13, is used by another operator"
    assert_refused(net, f"operator 1 ({kind}): {reason}")


def test_lstm_whose_sum_may_overflow() -> None:
    net = network(lstm, (1, 5, 2))
    bias = net.graph.tensors[int(net.graph.operators[0].inputs[14])]
    data = np.array([0, (1 << 31) - 1, 0], np.int32)
    net.model.buffers[bias.buffer].data = np.frombuffer(data.tobytes(), np.uint8)
    assert_refused(net, "an accumulator of its cell gate can overflow 32 bits")
