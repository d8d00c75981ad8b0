"""QEMU started, stopped and detached; and errors if it is missing or dies."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import serial

from edgebio import boards, storage
from edgebio.boards import detached_emulator, emulator, emulator_process, qemu
from edgebio.boards.board import Emulation
from edgebio.errors import DeviceError, EdgebioError, MissingToolError
from tests.boards.conftest import Device, build_probe


@pytest.fixture(scope="module")
def netduino() -> boards.Board:
    return boards.load("netduinoplus2")


@pytest.fixture(scope="module")
def image(netduino: boards.Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_probe(netduino, tmp_path_factory.mktemp("emulator"))


def ended(pid: int) -> bool:
    """Whether a process is gone (or only its remains are left) within ten seconds."""
    for _ in range(1000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def answers(url: str) -> bool:
    with serial.serial_for_url(url, timeout=5) as port:
        Device(port).wait_until_up()
    return True


def test_emulator_ends_with_the_block(netduino: boards.Board, image: Path) -> None:
    with emulator.start(netduino, image) as running:
        assert running.running
        assert os.getsid(running.pid) == running.pid  # Ctrl-C in the terminal spares it
        assert answers(running.url)
    assert not running.running
    assert ended(running.pid)


def test_emulator_ends_with_a_failing_block(netduino: boards.Board, image: Path) -> None:
    with pytest.raises(ZeroDivisionError), emulator.start(netduino, image, "tcp") as running:
        raise ZeroDivisionError
    assert ended(running.pid)


def test_emulator_ends_with_a_killed_process(image: Path) -> None:
    code = (
        "import time\n"
        "from pathlib import Path\n"
        "from edgebio import boards\n"
        "from edgebio.boards import emulator\n"
        f"with emulator.start(boards.load('netduinoplus2'), Path({str(image)!r})) as e:\n"
        "    print(e.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
    finally:
        owner.kill()
        owner.communicate()
    assert ended(pid)


def test_tcp_port_takes_successive_clients(netduino: boards.Board, image: Path) -> None:
    with emulator.start(netduino, image, "tcp") as running:
        assert running.url.startswith("socket://127.0.0.1:")
        assert answers(running.url)
        assert answers(running.url)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux binds threads to cores")
def test_emulator_is_bound_to_one_core_and_its_parent_is_not(
    netduino: boards.Board, image: Path
) -> None:
    ours = os.sched_getaffinity(0)
    with (
        emulator.start(netduino, image, "tcp") as first,
        emulator.start(netduino, image, "tcp") as second,
    ):
        assert os.sched_getaffinity(0) == ours
        cores = []
        for running in (first, second):
            threads = [int(p.name) for p in Path(f"/proc/{running.pid}/task").iterdir()]
            assert len(threads) > 1
            [core] = {core for thread in threads for core in os.sched_getaffinity(thread)}
            cores.append(core)
        assert len(set(cores)) == min(2, len(ours))


def test_two_emulators_have_different_ports(netduino: boards.Board, image: Path) -> None:
    with (
        emulator.start(netduino, image, "tcp") as first,
        emulator.start(netduino, image, "tcp") as second,
    ):
        assert first.url != second.url
        assert answers(first.url)
        assert answers(second.url)


def test_detached_emulator_is_replaced_and_stopped(
    netduino: boards.Board, image: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "firmware.elf"
    mine.write_bytes(image.read_bytes())
    first = detached_emulator.start(netduino, mine)
    try:
        assert detached_emulator.find(tmp_path) == first
        assert answers(first.url)
        second = detached_emulator.start(netduino, mine, "tcp")
        assert ended(first.pid)
        assert answers(second.url)
    finally:
        stopped = detached_emulator.stop(tmp_path)
    assert stopped == second
    assert ended(second.pid)
    assert detached_emulator.stop(tmp_path) is None


def test_folder_that_cannot_be_written_is_reported(netduino: boards.Board, tmp_path: Path) -> None:
    with pytest.raises(EdgebioError, match=r"emulator\.log: cannot be written"):
        detached_emulator.start(netduino, tmp_path / "gone" / "firmware.elf")


def test_stop_spares_another_process_with_the_number(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        record = detached_emulator.DetachedEmulator(
            board="b", url="u", pid=other.pid, image=str(tmp_path / "firmware.elf")
        )
        storage.write_json(tmp_path / "emulator.json", record.model_dump())
        assert detached_emulator.stop(tmp_path) is None
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_hanging_emulator_is_killed(
    netduino: boards.Board, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emulator_process, "STOP_SECONDS", 0.2)
    with emulator.start(netduino, image) as running:
        os.kill(running.pid, signal.SIGSTOP)  # does not react to SIGTERM now
    assert ended(running.pid)


def test_missing_qemu_is_reported(
    netduino: boards.Board, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(MissingToolError, match="sudo apt-get install qemu-system-arm"),
        emulator.start(netduino, image),
    ):
        pass


def test_board_without_emulator_is_refused(netduino: boards.Board, image: Path) -> None:
    with (
        pytest.raises(EdgebioError, match="netduinoplus2 has no emulator"),
        emulator.start(netduino.model_copy(update={"emulator": None}), image),
    ):
        pass


@pytest.mark.parametrize("kind", ["pty", "tcp"])
def test_unknown_machine_is_reported(netduino: boards.Board, image: Path, kind: str) -> None:
    wrong = netduino.model_copy(update={"emulator": Emulation(machine="uno")})
    with (
        pytest.raises(
            DeviceError, match=r"netduinoplus2 \(emulated\) failed: .*unsupported machine"
        ) as caught,
        emulator.start(wrong, image, kind),  # type: ignore[arg-type]
    ):
        pass
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["pty", "tcp"])
def test_missing_image_is_reported(netduino: boards.Board, tmp_path: Path, kind: str) -> None:
    with (
        pytest.raises(DeviceError, match=r"\(emulated\) failed: .*none\.elf"),
        emulator.start(netduino, tmp_path / "none.elf", kind),  # type: ignore[arg-type]
    ):
        pass


def test_missing_image_to_run_is_reported(netduino: boards.Board, tmp_path: Path) -> None:
    wrong = tmp_path / "firmware.elf"
    with pytest.raises(DeviceError, match=r"firmware\.elf"):
        qemu.run(netduino, wrong, tmp_path, 5)


def test_endless_image_is_ended(netduino: boards.Board, image: Path, tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"did not finish within 0\.5 s"):
        qemu.run(netduino, image, tmp_path, 0.5)


def test_tcp_port_is_never_shared(netduino: boards.Board, image: Path) -> None:
    with emulator.start(netduino, image, "tcp") as running:
        number = int(running.url.rsplit(":", 1)[1])
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", number))
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", number))  # given back with the emulator
