"""Converter, servos, pins and causes of a reset of the RP2 port, in rp2040js."""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import serial

from edgebio import boards
from edgebio.boards import emulator, rp2040js_parts
from edgebio.boards.rp2040js_parts import Electrodes, Fault, Parts
from edgebio.errors import MissingToolError
from edgebio.firmware import linking
from edgebio.firmware.board_header import AdcUse, Use
from edgebio.firmware.port_sources import add_port
from edgebio.firmware.source_tree import SourceTree
from tests.boards.conftest import Device

INPUTS = (0, 2)  # the round robin skips one
CHANNELS = len(INPUTS)
DIVIDER = 48_000_000 * 256 // (2000 * CHANNELS) + 77  # about 2 kHz, with a fraction
PERIOD_US = Fraction(DIVIDER * CHANNELS, 48 * 256)
ORDINARY, FAULT, WATCHDOG, BROWNOUT = range(4)


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """rp2_probe.c with two channels, two servos and two pins."""
    board = boards.load("pico")
    try:
        emulator.check_installed(board)
    except MissingToolError as error:
        pytest.skip(str(error))
    root = tmp_path_factory.mktemp("probe") / "src"
    (root / "app").mkdir(parents=True)
    source = shutil.copy(Path(__file__).with_name("rp2_probe.c"), root / "app" / "probe.c")
    adc, servo, pins = board.sources.adc, board.sinks.servo, board.sinks.gpio
    assert adc is not None
    assert servo is not None
    assert pins is not None
    use = Use(
        adc=AdcUse(("GP26", "GP28"), INPUTS, DIVIDER, adc.clock_hz, adc),
        servo=servo.model_copy(update={"pins": servo.pins[:2]}),
        pins=pins.model_copy(update={"pins": pins.pins[:3]}),
    )
    tree = SourceTree(root, [*board.flags, "-DEB_STANDALONE=1"])
    add_port(tree, board, use)
    tree.add("app", [Path(source)])
    return linking.compile_and_link(tree, board, root.parent / "firmware.elf").path


Start = Callable[[Parts], Device]


@pytest.fixture
def start(probe: Path, tmp_path: Path) -> Iterator[Start]:
    """Run the probe with parts; its journal is in tmp_path."""
    with contextlib.ExitStack() as stack:

        def run(parts: Parts) -> Device:
            board = boards.load("pico")
            running = stack.enter_context(
                emulator.start(board, probe, parts=parts, folder=tmp_path)
            )
            port = stack.enter_context(serial.serial_for_url(running.url, timeout=30))
            return Device(port)

        yield run


