"""The client with the host process: what it can do, and its errors when it cannot."""

import itertools
import os
import signal as signals
import socket
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from edgebio.errors import DeviceError, EdgebioError
from edgebio.link import frames
from edgebio.link.client import Client
from edgebio.link.errors import (
    DeviceRestartedError,
    DisconnectedError,
    NoAnswerError,
    PortError,
    ProtocolError,
)
from edgebio.link.frames import Frame
from edgebio.link.messages import ANSWER
from edgebio.link.serial_port import SerialPort
from edgebio.runtime import host_device
from tests.link.noise import NoisyDevice
from tests.link.standin import CHANNELS, SHA, SPEC, StandIn, signal


def test_identifies_itself_and_its_model(client: Client, model: StandIn) -> None:
    identity, description = client.identify(), client.describe()
    assert identity.board == "host"
    assert identity.payload_bytes == 1024
    assert description.model_sha256.hex() == SHA
    assert (description.input_bytes, description.output_bytes) == (model.input_bytes, model.classes)
    assert (description.frontend, description.rate_millihz, description.channels) == (
        1,
        1_000_000,
        CHANNELS,
    )
    assert (description.segment_length, description.step, description.votes) == (
        SPEC.segment_length,
        SPEC.step,
        3,
    )


def test_device_time_runs(client: Client) -> None:
    start = time.monotonic()
    first = client.ping()
    time.sleep(0.05)
    assert 50_000 <= client.ping() - first <= 1.01e6 * (time.monotonic() - start)


def test_runs_images_and_segments(client: Client, model: StandIn) -> None:
    samples = signal(400)
    images, logits = model.images(samples), model.logits(samples)
    for image, row in zip(images, logits, strict=True):
        assert client.run_image(image).output.tolist() == row.tolist()
        assert client.run_image(image.tobytes()).output.tolist() == row.tolist()
    run = client.run_segment(samples[: SPEC.segment_length])
    assert run.output.tolist() == logits[0].tolist()
    assert client.statistics().images == 2 * len(images) + 1


def test_streams_2000_segments_and_decides_as_the_host_twin(client: Client, model: StandIn) -> None:
    samples = signal(SPEC.segment_length + 1999 * SPEC.step)
    decisions = list(client.stream(samples))
    expected = model.decided(samples)
    assert [d.index for d in decisions] == list(range(2000))
    assert np.array_equal([d.logits for d in decisions], model.logits(samples))
    assert [d.winner for d in decisions] == expected.winners.tolist()
    assert [d.decision for d in decisions] == expected.decisions.tolist()
    assert [d.end for d in decisions] == (
        SPEC.segment_length + SPEC.step * np.arange(2000)
    ).tolist()
    assert len(set(expected.decisions.tolist())) > 3, "the signal decides for several classes"
    assert (expected.winners != expected.decisions).any(), "the vote matters"
    times = np.array([d.time_us for d in decisions])
    assert (np.diff(times) >= 0).all()
    statistics = client.statistics()
    assert (statistics.overrun_bytes, statistics.gaps, statistics.damaged_frames) == (0, 0, 0)
    assert statistics.repeated_requests == 0, "no request is repeated"


def test_any_request_may_be_sent_in_the_middle_of_a_stream(client: Client, model: StandIn) -> None:
    samples = signal(4000)
    decisions, counted = [], []
    for decision in client.stream(samples):
        decisions.append(decision.decision)
        counted.append(client.statistics().frames)
    assert decisions == model.decided(samples).decisions.tolist()
    assert counted == sorted(counted)
    assert counted[0] < counted[-1]


def test_streams_pieces_as_they_arrive(client: Client, model: StandIn) -> None:
    samples = signal(1000)
    cuts = [0, 1, 1, 7, 300, 301, 999, 1000]
    pieces = (samples[a:b] for a, b in itertools.pairwise(cuts))
    assert [d.decision for d in client.stream(pieces)] == model.decided(samples).decisions.tolist()


