import json
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from edgebio import recipes
from edgebio.errors import CheckFailedError, EdgebioError, InterruptedWorkError
from edgebio.evaluation.fold_run import RESULT
from edgebio.search import Limits, search
from edgebio.search.candidate_cost import CostCounter
from edgebio.search.optuna_study import FILE, lock_folder
from edgebio.search.pareto import Point, dominates
from tests import tiny
from tests.search import stand_in

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def trainings(monkeypatch):
    simulated = stand_in.Trainings()
    stand_in.install(monkeypatch.setattr, simulated)
    return simulated


def point(row):
    return Point(row["accuracy"], row["cost"]["latency"], row["cost"]["flash"])


def within(cost):
    limits = stand_in.LIMITS
    return (
        cost["latency"] <= limits.latency
        and cost["flash"] <= limits.flash
        and cost["ram"] <= limits.ram
    )


def test_front_is_within_the_limits_and_its_recipes_can_be_loaded(tmp_path, trainings):
    result = search(stand_in.request(10), stand_in.subjects(), tmp_path, jobs=2)
    assert json.loads((tmp_path / "search.json").read_text()) == json.loads(json.dumps(result))
    assert result["counts"]["done"] + result["counts"].get("stopped", 0) == 10
    front = result["front"]
    assert front
    assert all(within(row["cost"]) for row in front)
    scored = [row for row in result["candidates"] if row["state"] == "done" and within(row["cost"])]
    for row in front:
        assert not any(dominates(point(other), point(row)) for other in scored)
        recipe = recipes.load(tmp_path / row["file"])
        assert recipe.name == row["name"]
        assert list(recipe.model.filters) == row["filters"]
        assert recipe.training.epochs == tiny.RECIPE.training.epochs
    assert sorted(p.name for p in tmp_path.glob("*.toml")) == sorted(r["file"] for r in front)
    assert result["put_away"] == [{"subject": "1", "session": "2", "recordings": 21}]
    assert {row["session"] for row in result["chosen_on"]} == {"1"}


def test_only_the_starting_recipe_is_trained_beyond_a_limit(tmp_path, trainings):
    tight = Limits(latency=4.0, flash=26_000)
    result = search(stand_in.request(8, limits=tight), stand_in.subjects(), tmp_path, jobs=1)
    assert result["counts"]["over"] > 0
    own = result["recipe_itself"]
    assert own is not None
    assert own["number"] == 0
    assert set(own["over"]) == {"latency", "flash"}
    assert own["number"] not in {row["number"] for row in result["front"]}
    for recipe, _ in trainings.runs:
        cost = stand_in.cost(recipe, tight)
        itself = recipe.model == tiny.RECIPE.model
        assert itself or (cost.latency <= tight.latency and cost.flash <= tight.flash)


def test_second_call_repeats_nothing_and_more_trials_continue(tmp_path, trainings):
    first = search(stand_in.request(6), stand_in.subjects(), tmp_path, jobs=1)
    count = len(trainings.runs)
    assert search(stand_in.request(6), stand_in.subjects(), tmp_path, jobs=1) == first
    assert len(trainings.runs) == count
    more = search(stand_in.request(9), stand_in.subjects(), tmp_path, jobs=1)
    assert more["candidates"][: len(first["candidates"])] == first["candidates"]
    trained = [row for row in more["candidates"] if row["folds"]]
    assert len(trainings.runs) == len(trained) == 9
    networks = {json.dumps([r[k] for k in ("filters", "fft", "hop", "dense", "family", "pool_after",
                                        "dropout", "bins", "learning_rate", "noise")])
             for r in trained}  # fmt: skip
    assert len(networks) == len(trained)


def test_candidate_dominated_on_the_first_fold_is_not_trained_on_the_second(tmp_path, trainings):
    """Of equal size, more dropout is worse here; nothing else counts."""
    request = stand_in.request(16, limits=Limits())
    result = search(request, stand_in.subjects(2), tmp_path, jobs=1)
    assert result["inner_folds"] == ["1 session 1", "2 session 1"]
    stopped = [row for row in result["candidates"] if row["state"] == "stopped"]
    assert stopped
    for row in stopped:
        assert len(row["folds"]) == 1
        rival = int(row["reason"].split("no better than ")[1].split()[0])
        other = next(r for r in result["candidates"] if r["number"] == rival)
        one, two = (
            Point(r["folds"][0], r["cost"]["latency"], r["cost"]["flash"]) for r in (row, other)
        )
        assert dominates(two, one)
    done = [row for row in result["candidates"] if row["state"] == "done"]
    assert all(len(row["folds"]) == 2 for row in done)


