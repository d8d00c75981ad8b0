"""Costs counted before training are those of the trained network's image."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio import boards, firmware, recipes
from edgebio.errors import CheckFailedError
from edgebio.evaluation.fold_run import RESULT
from edgebio.firmware import toolchain
from edgebio.firmware.bench import bench
from edgebio.processes import subprocess_call
from edgebio.protocols import split
from edgebio.search import Limits, search
from edgebio.search.candidate_cost import Cost, CostCounter, _write_untrained
from edgebio.search.candidate_trainer import score_fold
from edgebio.search.request import Request
from edgebio.training.image_set import frontend_spec
from tests import tiny

COST = Cost(flash=30_000, ram=9_000, network=1, frontend=1, cycles=None, latency=2.0, macs=1,
            optimize="speed", fits=True)  # fmt: skip


@given(
    st.none() | st.floats(0.1, 4), st.none() | st.integers(1, 60_000),
    st.none() | st.integers(1, 18_000),
)  # fmt: skip
def test_cost_is_over_exactly_the_limits_that_it_exceeds(latency, flash, ram):
    limits = Limits(latency, flash, ram)
    above = {
        name
        for name in ("latency", "flash", "ram")
        if getattr(limits, name) is not None and getattr(COST, name) > getattr(limits, name)
    }
    over = COST.over(limits)
    assert set(over) == above
    assert all(more > 0 for more in over.values())


def test_image_that_does_not_fit_the_board_is_over_without_any_limit():
    assert COST.model_copy(update={"fits": False}).over(Limits()) == {"board": 1.0}


@pytest.fixture(scope="module")
def board():
    toolchain.tool("gcc")
    return boards.load("mps2-an386")


@pytest.mark.slow
@pytest.mark.parametrize("family", ["cnn", "dscnn"])
def test_untrained_network_costs_what_the_trained_one_does(tmp_path, board, family):
    model = tiny.RECIPE.model.model_copy(update={"family": family})
    training = tiny.RECIPE.training.model_copy(update={"epochs": 1})
    recipe = tiny.RECIPE.model_copy(update={"model": model, "training": training})
    (fold,) = split("within-session", [r for r in tiny.recordings() if r.session == "1"])
    subprocess_call.call(score_fold, recipe, fold, tmp_path / "run")
    scored = json.loads((tmp_path / "run" / RESULT).read_text())
    quantized = json.loads((tmp_path / "run" / "quantize.json").read_text())
    assert scored["accuracy_int8"] == quantized["accuracy_int8"]
    counter = CostCounter(board, Limits(), tmp_path / "costs")
    spec = frontend_spec(recipe.frontend, fold.train)
    before = counter.untrained(recipe, spec, fold.train[0].classes)
    after = counter.trained(tmp_path / "run" / "model.tflite")
    assert (before.flash, before.ram, before.frontend) == (after.flash, after.ram, after.frontend)
    # The time of softmax depends on how far apart its inputs are.
    assert before.network == pytest.approx(after.network, rel=1e-3)
    assert before.latency == pytest.approx(after.latency, rel=1e-3)


@pytest.mark.slow
def test_cost_of_a_recipe_that_streams_is_that_of_a_decision(tmp_path, board):
    """A decision computes only what is new, and so does its cost."""
    model = tiny.RECIPE.model.model_copy(
        update={"filters": (4, 8), "kernel_frames": (3, 1), "pool_after": (0,)}
    )
    recipe = tiny.RECIPE.model_copy(update={"model": model})
    counter = CostCounter(board, Limits(), tmp_path / "costs")
    train = tiny.recordings()
    spec = frontend_spec(recipe.frontend, train)
    cost = counter.untrained(recipe, spec, train[0].classes)
    assert cost.hop_frames == spec.step_frames
    written = tmp_path / "model.tflite"
    subprocess_call.call(_write_untrained, recipe, spec, train[0].classes, written)
    counted = bench(board, written, hop=spec.step_frames)
    assert counted.stream is not None
    assert (cost.network, cost.macs) == (counted.stream.instructions, counted.stream.macs)
    assert cost.network < 0.6 * counted.instructions
    assert cost.cycles is not None
    assert counted.cycles is not None
    assert counted.stream.cycles < cost.cycles < counted.cycles.estimate + cost.frontend * 2


@pytest.mark.slow
def test_built_images_are_within_the_limits(tmp_path, board):
    """A real search: trained, quantized, counted on the emulated board, and built again."""
    free = CostCounter(board, Limits(), tmp_path / "costs")
    train = [r for r in tiny.recordings() if r.session == "1"]
    spec = frontend_spec(tiny.RECIPE.frontend, train)
    own = free.untrained(tiny.RECIPE, spec, train[0].classes)
    # Below the recipe's own needs.
    limits = Limits(0.9 * own.latency, own.flash - 1000, own.ram)
    result = search(
        Request(tiny.RECIPE, board, limits, trials=3, epochs=1, seeds=1),
        tiny.recordings(), tmp_path / "result", jobs=1,
    )  # fmt: skip
    assert result["recipe_itself"]
    assert result["recipe_itself"]["over"]
    assert result["front"]
    for row in result["front"]:
        recipe = recipes.load(tmp_path / "result" / row["file"])
        assert recipe.training.epochs == tiny.RECIPE.training.epochs
        (model,) = [
            path
            for path in (tmp_path / "result" / "folds").glob("*/model.tflite")
            if row["name"] in (path.parent / "recipe.toml").read_text()
        ]
        manifest = firmware.build(
            model,
            board,
            tmp_path / "image",
            budget=firmware.Budget("speed", limits.flash, limits.ram),
        )
        assert manifest.flash.total == row["cost"]["flash"] <= limits.flash
        assert manifest.ram.total == row["cost"]["ram"] <= limits.ram
        assert row["cost"]["latency"] <= limits.latency


@pytest.mark.slow
def test_budget_that_nothing_meets_is_refused_with_the_needs_of_the_smallest_image(tmp_path, board):
    request = Request(tiny.RECIPE, board, Limits(flash=8192), trials=1)
    with pytest.raises(CheckFailedError, match=r"the closest needs \d\d,\d{3} bytes of flash"):
        search(request, tiny.recordings(), tmp_path, jobs=1)