def test_stream_is_fed_piece_by_piece(client: Client, model: StandIn) -> None:
    samples = signal(1000)
    counts, decisions = [], []
    with client.open_stream() as stream:
        for a, b in itertools.pairwise([0, 1, 1, 55, 56, 300, 301, 999, 1000]):
            events = stream.feed(samples[a:b])
            counts.append(len(events))
            decisions += [event.decision for event in events]
    assert counts[:5] == [0, 0, 0, 1, 15]
    assert decisions == model.decided(samples).decisions.tolist()
    assert client.current_decision().reason == "stopped"


def test_stream_that_is_fed_wrong_samples_ends(client: Client) -> None:
    with (
        pytest.raises(EdgebioError, match="samples have 2 channels; expected int16"),
        client.open_stream() as stream,
    ):
        stream.feed(signal(60)[:, :2])
    assert client.current_decision().reason == "stopped"


def test_streams_at_a_pace(client: Client, model: StandIn) -> None:
    samples = signal(600)
    arrived = []
    start = time.monotonic()
    for decision in client.stream(samples, pace=1000.0):
        arrived.append((decision.end, time.monotonic() - start))
    assert len(arrived) == len(model.logits(samples))
    delays = [seconds - end / 1000 for end, seconds in arrived]
    assert 0 <= min(delays) < 0.25  # a busy machine may delay some


@pytest.mark.parametrize("count", [0, SPEC.segment_length - 1])
def test_stream_too_short_for_a_segment_makes_no_decision(client: Client, count: int) -> None:
    assert list(client.stream(signal(SPEC.segment_length)[:count])) == []


def test_abandoned_stream_leaves_a_working_link(client: Client, model: StandIn) -> None:
    samples = signal(4000)
    for wanted in (1, 5):
        stream = client.stream(samples)
        got = [next(stream).decision for _ in range(wanted)]
        stream.close()
        assert got == model.decided(samples).decisions[:wanted].tolist()
        image = model.images(samples)[0]
        assert client.run_image(image).output.tolist() == model.logits(samples)[0].tolist()


def test_output_longer_than_a_frame(plain_executable: Path, plain_model: StandIn) -> None:
    x = np.random.default_rng(3).integers(-128, 128, plain_model.input_bytes, np.int8)
    from tests.link.standin import network

    with host_device.running(plain_executable) as device, Client(device.url) as client:
        expected = network(x[None], plain_model.classes)[0]
        assert client.run_image(x).output.tolist() == expected.tolist()
        with pytest.raises(EdgebioError, match="no front end"):
            client.run_segment(signal(SPEC.segment_length))
        with pytest.raises(EdgebioError, match="no front end"):
            next(client.stream(signal(100)))


def test_wrong_shapes_are_refused_before_anything_is_sent(client: Client) -> None:
    assert client.description.channels == CHANNELS
    frames_before = client.statistics().frames
    with pytest.raises(EdgebioError, match="has 128 bytes, not 127"):
        client.run_image(bytes(127))
    with pytest.raises(EdgebioError, match="has 56 samples, not 55"):
        client.run_segment(signal(55))
    for wrong in (signal(100)[:, :2], signal(100).astype(np.int32), signal(100)[:, 0]):
        with pytest.raises(EdgebioError, match=rf"expected int16 of shape \(n, {CHANNELS}\)"):
            next(client.stream(wrong))
    assert client.statistics().frames == frames_before + 1


def test_reset_restarts_the_device(client: Client) -> None:
    client.ping()
    client.run_image(bytes(128))
    client.reset()
    assert client.statistics().images == 0
    assert client.run_image(bytes(128)).output.tolist() == [0] * 5


def test_restart_in_the_middle_is_noticed(client: Client) -> None:
    stream = client.stream(signal(5000))
    next(stream)
    client._connection.request("reset")  # as a watchdog or a loose cable would
    with pytest.raises(DeviceRestartedError, match="restarted in the middle"):
        list(stream)


