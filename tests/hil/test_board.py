"""What hardware in the loop asks of a board; see conftest.py for the options."""

import pytest

from edgebio import boards
from edgebio.parity.hil import Bench, Check


def must(check: Check) -> None:
    """A check that holds; left out where the image or the model has nothing to look at."""
    print(f"{check.name}: {check.note}")
    if check.ok is None:
        pytest.skip(check.note)
    assert check.ok, check.note


def test_identity(bench: Bench) -> None:
    must(bench.identity())


def test_outputs(bench: Bench) -> None:
    must(bench.outputs(12))


def test_every_layer(bench: Bench) -> None:
    check = bench.layers(6)
    must(check)
    assert len(check.measures) == bench.device.describe().layers


def test_every_layer_with_all_data(bench: Bench) -> None:
    must(bench.layers(1, "data"))


def test_every_stage(bench: Bench) -> None:
    check = bench.stages(4)
    must(check)
    assert len(check.measures) == 8


def test_every_stage_with_all_data(bench: Bench) -> None:
    must(bench.stages(1, "data"))


def test_latency(bench: Bench) -> None:
    check = bench.latency(10)
    must(check)
    figures = check.figures["model_us"]
    assert 0 < figures["min"] <= figures["median"] <= figures["p99"] <= figures["max"]


def test_soak(bench: Bench, board: boards.Board, request: pytest.FixtureRequest) -> None:
    played = board.emulator
    if played and played.program != "qemu" and not request.config.getoption("--port", default=None):
        pytest.skip(f"{played.program} is slower than real time")
    must(bench.soak(request.config.getoption("--soak", default=2.0)))


def test_stack(bench: Bench) -> None:
    must(bench.stack())
