"""Faults of the compiler are reported before any C is written."""

import dataclasses
from typing import Any

import pytest

from edgebio import compiler
from edgebio.compiler.ir.layers import Conv2D, Pool
from edgebio.compiler.ir.network import Network
from edgebio.compiler.passes import invariants
from edgebio.errors import EdgebioError
from tests.compiler.passes.reshaped_networks import build_plain, image_pooled_under_another_shape

pytestmark = pytest.mark.usefixtures("tflite_micro")


@pytest.fixture
def network() -> Network:
    """A CONV_2D and a MAX_POOL_2D that are not fused."""
    data = build_plain(image_pooled_under_another_shape, (8, 6, 2))
    return compiler.compile_model(data).network


def with_fields(network: Network, position: int, **fields: Any) -> Network:
    """The network with other fields of one layer."""
    layers = list(network.layers)
    layers[position] = dataclasses.replace(layers[position], **fields)
    return dataclasses.replace(network, layers=tuple(layers))


def assert_refused(wrong: Network, reason: str) -> None:
    with pytest.raises(EdgebioError) as error:
        invariants.check(wrong)
    assert str(error.value).startswith("internal error of the compiler")
    assert reason in str(error.value)


def test_inconsistent_weights_and_windows_are_refused(network: Network) -> None:
    conv, pool = network.layers
    assert isinstance(conv, Conv2D)
    assert isinstance(pool, Pool)
    invariants.check(network)
    # A pool with the window of a column on a row of pixels.
    row = dataclasses.replace(conv.window, input=(1, 48), output=(1, 48))
    fused = {"window": row, "pool": (2, 1), "output": pool.output}
    one = dataclasses.replace(network, layers=network.layers[:1])
    reason = "operator 0 (CONV_2D) pools (2, 1) of (1, 48) pixels"
    assert_refused(with_fields(one, 0, **fused), reason)
    short = with_fields(network, 0, weights=conv.weights[:, :2])
    assert_refused(short, "has weights (4, 2, 3, 2)")
    few = with_fields(network, 0, weights=conv.weights[:3])
    assert_refused(few, "writes 144 elements, where its output")
    for name, value, reason in (
        ("input", (8, 7), "fits (8, 7) times"),
        ("output", (8, 0), "has a window of output (8, 0)"),
        ("before", (0, 0), "fits (7, 5) times"),
        ("channels", 3, "has weights (4, 3, 3, 2), where its window takes (4, 3, 3, 3)"),
        ("stride", (1, 0), "has a window of stride (1, 0)"),
    ):
        fields: dict[str, Any] = {name: value}
        window = dataclasses.replace(conv.window, **fields)
        assert_refused(with_fields(network, 0, window=window), reason)
    taller = dataclasses.replace(pool.window, input=(7, 8))
    reason = "reads (224,) elements, where its inputs have"
    assert_refused(with_fields(network, 1, window=taller), reason)


def test_inconsistent_order_and_output_are_refused(network: Network) -> None:
    first, second = network.layers
    for layers, reason in (
        ((second,), "no layer before it writes"),
        ((first,), "no layer writes the model's"),
        ((first, first), "another layer has written"),
    ):
        assert_refused(dataclasses.replace(network, layers=layers), reason)
    assert_refused(dataclasses.replace(network, declared_outputs=(0,)), "the model's output, of 96")


def test_fusion_that_computes_another_image_is_refused(network: Network) -> None:
    conv, pool = network.layers
    # The same number of elements, of other pixels: no count shows it.
    pooled = dataclasses.replace(conv, pool=(2, 2), output=pool.output)  # type: ignore[call-arg]
    invariants.check(dataclasses.replace(network, layers=(pooled,)))
    with pytest.raises(EdgebioError, match=r"operator 0 \(CONV_2D\) does not compute the image"):
        invariants.check_fusion(pool, pooled)
