"""A requantization that shifts less gives the same value for every sum."""

from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio.compiler.arithmetic import requantize
from edgebio.compiler.passes.small_scales import MOST_SHIFT, _first_sum, fit_small_scale


@settings(max_examples=40)
@given(
    st.integers(-(1 << 29), 1 << 29),
    st.integers(1 << 30, (1 << 31) - 1),
    st.integers(-31, -1),
    st.integers(0, 1 << 14),
    st.data(),
)
def test_every_sum_is_requantized_to_the_same_value(
    bias: int, multiplier: int, shift: int, magnitude: int, data: st.DataObject
) -> None:
    fitted = fit_small_scale((bias, multiplier, shift), magnitude)
    if fitted is None:
        # With at most one step, one is always found.
        ends = {requantize(bias + end, multiplier, shift) for end in (-magnitude, magnitude)}
        assert shift >= -MOST_SHIFT or max(ends) - min(ends) > 1
        return
    assert shift < -MOST_SHIFT == fitted[2]
    sums = data.draw(st.lists(st.integers(-magnitude, magnitude), max_size=50))
    for sum_ in (-magnitude, *sums, magnitude):
        same = requantize(fitted[0] + sum_, *fitted[1:])
        assert same == requantize(bias + sum_, multiplier, shift)


def test_a_step_at_an_odd_sum_stays_there() -> None:
    """Without another bias, the smaller multiplier would round the step away."""
    old = (12_345_679, 1_500_000_001, -26)
    bias, multiplier, shift = old
    step = _first_sum(1, multiplier, shift) - bias
    fitted = fit_small_scale(old, abs(step) + 5)
    assert fitted is not None
    assert requantize(fitted[0] + step, *fitted[1:]) == 1
    assert requantize(fitted[0] + step - 1, *fitted[1:]) == 0
