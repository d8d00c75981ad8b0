"""All checks of hardware in the loop; see conftest.py for the options."""

import pytest

from edgebio import boards
from edgebio.parity.hil import Bench, Check


def must(check: Check) -> None:
    """The check holds, or is skipped because image or model do not support it."""
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
    assert len(check.parts) == bench.device.describe().layers


def test_every_value_of_every_layer(bench: Bench) -> None:
    must(bench.layers(1, "data"))


def test_every_stage(bench: Bench) -> None:
    check = bench.stages(4)
    must(check)
    assert len(check.parts) == 8


def test_every_value_of_every_stage(bench: Bench) -> None:
    must(bench.stages(1, "data"))


def test_latency(bench: Bench) -> None:
    check = bench.latency(10)
    must(check)
    model_us = check.metrics["model_us"]
    assert 0 < model_us["min"] <= model_us["median"] <= model_us["p99"] <= model_us["max"]
    estimated = check.metrics["estimated_us"]
    assert estimated["model_us"] > 0
    assert estimated["frontend_us"] > 0
    assert f"estimated {estimated['model_us']} us" in check.note


def test_soak(bench: Bench, board: boards.Board, request: pytest.FixtureRequest) -> None:
    emulated = not request.config.getoption("--port", default=None)
    if emulated and board.emulator and board.emulator.program != "qemu":
        pytest.skip(f"{board.emulator.program} is slower than real time")
    must(bench.soak(request.config.getoption("--soak", default=2.0)))


def test_stack(bench: Bench) -> None:
    must(bench.stack())
