"""`edgebio flash` with an emulated boot loader, which also misbehaves, and with stand-in tools."""

import json
import os
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edgebio import boards, firmware, progress
from edgebio.boards import drives, flash_drive, flashers, qemu, uf2
from edgebio.boards.board import FlashMethod
from edgebio.cli import main
from edgebio.errors import DeviceError, EdgebioError, MissingToolError
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


def flash_by_bootloader(image: Path, port: str, *words: object) -> Result:
    """Its USART3 and the link's USART1 by one adapter, which is moved after flashing."""
    return flash(image, "--port", port, "--bootloader-port", port, *words)


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
        result = flash_by_bootloader(image, chip.url, "--json")
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
        line = line_of(flash_by_bootloader(image, chip.url, "--method", "stm32-bootloader"))
        assert expected in line
        if "was NOT flashed, " in line:
            assert "the boot loader listens after a reset with BOOT0 high" in line


@needs_stm32flash
@pytest.mark.parametrize(
    "faults", [Faults(nack=0.01), pytest.param(Faults(cut_after=None, stuck=700, only=1))],
    ids=["some NACKs", "a bad first time"],
)  # fmt: skip
def test_boot_loader_is_retried(image: Path, tmp_path: Path, faults: Faults) -> None:
    qemu.program()
    with bootloader.running(tmp_path, faults) as chip:
        result = flash_by_bootloader(image, chip.url)
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


# --- debug probes ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Folders of the images of other boards; their content is not looked at."""

    def folder(name: str) -> Path:
        path = tmp_path_factory.mktemp(name)
        for file in ("firmware.bin", "firmware.hex"):
            (path / file).write_bytes(b"\x01\x02\x03\x04")
        return path

    return folder


def words_of(log: Path) -> list[list[str]]:
    """Command lines of a stand-in."""
    return [line.split("|")[:-1] for line in log.read_text().splitlines()]


RECORD = 'printf "%s|" "$@" >> {log}; printf "\\n" >> {log}'
SERIAL = "066BFF505055"


@pytest.mark.parametrize(
    ("board", "method", "tool", "expected"),
    [
        ("nucleo-f446re", "openocd", "openocd",
         ["-f", "interface/stlink.cfg", "-f", "target/stm32f4x.cfg",
          "-c", f"adapter serial {SERIAL}",
          "-c", "program {{{folder}/firmware.hex}} verify reset exit"]),
        ("nucleo-f446re", "stm32cubeprogrammer", "STM32_Programmer_CLI",
         ["-c", "port=SWD", f"sn={SERIAL}", "-w", "{folder}/firmware.hex", "-v", "-rst"]),
        ("pico", "picotool", "picotool",
         ["load", "-v", "-x", "{folder}/firmware.bin", "-t", "bin", "-o", "0x10000000", "--ser",
          SERIAL]),
        ("pico", "pyocd", "pyocd",
         ["flash", "--no-wait", "-t", "rp2040", "-u", SERIAL, "--erase", "sector",
          "{folder}/firmware.hex"]),
    ],
)  # fmt: skip
def test_probe_is_chosen_by_its_serial_number(
    folders: Callable[[str], Path], tools: Path, tmp_path: Path,
    board: str, method: FlashMethod, tool: str, expected: list[str],
) -> None:  # fmt: skip
    folder, log = folders(board), tmp_path / "log"
    stand_in(tools, tool, RECORD.format(log=log))
    flasher = flashers.choose(boards.load(board), None, method, SERIAL)
    flasher.write(flashers.Job(boards.load(board), folder, probe=SERIAL), lambda share: None)
    assert words_of(log) == [[word.format(folder=folder) for word in expected]]
    log.unlink()
    flasher.write(flashers.Job(boards.load(board), folder), lambda share: None)
    [words] = words_of(log)
    assert not any(SERIAL in word for word in words)


