"""Sources against real peers: a pty, LSL in another process, BrainFlow, a device of this host."""

import contextlib
import itertools
import os
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgebio.errors import EdgebioError
from edgebio.runtime.host_device import HostLive
from edgebio.sources import Chunk, LiveStream, SourceError, open_stream, serial_text
from tests.link.standin import StandIn, signal
from tests.runtime.live_device import LiveDevice, build


def read(stream: LiveStream, seconds: float) -> list[Chunk]:
    end, chunks = time.monotonic() + seconds, list[Chunk]()
    while time.monotonic() < end:
        chunks += stream.read(0.05)
    return chunks


class Printer:
    """Prints lines to a pty at a rate, as an Arduino does; a test may change what it prints."""

    def __init__(self, rate: float, line: str) -> None:
        self.rate, self.line = rate, line
        self.number = 0
        self.silent = False
        self._descriptor, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._descriptor, False)
        self.port = os.ttyname(self._slave)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        last = time.monotonic()
        while not self._stop.wait(0.004):
            now = time.monotonic()
            count = int((now - last) * self.rate)
            last += count / self.rate
            for _ in range(count):
                self.number += 1
                if not self.silent:
                    self.write(self.line.format(i=self.number, a=self.number * 37 % 101 - 50,
                                                b=self.number * 53 % 997 - 400))  # fmt: skip

    def write(self, line: str) -> None:
        with contextlib.suppress(BlockingIOError):  # nobody reads: as on a real port, it is lost
            os.write(self._descriptor, f"{line}\r\n".encode())

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        os.close(self._descriptor)
        os.close(self._slave)


@pytest.fixture
def printer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Printer]:
    monkeypatch.setattr(serial_text, "_LOOK", 0.5)
    monkeypatch.setattr(serial_text, "_SILENCE", 0.5)
    with contextlib.closing(Printer(500.0, "{a},{b}")) as device:
        yield device


def test_serial_text_loses_nothing(printer: Printer) -> None:
    """Every line is there, in order: the second column is the number of the line, scrambled."""
    with open_stream(f"serial://{printer.port}?rate=500") as stream:
        assert stream.description.channel_names == ("channel 1", "channel 2")
        samples = np.concatenate([chunk.samples for chunk in read(stream, 0.6)])
        assert stream.gaps == []
    steps = np.diff(samples.astype(int), axis=0)
    assert set((steps[:, 0] % 101).tolist()) == {37}
    assert set((steps[:, 1] % 997).tolist()) == {53}
    assert len(samples) > 300


def test_a_damaged_line_is_a_gap_of_one_sample(printer: Printer) -> None:
    with open_stream(f"serial://{printer.port}?rate=500") as stream:
        read(stream, 0.2)
        for line in ("12,nan", "12", "1,2,3", "boot"):
            printer.write(line)
        read(stream, 0.3)
        assert {gap.reason for gap in stream.gaps} == {"a line is damaged"}
        assert stream.lost == 4


def test_a_counter_tells_what_is_lost(printer: Printer) -> None:
    printer.line = "{i},{a},{b}"
    time.sleep(0.05)
    with open_stream(f"serial://{printer.port}?rate=500") as stream:
        assert stream.description.channels == 2
        read(stream, 0.2)
        printer.number += 17
        read(stream, 0.2)
        printer.number = 0
        read(stream, 0.2)
        reasons = [(gap.lost, gap.reason) for gap in stream.gaps]
    assert reasons == [(17, "lines are lost"), (0, "the source restarted its counter")]


def test_a_stall_without_a_counter_is_a_gap_of_what_was_due(printer: Printer) -> None:
    with open_stream(f"serial://{printer.port}?rate=500") as stream:
        read(stream, 0.2)
        printer.silent = True
        read(stream, 0.8)
        printer.silent = False
        read(stream, 0.5)
        assert [gap.reason for gap in stream.gaps] == ["the source stalled"]
        assert 300 < stream.lost < 500


def test_decimals_need_the_units_of_a_count(printer: Printer) -> None:
    printer.line = "{a}.25,{b}.5"
    time.sleep(0.1)
    with (
        pytest.raises(EdgebioError, match=r"decimal numbers; .*\?rate=500&lsb=|&lsb="),
        open_stream(f"serial://{printer.port}?rate=500"),
    ):
        pass
    with open_stream(f"serial://{printer.port}?rate=500&lsb=0.25&units=mV") as stream:
        assert stream.description.units == "0.25 mV"
        assert (np.concatenate([c.samples for c in read(stream, 0.2)])[:, 0] % 4 == 1).any()


@pytest.mark.parametrize(
    ("url", "text"),
    [("?rate=900", "rate 900 Hz, but .* lines arrive in a second"), ("", "no numbers in lines")],
)
def test_what_does_not_fit_is_refused(printer: Printer, url: str, text: str) -> None:
    if not url:
        printer.line = "sensor ready"
        time.sleep(0.1)
    with (
        pytest.raises((SourceError, EdgebioError), match=text),
        open_stream(f"serial://{printer.port}{url}"),
    ):
        pass


