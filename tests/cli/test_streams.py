"""``edgebio bench --stream`` and ``edgebio infer --stream`` as a user types them."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edgebio import boards, progress
from edgebio.boards import emulator
from edgebio.cli import main
from edgebio.compiler.host_model import HostModel
from edgebio.errors import MissingToolError
from edgebio.firmware import counting, toolchain


@pytest.fixture(autouse=True, scope="module")
def no_progress() -> Iterator[None]:
    """A process runs one command; a test, many: what one of them turned on would stay on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "enable", lambda: None)
        patch.setattr(progress, "_enabled", False)
        yield


@pytest.fixture(scope="module")
def model(models_folder: Path) -> Path:
    return models_folder / "emg_cnn.tflite"


@pytest.fixture
def emulated() -> str:
    try:
        emulator.check_installed(boards.load("mps2-an386"))
        toolchain.tool("gcc")
    except MissingToolError as error:
        pytest.skip(str(error))
    return "mps2-an386"


def run(*words: str | Path | int) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def frames_file(folder: Path, count: int) -> tuple[Path, np.ndarray]:
    x = np.random.default_rng(1).integers(-128, 128, (count, 16, 8)).astype(np.int8)
    np.save(folder / "x.npy", x)
    return folder / "x.npy", x


@pytest.mark.parametrize("place", ["--host", "--board"])
def test_infer_gives_one_output_for_each_window(
    model: Path, tmp_path: Path, place: str, request: pytest.FixtureRequest
) -> None:
    board = [request.getfixturevalue("emulated")] if place == "--board" else []
    x, frames = frames_file(tmp_path, 40)
    y = tmp_path / "y.npy"
    result = run(
        "infer", model, "--stream", "--hop-frames", 4, "--inputs", x, place, *board, "-o", y
    )
    assert result.exit_code == 0, result.stderr
    windows = np.stack([frames[end - 16 : end] for end in range(16, 41, 4)])
    assert np.array_equal(np.load(y), HostModel(model).run(windows))


def test_frames_that_are_no_whole_hops_are_refused(model: Path, tmp_path: Path) -> None:
    x, _ = frames_file(tmp_path, 39)
    y = tmp_path / "y.npy"
    result = run("infer", model, "--stream", "--hop-frames", 4, "--inputs", x, "-o", y)
    assert result.exit_code == 2
    assert "39 frames are no multiple of the hop of 4 frames: give 36" in result.stderr
    assert not y.exists()


def test_a_hop_needs_a_stream(model: Path, tmp_path: Path) -> None:
    x, _ = frames_file(tmp_path, 40)
    result = run("infer", model, "--hop-frames", 4, "--inputs", x, "-o", tmp_path / "y.npy")
    assert "--hop-frames needs --stream" in result.stderr


def test_bench_counts_a_decision_by_layer(model: Path, emulated: str) -> None:
    if counting.plugin() is None:
        pytest.skip("QEMU takes no plugins")
    result = run("bench", model, "--board", emulated, "--stream", "--hop-frames", 4, "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    stream = document["stream"]
    assert {"hop_frames", "instructions", "macs", "state_bytes", "layers"} <= stream.keys()
    assert stream["hop_frames"] == 4
    assert 0 < stream["instructions"] < document["instructions"]
    assert stream["macs"] == sum(layer["macs"] for layer in stream["layers"])
    first = stream["layers"][0]
    assert {"index", "columns_reused", "columns_recomputed", "instructions"} <= first.keys()
    assert (first["columns_reused"], first["columns_recomputed"]) == (4, 4)
    calls = stream["instructions"] - sum(layer["instructions"] for layer in stream["layers"])
    assert 0 < calls < 2000  # with the copy of the new frames


def test_bench_says_why_there_is_no_stream(model: Path, emulated: str) -> None:
    result = run("bench", model, "--board", emulated, "--stream", "--hop-frames", 16)
    assert result.exit_code != 0
    assert "windows of 16 frames that begin 16 apart share no frame" in result.stderr
