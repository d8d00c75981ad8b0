"""What is given up for size: no more than is asked for, and the cheapest first."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio.compiler import network as net
from edgebio.compiler.goal import WORTH, Goal, shrink
from edgebio.compiler.step import Array, Step
from edgebio.errors import EdgebioError


def step(index: int, size: int, estimate: int) -> Step:
    layer = net.Layer((index,), "CONV_2D", (index,), index + 1)
    weights = Array("weights", "int8_t", (0,) * size, "")
    return Step(layer, "", (), "dsp", arrays=(weights,), estimate=estimate)


Pairs = list[tuple[Step, Step | None]]


@st.composite
def plans(draw: st.DrawFn) -> Pairs:
    """Fast steps, most with a form that is smaller and slower."""
    found: Pairs = []
    for index in range(draw(st.integers(1, 7))):
        size, fast = draw(st.integers(2, 60)), draw(st.integers(0, 1000))
        small = step(index, draw(st.integers(1, size - 1)), fast + draw(st.integers(1, 3000)))
        found.append((step(index, size, fast), draw(st.sampled_from([small, small, None]))))
    return found


def run(pairs: Pairs, goal: Goal) -> list[Step]:
    forms = {pair[0].layer.output: pair[1] for pair in pairs}
    fast = [pair[0] for pair in pairs]
    return list(shrink(fast, lambda which: forms[which.layer.output], goal))


def size(steps: list[Step]) -> int:
    return sum(each.constant_bytes for each in steps)


@given(plans())
def test_speed_and_size_are_the_ends(pairs: Pairs) -> None:
    assert run(pairs, Goal()) == [fast for fast, _ in pairs]
    assert run(pairs, Goal("size")) == [small or fast for fast, small in pairs]


@given(plans())
def test_balanced_pays_what_a_byte_is_worth(pairs: Pairs) -> None:
    for (fast, small), chosen in zip(pairs, run(pairs, Goal("balanced")), strict=True):
        if small:
            saved = small.estimate - fast.estimate
            more = fast.constant_bytes - small.constant_bytes
            assert (chosen is fast) == (saved >= WORTH * more)


@given(plans(), st.integers(0, 300))
def test_a_budget_is_kept_and_no_more_given_up_than_needed(pairs: Pairs, budget: int) -> None:
    smallest = size([small or fast for fast, small in pairs])
    if budget < smallest:
        with pytest.raises(EdgebioError, match=f"at least {smallest} bytes of flash, and {budget}"):
            run(pairs, Goal(constants=budget))
        return
    chosen = run(pairs, Goal(constants=budget))
    assert size(chosen) <= budget
    given_up = [
        (small.estimate - fast.estimate) / (fast.constant_bytes - small.constant_bytes)
        for (fast, small), step in zip(pairs, chosen, strict=True)
        if small and step is small
    ]
    if given_up:  # without the dearest of them it would not fit
        dearest = max(range(len(given_up)), key=lambda index: given_up[index])
        index = [i for i, step in enumerate(chosen) if step is pairs[i][1]][dearest]
        assert size([*chosen[:index], pairs[index][0], *chosen[index + 1 :]]) > budget
    kept = [
        (small.estimate - fast.estimate) / (fast.constant_bytes - small.constant_bytes)
        for (fast, small), step in zip(pairs, chosen, strict=True)
        if small and step is fast
    ]
    assert all(a <= b for a, b in itertools.product(given_up, kept))
