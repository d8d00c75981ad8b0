"""``edgebio monitor`` on the host process: its screen, and the recording that it writes."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edgebio.cli import main
from edgebio.decision.spec import DecisionSettings
from edgebio.recordings import Recording, load_recordings
from edgebio.recordings.preprocessing import label_by_decisions
from edgebio.recordings.recording import UNLABELED
from edgebio.runtime import host_device
from edgebio.runtime.session import Decision
from edgebio.runtime.stream_file import StreamFile
from edgebio.runtime.terminal import Screen
from edgebio.tflite import read
from edgebio.tflite.metadata import require_metadata
from tests.link.models import SLOW_SPEC as SPEC
from tests.link.models import bursts, with_frontend

END = SPEC.segment_length + 19 * SPEC.step


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("monitor")


@pytest.fixture(scope="module")
def model(models_folder: Path, folder: Path) -> Path:
    chosen = DecisionSettings(confidence=0.4)
    source = models_folder / "emg_cnn.tflite"
    return with_frontend(source, folder / "model.tflite", SPEC, bursts(4000), chosen)


@pytest.fixture(scope="module")
def port(model: Path, folder: Path) -> Iterator[str]:
    with host_device.running(host_device.build(model, folder / "device")) as device:
        yield device.url


@pytest.fixture(autouse=True)
def growing_file_is_the_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been written piece by piece is what is written at the end, in every test here."""
    finish = StreamFile.finish

    def compare(self: StreamFile, recordings: Sequence[Recording]) -> Path:
        pieces = [r for r in load_recordings(self.part) if len(r.samples)]
        for field in ("samples", "labels"):
            written = np.concatenate([getattr(r, field) for r in pieces])
            expected = np.concatenate([getattr(r, field) for r in recordings])
            if field == "labels":
                names = np.array([*recordings[0].classes, ""])
                expected = names[expected]
                written = np.array([*pieces[0].classes, ""])[written]
            assert np.array_equal(written, expected)
        return finish(self, recordings)

    monkeypatch.setattr(StreamFile, "finish", compare)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["monitor", *map(str, arguments)])


def test_other_commands_read_a_recorded_stream(port: str, model: Path, folder: Path) -> None:
    np.savez(folder / "r.npz", samples=bursts(END + 5), rate=SPEC.rate)
    options = ("--port", port, "--model", model, "--fast", "--json")
    result = run(folder / "r.npz", *options, "--record", folder / "streamed")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["windows"] == 20
    assert document["differing"] == {"images": 0, "logits": 0, "decisions": 0}
    [streamed] = load_recordings(Path(document["record"]))
    assert streamed.classes == require_metadata(read(model), "test").classes
    assert np.array_equal(streamed.samples, bursts(END + 5)[:END])
    classified = CliRunner().invoke(
        main, ["classify", str(folder / "r.npz"), "--port", port, "--model", str(model),
               "--delay-limit", "0", "--json", "-q"],
    )  # fmt: skip
    names = [one["class"] for one in json.loads(classified.stdout)["decisions"]]
    ends = SPEC.segment_length + SPEC.step * np.arange(20)
    labels = [streamed.labels[end - 1] for end in ends]
    expected = [-1 if n in ("rejected", "rest") else streamed.classes.index(n) for n in names]
    assert labels == expected
    again = run(document["record"], *options, "--segments", "3")
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["windows"] == 3


def test_screen_is_drawn_during_the_stream(port: str, model: Path, folder: Path) -> None:
    np.savez(folder / "r.npz", samples=bursts(END), rate=SPEC.rate)
    result = run(folder / "r.npz", "--port", port, "--model", model, "--fast", "--windows", "4")
    assert result.exit_code == 0, result.output
    assert "STFT image" in result.stderr
    assert "4 decisions, 0 differ from this machine's" in result.stdout


def test_wrong_arguments_are_refused(model: Path) -> None:
    result = run("emg-synthetic:1", "--model", model)
    assert result.exit_code == 2
    assert "choose one of --board, --port and --host" in result.stderr


def test_labels_of_decisions() -> None:

    samples = np.zeros((10, 2), np.int16)
    plain = Recording(
        samples, 100.0, "counts", np.full(10, UNLABELED, np.int16), (), "", "", 3, "x"
    )
    streamed = label_by_decisions(plain, [(4, 1), (6, 255), (9, 0)], ("a", "b"))
    assert streamed.labels.tolist() == [1, 1, 1, 1, -1, -1, 0, 0, 0]
    assert len(label_by_decisions(plain, [], ("a", "b")).samples) == 0


def test_a_board_that_stands_alone_is_watched(model: Path, folder: Path) -> None:
    samples = bursts(3000)
    samples.astype("<i2").tofile(folder / "codes")
    live = host_device.build(model, folder / "alone", live=host_device.HostLive())
    environment = {"EDGEBIO_ADC": str(folder / "codes"), "EDGEBIO_SPEED": "3"}
    with host_device.running(live, environment=environment) as device:
        arguments = ("--port", device.url, "--model", model)
        result = run(*arguments, "--segments", "12", "--record", folder / "watched", "--json")
        assert result.exit_code == 0, result.output
        np.savez(folder / "r.npz", samples=samples[:END], rate=SPEC.rate)
        refused = run(folder / "r.npz", *arguments)
        assert refused.exit_code == 2
        assert "stands alone: it samples and decides by itself" in refused.stderr
    document = json.loads(result.stdout)
    assert document["windows"] == 12
    assert document["counters"]["records lost"] == 0
    [watched] = load_recordings(Path(document["record"]))
    length = len(watched.samples)
    assert any(
        np.array_equal(watched.samples, samples[at : at + length]) for at in range(3000 - length)
    )