def test_every_fold_and_every_training_has_its_own_seed(tmp_path, trainings):
    result = search(stand_in.request(2, seeds=3), stand_in.subjects(2), tmp_path, jobs=1)
    own = [r.training.seed for r, _ in trainings.runs if r.name == "tiny-0"]
    assert len(own) == len(set(own)) == 6
    assert all(len(row["by_seed"]) == 3 for row in result["front"])


def test_budget_that_nothing_meets_is_refused_with_the_needs_in_one_line(tmp_path, trainings):
    request = stand_in.request(5, limits=Limits(latency=0.5, flash=8192, ram=64_000))
    with pytest.raises(CheckFailedError) as error:
        search(request, stand_in.subjects(), tmp_path, jobs=1)
    message = str(error.value)
    assert "\n" not in message
    assert "21,600 bytes of flash (--max-flash 8,192 bytes)" in message
    assert "ms a decision (--max-latency 0.5 ms)" in message
    assert "RAM" not in message
    assert not trainings.runs


def test_needs_in_the_message_are_those_of_one_candidate(tmp_path, trainings, monkeypatch):
    """One front end takes too long, another too much flash: neither needs both."""

    def cost(counter, recipe, spec, classes):
        takes = {"latency": 9.0, "flash": 20_000} if spec.n_fft == 64 else {
            "latency": 3.0, "flash": 30_000
        }  # fmt: skip
        return stand_in.cost(recipe, counter.limits).model_copy(update=takes)

    monkeypatch.setattr(CostCounter, "untrained", cost)
    request = stand_in.request(5, limits=Limits(latency=4.0, flash=20_500))
    with pytest.raises(CheckFailedError) as error:
        search(request, stand_in.subjects(), tmp_path, jobs=1)
    assert str(error.value) == (
        "no candidate can meet the budget on mps2-an386: the closest needs 30,000 bytes of flash "
        "(--max-flash 20,500 bytes)"
    )


@pytest.mark.parametrize("limits", [Limits(), Limits(flash=1 << 20)])
def test_board_that_is_too_small_is_refused_before_any_training(tmp_path, trainings, limits):
    memory = stand_in.BOARD.memory
    flash = memory.flash.model_copy(update={"bytes": 16_384})
    small = stand_in.BOARD.model_copy(update={"memory": memory.model_copy(update={"flash": flash})})
    request = stand_in.request(5, board=small, limits=limits)
    needed = r"the closest needs 21,600 bytes of flash \(the board has 16,384 bytes\)$"
    with pytest.raises(CheckFailedError, match=needed):
        search(request, stand_in.subjects(), tmp_path, jobs=1)
    assert not trainings.runs


def test_search_gives_up_after_many_candidates_beyond_the_limits(tmp_path, trainings, monkeypatch):
    """Also while another thread trains, which then takes no more candidates."""
    monkeypatch.setattr(CostCounter, "untrained", stand_in.only_start_fits)
    enough = threading.Event()
    trainings.fails = lambda recipe, fold: not enough.wait(120)
    over = []

    def finished(candidate):
        over.extend([candidate] if candidate.state == "over" else [])
        if len(over) == 41:
            enough.set()

    request = stand_in.request(5, limits=Limits(flash=30_000))
    result = search(request, stand_in.subjects(), tmp_path, jobs=2, on_finished=finished)
    assert result["counts"] == {"over": 41, "done": 1}
    assert result["gave_up"] == (
        "after 41 candidates in a row that were beyond the limits or tried before; 1 of 5 trained"
    )
    assert [row["number"] for row in result["front"]] == [0]
    whole = search(replace(request, trials=1), stand_in.subjects(), tmp_path, jobs=1)
    assert whole["gave_up"] == ""


