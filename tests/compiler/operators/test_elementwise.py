"""Elementwise operators: every byte that their kernels write equals tflite-micro's."""

import math

import numpy as np
import pytest

from edgebio import compiler, tflite
from edgebio.compiler.operators import logistic as sigmoids
from tests.compiler import layers_without_weights
from tests.compiler.changes import assert_refused
from tests.compiler.networks import Net
from tests.compiler.reference import (
    assert_equal,
    build_network,
    kinds,
    reference_outputs,
)

pytestmark = pytest.mark.usefixtures("tflite_micro")


@pytest.mark.parametrize("kind", ["SUB", "MUL"])
@pytest.mark.parametrize(
    ("shape", "first"),
    [
        (None, True),
        (None, False),
        ((5, 1, 3), True),
        ((3,), False),
        ((1, 1, 4, 1), True),
        ((1,), False),
    ],
)
def test_sub_and_mul_with_a_constant(kind: str, shape: tuple[int, ...] | None, first: bool) -> None:
    def build(net: Net) -> None:
        size = shape or net.shape_of(net.at)
        data = net.rng.integers(-128, 128, size).astype(np.int8)
        other = net.tensor(size, "INT8", net.near(net.at), net.zero_point(), data=data)
        net.binary(kind, other, first=first)

    assert_equal(build, (1, 5, 4, 3))


@pytest.mark.parametrize("kind", ["SUB", "MUL"])
def test_sub_and_mul_of_two_branches(kind: str) -> None:
    def build(net: Net) -> None:
        trunk = net.at
        net.unary()
        net.binary(kind, trunk)
        net.unary()

    model = assert_equal(build, (1, 5, 4, 3))
    assert kind in kinds(model)


@pytest.mark.parametrize("shape", [(1, 5, 1, 3), (1, 1, 4, 1), (1,), (4, 3), (1, 5, 4, 1)])
@pytest.mark.parametrize("first", [True, False])
def test_add_broadcasts_the_smaller_input(shape: tuple[int, ...], first: bool) -> None:
    def build(net: Net) -> None:
        data = net.rng.integers(-128, 128, shape).astype(np.int8)
        other = net.tensor(shape, "INT8", net.near(net.at), net.zero_point(), data=data)
        net.binary("ADD", other, first=first)

    assert_equal(build, (1, 5, 4, 3))


SCALES = (0.0001, 0.003, 0.02, 0.0629, 0.1, 0.7, 3.0)


@pytest.mark.parametrize("kind", ["LOGISTIC", "TANH", "HARD_SWISH", "LEAKY_RELU"])
def test_every_result_of_a_table(kind: str) -> None:
    for seed, scale in enumerate(np.repeat(SCALES, 6)):
        check_table(kind, np.float32(scale * np.random.default_rng(seed).uniform(1, 2)), seed)


@pytest.mark.parametrize("scale", [2.0**-28, 2.0**-20, 15.99])
@pytest.mark.parametrize("kind", ["LOGISTIC", "TANH"])
def test_sigmoids_at_the_limits_of_the_input_scale(kind: str, scale: float) -> None:
    check_table(kind, np.float32(scale), 1)


def check_table(kind: str, scale: np.float32, seed: int) -> None:
    net = Net(np.random.default_rng(seed), (1, 256))
    net.graph.tensors[0].quantization.scale = [float(scale)]
    net.table(kind)
    data = net.finish()
    table = compiler.compile_model(data).calls[0].layer.table  # type: ignore[attr-defined]
    x = np.arange(-128, 128).astype(np.int8)[None]
    np.testing.assert_array_equal(table, reference_outputs(data, x)[0][0, 0])


def test_sigmoids_are_close_to_the_real_functions() -> None:
    x = np.arange(-128, 128)
    for function, offset, steps, real in (
        (sigmoids.logistic, 128, 256, lambda v: 1 / (1 + np.exp(-v))),
        (sigmoids.tanh, 0, 128, np.tanh),
    ):
        quantized = function(np.float32(0.05), 3)
        values = (np.array([quantized(int(v)) for v in x]) + offset) / steps
        assert np.abs(values - real((x - 3) * 0.05)).max() <= 1 / steps


@pytest.mark.parametrize("slopes", [(1, 1, 3), (3,), (4, 3), (5, 4, 3), (1, 5, 1, 1)])
def test_prelu(slopes: tuple[int, ...]) -> None:
    model = assert_equal(lambda net: net.prelu(slopes), (1, 5, 4, 3), seeds=1)
    assert kinds(model) == ["PRELU"]
    assert model.program.calls[0].function == "eb_run_prelu"


def test_prelu_of_one_slope_is_a_table() -> None:
    model = assert_equal(lambda net: net.prelu((1, 1, 1)), (1, 5, 4, 3), seeds=2)
    assert model.program.calls[0].function == "eb_run_table"


def test_output_keeps_its_scale_if_its_quantize_is_dropped() -> None:
    """The scale is so close to the one before it that no value changes."""

    def build(net: Net) -> None:
        net.conv()
        output = net.activation(
            net.shape_of(net.at), net.scale_of(net.at) * np.float32(1.001), net.zero_of(net.at)
        )
        net.operator("QUANTIZE", [net.at], [output])
        net.at = output
        net.reshape((1, math.prod(net.shape_of(net.at))))

    model = assert_equal(build, (1, 5, 4, 3))
    assert kinds(model) == ["CONV_2D"]
    declared = tflite.read(build_network(build, (1, 5, 4, 3), 1))
    (output,) = declared.outputs
    assert model.output_scale == declared.tensors[output].scale[0]
    assert f"{model.output_scale:.9g}" in compiler.c_files(model.program)["model.h"]


def test_softmax_over_511_classes() -> None:
    """The most that is supported; equal logits give the largest sum."""
    assert_equal(lambda net: net.softmax(), (1, 511))


@pytest.mark.parametrize("axes", [[1], [2], [3], [1, 2], [1, 3], [2, 3], [1, 2, 3]])
def test_mean_over_any_axes(axes: list[int]) -> None:
    assert_equal(lambda net: net.mean(axes, keep=False), (1, 5, 7, 3))


def test_every_result_of_elu() -> None:
    for seed, scale in enumerate(np.repeat(SCALES, 6)):
        net = Net(np.random.default_rng(seed), (1, 256))
        net.graph.tensors[0].quantization.scale = [float(scale) * net.rng.uniform(1, 2)]
        layers_without_weights.unary(net, "ELU")
        data = net.finish()
        table = compiler.compile_model(data).calls[0].layer.table  # type: ignore[attr-defined]
        x = np.arange(-128, 128).astype(np.int8)[None]
        np.testing.assert_array_equal(table, reference_outputs(data, x)[0][0, 0])


def test_elu_of_scales_that_are_too_far_apart() -> None:
    net = Net(np.random.default_rng(0), (1, 4))
    net.operator("ELU", [0], [net.activation((1, 4), net.scale_of(0) * np.float32(1e-7))])
    net.at = 1
    assert_refused(net, "operator 0 (ELU): its scales require a factor of")