def test_restart_between_requests_is_noticed_by_each(client: Client) -> None:
    """A ping does not open a new session: lost settings and uploads would go unnoticed."""
    client._connection.request("reset")
    for again in (client.ping, client.settings, lambda: client.run_image(bytes(128))):
        with pytest.raises(DeviceRestartedError, match="restarted in the middle"):
            again()


def test_new_client_ends_the_work_of_the_previous_one(device: host_device.HostDevice) -> None:
    first = Client(device.url)
    next(stream := first.stream(signal(5000)))
    first.close()  # as a program that is killed
    if device.url.startswith("/"):
        with Client(device.url) as second:
            assert second.run_image(bytes(128)).output.tolist() == [0] * 5
    with pytest.raises(DisconnectedError):
        list(stream)


# --- ports ---------------------------------------------------------------------------------------


def test_port_that_is_busy(executable: Path) -> None:
    with (
        host_device.running(executable) as device,
        Client(device.url),
        pytest.raises(PortError, match="is busy: another program has it open"),
    ):
        Client(device.url)


def test_port_is_free_again_after_close(device: host_device.HostDevice) -> None:
    for _ in range(3):
        with Client(device.url) as client:
            assert client.statistics().images == 0


def test_port_that_does_not_exist() -> None:
    with pytest.raises(PortError, match=r"^there is no port /dev/ttyNOPE; .*port"):
        Client("/dev/ttyNOPE")