def test_jlink_writes_verifies_and_starts(
    folders: Callable[[str], Path], tools: Path, tmp_path: Path
) -> None:
    folder, log = folders("nrf52840-dk"), tmp_path / "log"
    keep = f'for word; do last=$word; done; cp "$last" {tmp_path}/script'
    stand_in(tools, "JLinkExe", f"{RECORD.format(log=log)}; {keep}")
    job = flashers.Job(boards.load("nrf52840-dk"), folder, probe="683")
    flashers.FLASHERS["jlink"].write(job, lambda share: None)
    [words] = words_of(log)
    assert words[:-1] == [
        "-NoGui", "1", "-ExitOnError", "1", "-AutoConnect", "1", "-SelectEmuBySN", "683",
        "-Device", "NRF52840_xxAA", "-If", "SWD", "-Speed", "4000", "-CommandFile",
    ]  # fmt: skip
    assert (tmp_path / "script").read_text().splitlines() == [
        "r", f'loadfile "{folder}/firmware.hex"', f'verifybin "{folder}/firmware.bin" 0x0', "r",
        "g", "exit",
    ]  # fmt: skip


def test_protected_nrf_is_not_erased(
    folders: Callable[[str], Path], tools: Path, tmp_path: Path
) -> None:
    """pyOCD's first connection must not unlock; a later one, which may, only sees an open chip."""
    folder, log = folders("nrf52840-dk"), tmp_path / "log"
    job = flashers.Job(boards.load("nrf52840-dk"), folder)
    write = flashers.FLASHERS["pyocd"].write
    stand_in(tools, "pyocd", RECORD.format(log=log))
    write(job, lambda share: None)
    look, load = words_of(log)
    assert look == ["reset", "--no-wait", "-t", "nrf52840", "-O", "auto_unlock=false"]
    assert load[0] == "flash"
    assert "-O" not in load, "pyOCD writes UICR.APPROTECT only where it may unlock"
    log.unlink()
    warning = "0001 W NRF52840 APPROTECT enabled: not automatically unlocking [target_nRF52]"
    stand_in(tools, "pyocd", f"{RECORD.format(log=log)}; echo '{warning}'; exit 1")
    with pytest.raises(DeviceError, match=r"is protected \(APPROTECT\), and unlocking erases all"):
        write(job, lambda share: None)
    assert [words[0] for words in words_of(log)] == ["reset"]


def test_sentence_of_a_protected_chip_is_that_of_pyocd() -> None:
    target = pytest.importorskip("pyocd.target.family.target_nRF52")
    source = Path(target.__file__).read_text()
    assert flashers._LOCKED in source
    assert "session.options.get('auto_unlock')" in source


@pytest.mark.parametrize(("tool", "method"), [("openocd", "openocd"), ("pyocd", "pyocd")])
def test_real_tools_miss_the_probe(
    folders: Callable[[str], Path], tool: str, method: FlashMethod
) -> None:
    """The real tool takes the command line, and its own error about the probe is the one shown."""
    if flashers.find_tool(tool) is None:
        pytest.skip(f"no {tool}")
    board = boards.load("nrf52840-dk")
    folder = folders("nrf52840-dk")
    (folder / "firmware.hex").write_text(":0400000001020304F2\n:00000001FF\n")
    with pytest.raises(DeviceError) as caught:
        flashers.FLASHERS[method].write(
            flashers.Job(board, folder, probe="683"), lambda share: None
        )
    assert "invalid" not in str(caught.value).lower()
    assert re.search("No J-Link device found|No target device available|No connected debug probe",
                     str(caught.value))  # fmt: skip


# --- drag-and-drop --------------------------------------------------------------------------------


