"""Models of several inputs and outputs, or with a state, as a user types them."""

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
from tests.compiler.several_edges import ring_model, two_by_five


@pytest.fixture(autouse=True, scope="module")
def no_progress() -> Iterator[None]:
    """A process runs one command; a test, many: what one of them turned on would stay on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "enable", lambda: None)
        patch.setattr(progress, "_enabled", False)
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two models and their inputs."""
    pytest.importorskip("tflite_micro", reason="its schema makes the test's models")
    (tmp_path / "edges.tflite").write_bytes(two_by_five())
    (tmp_path / "state.tflite").write_bytes(ring_model())
    rng = np.random.default_rng(0)
    for name, shape in (("a", (5, 6, 6, 4)), ("b", (5, 6, 6, 2)), ("x", (12, 2, 3, 4))):
        np.save(tmp_path / f"{name}.npy", rng.integers(-128, 128, shape).astype(np.int8))
    return tmp_path


@pytest.fixture
def board() -> str:
    try:
        emulator.check_installed(boards.load("mps2-an386"))
        toolchain.tool("gcc")
    except MissingToolError as error:
        pytest.skip(str(error))
    return "mps2-an386"


def run(folder: Path, words: str) -> Result:
    """Run a command whose words with a dot are files of the folder."""
    names = [
        "=".join(str(folder / part) if "." in part else part for part in word.split("="))
        for word in words.split()
    ]
    return CliRunner().invoke(main, names)


TWO = "--inputs t0=a.npy --inputs t1=b.npy"


def test_outputs_by_name(folder: Path) -> None:
    result = run(folder, f"infer edges.tflite {TWO} -o y.npz --json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["checked"] == {"inputs": 8, "differing": 0}
    assert document["input_shapes"] == {"t0": [5, 6, 6, 4], "t1": [5, 6, 6, 2]}
    inputs = {"t0": np.load(folder / "a.npy"), "t1": np.load(folder / "b.npy")}
    expected = HostModel(folder / "edges.tflite").run_named(inputs)
    with np.load(folder / "y.npz") as outputs:
        assert list(outputs) == list(expected)
        for name, values in expected.items():
            np.testing.assert_array_equal(outputs[name], values)
        np.testing.assert_array_equal(outputs["t0"], inputs["t0"])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("--inputs t0=a.npy --inputs tt1=b.npy -o y.npz",
         "the model has no input 'tt1' (did you mean 't1'?); it has t0, t1"),
        ("--inputs t0=a.npy -o y.npz", "input t1 is missing"),
        ("--inputs a.npy -o y.npz", "the model has 2 inputs: t0, t1; name each of them"),
        ("--inputs a.npy --inputs b.npy -o y.npz", "several inputs have names: NAME=FILE.npy"),
        ("--inputs t0=a.npy --inputs t0=b.npy -o y.npz", "there are two files for t0"),
        (f"{TWO} -o y.npy", "y.npy: the model has 5 outputs, which make a .npz file: -o y.npz"),
        ("--inputs t0=b.npy --inputs t1=b.npy -o y.npz",
         "t0 is int8 of shape (5, 6, 6, 2); this model takes int8 of shape (n, 6, 6, 4)"),
        (f"{TWO} --stream -o y.npz", "--stream takes a model of one input and one output"),
        (f"{TWO} --port COM3 -o y.npz", "--port takes a model of one input and one output"),
        ("--inputs t0=a.npy --inputs t1=none.npy -o y.npz", "none.npy: no such file"),
    ],
)  # fmt: skip
def test_wrong_inputs_are_one_line(folder: Path, words: str, reason: str) -> None:
    result = run(folder, f"infer edges.tflite {words} --no-check")
    assert result.exit_code != 0
    assert reason in str(result.exception) + result.output
    assert not (folder / "y.npz").exists()