def test_file_is_no_port(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(PortError, match="is no serial port"):
        Client(str(file))


def test_port_without_permission(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object, **__: object) -> None:
        import serial

        raise serial.SerialException(13, "could not open port: [Errno 13] Permission denied")

    monkeypatch.setattr("edgebio.link.serial_port.serial.serial_for_url", refuse)
    with pytest.raises(PortError, match=r"no permission .* sudo usermod -aG \w+ \$USER"):
        Client(str(tmp_path))


@pytest.mark.parametrize("url", ["nonsense://x", "socket://127.0.0.1", "socket://127.0.0.1:x"])
def test_invalid_url_is_refused(url: str) -> None:
    with pytest.raises(PortError, match=f"{url} cannot be opened"):
        Client(url)


def test_socket_without_a_listener() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(PortError, match=r"cannot be opened: .*refused"):
        Client(f"socket://127.0.0.1:{port}")


# --- what is at the other end --------------------------------------------------------------------


@contextmanager
def answering(answer: Callable[[bytes], bytes], chatter: bytes = b"") -> Iterator[str]:
    """A pty with something at its end that sends `chatter` repeatedly, and answers."""
    master, slave = os.openpty()
    tty.setraw(slave)
    over = threading.Event()

    def live() -> None:
        os.set_blocking(master, False)
        while not over.wait(0.02):
            try:
                data = os.read(master, 4096)
            except BlockingIOError:
                data = b""
            output = chatter + (answer(data) if data else b"")
            if output:
                os.write(master, output)

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield os.ttyname(slave)
    finally:
        over.set()
        thread.join()
        os.close(master)
        os.close(slave)


def test_device_that_is_silent() -> None:
    with (
        answering(lambda data: b"") as url,
        pytest.raises(NoAnswerError, match=r"nothing answers within 0.5 s; is the board powered"),
    ):
        Client(url, timeout=0.5)


def test_foreign_device_that_talks_nonsense() -> None:
    with (
        answering(lambda data: b"", b"boot: ESP-ROM 0x1234\r\n") as url,
        pytest.raises(ProtocolError, match=r"no edgebio device \(it sends b'boot: ESP-ROM"),
    ):
        Client(url, timeout=0.5)


def test_echo_is_no_device() -> None:
    """A modem, or a shorted cable: every frame comes back, good in itself."""
    with answering(lambda data: data) as url, pytest.raises(ProtocolError, match="no edgebio"):
        Client(url, timeout=0.5)


def test_device_among_chatter(executable: Path) -> None:
    """A boot loader's banner before the first frame does no harm."""
    output = []

    def banner(data: bytes) -> bytes:
        output.append(data)
        return b"Booting...\r\n" + data if len(output) == 1 else data

    with NoisyDevice(executable, lambda d: d, banner) as device, Client(device.url) as client:
        assert client.identify().board == "host"


def test_device_of_another_version() -> None:
    def answer(data: bytes) -> bytes:
        requests = list(frames.Parser().feed(data))
        return b"".join(
            frames.encode(Frame(f.kind | ANSWER, f.sequence, bytes(8), version=9)) for f in requests
        )

    with answering(answer) as url, pytest.raises(ProtocolError, match="protocol version 9"):
        Client(url, timeout=1)


def test_answer_of_wrong_form() -> None:
    def answer(data: bytes) -> bytes:
        requests = list(frames.Parser().feed(data))
        return b"".join(frames.encode(Frame(f.kind | ANSWER, f.sequence, b"xyz")) for f in requests)

    with answering(answer) as url, pytest.raises(ProtocolError, match="ping is malformed"):
        Client(url, timeout=1)


def test_device_that_starts_late(executable: Path) -> None:
    """Pings before it listens are lost, as by a USART that is not enabled yet."""
    deaf_until = time.monotonic() + 1

    def deaf(data: bytes) -> bytes:
        return data if time.monotonic() > deaf_until else b""

    with NoisyDevice(executable, deaf, lambda d: d) as device, Client(device.url) as client:
        assert client.identify().board == "host"


def test_device_that_disconnects_in_the_middle(device: host_device.HostDevice) -> None:
    with Client(device.url) as client:
        stream = client.stream(signal(200_000))
        next(stream)
        assert device.process is not None
        device.process.kill()
        with pytest.raises(DisconnectedError, match="the device disconnected"):
            list(stream)
        with pytest.raises(DisconnectedError):
            client.ping()


def test_device_that_hangs_and_comes_back(device: host_device.HostDevice, model: StandIn) -> None:
    samples = signal(3000)
    with Client(device.url, timeout=1, retry_after=0.1) as client:
        assert device.process is not None
        device.process.send_signal(signals.SIGSTOP)
        with pytest.raises(NoAnswerError, match=r"no answer to identify within 1 s"):
            client.identify()
        with pytest.raises(NoAnswerError, match="no answer"):
            list(client.stream(samples))
        device.process.send_signal(signals.SIGCONT)
        assert client.run_image(bytes(128)).output.tolist() == [0] * 5
        expected = model.decided(samples).decisions.tolist()
        assert [d.decision for d in client.stream(samples)] == expected


def test_device_that_answers_late(executable: Path, model: StandIn) -> None:
    """Slower than the retries: every request is sent several times and executed once."""

    def late(data: bytes) -> bytes:
        time.sleep(0.12)
        return data

    with (
        NoisyDevice(executable, lambda d: d, late) as device,
        Client(device.url, retry_after=0.05) as client,
    ):
        image = model.images(signal(100))[0]
        for _ in range(3):
            assert client.run_image(image).output.tolist() == model.logits(signal(100))[0].tolist()
        statistics = client.statistics()
        assert statistics.images == 3
        assert statistics.repeated_requests > 3


def test_device_that_takes_no_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgebio.link.serial_port._WRITE_TIMEOUT", 0.3)
    master, slave = os.openpty()
    tty.setraw(slave)
    try:
        port = SerialPort(os.ttyname(slave), 115_200)
        with pytest.raises(NoAnswerError, match="accepts no more bytes"):
            port.write(bytes(1_000_000))
        port.close()
    finally:
        os.close(master)
        os.close(slave)


def test_every_failure_is_a_device_error() -> None:
    for kind in (PortError, NoAnswerError, DisconnectedError, ProtocolError, DeviceRestartedError):
        assert issubclass(kind, DeviceError)


def test_link_works_without_tensorflow() -> None:
    code = (
        "import sys; sys.modules['tensorflow'] = None; import edgebio.link.client, "
        "edgebio.decision.twin, edgebio.runtime.host_device; "
        "assert not any(n in sys.modules for n in ('tf_keras', 'scipy'))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
