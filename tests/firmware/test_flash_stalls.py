"""Waits for flash by hand-counted runs."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgebio.boards.flash_timing import FlashTiming
from edgebio.firmware import flash_stalls

TIMING = FlashTiming(stall=5, line_bytes=16, code_cache=32, data_cache=64, source="x")
LAYER = 7


def rows(*executions: tuple[int, int]) -> np.ndarray:
    return np.array([(LAYER, address, count, 0) for address, count in executions], np.int64)


def test_code_that_fits_the_cache_is_fetched_once_a_decision() -> None:
    run = rows((0, 30), (8, 3000), (16, 30))  # two lines, which is the cache
    assert flash_stalls.code_stalls(TIMING, run, {LAYER: 30}, 3) == 2 * 3 * 5


def test_code_beyond_the_cache_is_fetched_each_time() -> None:
    run = rows((0, 30), (16, 3000), (32, 2000), (48, 40))
    # The hottest two lines are fetched at each of 30 starts; the others each time.
    expected = (30 + 30) + (40 + 30)
    assert flash_stalls.code_stalls(TIMING, run, {LAYER: 30}, 3) == expected * 5


def call(size: int, macs: int, isa: str = "dsp") -> Any:
    return SimpleNamespace(constant_bytes=size, layer=SimpleNamespace(macs=macs), isa=isa)


@pytest.mark.parametrize(
    ("calls", "lines"),
    [
        ([call(64, 100_000)], 4),  # they stay in the cache
        ([call(65, 0)], 5),
        ([call(160, 3200)], 100),  # read for every second output
        ([call(160, 3200, "portable")], 200),
        ([call(64, 0), call(160, 3200)], 104),
    ],
)
def test_constants_are_read_once_or_for_each_outputs(calls: list[Any], lines: int) -> None:
    program: Any = SimpleNamespace(calls=calls, stream=None)
    assert flash_stalls.constant_stalls(TIMING, program) == lines * 5


def test_a_shared_cache_holds_code_and_constants() -> None:
    shared = TIMING.model_copy(update={"code_cache": 1024, "data_cache": 1024, "shared": True})
    run = rows((0, 1), (500, 1), (1016, 1))  # three lines
    program: Any = SimpleNamespace(constant_bytes=1024 - 3 * 16)
    assert flash_stalls.fits_cache(shared, run, program)
    assert not flash_stalls.fits_cache(shared, run, SimpleNamespace(constant_bytes=977))  # type: ignore[arg-type]
    assert not flash_stalls.fits_cache(TIMING, run, SimpleNamespace(constant_bytes=0))  # type: ignore[arg-type]
