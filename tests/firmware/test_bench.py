"""Executed instructions: exact, repeatable, by layer, and near what is known of the models."""

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


def test_the_same_count_in_every_run(emg: tuple[Path, np.ndarray]) -> None:
    model, x = emg
    first = bench(boards.load(M4), model, x[:4])
    assert first == bench(boards.load(M4), model, x[:4])
    assert first.method == "exact"


def test_layers_and_functions_add_up(emg: tuple[Path, np.ndarray]) -> None:
    model, x = emg
    found = bench(boards.load(M4), model, x)
    assert found.inputs == len(x)
    assert not found.random_inputs
    assert found.macs == 737_472
    assert sum(layer.macs for layer in found.layers) == found.macs
    assert [layer.operator for layer in found.layers if layer.macs][:1] == ["CONV_2D"]
    between = found.instructions - sum(layer.instructions for layer in found.layers)
    assert 0 < between < 20 * len(found.layers)  # calls only
    total = sum(function.instructions for function in found.functions)
    assert abs(total - found.instructions) <= len(found.functions)  # rounding
    # TensorFlow Lite Micro's reference kernels need 8,269,409; no less than one a 4 MACs can do.
    assert found.macs / 4 < found.instructions < 8_269_409
    assert found.ram.total == (
        found.ram.activations + found.ram.scratch + found.ram.static + found.ram.stack
    )


def test_two_instructions_are_two(emg: tuple[Path, np.ndarray]) -> None:
    """The mean over an input twice is the count of that input."""
    model, x = emg
    once = bench(boards.load(M4), model, x[:1])
    twice = bench(boards.load(M4), model, x[[0, 0]])
    assert twice.instructions == once.instructions
    assert twice.layers == once.layers


def test_by_the_clock_where_there_is_no_plugin(
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
def test_other_boards_count_too(emg: tuple[Path, np.ndarray], board: str) -> None:
    found = bench(boards.load(board), emg[0])
    assert found.random_inputs
    assert found.inputs == 16
    assert found.instructions > found.macs / 16


def test_nothing_to_count_over(emg: tuple[Path, np.ndarray]) -> None:
    with pytest.raises(EdgebioError, match="no inputs"):
        bench(boards.load(M4), emg[0], emg[1][:0])
