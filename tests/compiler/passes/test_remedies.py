"""Alternatives of operators that are not supported."""

import pytest

from edgebio.compiler.operators import OPERATORS
from edgebio.compiler.passes import remedies


def named(text: str) -> list[str]:
    return text.partition("supported instead: ")[2].split(", ") if "instead" in text else []


@pytest.mark.parametrize("kind", sorted({*remedies._ALTERNATIVES, "RELU_0_TO_1", "CONV_2E"}))
def test_at_most_three_supported_operators_are_named(kind: str) -> None:
    text = remedies.supported_instead(kind)
    assert text.startswith("not supported; ")
    assert len(named(text)) <= 3
    assert set(named(text)) <= set(OPERATORS)


def test_nearest_operator_by_meaning_then_by_name() -> None:
    assert named(remedies.supported_instead("GELU")) == ["HARD_SWISH", "ELU", "LEAKY_RELU"]
    assert "CONV_2D" in named(remedies.supported_instead("CONV_2E"))
    assert remedies.supported_instead("HASHTABLE") == (
        "not supported; replace the layer that computes it"
    )


def test_no_alternative_is_an_operator_that_needs_one() -> None:
    for kind, alternatives in remedies._ALTERNATIVES.items():
        assert kind not in alternatives