@pytest.fixture
def drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Mounted drive of a Nucleo."""
    folder = tmp_path / "media" / "NODE_F446RE"
    folder.mkdir(parents=True)
    monkeypatch.setattr(flash_drive, "mounted", lambda: iter(sorted(folder.parent.iterdir())))
    monkeypatch.setattr(flash_drive, "FAILURE_SECONDS", 0.2)
    return folder


def test_image_is_dropped_on_the_drive(folders: Callable[[str], Path], drive: Path) -> None:
    folder = folders("nucleo-f446re")
    job = flashers.Job(boards.load("nucleo-f446re"), folder)
    (drive / "FAIL.TXT").write_text("of an earlier copy")
    shares: list[float] = []
    flashers.FLASHERS["drag-and-drop"].write(job, shares.append)
    assert (drive / "FIRMWARE.BIN").read_bytes() == (folder / "firmware.bin").read_bytes()
    assert shares[-1] == 1.0


def test_drive_that_fails_missing_drive_and_two_drives(
    folders: Callable[[str], Path], drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = flashers.Job(boards.load("nucleo-f446re"), folders("nucleo-f446re"))
    write = flashers.FLASHERS["drag-and-drop"].write

    def fail(share: float) -> None:
        (drive / "FAIL.TXT").write_text("Flash algorithm failed\n")

    with pytest.raises(DeviceError, match="could not program the chip: Flash algorithm failed"):
        write(job, fail)
    second = drive.with_name("NODE_F446RE1")
    second.mkdir()
    with pytest.raises(DeviceError, match="2 drives NODE_F446RE are mounted"):
        write(job, lambda share: None)
    monkeypatch.setattr(flash_drive, "mounted", lambda: iter([drive.with_name("NODE_L476RG")]))
    with pytest.raises(DeviceError, match="no drive NODE_F446RE is mounted: connect nucleo-f446re"):
        write(job, lambda share: None)


def test_mounted_drives_with_spaces_are_listed() -> None:
    if not Path("/proc/mounts").is_file():
        pytest.skip("no /proc/mounts")
    assert Path("/proc") in list(drives.mounted())


# --- choice of a method ---------------------------------------------------------------------------


def test_methods_are_chosen_in_the_order_of_the_board_file(
    tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = boards.load("netduinoplus2")
    for name in ("stm32flash", "openocd", "JLinkExe"):
        stand_in(tools, name, "exit 0")
    monkeypatch.setenv("PATH", str(tools))
    assert flashers.choose(board, "/dev/x", None).method == "stm32-bootloader"
    assert flashers.choose(board, "/dev/x", None, "123").method == "openocd"
    assert flashers.choose(board, None, None).method == "openocd"
    (tools / "openocd").unlink()
    assert flashers.choose(board, None, None).method == "jlink"
    (tools / "stm32flash").unlink()
    (tools / "JLinkExe").unlink()
    with pytest.raises(
        MissingToolError, match="no stm32flash or openocd or JLinkExe or STM32_Prog"
    ):
        flashers.choose(board, "/dev/x", None)


def test_boot_loader_on_the_pins_of_the_link_only_where_it_listens(tools: Path) -> None:
    """AN2606: USART2 on PA2 and PA3 in an L476, but not in an F446 or F405."""
    shared = {
        name: board.flash.bootloader_shares_link(board.uart)
        for name in boards.names()
        if (board := boards.load(name)) and "stm32-bootloader" in board.flash.methods
    }
    assert shared == {
        "netduinoplus2": False, "nucleo-f446re": False, "nucleo-l476rg": True,
        "stm32f4discovery": False,
    }  # fmt: skip


def test_impossible_methods_are_refused(image: Path) -> None:
    for words, expected in (
        (("--method", "uf2"), "netduinoplus2 is not flashed by uf2; by: emulator, stm32-boot"),
        (("--method", "stm32-bootloader", "--port", "/dev/x"),
         "stm32-bootloader writes to PB10/PB11 or PC10/PC11 (TX/RX), where the boot loader of "
         "netduinoplus2 listens, not on the link's pins: give --bootloader-port"),
        (("--method", "stm32-bootloader", "--bootloader-port", "/dev/x", "--probe", "1"),
         "stm32-bootloader has no probe to choose: leave out --probe"),
    ):  # fmt: skip
        result = flash(image, *words)
        assert result.exit_code == 2
        assert expected in result.stderr


def test_port_of_the_link_serves_a_boot_loader_that_listens_there() -> None:
    with pytest.raises(EdgebioError, match="writes over the serial port: give --port"):
        flashers.choose(boards.load("nucleo-l476rg"), None, "stm32-bootloader")


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
