"""A board that disconnects, hangs, restarts or is late during a command: one line, exit 1."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edgebio import boards, firmware, progress
from edgebio.boards import emulator, qemu
from edgebio.cli import main
from edgebio.link.client import Client
from edgebio.link.serial_port import SerialPort
from edgebio.runtime.device import Device
from tests.hil import conftest as hil

BOARD = "mps2-an386"
AFTER = 40  # writes to the port until the fault: well into the work of every command
Act = Callable[[], None]


@pytest.fixture(autouse=True)
def no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "enable", lambda: None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


model = hil.model


@pytest.fixture(scope="module")
def image(model: Path, folder: Path) -> Path:
    qemu.program()
    firmware.build(model, boards.load(BOARD), folder / "image", hooks="trace")
    return folder / "image"


@pytest.fixture(scope="module")
def commands(model: Path, image: Path, folder: Path) -> dict[str, list[str]]:
    """Commands that take long on a board, by name."""
    rng = np.random.default_rng(2)
    np.savez(folder / "r.npz", samples=rng.integers(-900, 900, (20000, 8), np.int16), rate=1000.0)
    np.save(folder / "x.npy", rng.integers(-128, 128, (600, 16, 16, 8), np.int8))
    infer = ["infer", str(model), "--inputs", str(folder / "x.npy"), "-o", str(folder / "y.npy")]
    classify = ["classify", str(folder / "r.npz"), "--model", str(model), "--delay-limit", "0"]
    return {
        "infer": infer,
        "classify": classify,
        "real-time": [*classify, "--real-time"],
        "hil": ["hil", str(image), "--inputs", "40", "--soak", "20"],
    }


@pytest.fixture
def board(image: Path) -> Iterator[emulator.Emulator]:
    with emulator.start(boards.load(BOARD), image / "firmware.elf") as running:
        yield running
        os.kill(running.pid, signal.SIGCONT) if running.running else None


def strike(monkeypatch: pytest.MonkeyPatch, act: Act) -> list[float]:
    """Call `act` at write number AFTER; the list gets the time of the call."""
    calls: list[float] = []
    left = [AFTER]
    write = SerialPort.write

    def counting(self: SerialPort, data: bytes) -> None:
        left[0] -= 1
        if left[0] == 0:
            calls.append(time.monotonic())
            act()
        write(self, data)

    monkeypatch.setattr(SerialPort, "write", counting)
    return calls


def line_of(result: Result) -> str:
    """The line that a failed command prints."""
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    [line] = [line for line in result.stderr.splitlines() if line.startswith("edgebio: ")]
    return line


def check_that_it_works(url: str) -> None:
    with Client(url) as device:
        assert device.identify().board == BOARD
        run = device.run_image(np.zeros((16, 16, 8), np.int8))
        assert len(run.output) == device.describe().output_bytes


SLOW = pytest.mark.slow
EVERY = ["real-time", *(pytest.param(n, marks=SLOW) for n in ("infer", "classify", "hil"))]


@pytest.mark.parametrize("name", EVERY)
def test_a_board_that_disconnects_is_reported(
    name: str, commands: dict[str, list[str]], board: emulator.Emulator, image: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    calls = strike(monkeypatch, board.stop)
    line = line_of(CliRunner().invoke(main, [*commands[name], "--port", board.url]))
    assert calls
    assert time.monotonic() - calls[0] < 15
    assert "the device disconnected" in line
    with emulator.start(boards.load(BOARD), image / "firmware.elf") as again:
        check_that_it_works(again.url)


@pytest.mark.parametrize("name", EVERY)
def test_a_board_that_hangs_is_reported(
    name: str, commands: dict[str, list[str]], board: emulator.Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setitem(Device.__init__.__kwdefaults__ or {}, "timeout", 2.0)
    calls = strike(monkeypatch, lambda: os.kill(board.pid, signal.SIGSTOP))
    line = line_of(CliRunner().invoke(main, [*commands[name], "--port", board.url]))
    assert 1.9 < time.monotonic() - calls[0] < 30
    assert "no answer" in line or "accepts no more bytes" in line
    os.kill(board.pid, signal.SIGCONT)
    monkeypatch.undo()
    check_that_it_works(board.url)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["real-time", "infer", "classify", "hil"])
def test_a_board_that_the_watchdog_restarts_is_reported(
    name: str, commands: dict[str, list[str]], board: emulator.Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The CPU stops while the clock of its watchdog goes on, as in a hang.

    When it continues, it may still feed the watchdog in time: then it stops again.
    """
    over = threading.Event()

    def stand_still() -> None:
        while not over.is_set():
            os.kill(board.pid, signal.SIGSTOP)
            time.sleep(5)
            os.kill(board.pid, signal.SIGCONT)
            over.wait(1)

    thread = threading.Thread(target=stand_still)
    calls = strike(monkeypatch, thread.start)
    result = CliRunner().invoke(main, [*commands[name], "--port", board.url])
    over.set()
    thread.join()
    line = line_of(result)
    assert calls
    assert "restarted in the middle of work" in line
    monkeypatch.undo()
    with Client(board.url) as device:
        assert device.statistics().start_cause == 2
        current = device.current_decision()
        assert (current.decision, current.reason) == (254, "watchdog")
    check_that_it_works(board.url)


@pytest.mark.parametrize("name", [pytest.param(n, marks=SLOW) for n in ("infer", "classify")])
def test_a_board_that_answers_late_is_reported(
    name: str, commands: dict[str, list[str]], board: emulator.Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Late, but within the timeout: nothing is lost, nothing is executed twice."""

    def pause() -> None:
        os.kill(board.pid, signal.SIGSTOP)
        threading.Timer(1.5, os.kill, (board.pid, signal.SIGCONT)).start()

    calls = strike(monkeypatch, pause)
    result = CliRunner().invoke(main, [*commands[name], "--port", board.url])
    assert calls
    assert result.exit_code == 0, result.output
