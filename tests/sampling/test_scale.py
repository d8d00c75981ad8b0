"""Codes to counts: the firmware's C against exact integers, and the high-pass against theory."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio import storage
from edgebio.errors import EdgebioError
from edgebio.sampling import scale as scales
from edgebio.sampling.scale import Scale, highpass_corner, highpass_exponent
from tests.struct_layout import assert_same_layout

CODES = st.integers(-(1 << 23), (1 << 23) - 1)


def exact_counts(scale: Scale, codes: list[int]) -> list[int]:
    """One channel, by Python's integers and fractions alone."""
    total: int | None = None
    result = []
    for code in codes:
        value = code - scale.zero
        if scale.highpass:
            if total is None:
                total = value << scale.highpass
            value -= total >> scale.highpass
            total += value
        quotient = math.floor(Fraction(value * scale.multiplier, 1 << scale.shift) + Fraction(1, 2))
        result.append(min(max(quotient, -32768), 32767))
    return result


@given(
    zero=st.integers(-(1 << 16), 1 << 16),
    multiplier=st.integers(1, (1 << 31) - 1),
    shift=st.integers(1, 55),
    highpass=st.integers(0, 30),
    signals=st.lists(st.tuples(CODES, CODES), min_size=1, max_size=40),
    split=st.integers(0, 40),
)
def test_counts_are_the_exact_ones(zero, multiplier, shift, highpass, signals, split):
    scale = Scale(zero, multiplier, shift, highpass)
    codes = np.array(signals, np.int32)
    stream = scale.stream(2)
    counts = np.concatenate([stream.counts(codes[:split]), stream.counts(codes[split:])])
    expected = [exact_counts(scale, codes[:, c].tolist()) for c in range(2)]
    assert counts.T.tolist() == expected


@given(
    code=st.fractions(Fraction(1, 10**9), Fraction(1, 100)),
    count=st.fractions(Fraction(1, 10**8), Fraction(1, 100)),
    value=CODES,
)
def test_factor_is_next_to_the_quotient(code, count, value):
    try:
        scale = Scale.from_volts(code, count)
    except EdgebioError:
        assert not Fraction(1, 1 << 24) <= code / count <= 1 << 24
        return
    assert 0 < scale.multiplier < 1 << 31
    assert 1 <= scale.shift <= 55
    exact = min(max(value * code / count, Fraction(-32768)), Fraction(32767))
    got = scale.stream(1).counts(np.array([[value]]))[0, 0]
    assert abs(int(got) - exact) <= Fraction(1, 2) + Fraction(1, 1 << 15)


def test_half_rounds_up():
    scale = Scale.from_volts(Fraction(1), Fraction(2))
    codes = np.array([[-3], [-1], [1], [3]])
    assert scale.stream(1).counts(codes).ravel().tolist() == [-1, 0, 1, 2]


@pytest.mark.parametrize("rate", [250, 1000, 4000])
@pytest.mark.parametrize("exponent", [2, 4, 7])
def test_highpass_halves_the_power_at_its_corner(rate, exponent):
    corner = highpass_corner(exponent, rate)
    window = round(8 * rate / corner)  # whole periods, after the high-pass has settled
    time = np.arange(40 * 2**exponent + window) / rate
    codes = np.rint(4e6 * np.sin(2 * math.pi * corner * time)).astype(np.int32)[:, None]
    scale = Scale(0, 1, 8, exponent)  # counts of 256 codes
    out = scale.stream(1).counts(codes).astype(float)[-window:]
    power = np.mean(out**2) / np.mean((codes[-window:] / 256.0) ** 2)
    assert power == pytest.approx(0.5, rel=0.02)


def test_highpass_removes_the_offset_of_an_electrode():
    """300 mV at a gain of 12 are 12.6 million codes of 24 nV: beyond int16 at steps of 0.5 uV."""
    step = 2 * Fraction("2.4") / 12 / (1 << 24)
    scale = Scale.from_volts(step, Fraction(1, 2_000_000), highpass=5)
    without = Scale.from_volts(step, Fraction(1, 2_000_000))
    offset = round(Fraction("0.15") / step)
    wave = np.rint(2e-5 / float(step) * np.sin(np.arange(4000) / 3.0)).astype(np.int32)
    codes = (offset + wave)[:, None]
    assert (without.stream(1).counts(codes) == 32767).all()
    counts = scale.stream(1).counts(codes).ravel()[1000:]
    assert abs(counts.mean()) < 0.5
    assert 30 < counts.max() < 45


@given(corner=st.floats(0.05, 60), rate=st.sampled_from([250, 1000, 4000, 32000]))
def test_exponent_has_the_nearest_corner(corner, rate):
    if corner > highpass_corner(1, rate):
        with pytest.raises(EdgebioError, match="it can be"):
            highpass_exponent(corner, rate)
        return
    exponent = highpass_exponent(corner, rate)
    distance = abs(math.log2(highpass_corner(exponent, rate) / corner))
    assert all(
        distance <= abs(math.log2(highpass_corner(other, rate) / corner)) for other in range(1, 31)
    )


def test_wrong_codes_are_refused():
    stream = Scale(0, 1, 1).stream(2)
    wrong: list[npt.NDArray[Any]] = [
        np.zeros((3, 1), int), np.zeros(3, int), np.zeros((3, 2)), np.full((1, 2), 1 << 23)
    ]  # fmt: skip
    for codes in wrong:
        with pytest.raises(EdgebioError, match="codes"):
            stream.counts(codes)


def test_ctypes_structs_match_the_c(tmp_path):
    assert_same_layout(
        tmp_path,
        "eb_scale.h",
        {"eb_scale": scales.ScaleC, "eb_highpass": scales.HighpassC},
        [storage.assets("firmware_assets") / "sources"],
    )
