import json
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from edgebio import recipes, report
from edgebio.errors import CheckFailedError, EdgebioError, InterruptedWorkError
from edgebio.evaluation.evaluate import RESULT
from edgebio.search import Limits, search
from edgebio.search.cost import Counter
from edgebio.search.front import Point, dominates
from edgebio.search.study import FILE, locked
from tests.search import standin

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def trainings(monkeypatch):
    made = standin.Trainings()
    standin.stand_in(monkeypatch.setattr, made)
    return made


def point(row):
    return Point(row["accuracy"], row["cost"]["latency"], row["cost"]["flash"])


def within(cost):
    limits = standin.LIMITS
    return (
        cost["latency"] <= limits.latency
        and cost["flash"] <= limits.flash
        and cost["ram"] <= limits.ram
    )


def test_what_is_found_is_within_the_limits_and_ready_to_be_trained(tmp_path, trainings):
    found = search(standin.request(10), standin.people(), tmp_path, jobs=2)
    assert json.loads((tmp_path / "search.json").read_text()) == json.loads(json.dumps(found))
    assert found["counts"]["done"] + found["counts"].get("stopped", 0) == 10
    front = found["front"]
    assert front
    assert all(within(row["cost"]) for row in front)
    scored = [row for row in found["candidates"] if row["state"] == "done" and within(row["cost"])]
    for row in front:
        assert not any(dominates(point(other), point(row)) for other in scored)
        made = recipes.load(tmp_path / row["file"])
        assert made.name == row["name"]
        assert list(made.model.filters) == row["filters"]
        assert made.training.epochs == standin.tiny.RECIPE.training.epochs
    assert sorted(p.name for p in tmp_path.glob("*.toml")) == sorted(r["file"] for r in front)
    assert found["put_away"] == [{"subject": "1", "session": "2", "recordings": 21}]
    assert {row["session"] for row in found["chosen_on"]} == {"1"}


def test_what_is_beyond_a_limit_is_not_trained_but_for_the_recipe_itself(tmp_path, trainings):
    tight = Limits(latency=4.0, flash=26_000)
    found = search(standin.request(8, limits=tight), standin.people(), tmp_path, jobs=1)
    assert found["counts"]["over"] > 0
    own = found["recipe_itself"]
    assert own["number"] == 0
    assert set(own["over"]) == {"latency", "flash"}
    assert own["number"] not in {row["number"] for row in found["front"]}
    for recipe, _ in trainings.made:
        cost = standin.cost(recipe, tight)
        itself = recipe.model == standin.tiny.RECIPE.model
        assert itself or (cost.latency <= tight.latency and cost.flash <= tight.flash)


def test_a_second_call_repeats_nothing_and_more_trials_go_on(tmp_path, trainings):
    first = search(standin.request(6), standin.people(), tmp_path, jobs=1)
    made = len(trainings.made)
    assert search(standin.request(6), standin.people(), tmp_path, jobs=1) == first
    assert len(trainings.made) == made
    more = search(standin.request(9), standin.people(), tmp_path, jobs=1)
    assert more["candidates"][: len(first["candidates"])] == first["candidates"]
    trained = [row for row in more["candidates"] if row["folds"]]
    assert len(trainings.made) == len(trained) == 9
    shown = {json.dumps([r[k] for k in ("filters", "fft", "hop", "dense", "family", "pool_after",
                                        "dropout", "bins", "learning_rate", "noise")])
             for r in trained}  # fmt: skip
    assert len(shown) == len(trained)


def test_who_is_dominated_on_the_first_fold_is_not_trained_on_the_second(tmp_path, trainings):
    """Of equal size, more dropout is worse here, and nothing else differs."""
    asked = standin.request(16, limits=Limits())
    found = search(asked, standin.people(2), tmp_path, jobs=1)
    assert found["inner_folds"] == ["1 session 1", "2 session 1"]
    stopped = [row for row in found["candidates"] if row["state"] == "stopped"]
    assert stopped
    for row in stopped:
        assert len(row["folds"]) == 1
        rival = int(row["reason"].split("no better than ")[1].split()[0])
        other = next(r for r in found["candidates"] if r["number"] == rival)
        one, two = (
            Point(r["folds"][0], r["cost"]["latency"], r["cost"]["flash"]) for r in (row, other)
        )
        assert dominates(two, one)
    done = [row for row in found["candidates"] if row["state"] == "done"]
    assert all(len(row["folds"]) == 2 for row in done)


