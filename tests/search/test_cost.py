"""What is counted before a training is what the trained network's image takes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio import boards, firmware, recipes
from edgebio.errors import CheckFailedError
from edgebio.evaluation.evaluate import RESULT
from edgebio.firmware import toolchain
from edgebio.processes import subprocess_call
from edgebio.protocols import split
from edgebio.search import Limits, search
from edgebio.search.cost import Cost, Counter
from edgebio.search.scoring import score_fold
from edgebio.search.search import Request
from edgebio.training.images import spec_of
from tests import tiny

COST = Cost(flash=30_000, ram=9_000, network=1, frontend=1, cycles=None, latency=2.0, macs=1,
            optimize="speed", fits=True)  # fmt: skip


@given(
    st.none() | st.floats(0.1, 4), st.none() | st.integers(1, 60_000),
    st.none() | st.integers(1, 18_000),
)  # fmt: skip
def test_a_cost_is_over_exactly_the_limits_that_it_is_above(latency, flash, ram):
    limits = Limits(latency, flash, ram)
    above = {
        name
        for name in ("latency", "flash", "ram")
        if getattr(limits, name) is not None and getattr(COST, name) > getattr(limits, name)
    }
    over = COST.over(limits)
    assert set(over) == above
    assert all(more > 0 for more in over.values())


def test_what_does_not_fit_the_board_is_over_whatever_is_asked():
    assert COST.model_copy(update={"fits": False}).over(Limits()) == {"board": 1.0}


@pytest.fixture(scope="module")
def board():
    toolchain.tool("gcc")
    return boards.load("mps2-an386")


@pytest.mark.slow
@pytest.mark.parametrize("family", ["cnn", "dscnn"])
def test_an_untrained_network_costs_what_the_trained_one_does(tmp_path, board, family):
    model = tiny.RECIPE.model.model_copy(update={"family": family})
    training = tiny.RECIPE.training.model_copy(update={"epochs": 1})
    recipe = tiny.RECIPE.model_copy(update={"model": model, "training": training})
    (fold,) = split("within-session", [r for r in tiny.recordings() if r.session == "1"])
    subprocess_call.call(score_fold, recipe, fold, tmp_path / "run")
    scored = json.loads((tmp_path / "run" / RESULT).read_text())
    quantized = json.loads((tmp_path / "run" / "quantize.json").read_text())
    assert scored["accuracy_int8"] == quantized["accuracy_int8"]
    counter = Counter(board, Limits(), tmp_path / "costs")
    spec = spec_of(recipe.frontend, fold.train)
    before = counter.untrained(recipe, spec, fold.train[0].classes)
    after = counter.trained(tmp_path / "run" / "model.tflite")
    assert (before.flash, before.ram, before.frontend) == (after.flash, after.ram, after.frontend)
    # Softmax takes as long as its numbers are far apart.
    assert before.network == pytest.approx(after.network, rel=1e-3)
    assert before.latency == pytest.approx(after.latency, rel=1e-3)


@pytest.mark.slow
def test_limits_hold_in_the_image_that_is_built(tmp_path, board):
    """A real search: trained, quantized, counted on the emulated board, and built again."""
    free = Counter(board, Limits(), tmp_path / "costs")
    side = [r for r in tiny.recordings() if r.session == "1"]
    spec = spec_of(tiny.RECIPE.frontend, side)
    own = free.untrained(tiny.RECIPE, spec, side[0].classes)
    # Below the recipe's own needs, so that others have to be found.
    limits = Limits(0.9 * own.latency, own.flash - 1000, own.ram)
    found = search(
        Request(tiny.RECIPE, board, limits, trials=3, epochs=1, seeds=1),
        tiny.recordings(), tmp_path / "found", jobs=1,
    )  # fmt: skip
    assert found["recipe_itself"]["over"]
    assert found["front"]
    for row in found["front"]:
        recipe = recipes.load(tmp_path / "found" / row["file"])
        assert recipe.training.epochs == tiny.RECIPE.training.epochs
        (model,) = [
            path
            for path in (tmp_path / "found" / "folds").glob("*/model.tflite")
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
def test_a_budget_that_nothing_meets_says_what_the_smallest_image_takes(tmp_path, board):
    asked = Request(tiny.RECIPE, board, Limits(flash=8192), trials=1)
    with pytest.raises(CheckFailedError, match=r"the closest needs \d\d,\d{3} bytes of flash"):
        search(asked, tiny.recordings(), tmp_path, jobs=1)
