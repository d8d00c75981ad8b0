"""A search on a real Dask cluster: worker processes on this machine."""

import os
import shutil
from pathlib import Path

import pytest

import edgebio
from edgebio.errors import EdgebioError
from edgebio.evaluation.fold_run import RESULT
from edgebio.processes.cluster import ClusterRunner
from edgebio.protocols import split
from edgebio.search import Limits, candidate_trainer, search
from tests import tiny
from tests.processes.test_cluster import dask_cluster
from tests.search import stand_in

PACKAGE = Path(edgebio.__file__).parent


def runner(url):
    return ClusterRunner(url, candidate_trainer.search_code_digest)


@pytest.mark.slow
def test_one_candidate_at_a_time_per_thread_of_the_workers(tmp_path, monkeypatch):
    trainings = stand_in.Trainings(seconds=2.0)
    stand_in.install(monkeypatch.setattr, trainings)
    request = stand_in.request(8, limits=Limits())
    count = (os.cpu_count() or 1) + 2
    with dask_cluster(tmp_path, *["no-nanny"] * count) as (url, _):
        search(request, stand_in.subjects(), tmp_path / "there", scheduler=url)
        assert trainings.most_at_a_time == count
        trainings.most_at_a_time = 0
        search(request, stand_in.subjects(), tmp_path / "two", jobs=2, scheduler=url)
        assert trainings.most_at_a_time == 2


def test_missing_cluster_is_reported_before_anything_is_counted(tmp_path, monkeypatch):
    pytest.importorskip("distributed", reason="Dask is not installed: pip install edgebio[scale]")
    trainings = stand_in.Trainings()
    stand_in.install(monkeypatch.setattr, trainings)
    with pytest.raises(EdgebioError, match="no Dask scheduler answers"):
        search(stand_in.request(2), stand_in.subjects(), tmp_path, scheduler="nonsense://x")
    assert not trainings.runs


@pytest.mark.slow
def test_worker_with_other_search_code_is_refused(tmp_path, monkeypatch):
    training = tiny.RECIPE.training.model_copy(update={"epochs": 1})
    recipe = tiny.RECIPE.model_copy(update={"training": training})
    (fold,) = split("within-session", [r for r in tiny.recordings() if r.session == "1"])
    other = tmp_path / "other"
    shutil.copytree(PACKAGE, other / "edgebio", ignore=shutil.ignore_patterns("__pycache__"))
    for assets in ("firmware_assets", "boards"):
        (other / assets).symlink_to(PACKAGE.parent / assets)
    monkeypatch.chdir(other)  # where `python -m dask` looks for edgebio first
    with dask_cluster(tmp_path, "no-nanny") as (url, _):
        folder = candidate_trainer.trained_fold(recipe, fold, tmp_path / "same", runner(url))
    assert (folder / RESULT).is_file()
    with (other / "edgebio" / "search" / "candidate_trainer.py").open("a") as file:
        file.write("# changed\n")
    with (
        dask_cluster(tmp_path, "no-nanny") as (url, _),
        pytest.raises(EdgebioError, match="has another version of edgebio"),
    ):
        candidate_trainer.trained_fold(recipe, fold, tmp_path / "changed", runner(url))
