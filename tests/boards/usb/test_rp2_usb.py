"""An emulated Pico on a USB host: its serial port, and the ways into its boot loader."""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from edgebio import boards, storage
from edgebio.boards import emulated_drives, emulator, rp2040js, uf2
from edgebio.boards.emulator_process import Emulator
from edgebio.errors import DeviceError, MissingToolError
from edgebio.firmware import linking
from edgebio.processes.programs import run_program
from tests.boards.conftest import Device, build_probe

PICO = boards.with_link(boards.load("pico"), "usb")
SECOND_PRESS = 0.5  # seconds after a start within which another press enters the boot loader


@pytest.fixture(autouse=True, scope="module")
def is_installed() -> None:
    try:
        emulator.check_installed(PICO)
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_probe(PICO, tmp_path_factory.mktemp("usb"))


@pytest.fixture(autouse=True)
def own_drives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEBIO_CACHE", str(tmp_path))


@pytest.fixture
def running(probe: Path) -> Iterator[Emulator]:
    with emulator.start(PICO, probe) as started:
        yield started


@contextlib.contextmanager
def opened(running: Emulator) -> Iterator[Device]:
    """The probe at the serial port, as soon as there is one."""
    end = time.monotonic() + 10
    while True:
        try:
            port = serial.serial_for_url(running.url, timeout=5)
            break
        except serial.SerialException:
            assert time.monotonic() < end, "the port does not come back"
            time.sleep(0.05)
    with port:
        device = Device(port)
        device.wait_until_up()
        yield device


def drive(seconds: float = 10) -> Path:
    """The drive of the boot loader, once it is there."""
    end = time.monotonic() + seconds
    while True:
        drives = list(emulated_drives.mounted())
        if drives and (drives[0] / "INFO_UF2.TXT").is_file():
            return drives[0]
        assert time.monotonic() < end, "no drive"
        time.sleep(0.02)


def test_bytes_pass_in_both_directions(running: Emulator) -> None:
    with opened(running) as device:
        data = os.urandom(20_000)
        device.send("e", len(data))
        device.port.write(data)
        assert device.port.read(len(data)) == data
    with opened(running) as device:  # another program
        device.send("m")
        assert device.word() > 0


def test_serial_number_is_the_id_of_the_flash(probe: Path, tmp_path: Path) -> None:
    log = tmp_path / "emulator.log"
    running = emulator.launch(PICO, probe, "tcp", log, detached=False)
    running.stop()
    assert 'USB 2e8a:000a ["edgebio","edgebio pico","E6616408432B7A2C"]' in log.read_text()


def test_device_makes_the_host_wait_and_loses_nothing(running: Emulator) -> None:
    with opened(running) as device:
        data = os.urandom(9000)  # more than twice what it stores
        device.send("w", 300_000)  # it reads nothing for so many microseconds
        device.send("e", len(data))
        device.port.write(data)
        assert device.word() == 0, "steps of the clock backwards"
        device.word()
        assert device.port.read(len(data)) == data


def test_host_that_does_not_read_stops_nothing(running: Emulator) -> None:
    with opened(running) as device:
        os.kill(running.pid, signal.SIGHUP)
        time.sleep(0.1)
        device.send("m")
        device.send("e", 20_000)
        device.port.write(os.urandom(20_000))
        time.sleep(1)
    with opened(running) as device:
        device.send("c")
        assert device.word() == 0, "no watchdog"


def test_reset_returns_to_the_same_port(running: Emulator) -> None:
    with opened(running) as device:
        device.send("r")
        assert device.word() == 0x900DB1EE
        with pytest.raises(serial.SerialException):  # the port is gone meanwhile
            device.port.read(1)
    with opened(running) as device:
        device.send("c")
        assert device.word() == 0


def test_two_presses_enter_the_boot_loader_and_slow_ones_do_not(running: Emulator) -> None:
    for _ in range(2):
        os.kill(running.pid, signal.SIGUSR1)
        time.sleep(2 * SECOND_PRESS)
    assert not list(emulated_drives.mounted())
    with opened(running):
        pass
    os.kill(running.pid, signal.SIGUSR1)
    time.sleep(0.1)
    os.kill(running.pid, signal.SIGUSR1)
    assert "RPI-RP2" in (drive() / "INFO_UF2.TXT").read_text()
    with pytest.raises(serial.SerialException):
        serial.serial_for_url(running.url)
    os.kill(running.pid, signal.SIGUSR1)  # out of it
    with opened(running):
        assert not list(emulated_drives.mounted())


def test_1200_baud_enters_the_boot_loader(running: Emulator) -> None:
    os.kill(running.pid, signal.SIGUSR2)
    drive()


def test_drive_refuses_files_of_other_chips_and_parts(running: Emulator, probe: Path) -> None:
    os.kill(running.pid, signal.SIGUSR2)
    folder = drive()
    image = linking.convert(probe).read_bytes()
    assert PICO.flash.uf2_family
    (folder / "other.uf2").write_bytes(uf2.encode(image, PICO.memory.flash.origin, 0xE48BFF59))
    whole = uf2.encode(image, PICO.memory.flash.origin, PICO.flash.uf2_family)
    (folder / "part.uf2").write_bytes(whole[:-512])
    time.sleep(0.5)
    assert folder.is_dir()
    (folder / "part.uf2").write_bytes(whole)
    with opened(running):
        assert not folder.exists()


def test_host_of_rp2040js_talks_to_it(probe: Path) -> None:
    node, library = rp2040js.program()
    script = Path(__file__).with_name("rp2040js_host.mjs")
    folder = storage.assets("firmware_assets") / "emulator"
    done = run_program(node, script, library, folder, probe, timeout=60)
    assert done.stdout.split() == [(0x1A3E8E).to_bytes(4, "little").hex()], done.stderr


@pytest.mark.parametrize(
    ("line", "change", "error"),
    [
        ("toggles ^= (uint8_t)bit;", "", "wrong data toggle"),
        (
            "BUFFER_CONTROL(index) = control;\n", "\n",
            "available together with its length or toggle",
        ),
        ("connecting = is_first_revision;", "", "RP2040-E5"),
        ("ADDR_ENDP = address;", "(void)address;", "no device at address 5"),
    ],
)  # fmt: skip
def test_broken_use_of_the_controller_is_not_forgiven(
    line: str, change: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_assets, assets = storage.assets, tmp_path / "assets"
    shutil.copytree(true_assets("firmware_assets"), assets)
    path = assets / "ports" / "rp2" / "link_usb.c"
    text = path.read_text()
    assert text.count(line) == 1
    path.write_text(text.replace(line, change))
    monkeypatch.setattr(
        storage, "assets", lambda name: assets if name == "firmware_assets" else true_assets(name)
    )
    image = build_probe(PICO, tmp_path)
    with pytest.raises(DeviceError, match=error), emulator.start(PICO, image):
        pass
