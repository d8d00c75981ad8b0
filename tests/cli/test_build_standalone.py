"""``edgebio build --standalone`` as a user types it, and what it refuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edgebio import boards, progress
from edgebio.cli import main
from edgebio.firmware import deadline
from edgebio.tflite.metadata import SignalScale
from tests.firmware import wearable

ADC = "adc:gain=1000"
SERVO = "servo:fist=20,pinch=160,rest=90,slew=300"


@pytest.fixture(autouse=True)
def no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "enable", lambda: None)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wearable.write(tmp_path_factory.mktemp("wearable") / "model.tflite")


@pytest.fixture(scope="module")
def slow_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A convolution of 512 outputs: too much for a decision every 48 ms on a Pico."""
    return wearable.write(tmp_path_factory.mktemp("slow") / "slow.tflite", outputs=512)


def build(model: Path, folder: Path, *words: str, board: str = "pico") -> Result:
    line = ["build", str(model), "--board", board, "-o", str(folder / "image"), "--json", "-q"]
    return CliRunner().invoke(main, [*line, *words])


def test_manifest_says_what_the_image_is(model: Path, tmp_path: Path) -> None:
    result = build(model, tmp_path, "--standalone", "--source", ADC, "--sink", SERVO)
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    document = json.loads(result.stdout)
    assert (document["source"], document["sink"]) == ("adc", "servo")
    assert document["standalone"] is True
    assert document["deadline"]["due_us"] == 48_000
    assert 500 < document["deadline"]["estimated_us"] < 48_000
    assert document["deadline"]["ok"] is True
    header = (tmp_path / "image" / "src" / "ports" / "eb_board.h").read_text()
    assert "#define EB_ADC_CHANNELS 3u" in header
    assert (tmp_path / "image" / "src" / "sinks" / "eb_sink_servo.c").is_file()
    assert not (tmp_path / "image" / "src" / "ports" / "spi.c").exists()


def test_emulator_of_no_board_has_no_time_to_keep(slow_model: Path, tmp_path: Path) -> None:
    linked = build(slow_model, tmp_path, board="mps2-an386")
    assert linked.exit_code == 0, linked.stderr
    assert "mps2-an386 does not keep up with the signal" in linked.stderr
    assert json.loads(linked.stdout)["deadline"]["ok"] is False


def test_linked_image_has_neither_source_nor_sink(model: Path, tmp_path: Path) -> None:
    document = json.loads(build(model, tmp_path).stdout)
    assert (document["standalone"], document["source"], document["sink"]) == (False, None, None)
    assert document["deadline"]["ok"] is True


@pytest.mark.parametrize("linked", [True, False])
def test_too_slow_a_model_is_refused_unless_allowed(
    slow_model: Path, tmp_path: Path, linked: bool
) -> None:
    words = [] if linked else ["--standalone", "--source", ADC]
    result = build(slow_model, tmp_path, *words)
    assert result.exit_code == 1
    assert result.stderr.startswith("edgebio: slow.tflite on pico does not keep up: ")
    assert " ms of 48 for a decision (estimate: " in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "image").exists()
    allowed = build(slow_model, tmp_path, *words, "--allow-late")
    assert allowed.exit_code == 0
    assert allowed.stderr.startswith("edgebio: pico does not keep up with the signal: ")
    assert allowed.stderr.count("\n") == 1
    document = json.loads(allowed.stdout)["deadline"]
    assert document["ok"] is False
    assert document["estimated_us"] > document["due_us"] == 48_000