def test_watching_needs_a_board_that_stands_alone(port: str, model: Path) -> None:
    result = run("--port", port, "--model", model)
    assert result.exit_code == 2
    assert "does not stand alone: give a RECORDING to stream" in result.stderr
    result = run("--board", "mps2-an386", "--model", model)
    assert result.exit_code == 2
    assert "give a RECORDING to stream, or the --port of a board that stands alone" in result.stderr


def test_an_interrupt_keeps_what_was_recorded(
    port: str, model: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = []

    def add(self: Screen, *decision: object) -> None:
        shown.append(decision)
        if len(shown) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(Screen, "add", add)
    np.savez(folder / "long.npz", samples=bursts(3 * END), rate=SPEC.rate)
    result = run(folder / "long.npz", "--port", port, "--model", model, "--fast", "--json",
                 "--record", folder / "interrupted")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "interrupted" in result.stderr
    [streamed] = load_recordings(Path(json.loads(result.stdout)["record"]))
    end = SPEC.segment_length + 4 * SPEC.step
    assert np.array_equal(streamed.samples, bursts(3 * END)[:end])


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_monitor_leaves_what_it_streamed(port: str, model: Path, folder: Path) -> None:
    samples = bursts(60_000)
    np.savez(folder / "long.npz", samples=samples, rate=SPEC.rate)
    record = folder / "killed.npz"
    part = folder / "killed.npz.part"
    command = [sys.executable, "-m", "edgebio", "monitor", str(folder / "long.npz"), "--port", port,
               "--model", str(model), "--record", str(record)]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not part.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        started = time.monotonic()
        time.sleep(2)
    finally:
        process.kill()
        streamed = (time.monotonic() - started) * SPEC.rate
        process.wait()
    assert not record.exists()
    arguments = ["data", "import", str(part), "-o", str(folder / "remains.npz")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    remains = load_recordings(folder / "remains.npz")
    assert {(r.rate, r.units) for r in remains} == {(SPEC.rate, "counts")}
    joined = np.concatenate([r.samples for r in remains])
    assert np.array_equal(joined, samples[: len(joined)])
    assert len(joined) > streamed - SPEC.segment_length - 1.0 * SPEC.rate - SPEC.step
    refused = run(folder / "long.npz", "--port", port, "--model", model, "--record", record)
    assert refused.exit_code == 2
    assert "left by a run that was killed; keep it by edgebio data import" in refused.stderr


def test_an_earlier_recording_is_not_replaced(port: str, model: Path, folder: Path) -> None:
    earlier = folder / "earlier.npz"
    earlier.write_bytes(b"mine")
    np.savez(folder / "r.npz", samples=bursts(END), rate=SPEC.rate)
    result = run(folder / "r.npz", "--port", port, "--model", model, "--record", earlier)
    assert result.exit_code == 2
    assert "earlier.npz: exists already; give another name" in result.stderr
    assert earlier.read_bytes() == b"mine"


def test_the_host_is_a_board(model: Path, folder: Path) -> None:
    np.savez(folder / "r.npz", samples=bursts(END), rate=SPEC.rate)
    result = run(folder / "r.npz", "--host", "--model", model, "--fast", "--segments", "4")
    assert result.exit_code == 0, result.output
    assert "4 decisions, 0 differ from this machine's" in result.stdout


def test_decision_and_probabilities_come_first_in_80_x_24(
    port: str, model: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(folder / "r.npz", samples=bursts(END), rate=SPEC.rate)
    for name, value in (("COLUMNS", "80"), ("LINES", "24"), ("FORCE_COLOR", "1")):
        monkeypatch.setenv(name, value)
    result = run(folder / "r.npz", "--port", port, "--model", model, "--fast", "--segments", "3")
    assert result.exit_code == 0, result.output
    last = result.stderr.rpartition("─ decision ─")[2]
    assert "probabilities" in last
    assert "signals" not in last.partition("probabilities")[0]
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", last)
    assert len(plain.splitlines()) < 24
    assert re.search(r"highest bar: changes by [0-9.]+ counts", plain)


def test_a_board_that_falls_behind_is_said_to(
    port: str, model: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(folder / "r.npz", samples=bursts(END), rate=SPEC.rate)
    add = Screen.add

    def add_late(self: Screen, recording: object, decision: Decision) -> None:
        add(self, recording, replace(decision, latency_s=2.5))  # type: ignore[arg-type]

    monkeypatch.setattr(Screen, "add", add_late)
    result = run(folder / "r.npz", "--port", port, "--model", model, "--fast", "--segments", "3")
    assert result.exit_code == 0, result.output
    assert "2.5 s behind the signal: the board or its line is too slow" in result.stderr
    assert "up to 2.5 s behind the signal" in result.stderr.splitlines()[-1]