def test_every_fold_and_every_round_has_its_own_seed(tmp_path, trainings):
    found = search(standin.request(2, seeds=3), standin.people(2), tmp_path, jobs=1)
    own = [r.training.seed for r, _ in trainings.made if r.name == "tiny-0"]
    assert len(own) == len(set(own)) == 6
    assert all(len(row["by_seed"]) == 3 for row in found["front"])


def test_a_budget_that_nothing_meets_is_one_line_that_says_what_is_needed(tmp_path, trainings):
    asked = standin.request(5, limits=Limits(latency=0.5, flash=8192, ram=64_000))
    with pytest.raises(CheckFailedError) as error:
        search(asked, standin.people(), tmp_path, jobs=1)
    said = str(error.value)
    assert "\n" not in said
    assert "21,600 bytes of flash (--max-flash 8,192 bytes)" in said
    assert "ms a decision (--max-latency 0.5 ms)" in said
    assert "RAM" not in said
    assert not trainings.made


def test_what_is_needed_is_told_of_one_candidate(tmp_path, trainings, monkeypatch):
    """One front end takes too long, another too much flash: neither needs both."""

    def cost(counter, recipe, spec, classes):
        takes = {"latency": 9.0, "flash": 20_000} if spec.fft == 64 else {
            "latency": 3.0, "flash": 30_000
        }  # fmt: skip
        return standin.cost(recipe, counter.limits).model_copy(update=takes)

    monkeypatch.setattr(Counter, "untrained", cost)
    asked = standin.request(5, limits=Limits(latency=4.0, flash=20_500))
    with pytest.raises(CheckFailedError) as error:
        search(asked, standin.people(), tmp_path, jobs=1)
    assert str(error.value) == (
        "no candidate can meet the budget on mps2-an386: the closest needs 30,000 bytes of flash "
        "(--max-flash 20,500 bytes)"
    )


@pytest.mark.parametrize("limits", [Limits(), Limits(flash=1 << 20)])
def test_a_board_that_is_too_small_is_said_before_anything_is_trained(tmp_path, trainings, limits):
    memory = standin.BOARD.memory
    flash = memory.flash.model_copy(update={"bytes": 16_384})
    small = standin.BOARD.model_copy(update={"memory": memory.model_copy(update={"flash": flash})})
    asked = standin.request(5, board=small, limits=limits)
    needed = r"the closest needs 21,600 bytes of flash \(the board has 16,384 bytes\)$"
    with pytest.raises(CheckFailedError, match=needed):
        search(asked, standin.people(), tmp_path, jobs=1)
    assert not trainings.made


def test_candidates_that_cannot_be_trained_are_given_up(tmp_path, trainings, monkeypatch):
    """Also while another is being trained, which then does not go on with more of them."""
    monkeypatch.setattr(Counter, "untrained", standin.only_the_recipe)
    enough = threading.Event()
    trainings.broken = lambda recipe, fold: not enough.wait(120)
    over = []

    def finished(candidate):
        over.extend([candidate] if candidate.state == "over" else [])
        if len(over) == 41:
            enough.set()

    asked = standin.request(5, limits=Limits(flash=30_000))
    found = search(asked, standin.people(), tmp_path, jobs=2, finished=finished)
    assert found["counts"] == {"over": 41, "done": 1}
    assert found["gave_up"] == (
        "after 41 candidates in a row that were beyond the limits or tried before; 1 of 5 trained"
    )
    assert [row["number"] for row in found["front"]] == [0]
    whole = search(replace(asked, trials=1), standin.people(), tmp_path, jobs=1)
    assert whole["gave_up"] == ""


