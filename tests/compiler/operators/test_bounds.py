"""ABS, MINIMUM and MAXIMUM: every byte equals tflite-micro's."""

import numpy as np
import pytest

from edgebio.compiler import arithmetic
from edgebio.compiler.host_model import HostModel
from tests.compiler import layers_without_weights as layers
from tests.compiler.changes import Change, set_quantization, set_tensor
from tests.compiler.networks import Net
from tests.compiler.operators.test_refused_operators import check, content, inputs
from tests.compiler.reference import (
    assert_equal,
    assert_layers_equal,
    assert_outputs_equal,
    build_network,
    emulated,
    kinds,
    sanitized,
)

pytestmark = pytest.mark.usefixtures("tflite_micro")

KINDS = ("MINIMUM", "MAXIMUM")
SIZES: tuple[tuple[int, ...], ...] = (
    (1,), (3,), (4, 3), (5, 1, 3), (1, 1, 4, 1), (1, 5, 4, 3), (1, 5, 4, 1)
)  # fmt: skip


def constant(net: Net, size: tuple[int, ...]) -> int:
    data = net.rng.integers(-128, 128, size).astype(np.int8)
    return net.tensor(size, "INT8", net.scale_of(net.at), net.zero_of(net.at), data=data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("first", [True, False])
def test_bound_by_a_constant(kind: str, size: tuple[int, ...], first: bool) -> None:
    def build(net: Net) -> None:
        layers.bound(net, kind, constant(net, size), first=first)

    model = assert_equal(build, (1, 5, 4, 3))
    function = "table" if size == (1,) else kind.lower()
    assert model.program.calls[0].function == f"eb_run_{function}"


@pytest.mark.parametrize("kind", KINDS)
def test_bound_of_two_tensors(kind: str) -> None:
    def build(net: Net) -> None:
        layers.bounded_branch(net)
        layers.bound(net, kind)
        net.unary()

    assert {"MINIMUM", "MAXIMUM"} & set(kinds(assert_equal(build, (1, 5, 4, 3), seeds=6)))


@pytest.mark.parametrize("kind", KINDS)
def test_constant_is_larger_than_the_tensor(kind: str) -> None:
    def build(net: Net) -> None:
        layers.bound(net, kind, constant(net, (1, 5, 4, 3)))

    assert_equal(build, (1, 1, 4, 1))


def test_every_result_of_abs() -> None:
    """Among others with quotients just below 3/4, which float32 rounds up: 2 becomes 1, not 2."""
    rng, scales = np.random.default_rng(0), [(0.1, 0.1)]
    while len(scales) < 40:
        target = np.float32(rng.uniform(0.01, 0.3))
        source = np.float32(0.75 * float(target))
        if arithmetic.quotient(source, target) == 0.75 > float(source) / float(target):
            scales += [(float(source), float(target)), tuple(rng.uniform(0.01, 0.3, 2))]
    for seed, (source_scale, target_scale) in enumerate(scales):
        net = Net(np.random.default_rng(seed), (1, 256))
        net.graph.tensors[0].quantization.scale = [source_scale]
        net.operator("ABS", [0], [net.activation((1, 256), target_scale)])
        net.at = 1
        data = net.finish()
        x = np.arange(-128, 128).astype(np.int8)[None]
        assert_layers_equal([HostModel(data)], data, x)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_quantization(0, scale=[0.9]), "inputs and output have different scales"),
        (set_tensor(2, shape=[1, 4, 4, 3]), "output has shape [1, 4, 4, 3], [1, 4, 4, 2] is"),
        (inputs(_0=1), "both inputs are constants"),
        (content(1, np.zeros(3, np.int8)), "shapes [1, 4, 4, 2] and [3] do not broadcast"),
    ],
)
def test_refused_bounds(kind: str, change: Change, reason: str) -> None:
    check(kind, lambda net: layers.bound(net, kind, constant(net, (2,))), change, reason)


def networks() -> list[bytes]:
    def build(net: Net) -> None:
        layers.bounded_branch(net)
        for kind in KINDS:
            layers.bound(net, kind)
        layers.unary(net, "ABS")

    return [build_network(build, (1, 7, 5, 3), seed) for seed in range(6)]


def test_sanitizers_report_nothing() -> None:
    assert_outputs_equal(networks(), range(6), sanitized("portable"))


def test_emulated_m4_equals_tflite_micro() -> None:
    assert_outputs_equal(networks(), range(6), emulated("mps2-an386"))
