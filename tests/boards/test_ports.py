"""What port.h promises, on every board's port, in the emulator."""

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


def test_every_byte_comes_back(device: Device) -> None:
    sent = random.Random(1).randbytes(3000)
    device.send("e", len(sent))
    came = b""
    for start in range(0, len(sent), 500):
        device.port.write(sent[start : start + 500])
        came += device.port.read(500)
    assert came == sent
    device.send("h", 0, 0)
    assert device.word() == 0


def test_lost_bytes_are_counted_and_the_oldest_are_kept(device: Device) -> None:
    lost = 321
    sent = random.Random(2).randbytes(RING + lost)
    device.send("h", lost, RING)
    time.sleep(0.2)  # until it looks away, nothing must be in the ring
    device.port.write(sent)
    assert device.port.read(RING) == sent[:RING]
    assert device.word() == lost


def test_the_clock_runs_on_through_laps_and_masked_interrupts(device: Device) -> None:
    device.send("w", 400_000)  # eight laps of SysTick
    backwards, readings = device.word(), device.word()
    assert backwards == 0
    assert readings > 1000


def test_the_clock_keeps_real_time(device: Device) -> None:
    """Once undisturbed is enough: an emulator that the machine does not run loses ticks."""
    measured = []
    for _ in range(8):
        start = time.monotonic()
        device.send("m")
        first, asked = device.word(), time.monotonic()
        time.sleep(0.4)
        again = time.monotonic()
        device.send("m")
        second, end = device.word(), time.monotonic()
        # The device read its clock somewhere between the question and the answer.
        low, found, high = again - asked, (second - first) / 1e6, end - start
        if low * 0.99 < found < high * 1.01:
            return
        measured.append((low, found, high))
    pytest.fail(f"not within 1 % of real time (at least, measured, at most): {measured}")


def test_the_high_water_mark_lies_within_the_bound(device: Device) -> None:
    device.send("w", 120_000)  # interrupts on top of a call
    device.word(), device.word()
    device.send("s")
    used, size = device.word(), device.word()
    assert 0 < used <= size


def test_a_fault_restarts_the_core_and_is_remembered_once(
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


def test_the_address_of_a_bus_fault_is_remembered(device: Device) -> None:
    nowhere = 0xF000_0000
    device.send("b", nowhere)
    device.wait_until_up()
    device.send("f")
    _, _, status, address = (device.word() for _ in range(4))
    assert status & BUS_PRECISE
    assert status & ADDRESS_VALID
    assert address == nowhere


def test_an_overflow_of_the_stack_is_a_fault(device: Device, board: boards.Board) -> None:
    device.send("o")
    device.wait_until_up()
    device.send("f")
    pc, _, status, _ = (device.word() for _ in range(4))
    assert status
    if board.core in ("cortex-m33", "cortex-m55"):
        assert status & STACK_LIMIT
    assert pc == 0  # the frame could not be pushed


ORDINARY, FAULT, WATCHDOG = range(3)


def test_a_hang_ends_by_the_watchdog_and_is_known_as_one(
    device: Device, probe: Path, board: boards.Board
) -> None:
    if "EB_WATCHDOG_BASE" not in board.defines:
        pytest.skip(f"the emulator of {board.name} has no watchdog")
    main = next(f for f in Image(probe).functions if f.name == "main")
    device.send("c")
    assert device.word() == ORDINARY
    device.send("l")
    time.sleep(5)
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


def test_reset_starts_again(device: Device) -> None:
    time.sleep(0.2)
    device.send("m")
    before = device.word()
    device.send("r")
    assert device.word() == 0x900DB1EE
    device.wait_until_up()
    device.send("m")
    assert device.word() < before + 1_000_000  # it began anew, though long after


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
