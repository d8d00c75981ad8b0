"""Executed instructions: exact, repeatable, by layer, and of a plausible number."""

from pathlib import Path

import numpy as np
import pytest

from edgebio import boards
from edgebio.errors import EdgebioError
from edgebio.firmware import counting
from edgebio.firmware.bench import bench

M4 = "mps2-an386"


@pytest.fixture(scope="module")
def emg(models_folder: Path) -> tuple[Path, np.ndarray]:
    path = models_folder / "emg_cnn.tflite"
    return path, np.load(path.with_suffix(".npz"))["x"]


def test_counts_are_the_same_in_every_run(emg: tuple[Path, np.ndarray]) -> None:
    model, x = emg
    first = bench(boards.load(M4), model, x[:4])
    assert first == bench(boards.load(M4), model, x[:4])
    assert first.method == "exact"


def test_layers_and_functions_add_up(emg: tuple[Path, np.ndarray]) -> None:
    model, x = emg
    result = bench(boards.load(M4), model, x)
    assert result.inputs == len(x)
    assert not result.random_inputs
    assert result.macs == 737_472
    assert sum(layer.macs for layer in result.layers) == result.macs
    assert [layer.operator for layer in result.layers if layer.macs][:1] == ["CONV_2D"]
    between = result.instructions - sum(layer.instructions for layer in result.layers)
    assert 0 < between < 20 * len(result.layers)  # only calls
    total = sum(function.instructions for function in result.functions)
    assert abs(total - result.instructions) <= len(result.functions)  # rounding
    # TensorFlow Lite Micro's reference kernels need 8,269,409; no less than one a 4 MACs can do.
    assert result.macs / 4 < result.instructions < 8_269_409
    assert result.ram.total == (
        result.ram.activations + result.ram.scratch + result.ram.static + result.ram.stack
    )


def test_mean_of_an_input_twice_is_its_count(emg: tuple[Path, np.ndarray]) -> None:
    model, x = emg
    once = bench(boards.load(M4), model, x[:1])
    twice = bench(boards.load(M4), model, x[[0, 0]])
    assert twice.instructions == once.instructions
    assert twice.layers == once.layers


def test_clock_replaces_a_missing_plugin(
    emg: tuple[Path, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, x = emg
    exact = bench(boards.load(M4), model, x[:2])
    monkeypatch.setattr(counting, "plugin", lambda: None)
    clock = bench(boards.load(M4), model, x[:2])
    assert clock.method == "clock"
    assert clock.functions == []
    for a, b in zip(exact.layers, clock.layers, strict=True):
        assert -16 <= b.instructions - a.instructions <= 64 + a.instructions // 1000


@pytest.mark.parametrize("board", ["mps2-an385", "mps3-an547"])
def test_other_boards_count(emg: tuple[Path, np.ndarray], board: str) -> None:
    result = bench(boards.load(board), emg[0])
    assert result.random_inputs
    assert result.inputs == 16
    assert result.instructions > result.macs / 16


def test_no_inputs_are_refused(emg: tuple[Path, np.ndarray]) -> None:
    with pytest.raises(EdgebioError, match="no inputs"):
        bench(boards.load(M4), emg[0], emg[1][:0])
