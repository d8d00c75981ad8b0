"""``edgebio flash`` of an emulated Pico over USB without a button, and decisions over it."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edgebio import boards, progress
from edgebio.boards import detached_emulator, emulator, usb_ports
from edgebio.cli import main
from edgebio.errors import DeviceError, MissingToolError
from edgebio.firmware import bootloader
from edgebio.link.client import Client
from tests.hil import conftest as hil

model = hil.model


@pytest.fixture(autouse=True, scope="module")
def is_installed() -> None:
    try:
        emulator.check_installed(boards.load("pico"))
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.fixture(autouse=True)
def no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "enable", lambda: None)


def run(*words: str | Path) -> dict[str, object]:
    done = CliRunner().invoke(main, [*map(str, words), "--json"])
    assert done.exit_code == 0, done.output
    document: dict[str, object] = json.loads(done.stdout)
    return document


def error_of(code: int, *words: str | Path) -> str:
    done = CliRunner().invoke(main, [*map(str, words)])
    assert done.exit_code == code, done.output
    [line] = [line for line in done.stderr.splitlines() if line.startswith("edgebio: ")]
    return line


@pytest.fixture(scope="module")
def folder(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with two images for USB, one of them with traces, and a recording."""
    folder = tmp_path_factory.mktemp("flash")
    for name, options in (("first", ["--hil"]), ("second", [])):
        run("build", model, "--board", "pico", "--link", "usb", "--allow-late", *options,
            "-o", folder / name)  # fmt: skip
    np.savez(folder / "recording.npz", samples=hil.samples(), rate=1000.0)
    return folder


@pytest.fixture
def url(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The first image, running."""
    monkeypatch.setenv("EDGEBIO_CACHE", str(tmp_path))
    yield str(run("flash", folder / "first")["url"])
    detached_emulator.stop(folder / "first")


def test_new_image_without_a_button_and_its_decisions(folder: Path, model: Path, url: str) -> None:
    result = run("flash", folder / "second", "--port", url)
    manifest = json.loads((folder / "second" / "manifest.json").read_text())
    with Client(url, timeout=60) as device:
        assert device.image().sha256.hex() == manifest["image"]["sha256"]
    assert result["method"] == "uf2"
    assert manifest["image"]["sha256"][:12] in str(result["verified"])
    document = run("classify", folder / "recording.npz", "--port", url, "--model", model,
                   "--delay-limit", "0")  # fmt: skip
    assert document["windows"] == 8
    assert document["differing"] == {"images": 0, "logits": 0, "decisions": 0}


def test_device_that_hangs_is_reported_in_one_line(
    folder: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootloader, "_ANSWER_SECONDS", 0.5)
    record = detached_emulator.find(folder / "first")
    assert record
    os.kill(record.pid, signal.SIGSTOP)
    try:
        line = error_of(1, "flash", folder / "second", "--port", url)
    finally:
        os.kill(record.pid, signal.SIGCONT)
    assert "pico was NOT flashed: no drive of its boot loader is mounted; hold BOOTSEL" in line
    assert "nothing answers" in line


def test_board_on_usb_is_found_by_its_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    class Port:
        def __init__(self, device: str, vid: int, pid: int, product: str | None) -> None:
            self.device, self.vid, self.pid, self.product = device, vid, pid, product

    ports = [
        Port("/dev/ttyACM0", 0x2E8A, 0x000A, "Pico"),  # another program of the Pico SDK
        Port("/dev/ttyACM1", 0x1366, 0x1015, "J-Link"),
    ]
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: ports)
    with pytest.raises(DeviceError, match="no board is on USB with an edgebio image"):
        usb_ports.resolve("usb")
    ports.append(Port("/dev/ttyACM2", 0x2E8A, 0x000A, "edgebio pico"))
    assert usb_ports.resolve("usb") == "/dev/ttyACM2"
    assert usb_ports.resolve("usb", boards.load("pico")) == "/dev/ttyACM2"
    with pytest.raises(DeviceError, match="no pico2 is on USB"):
        usb_ports.resolve("usb", boards.load("pico2"))
    ports.append(Port("COM3", 0x2E8A, 0x0009, None))  # Windows does not tell the product
    assert usb_ports.resolve("usb", boards.load("pico2")) == "COM3"
    with pytest.raises(DeviceError, match=r"several boards are on USB: /dev/ttyACM2, COM3|COM3, "):
        usb_ports.resolve("usb")
    assert usb_ports.resolve("/dev/ttyUSB0") == "/dev/ttyUSB0"


def test_board_without_usb_is_refused(model: Path, tmp_path: Path) -> None:
    line = error_of(
        2, "build", model, "--board", "mps2-an386", "--link", "usb", "-o", tmp_path / "i"
    )
    assert "mps2-an386: its link is a UART" in line
