"""Folds on a real Dask cluster: three worker processes on this machine."""

import contextlib
import json
import subprocess
import sys
import time

import pytest

from edgebio import storage
from edgebio.errors import EdgebioError
from edgebio.evaluation import evaluate, workers
from edgebio.evaluation.evaluate import code
from edgebio.protocols import Fold
from tests import tiny

FOLDS = 5


def slow_fold(recipe, fold, place):
    """Take a second, leave two files, the result last."""
    time.sleep(1)
    storage.write_text(place / "logs" / "log.txt", fold.name)
    storage.write_json(place / "result.json", {"fold": fold.name, "seed": recipe.training.seed})


def refused_fold(recipe, fold, place):
    raise EdgebioError("no window of class 'fist'")


def other_code():
    return b"%f" % time.time()


def folds(folder, count=FOLDS):
    first, second = tiny.recordings("1")[:1], tiny.recordings("2")[:1]
    return {folder / str(k): Fold(str(k), first, second, "subject") for k in range(count)}


@contextlib.contextmanager
def cluster(folder, *kinds):
    """A scheduler, and a worker for each of `kinds`: "nanny" or "no-nanny"."""
    pytest.importorskip("distributed", reason="Dask is not installed: pip install edgebio[scale]")
    about = folder / "scheduler.json"
    programs = []

    def start(name, *words):
        line = [sys.executable, "-m", "dask", name, *words]
        programs.append(
            subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )

    try:
        start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
              "--scheduler-file", str(about))  # fmt: skip
        deadline = time.monotonic() + 60
        url = ""
        while not url:
            assert time.monotonic() < deadline, "the scheduler does not start"
            time.sleep(0.1)
            # The file is there before what it holds has been written.
            with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
                url = json.loads(about.read_text())["address"]
        for kind in kinds:
            start("worker", url, "--nthreads", "1", f"--{kind}", "--no-dashboard",
                  "--local-directory", str(folder))  # fmt: skip
        from distributed import Client

        if kinds:
            with Client(url, set_as_default=False) as client:
                client.wait_for_workers(len(kinds), timeout=60)
        yield url, programs[1:]
    finally:
        for program in programs:
            program.terminate()
        for program in programs:
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(5)
            program.kill()
            program.wait()


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing(tmp_path):
    with cluster(tmp_path, "no-nanny", "nanny", "no-nanny") as (url, programs):
        todo = folds(tmp_path / "kept")
        done = []
        for place in workers.on_cluster(slow_fold, tiny.RECIPE, todo, url, code):
            done.append(place)
            if len(done) == 2:
                programs[0].kill()  # it has a fold under way: there are more folds than workers
        assert sorted(done) == sorted(todo)
        for place, fold in todo.items():
            assert json.loads((place / "result.json").read_text())["fold"] == fold.name
            assert (place / "logs" / "log.txt").read_text() == fold.name

        with pytest.raises(EdgebioError, match=r"^no window of class 'fist'$"):
            list(workers.on_cluster(refused_fold, tiny.RECIPE, folds(tmp_path, 1), url, code))
        with pytest.raises(EdgebioError, match="has another version of edgebio"):
            list(workers.on_cluster(slow_fold, tiny.RECIPE, folds(tmp_path, 1), url, other_code))


def test_no_scheduler_and_no_workers(tmp_path, monkeypatch):
    pytest.importorskip("distributed", reason="Dask is not installed: pip install edgebio[scale]")
    monkeypatch.setattr(workers, "_CONNECT_SECONDS", 0.5)
    for url in ("tcp://127.0.0.1:1", "nonsense://x"):
        with pytest.raises(EdgebioError, match="no Dask scheduler answers") as error:
            list(workers.on_cluster(slow_fold, tiny.RECIPE, folds(tmp_path, 1), url, code))
        assert "\n" not in str(error.value)
    monkeypatch.undo()
    with (
        cluster(tmp_path) as (url, _),
        pytest.raises(EdgebioError, match=f"no workers; start some: dask worker {url}"),
    ):
        list(workers.on_cluster(slow_fold, tiny.RECIPE, folds(tmp_path, 1), url, code))


@pytest.mark.slow
def test_a_cluster_finds_the_numbers_that_this_machine_finds(tmp_path):
    training = tiny.RECIPE.training.model_copy(update={"epochs": 2})
    recipe = tiny.RECIPE.model_copy(update={"training": training})
    everybody = [r for person in "123" for r in tiny.recordings(person)]
    here = evaluate(recipe, everybody, "one-to-one", tmp_path / "here", jobs=1)
    with cluster(tmp_path, "nanny", "no-nanny", "nanny") as (url, programs):
        there = evaluate(
            recipe, everybody, "one-to-one", tmp_path / "there", scheduler=url,
            finished=lambda fold: programs[1].kill(),
        )  # fmt: skip
    assert len(here["folds"]) == 3
    for one, other in zip(here["folds"], there["folds"], strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    assert here["mean"] == there["mean"]