def test_numbers_of_inputs_differ(folder: Path) -> None:
    np.save(folder / "b.npy", np.zeros((4, 6, 6, 2), np.int8))
    result = run(folder, f"infer edges.tflite {TWO} -o y.npz --no-check")
    assert "inputs differ in number: 5 of t0, 4 of t1" in str(result.exception) + result.output


def test_a_state_goes_through_the_inputs_in_order(folder: Path) -> None:
    result = run(folder, "infer state.tflite --inputs x.npy -o y.npy")
    assert result.exit_code == 0, result.output
    assert "checked: 8 inputs, 0 bytes differ" in result.stderr
    y, x = np.load(folder / "y.npy"), np.load(folder / "x.npy")
    host = HostModel(folder / "state.tflite")
    np.testing.assert_array_equal(y, np.concatenate([host.run(x[i : i + 1]) for i in range(12)]))
    result = run(folder, "infer state.tflite --inputs x.npy --stream -o z.npy --no-check")
    assert "the network has a state of its own" in str(result.exception) + result.output


def test_emulated_boards_run_both(folder: Path, board: str) -> None:
    for name, words, output in (
        ("edges", TWO, "y.npz"),
        ("state", "--inputs x.npy", "y.npy"),
    ):
        for place in ("", f"--board {board}"):
            result = run(folder, f"infer {name}.tflite {words} {place} -o {bool(place):d}{output}")
            assert result.exit_code == 0, result.output
        values = [np.load(folder / f"{place}{output}") for place in (0, 1)]
        if output == "y.npy":
            np.testing.assert_array_equal(*(each.reshape(12, -1) for each in values))
        else:
            for each in values[0]:
                np.testing.assert_array_equal(values[0][each], values[1][each])


def test_the_ladder_holds(folder: Path, board: str) -> None:
    for name in ("edges", "state"):
        result = run(folder, f"validate {name}.tflite --board {board} --json")
        assert result.exit_code == 0, result.output
        rungs = {rung["rung"]: rung for rung in json.loads(result.stdout)["rungs"]}
        assert all(rungs[number]["compared"] and rungs[number]["ok"] for number in (4, 5))


@pytest.mark.parametrize("name", ["edges", "state"])
def test_golden_vectors(folder: Path, name: str) -> None:
    result = run(folder, f"golden {name}.tflite -o golden.d --json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["lasting_state"] == (name == "state")
    (signal,) = document["signals"]
    arrays = {
        each["stage"]: np.fromfile(folder / "golden.d" / each["file"], each["type"]).reshape(
            each["shape"]
        )
        for each in signal["files"]
    }
    host = HostModel(folder / f"{name}.tflite")
    inputs = {each: arrays[f"input_{i}"] for i, each in enumerate(host.inputs.names)}
    for number, values in enumerate(host.run_named(inputs).values()):
        np.testing.assert_array_equal(arrays[f"output_{number}"], values)


def test_bench_counts_both(folder: Path, board: str) -> None:
    if counting.plugin() is None:
        pytest.skip("QEMU takes no plugins")
    for name, words in (("edges", TWO), ("state", "")):
        result = run(folder, f"bench {name}.tflite --board {board} {words} --json")
        assert result.exit_code == 0, result.output
        document = json.loads(result.stdout)
        assert document["instructions"] > 0
        # Layers that only cut a tensor do not run.
        idle = [layer for layer in document["layers"] if not layer["instructions"]]
        assert idle
        assert all("STRIDED_SLICE" in each["description"] or "READ" in each["description"]
                   or "SPLIT" in each["description"] for each in idle)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("edges", "the model has 2 inputs, and the firmware runs models of one"),
        ("state", "the model has a state that lasts between inferences"),
    ],
)
def test_firmware_refuses_both(folder: Path, board: str, name: str, reason: str) -> None:
    result = run(folder, f"build {name}.tflite --board {board} -o image.d --no-check")
    text = str(result.exception) + result.output
    assert reason in text
    assert "edgebio build --package cmake" in text
    assert not (folder / "image.d").exists()
