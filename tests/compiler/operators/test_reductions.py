"""SUM, REDUCE_MAX, L2_NORMALIZATION and LOG_SOFTMAX: every byte equals tflite-micro's."""

from functools import partial

import numpy as np
import pytest

from tests.compiler import layers_without_weights as layers
from tests.compiler.changes import Change, set_options, set_quantization, set_tensor
from tests.compiler.networks import Net
from tests.compiler.operators.test_refused_operators import check, content, several
from tests.compiler.reference import (
    assert_layers_equal,
    assert_outputs_equal,
    build_network,
    builds,
    emulated,
    random_inputs,
    sanitized,
)

pytestmark = pytest.mark.usefixtures("tflite_micro")

KINDS = ("SUM", "REDUCE_MAX")
AXES = ([1], [2], [3], [1, 2], [2, 1], [1, 3], [-1], [-3, -2], [2, 3], [1, 1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("keep", [True, False])
def test_reductions(kind: str, axes: list[int], keep: bool) -> None:
    build = partial(layers.reduction, kind=kind, axes=axes, keep=keep)
    for seed, shape in enumerate([(1, 7, 5, 3), (1, 9, 4, 16)]):
        data = build_network(build, shape, seed)
        models = builds(data)
        assert_layers_equal(models, data, random_inputs(models[0].input_shape, seed))


def test_l2_normalization_of_every_size_of_sums() -> None:
    """Rows from all zeros to the largest distances, so that every shift occurs."""
    rng = np.random.default_rng(0)
    for depth in (1, 2, 3, 16, 300, 16384, 32767):
        for zero in (-128, -3, 0, 127):
            net = Net(rng, (1, depth))
            net.graph.tensors[0].quantization.zeroPoint = [zero]
            layers.l2_normalization(net)
            data = net.finish()
            (model,) = builds(data)[:1]
            x = random_inputs((depth,), depth, 24)
            for row, spread in zip(x[2:], [0, 1, 1, 2, 3, 5, 9, 20, 40, 90] * 2, strict=False):
                row[:] = np.clip(zero + rng.integers(-spread, spread + 1, depth), -128, 127)
                row[spread + 1 :] = zero if spread < 3 else row[spread + 1 :]
            assert_layers_equal([model], data, x)


def test_log_softmax_of_every_scale() -> None:
    rng = np.random.default_rng(0)
    scales = [
        2.0**-24,
        1e-6,
        *np.exp(rng.uniform(np.log(0.001), np.log(2), 40)),
        3.0,
        15.9,
        16.0,
        31.9,
        160.0,
        1e9,
    ]
    for seed, scale in enumerate(scales):
        classes = int(rng.choice([1, 2, 3, 6, 40, 511]))
        net = Net(np.random.default_rng(seed), (1, 4, classes))
        net.graph.tensors[0].quantization.scale = [float(scale)]
        layers.log_softmax(net)
        data = net.finish()
        (model,) = builds(data)[:1]
        x = random_inputs((4, classes), seed, 24)
        x[2:10] = x[2:10] // 16
        assert_layers_equal([model], data, x)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_quantization(0, scale=[1e-9]), "input has scale 1e-09; more than 2^-25 is required"),
        (set_quantization(1, scale=[0.1]), "output has scale 0.1 and zero point 127; 1/16 and"),
        (set_quantization(1, zeroPoint=[0]), "output has scale 0.0625 and zero point 0"),
    ],
)
def test_refused_log_softmax(change: Change, reason: str) -> None:
    check("LOG_SOFTMAX", layers.log_softmax, change, reason)


def test_log_softmax_of_too_many_classes() -> None:
    change = set_tensor(0, shape=[1, 512])
    check(
        "LOG_SOFTMAX",
        layers.log_softmax,
        several(change, set_tensor(1, shape=[1, 512])),
        "shape [1, 512]; at most 511 classes",
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (content(1, np.array([4], np.int32)), "axes [4] of 4"),
        (set_tensor(2, shape=[1, 1, 4, 3]), "output has shape [1, 1, 4, 3], [1, 1, 4, 2] is"),
        (set_tensor(1, type=0), "axes, tensor 1, must be constant int32"),
    ],
)
def test_refused_reductions(kind: str, change: Change, reason: str) -> None:
    check(kind, lambda net: layers.reduction(net, kind, [1]), change, reason)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("SUM", "its scales require a factor of"), ("REDUCE_MAX", "input and output have different")],
)
def test_refused_scales(kind: str, reason: str) -> None:
    change = set_quantization(2, scale=[1e-20])
    check(kind, lambda net: layers.reduction(net, kind, [1]), change, reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_quantization(1, scale=[0.01]), "output has scale 0.01 and zero point 0; 1/128 and 0"),
        (set_quantization(1, zeroPoint=[3]), "output has scale 0.0078125 and zero point 3"),
        (set_options(fusedActivationFunction=1), "fused activation RELU is not supported"),
        (set_tensor(1, shape=[1, 4, 8]), "output has shape [1, 4, 8]"),
    ],
)
def test_refused_l2_normalization(change: Change, reason: str) -> None:
    check("L2_NORMALIZATION", layers.l2_normalization, change, reason)


def networks() -> list[bytes]:
    def build(net: Net) -> None:
        layers.l2_normalization(net)
        net.unary()
        for kind in KINDS:
            layers.reduced(net, kind)
        layers.log_softmax(net)

    return [build_network(build, (1, 7, 5, 4), seed) for seed in range(8)]


def test_sanitizers_report_nothing() -> None:
    assert_outputs_equal(networks(), range(8), sanitized("dsp"))


def test_emulated_m4_equals_tflite_micro() -> None:
    assert_outputs_equal(networks(), range(8), emulated("mps2-an386"))
