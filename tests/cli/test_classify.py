"""``edgebio classify`` as a user types it, on the host process and on emulated boards."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edgebio import progress, tflite
from edgebio.boards import qemu
from edgebio.cli import main
from edgebio.decision.spec import DecisionSettings
from edgebio.link.client import Client
from edgebio.recordings import Recording, save_recordings
from edgebio.runtime import host_device
from edgebio.tflite.metadata import ENTRY, read_metadata
from tests.link.models import SLOW_SPEC as SPEC
from tests.link.models import bursts, with_frontend


@pytest.fixture(autouse=True, scope="module")
def no_progress() -> Iterator[None]:
    """A process runs one command; a test, many: what one of them turned on would stay on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "enable", lambda: None)
        patch.setattr(progress, "_enabled", False)
        yield


def run(*words: str | Path, limit: str = "0") -> Result:
    # The segments of these models are long: those of a slow signal.
    arguments = ("classify", *words, "--delay-limit", limit)
    return CliRunner().invoke(main, [*map(str, arguments)])


def fails(code: int, *words: str | Path) -> str:
    """The line that a wrong call prints."""
    result = run(*words)
    assert result.exit_code == code, result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("edgebio: ")]
    assert len(lines) == 1
    assert "Traceback" not in result.output
    return lines[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("classify")


@pytest.fixture(scope="module")
def model(models_folder: Path, folder: Path) -> Path:
    pytest.importorskip("tflite_micro", reason='needs pip install "edgebio[verify]"')
    chosen = DecisionSettings(votes=3, confidence=0.4)
    source = models_folder / "emg_cnn.tflite"
    return with_frontend(source, folder / "model.tflite", SPEC, bursts(4000), chosen)


@pytest.fixture(scope="module")
def recording(folder: Path) -> Path:
    path = folder / "recording.npz"
    np.savez(path, samples=bursts(182 + 30 * 59), rate=200.0)
    return path


@pytest.fixture(scope="module")
def port(model: Path, folder: Path) -> Iterator[str]:
    with host_device.running(host_device.build(model, folder / "device")) as device:
        yield device.url


def test_the_host_decides_as_a_board_on_a_port(port: str, recording: Path, model: Path) -> None:
    on_port = run(recording, "--port", port, "--model", model, "--segments", "20")
    on_host = run(recording, "--host", "--model", model, "--segments", "20")
    assert on_host.exit_code == 0, on_host.output
    assert on_host.stdout == on_port.stdout
    assert "0 images, 0 logits and 0 decisions differ" in on_host.stderr
    assert "--host needs --model" in fails(2, recording, "--host")
    assert "choose one of" in fails(2, recording, "--host", "--port", port, "--model", model)


def test_prints_one_decision_per_line_and_compares(port: str, recording: Path, model: Path) -> None:
    result = run(recording, "--port", port, "--model", model)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert len(lines) == 60
    time, name, probability = lines[0].split("  (")[0].split("  ")[-3:]
    assert float(time) == 182 / 200
    assert name.startswith("grip ") or name == "rejected"
    assert 0 < float(probability) <= 1
    assert "60 segments compared with this machine: 0 images, 0 logits and 0 decisions differ" in (
        result.stderr
    )


def test_json_has_counts_and_decisions(port: str, recording: Path, model: Path) -> None:
    result = run(recording, "--port", port, "--model", model, "--json", "-q", "--segments", "25")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    document = json.loads(result.stdout)
    assert document["windows"] == len(document["decisions"]) == 25
    assert document["differing"] == {"images": 0, "logits": 0, "decisions": 0}
    assert document["board"] == "host"
    assert document["model"] == tflite.read(model).sha256
    assert document["link"] == {
        "damaged": 0, "repeated": 0, "overruns": 0, "gaps": 0,
    }  # fmt: skip
    assert [d["time"] for d in document["decisions"][:2]] == [182 / 200, 212 / 200]
    assert {d["class"] for d in document["decisions"]} > {"rejected"}


def test_without_the_model_classes_are_numbered(port: str, recording: Path) -> None:
    document = json.loads(run(recording, "--port", port, "--json", "-q").stdout)
    assert document["differing"] is None
    assert document["windows"] == 60
    assert all(d["probability"] is None for d in document["decisions"])
    names = {d["class"] for d in document["decisions"]}
    assert all(name.startswith("class ") or name == "rejected" for name in names)


def test_delay_above_its_limit_fails(port: str, recording: Path, model: Path) -> None:
    words = (recording, "--port", port, "--model", model, "--windows", "9", "--json", "-q")
    assert run(*words, limit="1400").exit_code == 0
    result = run(*words, limit="300")
    assert result.exit_code == 1
    delay = json.loads(result.stdout)["delay"]
    assert (delay["window"], delay["step"], delay["votes"]) == (910, 150, 3)
    assert delay["total"] == pytest.approx(910 + 3 * 150 + delay["compute"])
    assert "segment 910 + 3 x 150 + compute" in result.stderr
    assert "above the limit of 300 ms; use fewer votes, a shorter segment" in result.stderr


def test_settings_replace_those_of_the_model(port: str, recording: Path, model: Path) -> None:
    words = (recording, "--port", port, "--model", model, "--json", "-q")
    before = json.loads(run(*words).stdout)
    changed = ("--votes", "1", "--confidence", "0.5", "--hold", "2", "--onset", "450",
               "--timeout", "0")  # fmt: skip
    after = json.loads(run(*words, *changed).stdout)
    assert after["differing"] == before["differing"] == dict.fromkeys(before["differing"], 0)
    assert after["delay"]["votes"] == 1
    reasons = [{d["reason"] for d in document["decisions"]} for document in (before, after)]
    assert reasons[0] == {"vote", "uncertain"}
    assert reasons[1] >= {"vote", "quiet", "held"}
    assert {d["class"] for d in after["decisions"] if d["reason"] == "quiet"} == {"rest"}
    assert "--votes needs --model" in fails(2, recording, "--port", port, "--votes", "1")
    assert json.loads(run(*words).stdout)["delay"]["votes"] == 3, "for one command only"


def test_real_time_reports_the_latency(port: str, folder: Path, model: Path) -> None:
    path = folder / "second.npz"
    np.savez(path, samples=bursts(182 + 30 * 3), rate=200.0)
    result = run(path, "--port", port, "--model", model, "--real-time", "--json")
    document = json.loads(result.stdout)
    assert document["differing"] == {"images": 0, "logits": 0, "decisions": 0}
    assert document["rests"]["start"] == 1
    assert 0 < document["latency"]["median"] <= document["latency"]["max"] < 1000
    assert "from the last sample of a segment to its decision" in result.stderr
    # By the device's clock: a step of 30 samples at 200 Hz.
    assert 100 < document["interval"]["median"] <= document["interval"]["max"] < 1000
    assert "from one decision to the next, ms" in result.stderr


def test_csv_needs_its_rate(port: str, folder: Path, model: Path) -> None:
    path = folder / "day.csv"
    np.savetxt(path, bursts(300), fmt="%d", delimiter=",")
    assert "rate" in fails(2, path, "--port", port, "--model", model)
    result = run(path, "--port", port, "--model", model, "--rate", "200")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == (300 - 182) // 30 + 1


def test_each_recording_is_streamed_from_reset(port: str, folder: Path, model: Path) -> None:
    samples = bursts(182 + 9 * 30)
    recordings = [
        Recording(samples, 200.0, "counts", np.full(len(samples), label, np.int16),
                  ("grip 2", "grip 3"), "1", "1", label, f"take {label}")
        for label in (0, 1)
    ]  # fmt: skip
    path = save_recordings(folder / "two.npz", recordings)
    result = run(path, "--port", port, "--model", model, "--json", "-q")
    document = json.loads(result.stdout)
    assert document["windows"] == document["labelled"] == 20
    assert document["differing"] == {"images": 0, "logits": 0, "decisions": 0}
    decisions = document["decisions"]
    assert [d["recording"] for d in decisions] == ["take 0"] * 10 + ["take 1"] * 10
    first, second = ([d["class"] for d in part] for part in (decisions[:10], decisions[10:]))
    assert first == second
    assert [d["time"] for d in decisions[:10]] == [d["time"] for d in decisions[10:]]
    assert document["correct"] == first.count("grip 2") + first.count("grip 3")


@pytest.mark.slow
def test_a_part_of_a_data_set_is_streamed(port: str, model: Path, data_folder: Path) -> None:
    result = run("emg-myo-grips10:2:1", "--port", port, "--model", model, "--data", data_folder,
                 "--windows", "60", "--json", "-q")  # fmt: skip
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["windows"] == document["labelled"] == 60
    assert document["differing"] == {"images": 0, "logits": 0, "decisions": 0}


# --- a board that differs from the host ---------------------------------------------------------


def test_first_difference_is_located(model: Path, recording: Path, folder: Path) -> None:
    """The board's front end has another gain."""
    graph = tflite.read(model)
    known = read_metadata(graph)
    assert known is not None
    gain = tuple(tuple(x + x // 4 for x in row) for row in known.standardization.gain)
    standardization = known.standardization.model_copy(update={"gain": gain})
    other = known.model_copy(update={"standardization": standardization})
    wrong = dataclasses.replace(graph, metadata={ENTRY: other.model_dump_json().encode()})
    from edgebio import compiler

    network = compiler.generate(graph, folder / "wrong" / "model")
    program = host_device.compile_application(
        wrong, network.sources, network.include, folder / "wrong", ("-O2",)
    )
    with host_device.running(program) as device:
        result = run(recording, "--port", device.url, "--model", model, "--json", "-q")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["differing"]["images"] == 60
    assert document["differing"]["logits"] > 10
    assert "recording.npz: segment 0: image " in document["first"]
    assert result.stderr.startswith("edgebio: the board differs from this machine: ")


# --- wrong use -----------------------------------------------------------------------------------


def test_a_wrong_rate_and_wrong_channels_are_refused(port: str, model: Path, folder: Path) -> None:
    for name, samples, rate in (("rate", bursts(400), 1000.0), ("few", bursts(400, 6), 200.0)):
        path = folder / f"{name}.npz"
        np.savez(path, samples=samples, rate=rate)
        expected = (
            f"{path}: {samples.shape[1]} channels at {rate:g} Hz; the model takes 8 channels at "
        )
        for words in (("--model", model), ()):
            assert expected + "200 Hz" in fails(2, path, "--port", port, *words)


def test_a_recording_shorter_than_a_segment_is_refused(port: str, folder: Path) -> None:
    path = folder / "short.npz"
    np.savez(path, samples=bursts(181), rate=200.0)
    assert "one segment of 182 samples" in fails(2, path, "--port", port)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("x.npz",), "choose one of --board, --port and --host"),
        (("x.npz", "--port", "p", "--board", "b"), "choose one of --board, --port and --host"),
        (("x.npz", "--board", "mps2-an386"), "--board needs --model"),
        (("x.npz", "--port", "p"), "x.npz"),
        (("emg-3dc", "--port", "p"), "expected a .csv or .npz file, dataset:subject"),
        (("emg-4dc:1", "--port", "p"), "no data set 'emg-4dc'"),
        (("emg-synthetic:9", "--port", "p"), "no subject '9'"),
    ],
)
def test_wrong_arguments_are_refused(words: tuple[str, ...], message: str) -> None:
    assert message in fails(2, *words)


