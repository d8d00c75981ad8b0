"""Bytes to send leave in the background, in order; a line that does not move stops nobody."""

import ctypes
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio import storage
from edgebio.processes import host_compiler

HERE = Path(__file__).with_name("uart")
RING = 4096
PATIENCE_US = 100_000


@pytest.fixture(scope="module")
def uart(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("uart")
    ports = storage.assets("firmware_assets") / "ports"
    for name in ("uart.c", "uart.h", "ring.h"):  # copies: their own folder has the real registers
        (folder / name).write_bytes((ports / "cortex_m" / name).read_bytes())
    (folder / "eb_board.h").write_text("")
    library = host_compiler.load_library(
        "uart", [folder / "uart.c", HERE / "simulated.c"], [HERE, folder, ports]
    )
    library.port_write.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    library.port_write_room.restype = ctypes.c_size_t
    library.sim_sent.restype = ctypes.c_size_t
    library.port_micros.restype = ctypes.c_uint32
    return library


def sent(uart: ctypes.CDLL) -> bytes:
    bytes_ = ctypes.create_string_buffer(100_000)
    count = uart.sim_sent(bytes_)
    return bytes_.raw[:count]


@settings(max_examples=100, deadline=None)
@given(
    depth=st.sampled_from([1, 2, 32]),
    by_edge=st.booleans(),
    steps=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000)), max_size=8),
)
def test_all_bytes_leave_in_order(
    uart: ctypes.CDLL, depth: int, by_edge: bool, steps: list[tuple[int, int]]
) -> None:
    uart.sim_start(depth, by_edge)
    written = b""
    for count, passed in steps:
        data = random.Random(count).randbytes(count)
        room = uart.port_write_room()
        before = uart.port_micros()
        uart.port_write(data, count)
        if count <= room:
            assert uart.port_micros() - before <= 3 * 11, "it does not wait"
        written += data
        uart.sim_pass(passed)
        assert written.startswith(sent(uart))
    uart.cortex_m_uart_flush()
    assert sent(uart) == written
    assert uart.port_write_room() == RING


@pytest.mark.parametrize("by_edge", [False, True])
def test_a_host_that_does_not_read_costs_one_patience(uart: ctypes.CDLL, by_edge: bool) -> None:
    uart.sim_start(32, by_edge)
    uart.sim_stick(True)
    first = bytes(range(256)) * (RING // 256)
    uart.port_write(first, RING)
    start = uart.port_micros()
    uart.port_write(b"x" * 1000, 1000)
    assert PATIENCE_US <= uart.port_micros() - start <= PATIENCE_US + 1000
    start = uart.port_micros()
    for _ in range(50):
        uart.port_write(b"y" * 100, 100)
    uart.cortex_m_uart_flush()  # as before a reset: as long, once more
    assert uart.port_micros() - start <= PATIENCE_US + 5000
    uart.sim_stick(False)
    uart.sim_pass(2 * RING)
    uart.port_write(b"again", 5)
    uart.sim_pass(100)
    whole = sent(uart)
    assert whole.startswith(first)
    assert whole.endswith(b"again")
    assert len(whole) <= RING + 32 + 5
