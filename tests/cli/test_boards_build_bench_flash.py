"""``edgebio boards``, ``build``, ``bench`` and ``flash`` as a user types them."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edgebio import progress, storage
from edgebio.boards import detached_emulator, names
from edgebio.cli import main


@pytest.fixture(autouse=True, scope="module")
def no_progress() -> Iterator[None]:
    """A process runs one command; a test, many: what one of them turned on would stay on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "enable", lambda: None)
        patch.setattr(progress, "_enabled", False)
        yield


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def model(models_folder: Path) -> Path:
    return models_folder / "emg_cnn.tflite"


@pytest.fixture(scope="module")
def image(model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("cli") / "image"
    return folder, run("build", model, "--board", "netduinoplus2", "-o", folder, "--json", "-q")


def test_boards_list_shows_every_board() -> None:
    document = json.loads(run("boards", "list", "--json").stdout)
    assert [board["name"] for board in document["boards"]] == names()
    table = run("boards", "list").stdout
    assert all(name in table for name in names())


def test_boards_info_shows_one_board() -> None:
    text = run("boards", "info", "netduinoplus2").stdout
    assert "STM32F405" in text
    assert "not tested on hardware" in text
    wrong = run("boards", "info", "uno")
    assert wrong.exit_code == 2
    assert wrong.stderr.startswith("edgebio: no board 'uno'; there are ")
    assert wrong.stderr.count("\n") == 1


def test_build_reports_flash_and_ram(image: tuple[Path, Result]) -> None:
    folder, result = image
    assert result.exit_code == 0
    assert result.stderr == ""
    document = json.loads(result.stdout)
    assert document["folder"] == str(folder)
    assert document["image"]["sha256"] == storage.sha256(folder / "firmware.bin")
    assert document["flash"]["total"] == (folder / "firmware.bin").stat().st_size


def test_build_explains_its_choices(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "image"
    result = run("build", model, "--board", "mps2-an386", "-o", folder, "--explain", "-q")
    assert result.exit_code == 0
    text = (folder / "src" / "model" / "explain.txt").read_text()
    assert text.strip() in result.stdout
    assert "operator 1 (MAX_POOL_2D) is fused into operator 0 (CONV_2D)" in text
    assert "<svg" in (folder / "src" / "model" / "plan.svg").read_text()


def test_build_writes_a_library(model: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    result = run("build", model, "--package", "arduino", "-o", library, "--explain", "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["macs"] == 737_472
    assert "conv2d_pooled (portable)" in document["explanation"]
    assert (library / "library.properties").is_file()
    assert (document["prefix"], document["header"]) == ("edgebio", "edgebio.h")
    assert (library / "src" / document["header"]).is_file()
    wrong = run("build", model, "-o", library)
    assert wrong.exit_code == 2
    assert wrong.stderr == "edgebio: give the --board to build for, or a --package\n"
    unused = run("build", model, "--prefix", "hand", "-o", library)
    assert (unused.exit_code, unused.stderr) == (2, "edgebio: --prefix needs --package\n")
    bad = run("build", model, "--package", "cmake", "--prefix", "My-Hand", "-o", library)
    assert bad.exit_code == 2
    assert bad.stderr.startswith("edgebio: --prefix 'My-Hand': give 1 to 24 lower-case letters")
    assert bad.stderr.count("\n") == 1
    tight = run("build", model, "--package", "cmake", "--flash-budget", "1k", "-o", library)
    assert tight.exit_code
    assert "no plan fits" in tight.stderr


def test_build_fails_for_a_board_that_is_too_small(model: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.toml"
    text = (storage.assets("boards") / "netduinoplus2.toml").read_text()
    small.write_text(text.replace("bytes = 0x2_0000", "bytes = 0x1000"))
    result = run("build", model, "--board", small, "-o", tmp_path / "image", "-q")
    assert result.exit_code == 1
    assert "bytes too large for its 4,096 bytes of RAM" in result.stderr
    assert result.stderr.count("\n") == 1


def test_bench_counts_the_given_inputs(model: Path, tmp_path: Path) -> None:
    x = np.load(model.with_suffix(".npz"))["x"][:3]
    np.save(tmp_path / "x.npy", x)
    words = ("bench", model, "--board", "mps2-an386", "--inputs", tmp_path / "x.npy")
    result = run(*words, "--json", "-q")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["board"] == "mps2-an386"
    assert document["inputs"] == 3
    assert document["macs"] == 737_472
    assert document["flash"]["total"] > 16_000
    assert set(document["ram"]) >= {"activations", "scratch", "stack", "total"}
    assert all(
        {"index", "operator", "instructions", "macs"} <= set(layer) for layer in document["layers"]
    )
    assert f"{document['instructions']:,} instructions" in run(*words, "-q").stdout


def test_flash_starts_the_emulator_and_stops_it(image: tuple[Path, Result]) -> None:
    folder, _ = image
    started = run("flash", folder, "--serial", "tcp", "--json", "-q")
    try:
        assert started.exit_code == 0, started.stderr
        document = json.loads(started.stdout)
        assert document["url"].startswith("socket://127.0.0.1:")
        running = detached_emulator.find(folder)
        assert running is not None
        assert running.pid == document["pid"]
    finally:
        stopped = run("flash", folder, "--stop")
    assert f"process {document['pid']}" in stopped.stdout
    assert detached_emulator.find(folder) is None
    assert "none runs" in run("flash", folder, "--stop").stdout


def test_flash_fails_without_the_port(image: tuple[Path, Result]) -> None:
    if not shutil.which("stm32flash"):
        pytest.skip("no stm32flash: sudo apt-get install stm32flash")
    result = run("flash", image[0], "--method", "stm32-bootloader", "--port", "/dev/ttyNOPE",
                 "--bootloader-port", "/dev/ttyNOPE")  # fmt: skip
    assert result.exit_code == 1
    assert (
        'was NOT flashed, its image may be incomplete: stm32flash: Cannot handle device "/dev'
        in (result.stderr)
    )


def test_flash_fails_without_an_image(tmp_path: Path) -> None:
    result = run("flash", tmp_path)
    assert result.exit_code == 2
    assert "no image there" in result.stderr
