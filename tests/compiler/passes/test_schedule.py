"""Speed is given up for size only as far as required, and the cheapest first."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio.compiler.ir.kernel_call import Array, KernelCall
from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.passes.schedule import CODE, SHARES, Goal, Optimize, shrink
from edgebio.errors import EdgebioError

Pairs = list[tuple[KernelCall, KernelCall | None]]
"""Fast calls, and their forms with smaller constants."""


def make_call(size: int, estimate: int, smaller: KernelCall | None = None) -> KernelCall:
    weights = Array("weights", "int8_t", (0,) * size, "")
    form = (lambda: smaller) if smaller else None
    layer = Layer((0,), "CONV_2D", (0,), 1)
    return KernelCall(layer, "", (), arrays=(weights,), estimate=estimate, smaller=form)


@st.composite
def plans(draw: st.DrawFn) -> Pairs:
    """Fast calls, most with a form that is smaller and slower."""
    pairs: Pairs = []
    for _ in range(draw(st.integers(1, 7))):
        size, fast = draw(st.integers(2, 60)), draw(st.integers(0, 1000))
        small = make_call(draw(st.integers(1, size - 1)), fast + draw(st.integers(1, 3000)))
        form = draw(st.sampled_from([small, small, None]))
        pairs.append((make_call(size, fast, form), form))
    return pairs


def run(pairs: Pairs, goal: Goal) -> list[KernelCall]:
    return list(shrink([fast for fast, _ in pairs], goal))


def total(calls: list[KernelCall]) -> int:
    return sum(call.constant_bytes for call in calls)


@given(plans())
def test_speed_and_size_are_the_extremes(pairs: Pairs) -> None:
    assert run(pairs, Goal("fastest")) == [fast for fast, _ in pairs]
    assert run(pairs, Goal("size")) == [small or fast for fast, small in pairs]


@pytest.mark.parametrize("optimize", SHARES)
@given(pairs=plans())
def test_larger_constants_save_their_share_of_the_instructions(
    pairs: Pairs, optimize: Optimize
) -> None:
    instructions = sum(fast.estimate for fast, _ in pairs)
    smallest = total([small or fast for fast, small in pairs])
    for (fast, small), chosen in zip(pairs, run(pairs, Goal(optimize)), strict=True):
        if small:
            saved = small.estimate - fast.estimate
            more = fast.constant_bytes - small.constant_bytes
            enough = saved / more >= SHARES[optimize] * instructions / (smallest + CODE)
            assert (chosen is fast) == enough


@given(plans(), st.integers(0, 300))
def test_budget_is_met_with_no_more_given_up_than_required(pairs: Pairs, budget: int) -> None:
    smallest = total([small or fast for fast, small in pairs])
    if budget < smallest:
        with pytest.raises(EdgebioError, match=f"at least {smallest} bytes of flash, and {budget}"):
            run(pairs, Goal("fastest", constants=budget))
        return
    chosen = run(pairs, Goal("fastest", constants=budget))
    assert total(chosen) <= budget
    given_up = [
        (small.estimate - fast.estimate) / (fast.constant_bytes - small.constant_bytes)
        for (fast, small), call in zip(pairs, chosen, strict=True)
        if small and call is small
    ]
    if given_up:  # without the most expensive one, it would not fit
        most_expensive = max(range(len(given_up)), key=lambda index: given_up[index])
        index = [i for i, call in enumerate(chosen) if call is pairs[i][1]][most_expensive]
        assert total([*chosen[:index], pairs[index][0], *chosen[index + 1 :]]) > budget
    not_given_up = [
        (small.estimate - fast.estimate) / (fast.constant_bytes - small.constant_bytes)
        for (fast, small), call in zip(pairs, chosen, strict=True)
        if small and call is fast
    ]
    assert all(a <= b for a, b in itertools.product(given_up, not_given_up))


def test_a_form_may_have_a_smaller_form_of_its_own() -> None:
    narrow = make_call(10, 900)
    wide = make_call(20, 500, narrow)
    tiles = make_call(70, 300, wide)
    other = make_call(50, 100, make_call(40, 200))
    start = [tiles, other]
    assert list(shrink(start, Goal("fastest"))) == start
    assert list(shrink(start, Goal("fastest", constants=119))) == [wide, other]
    assert total(list(shrink(start, Goal("fastest", constants=65)))) == 60
    assert total(list(shrink(start, Goal("size")))) == 50
