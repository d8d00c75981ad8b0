"""Random networks: every byte that a layer writes equals tflite-micro's."""

import numpy as np
import pytest

from edgebio import compiler, tflite
from edgebio.errors import EdgebioError
from tests.compiler.batch_of_networks import run_sanitized
from tests.compiler.random_networks import random_network
from tests.compiler.reference import (
    KERNEL_SETS,
    Run,
    assert_layers_equal,
    assert_outputs_equal,
    builds,
    emulated,
    random_inputs,
    sanitized,
)

pytestmark = pytest.mark.usefixtures("tflite_micro")


def check_layers(seed: int) -> None:
    data = random_network(seed)
    models = builds(data)
    assert_layers_equal(models, data, random_inputs(models[0].input_shape, seed))


def check_outputs(seeds: range, run: Run) -> None:
    assert_outputs_equal([random_network(seed) for seed in seeds], seeds, run)


@pytest.mark.parametrize("seed", range(20))
def test_every_layer_equals_tflite_micro(seed: int) -> None:
    check_layers(seed)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1000, 1300, 20))
def test_every_layer_of_three_hundred_more(start: int) -> None:
    for seed in range(start, start + 20):
        check_layers(seed)


@pytest.mark.parametrize("isa", KERNEL_SETS)
def test_sanitizers_report_nothing(isa: compiler.KernelSet) -> None:
    check_outputs(range(100, 106), sanitized(isa))


@pytest.mark.slow
@pytest.mark.parametrize("isa", KERNEL_SETS)
@pytest.mark.parametrize("start", range(2000, 2300, 50))
def test_sanitizers_report_nothing_in_three_hundred_more(
    start: int, isa: compiler.KernelSet
) -> None:
    check_outputs(range(start, start + 50), sanitized(isa))


@pytest.mark.parametrize("board", ["mps2-an386", "mps2-an505", "mps3-an547"])
def test_emulated_boards_equal_tflite_micro(board: str) -> None:
    check_outputs(range(200, 212), emulated(board))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("board", "start"),
    [
        *(("mps2-an386", start) for start in range(2000, 2300, 60)),
        *(("mps2-an500", start) for start in range(2000, 2060, 60)),
        *(("mps2-an505", start) for start in range(2000, 2060, 60)),
        *(("mps3-an547", start) for start in range(2000, 2120, 60)),
        *(("mps2-an385", start) for start in range(2000, 2060, 60)),
    ],
)
def test_emulated_boards_equal_tflite_micro_on_sixty_networks(board: str, start: int) -> None:
    check_outputs(range(start, start + 60), emulated(board))


@pytest.mark.slow
def test_accepted_damaged_files_stay_in_their_memory() -> None:
    """C of any file that passes the checks compiles, and the sanitizers report nothing."""
    rng = np.random.default_rng(7)
    runs = 0
    for seed in range(400):
        damaged = bytearray(random_network(3000 + seed % 20))
        damaged[rng.integers(len(damaged))] = rng.integers(256)
        try:
            graph = tflite.read(bytes(damaged))
            program = compiler.compile_model(graph)
        except EdgebioError:
            continue
        if program.plan.total > 1 << 20 or program.macs > 1 << 26:
            continue
        size = program.network.bytes(program.network.input)
        run_sanitized([graph], [rng.integers(-128, 128, (2, size)).astype(np.int8)], "dsp")
        runs += 1
        if runs == 60:
            break
    assert runs == 60
