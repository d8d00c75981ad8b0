"""Boards without a fitting emulator: an emulated one of the same cpu is named and used."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edgebio import boards, recipes
from edgebio.cli import main
from edgebio.firmware.stand_in import describe_stand_in, emulated_board
from edgebio.recipes import Recipe
from edgebio.search.candidate_cost import CostCounter, Limits
from edgebio.tflite.metadata import read_metadata
from edgebio.tflite.reader import read
from tests import tiny
from tests.search import stand_in as trainings

NAMES = boards.names()
NOTE = (
    "nucleo-f446re has no emulator to count and compare with: mps2-an386 runs its code, a "
    "Cortex-M4 too; times are those of nucleo-f446re at 168 MHz"
)


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def model(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("qemu-system-arm") is None or shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("no QEMU or cross-compiler: make setup installs them")
    target = tmp_path_factory.mktemp("model") / "emg_cnn.tflite"
    shutil.copy(models_folder / target.name, target)
    return target


@pytest.mark.parametrize("name", NAMES)
def test_every_board_has_one_that_executes_its_code(name: str) -> None:
    board = boards.load(name)
    target = emulated_board(board)
    assert target.emulator is not None
    assert target.emulator.program == "qemu"
    assert (target.cpu, target.isa, target.flags) == (board.cpu, board.isa, board.flags)
    assert bool(describe_stand_in(board)) == (target.name != name)


def test_bench_counts_on_it_and_scales_to_the_own_clock(model: Path) -> None:
    own, other = (
        run("bench", model, "--board", name, "--json", "--no-check")
        for name in ("nucleo-f446re", "mps2-an386")
    )
    assert NOTE in own.stderr.splitlines()
    assert "no emulator" not in other.stderr
    document, emulated = json.loads(own.stdout), json.loads(other.stdout)
    assert document["board"] == "nucleo-f446re"
    assert document["counted_on"] == emulated["board"] == "mps2-an386"
    assert document["instructions"] == emulated["instructions"]
    if document["cycles"]:
        least = document["cycles"]["estimate"] / boards.load("nucleo-f446re").clock_hz
        assert document["time_us"]["estimate"] >= int(1e6 * least)
        assert document["time_us"]["estimate"] < emulated["time_us"]["estimate"] / 3  # 25 MHz


def test_validate_names_it_in_the_rung(model: Path) -> None:
    done = run("validate", model, "--board", "nucleo-f446re", "--json")
    assert done.exit_code == 0, done.output
    assert NOTE in done.stderr.splitlines()
    document = json.loads(done.stdout)
    assert (document["board"], document["emulated"]) == ("nucleo-f446re", "mps2-an386")
    rung = document["rungs"][-1]
    assert rung["name"] == "host against mps2-an386 (emulated), for nucleo-f446re"
    assert rung["compared"] > 0
    assert rung["differing"] == 0


def test_infer_runs_on_it(model: Path, tmp_path: Path) -> None:
    shape = read(model).tensors[read(model).inputs[0]].shape[1:]
    np.save(tmp_path / "x.npy", np.random.default_rng(0).integers(-128, 128, (3, *shape), np.int8))
    for place in (["--board", "nucleo-f446re"], ["--host", "--no-check"]):
        output = tmp_path / f"{place[0]}.npy"
        done = run("infer", model, "--inputs", tmp_path / "x.npy", "-o", output, *place)
        assert done.exit_code == 0, done.output
        assert (NOTE in done.stderr) == (place[0] == "--board")
    np.testing.assert_array_equal(
        np.load(tmp_path / "--board.npy"), np.load(tmp_path / "--host.npy")
    )


@pytest.mark.slow
def test_hil_without_a_port_tests_the_model_on_it(model: Path, tmp_path: Path) -> None:
    image = tmp_path / "image"
    built = run("build", model, "--board", "nucleo-f446re", "--hil", "--no-check", "-o", image)
    assert built.exit_code == 0, built.output
    done = run("hil", image, "--inputs", "6", "--soak", "0", "--json")
    assert done.exit_code == 0, done.output
    assert NOTE in done.stderr.splitlines()
    document = json.loads(done.stdout)
    assert (document["board"], document["emulated"]) == ("nucleo-f446re", "mps2-an386")
    layers = next(check for check in document["checks"] if check["name"] == "layers")
    assert layers["ok"] is True


def test_search_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainings.install(monkeypatch.setattr, trainings.Trainings())
    monkeypatch.setattr(Recipe, "recordings", lambda self, root, subjects: trainings.subjects())
    (tmp_path / "tiny.toml").write_text(recipes.dump(tiny.RECIPE))
    done = run(
        "search", tmp_path / "tiny.toml", "--board", "nucleo-f446re", "-o", tmp_path / "found",
        "--trials", "1", "--seeds", "1", "--jobs", "1", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert NOTE in done.stderr.splitlines()
    document = json.loads(done.stdout)
    assert (document["board"], document["counted_on"]) == ("nucleo-f446re", "mps2-an386")
    assert document["clock_hz"] == 168_000_000


@pytest.mark.slow
def test_search_counts_on_it_and_scales_to_the_own_clock(tmp_path: Path) -> None:
    tiny.quantized()
    model = tiny.run() / "model.tflite"
    assert read_metadata(read(model)) is not None
    own, emulated = (
        CostCounter(boards.load(name), Limits(), tmp_path).trained(model)
        for name in ("nucleo-f446re", "mps2-an386")
    )
    assert (own.network, own.frontend) == (emulated.network, emulated.frontend)
    clocks = (boards.load(name).clock_hz for name in ("mps2-an386", "nucleo-f446re"))
    assert own.latency == pytest.approx(emulated.latency * next(clocks) / next(clocks), rel=0.01)
