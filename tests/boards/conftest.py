"""The probe, built for a board and run in its emulator."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from edgebio import boards
from edgebio.boards import emulator
from edgebio.firmware import linking
from edgebio.firmware.port_sources import add_port
from edgebio.firmware.source_tree import SourceTree

PROBE = Path(__file__).with_name("probe.c")


def build_probe(board: boards.Board, folder: Path) -> Path:
    """Build probe.c on the board's port and return the ELF file."""
    root = folder / "src"
    (root / "app").mkdir(parents=True)
    shutil.copyfile(PROBE, root / "app" / "probe.c")
    tree = SourceTree(root, list(board.flags))
    add_port(tree, board)
    tree.add("app", [root / "app" / "probe.c"])
    return linking.compile_and_link(tree, board, folder / "firmware.elf").path


class Device:
    """The probe's commands."""

    def __init__(self, port: serial.Serial) -> None:
        self.port = port

    def word(self) -> int:
        raw = self.port.read(4)
        assert len(raw) == 4, "the probe does not answer"
        return int.from_bytes(raw, "little")

    def send(self, letter: str, *words: int) -> None:
        self.port.write(letter.encode() + b"".join(w.to_bytes(4, "little") for w in words))

    def wait_until_up(self) -> None:
        """Ask until there is an answer: a UART that is not enabled yet loses what is sent."""
        wait, self.port.timeout = self.port.timeout, 0.05
        for _ in range(200):
            self.send("y")
            if self.port.read(4):
                break
        else:
            raise AssertionError("the probe does not come up")
        self.port.timeout = wait
        token = random.randbytes(12)
        self.send("e", len(token))
        self.port.write(token)
        seen = b""
        while not seen.endswith(token):  # behind the answers to what was asked too often
            byte = self.port.read(1)
            assert byte, "the probe does not echo"
            seen += byte


# One board of each port and of each architecture here, the others in `make test-all`.
QUICK = ("mps2-an386", "mps2-an505", "netduinoplus2")


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
        for name in boards.names()
        if (emulation := boards.load(name).emulator) and emulation.program == "qemu"
    ],
)
def board(request: pytest.FixtureRequest) -> boards.Board:
    return boards.load(request.param)


@pytest.fixture(scope="session")
def probe(board: boards.Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_probe(board, tmp_path_factory.mktemp(board.name))


@pytest.fixture
def device(board: boards.Board, probe: Path) -> Iterator[Device]:
    with (
        emulator.start(board, probe, "tcp") as running,
        serial.serial_for_url(running.url, timeout=10) as port,
    ):
        device = Device(port)
        device.wait_until_up()
        yield device