def test_a_missing_or_busy_port_is_reported(port: str, recording: Path) -> None:
    assert "no port /dev/ttyNOPE" in fails(1, recording, "--port", "/dev/ttyNOPE")
    with Client(port):
        assert f"{port} is busy" in fails(1, recording, "--port", port)


def test_a_board_that_runs_another_model_is_refused(
    port: str, recording: Path, models_folder: Path, folder: Path
) -> None:
    chosen = DecisionSettings()
    other = with_frontend(
        models_folder / "ref_plain_cnn.tflite", folder / "other.tflite", SPEC, bursts(4000), chosen
    )
    message = fails(1, recording, "--port", port, "--model", other)
    assert "the board runs model" in message
    assert "edgebio flash" in message


def test_a_model_without_a_front_end_is_refused(
    port: str, recording: Path, models_folder: Path
) -> None:
    bare = models_folder / "emg_cnn.tflite"
    assert "no edgebio metadata" in fails(2, recording, "--port", port, "--model", bare)


# --- emulated boards -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("board", "transport"), [("mps2-an386", "pty"), ("netduinoplus2", "socket")]
)
def test_an_emulated_board_decides_as_the_host(
    board: str, transport: str, recording: Path, model: Path
) -> None:
    qemu.program()
    result = run(recording, "--board", board, "--transport", transport, "--model", model,
                 "--json", "-q")  # fmt: skip
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["board"] == board
    assert document["windows"] == 60
    assert document["differing"] == {"images": 0, "logits": 0, "decisions": 0}
    assert [document["link"][name] for name in ("damaged", "overruns", "gaps")] == [0, 0, 0]


@pytest.mark.slow
@pytest.mark.parametrize("board", ["mps2-an386", "netduinoplus2"])
@pytest.mark.parametrize("transport", ["pty", "socket"])
def test_2000_segments_of_real_recordings_have_no_difference(
    board: str, transport: str, model: Path, data_folder: Path
) -> None:
    result = run("emg-myo-grips10:2:1", "--board", board, "--transport", transport, "--model",
                 model, "--data", data_folder, "--windows", "2000", "--json", "-q")  # fmt: skip
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["windows"] == 2000
    assert document["differing"] == {"images": 0, "logits": 0, "decisions": 0}
    assert [document["link"][name] for name in ("damaged", "overruns", "gaps")] == [0, 0, 0]
