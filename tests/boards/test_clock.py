"""port_micros against simulated silicon, at every point of a lap, through the wrap of 2^32."""

import ctypes
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio import storage
from edgebio.processes import host_compiler

HERE = Path(__file__).with_name("clock")
LAP_MICROS = 50_000
GUARD_MICROS = 250_000


class Clock:
    """clock.c of a core of so many MHz."""

    def __init__(self, folder: Path, mhz: int) -> None:
        self.mhz = mhz
        (folder / "eb_board.h").write_text(f"#define EB_CLOCK_HZ {mhz}000000u\n")
        ports = storage.assets("firmware_assets") / "ports"
        source = folder / "clock.c"  # a copy: its own folder holds the real registers
        source.write_bytes((ports / "cortex_m" / "clock.c").read_bytes())
        for name in ("cortex_m.h", "simulated.c"):
            (folder / name).write_bytes((HERE / name).read_bytes())
        (folder / "port.h").write_bytes((ports / "port.h").read_bytes())
        sources = [source, folder / "simulated.c"]
        self.library = host_compiler.load_library(f"clock{mhz}", sources, [folder])
        self.library.sim_read.restype = ctypes.c_uint32
        self.library.sim_pass.argtypes = [ctypes.c_uint64]

    def read(self, *steps: int) -> tuple[int, int, int]:
        """What it reads, and the true ticks before and after."""
        start, end = ctypes.c_uint64(), ctypes.c_uint64()
        given = (ctypes.c_uint32 * 3)(*steps)
        read = self.library.sim_read(given, ctypes.byref(start), ctypes.byref(end))
        return read, start.value, end.value


@pytest.fixture(scope="module", params=[20, 25, 168])
def clock(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Clock:
    return Clock(tmp_path_factory.mktemp("clock"), request.param)


steps = st.tuples(*[st.integers(0, 2000)] * 3)


@given(data=st.data())
def test_it_reads_a_time_within_the_call(clock: Clock, data: st.DataObject) -> None:
    clock.library.sim_start()
    lap = LAP_MICROS * clock.mhz
    last = 0
    for near in data.draw(st.lists(st.booleans(), min_size=1, max_size=12)):
        _, now, _ = clock.read(0, 0, 0)
        if near:  # shortly before the end of a lap, where it is difficult
            clock.library.sim_pass(max(0, lap - now % lap - data.draw(st.integers(0, 3000))))
        else:
            clock.library.sim_pass(data.draw(st.integers(0, 3 * lap)))
        read, start, end = clock.read(*data.draw(steps))
        assert start // clock.mhz <= read <= end // clock.mhz
        assert read >= last
        last = read


def test_it_wraps_at_two_to_the_thirty_two(clock: Clock) -> None:
    clock.library.sim_start()
    wrap = (1 << 32) * clock.mhz
    clock.library.sim_pass(wrap // 2)  # and then some, as interrupts take their time
    _, now, _ = clock.read(0, 0, 0)
    clock.library.sim_pass(max(0, wrap - now - LAP_MICROS * clock.mhz * 100))
    seen = set()
    for _ in range(300):
        clock.library.sim_pass(LAP_MICROS * clock.mhz // 2)
        read, now, _ = clock.read(0, 0, 0)
        assert read == now // clock.mhz % (1 << 32)
        seen.add(now >= wrap)
    assert seen == {False, True}


@given(refreshes=st.lists(st.integers(1, 190_000), max_size=8), silence=st.integers(0, 600_000))
def test_guard_reports_silence_once_in_time(
    clock: Clock, refreshes: list[int], silence: int
) -> None:
    clock.library.sim_start()
    clock.library.sim_pass(500_000 * clock.mhz)  # before the first refresh it is off
    at = ctypes.c_uint64()
    assert clock.library.sim_emergencies(ctypes.byref(at)) == 0
    for micros in [*refreshes, silence]:
        clock.library.port_guard_refresh()
        _, refreshed, _ = clock.read(0, 0, 0)
        assert clock.library.sim_emergencies(ctypes.byref(at)) == 0
        clock.library.sim_pass(micros * clock.mhz)
    count = clock.library.sim_emergencies(ctypes.byref(at))
    slack = 1000  # ticks that interrupts took
    if silence > GUARD_MICROS:
        waited = at.value - refreshed
        assert count == 1
        assert (GUARD_MICROS - LAP_MICROS) * clock.mhz - slack <= waited
        assert waited <= GUARD_MICROS * clock.mhz + slack
    elif silence < GUARD_MICROS - LAP_MICROS - 100:
        assert count == 0
