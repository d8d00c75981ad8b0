"""`edgebio flash` with an emulated boot loader, which also misbehaves, and with stand-in tools."""

import json
import os
import shutil
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edgebio import boards, firmware, progress
from edgebio.boards import flashers, qemu, uf2
from edgebio.cli import main
from edgebio.errors import DeviceError
from edgebio.firmware import flashing, manifest
from edgebio.link.client import Client
from tests.boards import bootloader
from tests.boards.bootloader import SECTORS, Faults

needs_stm32flash = pytest.mark.skipif(
    not shutil.which("stm32flash"), reason="no stm32flash: sudo apt-get install stm32flash"
)


@pytest.fixture(autouse=True)
def no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "enable", lambda: None)


@pytest.fixture(scope="module")
def image(emg_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    firmware.build(emg_model, boards.load("netduinoplus2"), folder)
    return folder


def flash(*words: object) -> Result:
    return CliRunner().invoke(main, ["flash", *map(str, words)])


def line_of(result: Result) -> str:
    """The one line of a command that failed, which never claims success."""
    assert result.exit_code == 1, result.output
    assert "flashed by" not in result.stdout
    [line] = [line for line in result.stderr.splitlines() if line.startswith("edgebio: ")]
    return line


# --- the STM32's system boot loader, by the real stm32flash ---------------------------------------


@needs_stm32flash
def test_boot_loader_writes_and_the_board_reports_the_image(image: Path, tmp_path: Path) -> None:
    qemu.program()
    with bootloader.running(tmp_path) as chip:
        result = flash(image, "--port", chip.url, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    sha = manifest.load(image).image.sha256
    assert document == {
        "board": "netduinoplus2", "method": "stm32-bootloader", "port": chip.url,
        "verified": f"the board reports SHA-256 {sha[:12]}",
    }  # fmt: skip
    binary = (image / "firmware.bin").read_bytes()
    assert chip.flash[: len(binary)] == binary
    assert chip.started
    needed = next(n for n in range(1, 13) if sum(SECTORS[:n]) >= len(binary))
    assert chip.erased == set(range(needed)), "no sector beyond the image"


@needs_stm32flash
@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        (Faults(nack=1.0), "netduinoplus2 was NOT flashed"),
        (Faults(silent_after=9), "netduinoplus2 was NOT flashed"),
        (Faults(cut_after=20), "netduinoplus2 was NOT flashed"),
        (Faults(stuck=5000), "netduinoplus2 was NOT flashed"),
        (Faults(rots=5000), "netduinoplus2 was NOT flashed: it carries an image"),
        (Faults(refuses_go=True), "netduinoplus2 was"),
    ],
    ids=["NACK", "silence", "cut", "stuck bit", "rotten bit", "no go"],
)
def test_misbehaving_boot_loader_is_reported(
    image: Path, tmp_path: Path, faults: Faults, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    qemu.program()
    monkeypatch.setattr(flashing, "_RETURN_SECONDS", 0.5)
    monkeypatch.setattr(flashing, "TRIES", 1)
    monkeypatch.setattr(flashers, "SILENT_SECONDS", 6.0)
    monkeypatch.setitem(Client.__init__.__kwdefaults__ or {}, "timeout", 3.0)
    with bootloader.running(tmp_path, faults) as chip:
        assert expected in line_of(flash(image, "--port", chip.url, "--method", "stm32-bootloader"))


@needs_stm32flash
@pytest.mark.parametrize(
    "faults", [Faults(nack=0.01), pytest.param(Faults(cut_after=None, stuck=700, only=1))],
    ids=["some NACKs", "a bad first time"],
)  # fmt: skip
def test_boot_loader_is_retried(image: Path, tmp_path: Path, faults: Faults) -> None:
    qemu.program()
    with bootloader.running(tmp_path, faults) as chip:
        result = flash(image, "--port", chip.url)
    assert result.exit_code == 0, result.output
    assert chip.flash.startswith((image / "firmware.bin").read_bytes())


# --- stand-in tools -------------------------------------------------------------------------------


def stand_in(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of tools in front of the PATH."""
    folder = tmp_path / "tools"
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def test_openocd_gets_probe_and_image(image: Path, tools: Path, tmp_path: Path) -> None:
    stand_in(tools, "openocd", f'printf "%s\\n" "$@" > {tmp_path}/output')
    result = flash(image, "--method", "openocd")
    assert result.exit_code == 0, result.output
    assert result.stdout == "netduinoplus2 flashed by openocd; openocd has read it back\n"
    output = (tmp_path / "output").read_text().splitlines()
    assert output[:4] == ["-f", "interface/stlink.cfg", "-f", "target/stm32f4x.cfg"]
    assert output[5] == f"program {{{image / 'firmware.hex'}}} verify reset exit"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo 'Info : clock'; echo 'Error: open failed'; echo shutdown command invoked; exit 1",
         "openocd: open failed"),
        ("echo '** Verify Failed **'; exit 1", "openocd: ** Verify Failed **"),
        ("exit 3", "openocd: it prints nothing"),
        ("echo 'Error: libusb_open() failed with LIBUSB_ERROR_ACCESS'; exit 1",
         'ATTR{idVendor}=="0483", ATTR{idProduct}=="df11", MODE="0666"'),
    ],
)  # fmt: skip
def test_first_real_error_of_the_tool(image: Path, tools: Path, script: str, expected: str) -> None:
    stand_in(tools, "openocd", script)
    line = line_of(flash(image, "--method", "openocd"))
    assert expected in line
    assert "netduinoplus2 was NOT flashed, its image may be incomplete" in line


def test_tool_that_hangs(image: Path, tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flashers, "SILENT_SECONDS", 0.5)
    monkeypatch.setattr(flashing, "TRIES", 1)
    stand_in(tools, "openocd", "echo 'Info : starting'; exec sleep 30")
    assert "openocd hangs: no output for 0.5 s" in line_of(flash(image, "--method", "openocd"))


def test_progress_of_a_tool(image: Path, tools: Path) -> None:
    stand_in(tools, "stm32flash", "for p in 10 55.5 100; do printf 'Wrote (%s%%)\\r' $p; done")
    shares: list[float] = []
    job = flashers.Job(boards.load("netduinoplus2"), image, "/dev/ttyX")
    flashers.FLASHERS["stm32-bootloader"].write(job, shares.append)
    assert shares
    assert shares[-1] == 1.0


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("0005382 E No target device available [load_cmd]", "No target device available"),
        ("No connected debug probes\n", "No connected debug probes"),
        ("stm32flash 0.7\n\nhttp://x/\n\nError probing interface \"serial_posix\"\n"
         "Cannot handle device \"/dev/x\"\nFailed to open port: /dev/x",
         'Cannot handle device "/dev/x"'),
        ("Wrote address 0x08000100 (1%)\rFailed to write memory at address 0x08000200\nx",
         "Failed to write memory at address 0x08000200"),
    ],
)  # fmt: skip
def test_first_errors_of_real_tools(output: str, expected: str) -> None:
    assert flashers.first_error(output) == expected


# --- choice of a method ---------------------------------------------------------------------------


def test_methods_are_chosen_in_the_order_of_the_board_file(
    tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = boards.load("netduinoplus2")
    for name in ("stm32flash", "openocd"):
        stand_in(tools, name, "exit 0")
    assert flashers.choose(board, "/dev/x", None).method == "stm32-bootloader"
    assert flashers.choose(board, None, None).method == "openocd"
    (tools / "stm32flash").unlink()
    monkeypatch.setenv("PATH", str(tools))
    assert flashers.choose(board, "/dev/x", None).method == "openocd"
    (tools / "openocd").unlink()
    with pytest.raises(DeviceError.__mro__[1], match="no stm32flash or openocd on this machine"):
        flashers.choose(board, "/dev/x", None)


def test_impossible_methods_are_refused(image: Path) -> None:
    for words, expected in (
        (("--method", "uf2"), "netduinoplus2 is not flashed by uf2; by: emulator, stm32-boot"),
        (("--method", "stm32-bootloader"), "writes over the serial port: give --port"),
    ):
        result = flash(image, *words)
        assert result.exit_code == 2
        assert expected in result.stderr


# --- UF2 ------------------------------------------------------------------------------------------


def test_uf2_blocks() -> None:
    data = uf2.encode(bytes(range(256)) + b"xyz", 0x1000_0000, 0xE48BFF56)
    assert len(data) == 2 * 512
    words = [int.from_bytes(data[512 + i : 516 + i], "little") for i in range(0, 32, 4)]
    assert words == [
        0x0A324655, 0x9E5D5157, 0x2000, 0x1000_0100, 256, 1, 2, 0xE48BFF56,
    ]  # fmt: skip
    assert data[32:288] == bytes(range(256))
    assert data[512 + 32 :][:4] == b"xyz\0"
    assert data[-4:] == (0x0AB16F30).to_bytes(4, "little")
