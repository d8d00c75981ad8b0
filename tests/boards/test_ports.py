"""The contract of port.h, on every emulated board."""

import random
import time
from pathlib import Path

import pytest
import serial

from edgebio import boards
from edgebio.boards import emulator
from edgebio.firmware.elf import Image
from tests.boards.conftest import Device

RING = 4096
UNDEFINED, BUS_PRECISE, ADDRESS_VALID, STACK_LIMIT = 1 << 16, 1 << 9, 1 << 15, 1 << 20


def test_every_byte_is_echoed(device: Device) -> None:
    sent = random.Random(1).randbytes(3000)
    device.send("e", len(sent))
    came = b""
    for start in range(0, len(sent), 500):
        device.port.write(sent[start : start + 500])
        came += device.port.read(500)
    assert came == sent
    device.send("h", 0, 0)
    assert [device.word(), device.word()] == [0, 0]


def test_overrun_bytes_are_counted_and_the_oldest_bytes_stay(device: Device) -> None:
    lost = 321
    sent = random.Random(2).randbytes(RING + lost)
    device.send("h", lost, RING)
    assert device.word() == lost  # it reads no more
    device.port.write(sent)
    assert device.port.read(RING) == sent[:RING]
    assert device.word() == lost


def test_clock_is_monotonic_with_laps_and_masked_interrupts(device: Device) -> None:
    device.send("w", 400_000)  # eight laps of SysTick
    backwards, readings = device.word(), device.word()
    assert backwards == 0
    assert readings > 1000


def test_clock_keeps_real_time(device: Device) -> None:
    """One undisturbed attempt is enough: an emulator that is not scheduled loses ticks."""
    measured = []
    for _ in range(8):
        start = time.monotonic()
        device.send("m")
        first, first_end = device.word(), time.monotonic()
        time.sleep(0.4)
        second_start = time.monotonic()
        device.send("m")
        second, end = device.word(), time.monotonic()
        # The device read its clock between request and answer.
        low, elapsed, high = second_start - first_end, (second - first) / 1e6, end - start
        if low * 0.99 < elapsed < high * 1.01:
            return
        measured.append((low, elapsed, high))
    pytest.fail(f"not within 1 % of real time (at least, measured, at most): {measured}")


def test_stack_use_is_within_the_bound(device: Device) -> None:
    device.send("w", 120_000)  # interrupts on top of a call
    device.word(), device.word()
    device.send("s")
    used, size = device.word(), device.word()
    assert 0 < used <= size


def test_fault_resets_the_board_and_is_reported_once(
    device: Device, probe: Path, board: boards.Board
) -> None:
    main = next(f for f in Image(probe).functions if f.name == "main")
    device.send("f")
    assert device.port.read(16) == bytes(16)
    device.send("u")
    device.wait_until_up()
    device.send("f")
    pc, _, status, _ = (device.word() for _ in range(4))
    assert main.address <= pc < main.address + main.size
    assert status & UNDEFINED
    device.send("r")
    assert device.word() == 0x900DB1EE
    device.wait_until_up()
    device.send("f")
    assert device.port.read(16) == bytes(16)


def test_address_of_a_bus_fault_is_reported(device: Device) -> None:
    nowhere = 0xF000_0000
    device.send("b", nowhere)
    device.wait_until_up()
    device.send("f")
    _, _, status, address = (device.word() for _ in range(4))
    assert status & BUS_PRECISE
    assert status & ADDRESS_VALID
    assert address == nowhere


def test_stack_overflow_is_a_fault(device: Device, board: boards.Board) -> None:
    device.send("o")
    device.wait_until_up()
    device.send("f")
    pc, _, status, _ = (device.word() for _ in range(4))
    assert status
    if board.cpu in ("cortex-m33", "cortex-m55"):
        assert status & STACK_LIMIT
    assert pc == 0  # the frame could not be pushed


ORDINARY, FAULT, WATCHDOG = range(3)


def test_watchdog_ends_a_hang_and_is_reported(
    device: Device, probe: Path, board: boards.Board
) -> None:
    if "EB_WATCHDOG_BASE" not in board.defines:
        pytest.skip(f"the emulator of {board.name} has no watchdog")
    main = next(f for f in Image(probe).functions if f.name == "main")
    device.send("c")
    assert device.word() == ORDINARY
    device.send("l")
    device.wait_until_up()
    device.send("c")
    assert device.word() == WATCHDOG
    device.send("f")
    pc, *_ = (device.word() for _ in range(4))
    assert main.address <= pc < main.address + main.size, "where it hung"
    device.send("u")
    device.wait_until_up()
    device.send("c")
    assert device.word() == FAULT


def test_reset_restarts_the_clock(device: Device) -> None:
    time.sleep(0.2)
    reset = time.monotonic()
    device.send("r")
    assert device.word() == 0x900DB1EE
    device.wait_until_up()
    device.send("m")
    # Without a restart it would show the time since the start, which is longer by 0.2 s.
    assert device.word() / 1e6 < time.monotonic() - reset + 0.1


@pytest.mark.parametrize("kind", ["pty", "tcp"])
def test_both_serial_ports_carry_bytes(probe: Path, board: boards.Board, kind: str) -> None:
    with (
        emulator.start(board, probe, kind) as running,  # type: ignore[arg-type]
        serial.serial_for_url(running.url, timeout=10) as port,
    ):
        device = Device(port)
        device.wait_until_up()
        device.send("e", 256)
        port.write(bytes(range(256)))
        assert port.read(256) == bytes(range(256))