def test_without_qemu_a_table_is_used(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = json.loads(build(model, tmp_path).stdout)["deadline"]
    assert counted["method"] == "counted"
    monkeypatch.setattr(deadline, "_plugin", lambda: None)
    result = build(model, tmp_path)
    assert result.exit_code == 0
    assert "install qemu-system-arm" in result.stderr
    assert result.stderr.count("\n") == 1
    table = json.loads(result.stdout)["deadline"]
    assert table["method"] == "table"
    assert counted["estimated_us"] < table["estimated_us"] < 8 * counted["estimated_us"]


def test_model_without_volts_builds_with_a_warning(tmp_path: Path) -> None:
    model = wearable.write(tmp_path / "old.tflite", signal=SignalScale())
    result = build(model, tmp_path, "--standalone", "--source", "adc")
    assert result.exit_code == 0
    assert result.stderr.startswith("edgebio: the model does not know the volts of its counts; ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--source", ADC], "--source, --sink and --overlay need --standalone"),
        (["--standalone"], "give a --source; pico offers link, adc"),
        (["--standalone", "--source", "adc:gian=3"], "source adc: no key 'gian' (did you mean"),
        (["--standalone", "--source", "adc"], "source adc: range: one step of the converter is"),
        (["--standalone", "--source", "saadc"], "pico offers no source 'saadc' (did you mean"),
        (["--standalone", "--source", f"{ADC},pins=GP26"], "1 pins, but the model has 3 channels"),
        (["--standalone", "--source", ADC, "--sink", "servo:fits=3"], "no class or option 'fits'"),
        (["--standalone", "--source", ADC, "--overlay", "none.toml"], "none.toml: no such overlay"),
        (["--standalone", "--source", ADC, "--hil"], "leave out --package and --hil"),
        (["--standalone", "--source", f"{ADC},pins=GP26/GP26/GP27"], "pin GP26 is taken by"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line_and_builds_nothing(
    model: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    result = build(model, tmp_path, *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("edgebio: ")
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "image").exists()


def test_more_channels_than_pins(tmp_path: Path) -> None:
    model = wearable.write(tmp_path / "model.tflite", wearable.spec(channels=4))
    result = build(model, tmp_path, "--standalone", "--source", ADC)
    assert result.exit_code == 2
    assert "the model has 4 channels; pico has 3 pins for them: GP26, GP27" in result.stderr


def test_overlay_with_a_dma_channel_taken_twice(model: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.toml"
    overlay.write_text(
        f'[source]\nkind = "adc"\ngain = 1000\n[sink]\nkind = "gpio"\n'
        f'[sinks.gpio]\npins = ["GP2", "GP3"]\ndma = [{boards.load("pico").sources.adc.dma[0]}]\n'  # type: ignore[union-attr]
    )
    result = build(model, tmp_path, "--standalone", "--overlay", str(overlay))
    assert result.exit_code == 2
    assert "DMA channel 0 is taken by sources.adc and sinks.gpio" in result.stderr


def test_model_without_a_front_end_cannot_stand_alone(models_folder: Path, tmp_path: Path) -> None:
    result = build(models_folder / "emg_cnn.tflite", tmp_path, "--standalone", "--source", "link")
    assert result.exit_code == 2
    assert "the model has no edgebio metadata, which --standalone needs" in result.stderr


BOARDS = [
    pytest.param(name, marks=() if name in ("pico", "mps2-an386") else pytest.mark.slow)
    for name in boards.names()
]


@pytest.mark.parametrize("name", BOARDS)
def test_every_board_stands_alone_with_all_that_it_offers(
    model: Path, tmp_path: Path, name: str
) -> None:
    """Each source with one sink and each sink with one source; the linked image, too."""
    board = boards.load(name)
    linked = build(model, tmp_path, "--allow-late", board=name)
    assert linked.exit_code == 0, linked.stderr
    own = [source for source in board.sources.names() if source != "link"]
    pairs = [(source, "none") for source in board.sources.names()]
    pairs += [((own or ["link"])[0], sink) for sink in board.sinks.names()]
    gain = {"adc": ADC, "saadc": "saadc:gain=1000", "ads1298": "ads1298:gain=6"}
    for source, sink in pairs:
        words = ["--source", gain.get(source, source), "--sink", {"servo": SERVO}.get(sink, sink)]
        result = build(model, tmp_path, "--standalone", *words, board=name)
        assert result.exit_code == 0, (source, sink, result.stderr)
        document = json.loads(result.stdout)
        assert (document["source"], document["sink"]) == (source, sink)