@pytest.mark.parametrize(("where", "trained"), [("untrained", 0), ("trained", 3)])
def test_ctrl_c_before_and_after_all_trainings_loses_nothing(
    tmp_path, trainings, monkeypatch, where, trained
):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(CostCounter, where, interrupt)
        with pytest.raises(InterruptedWorkError) as error:
            search(stand_in.request(3), stand_in.subjects(), tmp_path, jobs=1)
    assert str(error.value) == (
        f"interrupted: {trained} of 3 candidates are kept in {tmp_path}; the same command continues"
    )
    assert len(trainings.runs) == trained
    result = search(stand_in.request(3), stand_in.subjects(), tmp_path, jobs=1)
    assert len(trainings.runs) == 3
    assert result["front"]


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT])
def test_killed_search_loses_only_the_trial_under_way(tmp_path, trainings, kind):
    # Long trainings: the signal has to come before the last, on a busy machine too.
    command = [sys.executable, "-m", "tests.search.stand_in", str(tmp_path), "5", "1.5"]
    program = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while len(list(tmp_path.glob(f"folds/*/{RESULT}"))) < 2:
        assert program.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    program.send_signal(kind)
    _, stderr = program.communicate(timeout=60)
    if kind == signal.SIGINT:
        assert program.returncode == 130
        (line,) = stderr.strip().splitlines()
        assert line.endswith(f"of 5 candidates are kept in {tmp_path}; the same command continues")
        assert line.startswith("edgebio: interrupted: ")
    results = {path: path.stat().st_mtime_ns for path in tmp_path.glob(f"folds/*/{RESULT}")}
    result = search(stand_in.request(5), stand_in.subjects(), tmp_path, jobs=1)
    assert sum(result["counts"].get(state, 0) for state in ("done", "stopped")) == 5
    assert {path: path.stat().st_mtime_ns for path in results} == results
    # The trial under way is repeated as another one; all others run only once.
    assert len(trainings.runs) + len(results) in (5, 6)
    assert result["recipe_itself"] is not None


def test_another_search_in_the_same_folder_is_refused(tmp_path, trainings):
    search(stand_in.request(1), stand_in.subjects(), tmp_path, jobs=1)
    changed = stand_in.request(1, limits=Limits(flash=40_000), epochs=3)
    with pytest.raises(EdgebioError, match=r"another limits, another epochs; choose") as error:
        search(changed, stand_in.subjects(), tmp_path, jobs=1)
    assert "\n" not in str(error.value)
    with pytest.raises(EdgebioError, match="another recordings"):
        search(stand_in.request(1), stand_in.subjects(2), tmp_path, jobs=1)
    with lock_folder(tmp_path), pytest.raises(EdgebioError, match="another search is running here"):
        search(stand_in.request(1), stand_in.subjects(), tmp_path, jobs=1)


@pytest.mark.parametrize("content", [b"no journal\n", b"[]\n{}\n", b'{"op_code": 4}\n{}\n'])
def test_file_that_is_not_a_study_is_refused(tmp_path, trainings, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(EdgebioError, match=r"study\.jsonl: not a study, or damaged") as error:
        search(stand_in.request(1), stand_in.subjects(), tmp_path, jobs=1)
    assert "\n" not in str(error.value)


def test_incomplete_last_line_of_the_study_is_cut_off(tmp_path, trainings):
    first = search(stand_in.request(2), stand_in.subjects(), tmp_path, jobs=1)
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"op_code":4,"worker_id":"')
    assert search(stand_in.request(2), stand_in.subjects(), tmp_path, jobs=1) == first


def test_candidate_that_fails_does_not_end_the_search(tmp_path, trainings):
    trainings.fails = lambda recipe, fold: recipe.name == "tiny-2"
    result = search(stand_in.request(5), stand_in.subjects(), tmp_path, jobs=1)
    (failed,) = [row for row in result["candidates"] if row["state"] == "failed"]
    assert failed["reason"] == "the loss is not finite in epoch 1: training diverged"
    assert sum(result["counts"].get(state, 0) for state in ("done", "stopped")) == 4


def test_starting_recipe_that_fails_ends_the_search(tmp_path, trainings):
    trainings.fails = lambda recipe, fold: True
    with pytest.raises(EdgebioError, match="training diverged"):
        search(stand_in.request(5), stand_in.subjects(), tmp_path, jobs=1)