def wait_for(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, f"no {what}"
        time.sleep(0.02)


def wait_for_pulses(folder: Path, pin: int, count: int) -> None:
    wait_for(lambda: len(rp2040js_parts.pulses(folder, pin)) >= count, "pulses")


def ask_until_up(device: Device, letter: str) -> int:
    """Ask a probe that restarts until it answers; return the answer."""
    wait, device.port.timeout = device.port.timeout, 0.1
    for _ in range(300):
        device.port.reset_input_buffer()
        device.send(letter)
        raw = device.port.read(4)
        if len(raw) == 4:
            break
    else:
        raise AssertionError("the probe does not come up")
    device.port.timeout = wait
    return int.from_bytes(raw, "little")


def test_every_conversion_arrives_in_order(start: Start) -> None:
    """1.5 s at 2 kHz with a fraction in the divider: 60 laps of the ring, channel by channel."""
    codes = np.random.default_rng(1).integers(0, 4096, (3000, CHANNELS), dtype=np.uint16)
    device = start(Parts(electrodes=Electrodes(codes, INPUTS, PERIOD_US, zero=1234)))
    device.send("a")
    seen = np.frombuffer(device.port.read(codes.nbytes), "<u2").reshape(-1, CHANNELS)
    assert np.array_equal(seen, codes)
    assert device.port.read(2 * CHANNELS) == np.uint16(1234).tobytes() * CHANNELS, "behind the end"


def test_frames_that_nobody_takes_are_counted(start: Start, tmp_path: Path) -> None:
    """The number of frames is exact after many laps without a look at it."""
    codes = np.zeros((4000, CHANNELS), np.uint16)
    device = start(Parts(electrodes=Electrodes(codes, INPUTS, PERIOD_US, zero=0)))
    device.send("a")
    device.send("w", 0)  # stops taking frames
    wait_for(
        lambda: any(r.get("electrodes") == "end" for r in rp2040js_parts.read_journal(tmp_path)),
        "end",
    )
    device.port.reset_input_buffer()
    time.sleep(0.1)
    device.port.reset_input_buffer()
    device.send("f")
    frames, failed = device.word(), device.word()
    assert frames >= 4000
    assert not failed


def test_lost_conversion_is_reported_until_the_next_start(start: Start) -> None:
    device = start(Parts(faults=(Fault(50_000, "overflow"),)))
    device.send("a")
    device.send("f")
    deadline = time.monotonic() + 30
    device.port.reset_input_buffer()
    failed = False
    while not failed and time.monotonic() < deadline:
        device.send("w", 0)
        time.sleep(0.05)
        device.port.reset_input_buffer()
        device.send("f")
        device.word()
        failed = bool(device.word())
    assert failed
    device.send("a")
    assert len(device.port.read(2 * CHANNELS * 10)) == 2 * CHANNELS * 10
    device.send("w", 0)
    time.sleep(0.1)
    device.port.reset_input_buffer()
    device.send("f")
    assert device.word() >= 10
    assert not device.word()


def test_servos_give_whole_pulses_of_the_wanted_width(start: Start, tmp_path: Path) -> None:
    device = start(Parts(pulses=(2, 3)))
    for first, second in ((1000, 2000), (1733, 0), (2400, 600)):
        device.send("p", 0, first)
        device.send("p", 1, second)
        for pin, micros in ((2, first), (3, second)):
            before = len(rp2040js_parts.pulses(tmp_path, pin))
            if micros:
                wait_for_pulses(tmp_path, pin, before + 4)
                assert {p.pulse_us for p in rp2040js_parts.pulses(tmp_path, pin)[-2:]} == {micros}
    times = np.array([pulse.time_us for pulse in rp2040js_parts.pulses(tmp_path, 2)])
    assert np.allclose(np.diff(times), 20_000)
    assert {p.pulse_us for p in rp2040js_parts.pulses(tmp_path, 2)} == {1000, 1733, 2400}, "not cut"
    assert {p.pulse_us for p in rp2040js_parts.pulses(tmp_path, 3)} == {2000, 600}


def test_pins_have_the_levels(start: Start, tmp_path: Path) -> None:
    device = start(Parts(levels=(6, 7, 8)))

    def levels() -> dict[int, int]:
        rows = rp2040js_parts.read_journal(tmp_path)
        return {row["pin"]: row["level"] for row in rows if "level" in row}

    for bits in (0b101, 0b010, 0b110):
        device.send("w", bits)
        wanted = {6 + i: bits >> i & 1 for i in range(3)}
        end = time.monotonic() + 30
        while not wanted.items() <= levels().items() and time.monotonic() < end:
            time.sleep(0.02)
        assert wanted.items() <= levels().items()


def test_reset_of_the_core_stops_servos_and_converter(start: Start, tmp_path: Path) -> None:
    """The chip's reset leaves both running: the port has to stop them, before and after."""
    device = start(Parts(pulses=(2,)))
    device.send("p", 0, 1500)
    wait_for(lambda: len(rp2040js_parts.pulses(tmp_path, 2)) > 3, "pulses")
    device.send("a")
    device.send("r")
    wait_for(
        lambda: any(row.get("reset") == "core" for row in rp2040js_parts.read_journal(tmp_path)),
        "reset",
    )
    device.port.reset_input_buffer()
    time.sleep(0.2)
    device.port.reset_input_buffer()
    device.send("c")
    assert device.word() == ORDINARY
    (reset,) = [r["time_us"] for r in rp2040js_parts.read_journal(tmp_path) if "reset" in r]
    assert not [p for p in rp2040js_parts.pulses(tmp_path, 2) if p.time_us > reset]


@pytest.mark.parametrize(
    ("kind", "cause"), [("hang", WATCHDOG), ("hang-masked", WATCHDOG), ("brownout", BROWNOUT)]
)
def test_cause_of_a_reset(start: Start, tmp_path: Path, kind: str, cause: int) -> None:
    device = start(Parts(faults=(Fault(300_000, kind),)))  # type: ignore[arg-type]

    def times(key: str) -> list[float]:
        return [row["time_us"] for row in rp2040js_parts.read_journal(tmp_path) if key in row]

    device.send("c")
    assert device.word() == ORDINARY
    wait_for(lambda: bool(times("reset")), "reset")
    assert times("reset")[0] - times("fault")[0] <= 251_000
    assert ask_until_up(device, "c") == cause
    device.send("r")
    wait_for(lambda: len(times("reset")) > 1, "reset")
    assert ask_until_up(device, "c") == ORDINARY, "the cause of an earlier reset"


@pytest.mark.parametrize(
    ("quad_enable", "mode"), [("set", "quad"), ("clear", "quad"), ("never", "serial")]
)
def test_flash_is_read_as_it_can_be(
    start: Start, tmp_path: Path, quad_enable: Literal["set", "clear", "never"], mode: str
) -> None:
    """The second stage sets QE where it can, and the flash is never read in a mode without it."""
    device = start(Parts(quad_enable=quad_enable))
    assert ask_until_up(device, "c") == ORDINARY
    device.send("r")

    def modes() -> list[str]:
        return [row["flash"] for row in rp2040js_parts.read_journal(tmp_path) if "flash" in row]

    wait_for(lambda: len(modes()) == 2, "second start")
    assert modes() == [mode] * 2
    assert ask_until_up(device, "c") == ORDINARY
