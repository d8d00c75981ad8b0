"""The source of a chip's converter: order, numbers, times and losses, whatever the timing."""

import ctypes
from ctypes import c_int16, c_uint16, c_uint32
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio import storage
from edgebio.processes import host_compiler
from edgebio.sampling.scale import Scale

HERE = Path(__file__).with_name("adc")
CHANNELS, RING = 3, 64
SCALE = Scale(2048, 1_500_000_000, 29)
PERIOD = Fraction(12289, 25)  # us: a rate that is no whole number
OVERRUN = 1


class Block(ctypes.Structure):
    """``eb_source_block``."""

    _fields_ = (
        ("samples", ctypes.POINTER(c_int16)),
        ("first", c_uint32),
        ("time_us", c_uint32),
        ("leads_off", c_uint32),
        ("frames", c_uint16),
        ("flags", c_uint16),
    )


class Source:
    """The source with a converter whose progress the test sets."""

    def __init__(self, folder: Path) -> None:
        (folder / "source_config.h").write_text(f"""\
#define EB_SOURCE_CHANNELS {CHANNELS}u
#define EB_SOURCE_RATE_MILLIHZ 2034339u
#define EB_SOURCE_RING_FRAMES {RING}u
#define EB_SOURCE_SCALE {{.zero = {SCALE.zero}, .multiplier = {SCALE.multiplier}, \\
    .shift = {SCALE.shift}, .highpass = 0}}
#define EB_SOURCE_PERIOD_NUMERATOR {PERIOD.numerator}u
#define EB_SOURCE_PERIOD_DENOMINATOR {PERIOD.denominator}u
""")
        assets = storage.assets("firmware_assets")
        self.library = host_compiler.load_library(
            "adc_source", [assets / "sources" / "eb_source_adc.c", HERE / "fake_adc.c"],
            [folder, HERE, assets / "sources", assets / "ports"],
        )  # fmt: skip
        self.library.eb_source_take.restype = ctypes.c_bool

    def start(self, micros: int = 0) -> None:
        self.library.fake_start(c_uint32(micros))
        self.frames = 0  # of the converter

    def convert(self, frames: int, *, during: bool = False) -> None:
        name = "fake_convert_during" if during else "fake_convert"
        getattr(self.library, name)(c_uint32(frames))
        self.frames += frames

    def take(self) -> tuple[Block, np.ndarray] | None:
        block = Block()
        if not self.library.eb_source_take(ctypes.byref(block)):
            return None
        shape = (block.frames, CHANNELS)
        samples = np.ctypeslib.as_array(block.samples, shape).copy()
        self.library.eb_source_release()
        return block, samples


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return Source(tmp_path_factory.mktemp("adc"))


def counts(frames: np.ndarray) -> np.ndarray:
    codes = (16 * frames[:, None] + np.arange(CHANNELS)) & 4095
    return SCALE.stream(CHANNELS).counts(codes.astype(np.int32))


@settings(max_examples=300, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 100), st.integers(0, 80), st.integers(0, 4)), max_size=40
    ),
    start=st.sampled_from([0, 12345, (1 << 32) - 5000]),
)
def test_frames_are_in_order_or_their_loss_is_reported(
    source: Source, steps: list[tuple[int, int, int]], start: int
) -> None:
    source.start(start)
    expected = 0
    for arrive, during, takes in steps:
        source.convert(arrive)
        source.convert(during, during=True)
        for _ in range(takes):
            taken = source.take()
            if taken is None:
                continue
            block, samples = taken
            assert block.frames
            assert bool(block.flags & OVERRUN) == (block.first != expected)
            assert block.first >= expected
            if block.first != expected:
                assert source.frames - expected >= RING, "not lost without need"
            numbers = np.arange(block.first, block.first + block.frames)
            assert np.array_equal(samples, counts(numbers))
            assert block.time_us == (start + int(block.first * PERIOD)) % (1 << 32)
            expected = block.first + block.frames


def test_a_lost_conversion_starts_anew_with_a_gap(source: Source) -> None:
    source.start(1000)
    source.convert(20)
    assert source.take()
    source.convert(5)
    source.library.fake_fail(c_uint32(50_000))
    assert source.take() is None
    source.frames = 0
    source.convert(7)
    taken = source.take()
    assert taken
    block, samples = taken
    assert (block.first, block.frames, block.flags, block.time_us) == (26, 7, OVERRUN, 50_000)
    assert np.array_equal(samples, counts(np.arange(7)))
    source.convert(3)
    taken = source.take()
    assert taken
    assert (taken[0].first, taken[0].flags) == (33, 0)


def test_time_is_exact_after_millions_of_frames(source: Source) -> None:
    source.start()
    total = 0
    for _ in range(5000):
        source.convert(63)
        while taken := source.take():
            assert taken[0].time_us == int(taken[0].first * PERIOD) % (1 << 32)
            total += taken[0].frames
    assert total == 63 * 5000