@pytest.mark.parametrize(("where", "trained"), [("untrained", 0), ("trained", 3)])
def test_ctrl_c_before_and_after_all_trainings_loses_nothing(
    tmp_path, trainings, monkeypatch, where, trained
):
    def interrupted(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Counter, where, interrupted)
        with pytest.raises(InterruptedWorkError) as error:
            search(standin.request(3), standin.people(), tmp_path, jobs=1)
    assert str(error.value) == (
        f"interrupted: {trained} of 3 candidates are kept in {tmp_path}; the same command goes on"
    )
    assert len(trainings.made) == trained
    found = search(standin.request(3), standin.people(), tmp_path, jobs=1)
    assert len(trainings.made) == 3
    assert found["front"]


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT])
def test_a_search_that_is_ended_in_the_middle_loses_only_what_was_under_way(
    tmp_path, trainings, kind
):
    # Long trainings: the signal has to come before the last, on a busy machine too.
    command = [sys.executable, "-m", "tests.search.standin", str(tmp_path), "5", "1.5"]
    program = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while len(list(tmp_path.glob(f"folds/*/{RESULT}"))) < 2:
        assert program.poll() is None, program.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    program.send_signal(kind)
    _, said = program.communicate(timeout=60)
    if kind == signal.SIGINT:
        assert program.returncode == 130
        (line,) = said.strip().splitlines()
        assert line.endswith(f"of 5 candidates are kept in {tmp_path}; the same command goes on")
        assert line.startswith("edgebio: interrupted: ")
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob(f"folds/*/{RESULT}")}
    found = search(standin.request(5), standin.people(), tmp_path, jobs=1)
    assert sum(found["counts"].get(state, 0) for state in ("done", "stopped")) == 5
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    # One that was under way is begun again as another trial; all others only once.
    assert len(trainings.made) + len(kept) in (5, 6)
    assert found["recipe_itself"] is not None


def test_another_search_does_not_go_on_in_the_same_folder(tmp_path, trainings):
    search(standin.request(1), standin.people(), tmp_path, jobs=1)
    changed = standin.request(1, limits=Limits(flash=40_000), epochs=3)
    with pytest.raises(EdgebioError, match=r"another limits, another epochs; choose") as error:
        search(changed, standin.people(), tmp_path, jobs=1)
    assert "\n" not in str(error.value)
    with pytest.raises(EdgebioError, match="another recordings"):
        search(standin.request(1), standin.people(2), tmp_path, jobs=1)
    with locked(tmp_path), pytest.raises(EdgebioError, match="another search is at work here"):
        search(standin.request(1), standin.people(), tmp_path, jobs=1)


@pytest.mark.parametrize("content", [b"no journal\n", b"[]\n{}\n", b'{"op_code": 4}\n{}\n'])
def test_a_file_that_is_no_study_is_said(tmp_path, trainings, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(EdgebioError, match=r"study\.jsonl: not a study, or damaged") as error:
        search(standin.request(1), standin.people(), tmp_path, jobs=1)
    assert "\n" not in str(error.value)


def test_a_line_that_was_not_written_to_its_end_is_cut_off(tmp_path, trainings):
    first = search(standin.request(2), standin.people(), tmp_path, jobs=1)
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"op_code":4,"worker_id":"')
    assert search(standin.request(2), standin.people(), tmp_path, jobs=1) == first


def test_a_candidate_that_cannot_be_trained_does_not_end_the_search(tmp_path, trainings):
    trainings.broken = lambda recipe, fold: recipe.name == "tiny-2"
    found = search(standin.request(5), standin.people(), tmp_path, jobs=1)
    (failed,) = [row for row in found["candidates"] if row["state"] == "failed"]
    assert failed["reason"] == "the loss is not finite in epoch 1: training diverged"
    assert sum(found["counts"].get(state, 0) for state in ("done", "stopped")) == 4


def test_nothing_that_can_be_trained_is_said(tmp_path, trainings):
    trainings.broken = lambda recipe, fold: True
    with pytest.raises(EdgebioError, match="training diverged"):
        search(standin.request(5), standin.people(), tmp_path, jobs=1)


def test_the_page_shows_every_candidate(tmp_path, trainings):
    found = search(standin.request(9), standin.people(2), tmp_path, jobs=1)
    text = report.write(tmp_path).read_text()
    for row in found["front"]:
        assert f'<th scope="row">{row["name"]}</th>' in text
        assert f"{row['accuracy']:.4f}" in text
    assert text.count('class="dot"') == 2 * len(found["front"])
    assert "No candidate has met session 2 of people 1 and 2" in text
    assert "30,000 bytes of flash" in text
    assert "NaN" not in text
    assert asdict(standin.LIMITS) == found["limits"]