def test_a_silent_port_is_refused(printer: Printer) -> None:
    printer.silent = True
    time.sleep(0.05)
    with (
        pytest.raises(SourceError, match=r"nothing in .* s; check the baud rate"),
        open_stream(f"serial://{printer.port}"),
    ):
        pass


OUTLET = """
import sys, time, numpy as np, pylsl
pylsl.set_config_content("[log]\\nlevel = -2\\n")
info = pylsl.StreamInfo(sys.argv[1], "EMG", 4, 1000, "int16", sys.argv[1])
outlet = pylsl.StreamOutlet(info)
start, sent = time.monotonic(), 0
while True:
    due = int((time.monotonic() - start) * 1000)
    if due > sent:
        numbers = np.arange(sent, due)[:, None] % 30000 + np.arange(4)
        outlet.push_chunk(np.ascontiguousarray(numbers, np.int16))
        sent = due
    time.sleep(0.005)
"""


@contextlib.contextmanager
def outlet(name: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", OUTLET, name])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_lsl_from_another_process_loses_nothing_and_returns() -> None:
    """Every sample is the one before it plus one; a sender that dies and returns is a gap."""
    pytest.importorskip("pylsl")
    name = f"edgebio-test-{os.getpid()}"
    lines: list[str] = []
    with outlet(name) as process, open_stream(f"lsl://{name}", on_status=lines.append) as stream:
        chunks = read(stream, 1.0)
        samples = np.concatenate([chunk.samples for chunk in chunks]).astype(int)
        assert stream.gaps == []
        assert len(samples) > 500
        assert set(np.diff(samples[:, 0]).tolist()) == {1}
        assert (samples[:, 3] - samples[:, 0] == 3).all()
        assert abs(chunks[-1].times[-1] - time.monotonic()) < 0.2
        process.kill()
        process.wait()
        with outlet(name):
            deadline = time.monotonic() + 10
            while not stream.gaps and time.monotonic() < deadline:
                read(stream, 0.2)
        assert stream.gaps[0].reason.startswith("the source was gone for")
    assert "waiting for it" in lines[0]


def test_a_missing_lsl_stream_names_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pylsl")
    monkeypatch.setattr("edgebio.sources.lsl._WAIT", 0.3)
    with (
        pytest.raises(SourceError, match="no such LSL stream; there"),
        open_stream("lsl://edgebio-not-there"),
    ):
        pass


def test_brainflow_synthetic_board() -> None:
    pytest.importorskip("brainflow")
    with open_stream("brainflow://synthetic?kind=emg&lsb=0.5") as stream:
        assert (stream.description.rate, stream.description.channels) == (250.0, 16)
        assert stream.description.units == "0.5 uV"
        chunks = read(stream, 1.2)
        assert stream.gaps == []
    assert 200 < sum(len(chunk.samples) for chunk in chunks) < 400
    assert all(np.diff(np.concatenate([chunk.times for chunk in chunks])) > 0)


def test_brainflow_playback_finds_lost_packets(tmp_path: Path) -> None:
    """A file of BrainFlow's own with packets left out, played by its playback board."""
    pytest.importorskip("brainflow")
    rows = []
    for number in itertools.chain(range(300), range(310, 2000)):
        row = np.zeros(32)
        row[0], row[1:17], row[30] = number % 256, number % 100, 1.7e9 + number / 250
        rows.append("\t".join(f"{value:.6f}" for value in row))
    file = tmp_path / "recorded.csv"
    file.write_text("\n".join(rows) + "\n")
    url = f"brainflow://playback-file?file={file}&master_board=synthetic&lsb=1"
    with open_stream(url) as stream:
        chunks = read(stream, 2.0)
        samples = np.concatenate([chunk.samples for chunk in chunks])
        assert [(gap.lost, gap.reason) for gap in stream.gaps] == [(10, "packets are lost")]
    assert samples[:300, 0].tolist() == [number % 100 for number in range(300)]


def test_a_device_that_samples_by_itself(tmp_path: Path) -> None:
    """The host's own device: every sample as its converter gave it, and a cue between two."""
    model = StandIn()
    samples = signal(6000)
    device = LiveDevice(build(model, tmp_path / "build", HostLive()), model, samples, tmp_path)
    with (
        device.watched() as running,
        open_stream(f"device://{running.url}") as stream,
    ):
        chunks = read(stream, 0.2)
        stream.cue("fist")
        chunks += read(stream, 0.4)
        got = np.concatenate([chunk.samples for chunk in chunks])
    starts = [at for at in range(len(samples) - 50) if (samples[at : at + 50] == got[:50]).all()]
    assert (samples[starts[0] : starts[0] + len(got)] == got).all()
    assert [marker.name for chunk in chunks for marker in chunk.markers] == ["fist"]
    assert stream.lost == 0
