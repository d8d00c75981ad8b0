"""Several inputs and outputs, splits and variables: every byte equals tflite-micro's."""

import numpy as np
import pytest
from numpy.typing import NDArray

from edgebio import compiler, tflite
from edgebio.compiler.host_model import HostModel
from edgebio.errors import EdgebioError
from edgebio.parity.reference_interpreter import ReferenceInterpreter
from edgebio.tflite.edges import inputs_of
from tests.compiler.networks import Net
from tests.compiler.reference import KERNEL_SETS, Run, emulated, sanitized
from tests.compiler.several_edges import Variables, random_edges, split, split_v, unpack

pytestmark = pytest.mark.usefixtures("tflite_micro")


def random_rows(data: bytes, seed: int, count: int = 8) -> NDArray[np.uint8]:
    """Random inputs, in the form of bytes."""
    rng = np.random.default_rng(seed)
    edges = inputs_of(tflite.read(data))
    values = {
        edge.name: rng.integers(-128, 128, (count, *edge.shape)).astype(np.int8)
        for edge in edges.tensors
    }
    return edges.pack(values)


def expected_rows(data: bytes, rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    lasting = bool(compiler.compile_model(data).plan.states)
    return ReferenceInterpreter(data).run_packed(rows, lasting=lasting)


def check_host(data: bytes, seed: int = 0) -> HostModel:
    """Compare all outputs in every kernel set; give the last model."""
    rows = random_rows(data, seed)
    want = expected_rows(data, rows)
    for isa in KERNEL_SETS:
        model = HostModel(data, isa)
        assert (model.run_packed(rows) == want).all(), f"seed {seed}, {isa}"
        model.reset()
        assert (model.run_packed(rows) == want).all()
    return model


def check(seeds: range, run: Run) -> None:
    models = [random_edges(seed) for seed in seeds]
    rows = [random_rows(data, seed) for data, seed in zip(models, seeds, strict=True)]
    for seed, data, x, y in zip(seeds, models, rows, run(models, rows), strict=True):
        assert (expected_rows(data, x) == y).all(), f"seed {seed}"


def test_random_networks_equal_tflite_micro() -> None:
    for seed in range(24):
        rows = random_rows(data := random_edges(seed), seed)
        assert (HostModel(data).run_packed(rows) == expected_rows(data, rows)).all(), seed


@pytest.mark.parametrize("isa", KERNEL_SETS)
def test_sanitizers_report_nothing(isa: compiler.KernelSet) -> None:
    check(range(100, 110), sanitized(isa))


@pytest.mark.parametrize("board", ["mps2-an386", "mps3-an547"])
def test_emulated_boards_equal_tflite_micro(board: str) -> None:
    check(range(200, 212), emulated(board))


@pytest.mark.slow
@pytest.mark.parametrize("isa", KERNEL_SETS)
@pytest.mark.parametrize("start", range(1000, 1400, 50))
def test_sanitizers_report_nothing_in_four_hundred_more(
    start: int, isa: compiler.KernelSet
) -> None:
    check(range(start, start + 50), sanitized(isa))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("board", "start"),
    [
        *(("mps2-an386", start) for start in range(1000, 1400, 50)),
        *(("mps3-an547", start) for start in range(1000, 1100, 50)),
    ],
)
def test_emulated_boards_equal_tflite_micro_on_fifty_networks(board: str, start: int) -> None:
    check(range(start, start + 50), emulated(board))
