"""A search on a real Dask cluster: worker processes on this machine."""

import os
import shutil
from pathlib import Path

import pytest

import edgebio
from edgebio.errors import EdgebioError
from edgebio.evaluation.evaluate import RESULT
from edgebio.protocols import split
from edgebio.search import Limits, scoring, search
from tests import tiny
from tests.evaluation.test_workers import cluster
from tests.search import standin

PACKAGE = Path(edgebio.__file__).parent


@pytest.mark.slow
def test_as_many_candidates_at_a_time_as_workers_take(tmp_path, monkeypatch):
    trainings = standin.Trainings(seconds=2.0)
    standin.stand_in(monkeypatch.setattr, trainings)
    asked = standin.request(8, limits=Limits())
    count = (os.cpu_count() or 1) + 2
    with cluster(tmp_path, *["no-nanny"] * count) as (url, _):
        search(asked, standin.people(), tmp_path / "there", scheduler=url)
        assert trainings.most == count
        trainings.most = 0
        search(asked, standin.people(), tmp_path / "two", jobs=2, scheduler=url)
        assert trainings.most == 2


def test_no_cluster_is_said_before_anything_is_counted(tmp_path, monkeypatch):
    pytest.importorskip("distributed", reason="Dask is not installed: pip install edgebio[scale]")
    trainings = standin.Trainings()
    standin.stand_in(monkeypatch.setattr, trainings)
    with pytest.raises(EdgebioError, match="no Dask scheduler answers"):
        search(standin.request(2), standin.people(), tmp_path, scheduler="nonsense://x")
    assert not trainings.made


@pytest.mark.slow
def test_a_worker_with_another_way_of_scoring_is_refused(tmp_path, monkeypatch):
    training = tiny.RECIPE.training.model_copy(update={"epochs": 1})
    recipe = tiny.RECIPE.model_copy(update={"training": training})
    (fold,) = split("within-session", [r for r in tiny.recordings() if r.session == "1"])
    other = tmp_path / "other"
    shutil.copytree(PACKAGE, other / "edgebio", ignore=shutil.ignore_patterns("__pycache__"))
    for assets in ("firmware_assets", "boards"):
        (other / assets).symlink_to(PACKAGE.parent / assets)
    monkeypatch.chdir(other)  # where `python -m dask` looks for edgebio first
    with cluster(tmp_path, "no-nanny") as (url, _):
        place = scoring.kept_score(recipe, fold, tmp_path / "same", url)
    assert (place / RESULT).is_file()
    with (other / "edgebio" / "search" / "scoring.py").open("a") as file:
        file.write("# changed\n")
    with (
        cluster(tmp_path, "no-nanny") as (url, _),
        pytest.raises(EdgebioError, match="has another version of edgebio"),
    ):
        scoring.kept_score(recipe, fold, tmp_path / "changed", url)
