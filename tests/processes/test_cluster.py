"""Jobs on this machine, and on a real Dask cluster: worker processes on this machine."""

import contextlib
import json
import os
import subprocess
import sys
import time

import pytest

from edgebio import storage
from edgebio.errors import EdgebioError
from edgebio.processes import cluster
from edgebio.processes.cluster import ClusterRunner
from edgebio.processes.folder_job import FolderJob, LocalRunner, LostJobError


def slow_job(name, folder):
    """Take a second and leave two files, the result last."""
    time.sleep(1)
    storage.write_text(folder / "logs" / "log.txt", name)
    storage.write_json(folder / "result.json", {"name": name})


def refused_job(name, folder):
    raise EdgebioError("no window of class 'fist'")


def dying_job(name, folder):
    if name == "job 1":
        os._exit(9)
    storage.write_json(folder / "result.json", {"name": name})


def same_code():
    return b"code"


def other_code():
    return b"%f" % time.time()


def jobs(folder, function=slow_job, count=1):
    return [FolderJob(f"job {k}", folder / str(k), function, (f"job {k}",)) for k in range(count)]


@contextlib.contextmanager
def dask_cluster(folder, *kinds):
    """A scheduler, and a worker for each of `kinds`: "nanny" or "no-nanny"."""
    pytest.importorskip("distributed", reason="Dask is not installed: pip install edgebio[scale]")
    scheduler_file = folder / "scheduler.json"
    programs = []

    def start(name, *arguments):
        line = [sys.executable, "-m", "dask", name, *arguments]
        programs.append(
            subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )

    try:
        start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
              "--scheduler-file", str(scheduler_file))  # fmt: skip
        deadline = time.monotonic() + 60
        url = ""
        while not url:
            assert time.monotonic() < deadline, "the scheduler does not start"
            time.sleep(0.1)
            # The file exists before its content is written.
            with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
                url = json.loads(scheduler_file.read_text())["address"]
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


def test_local_jobs_are_reported_as_they_finish(tmp_path):
    names = []
    LocalRunner(2).run(jobs(tmp_path, count=3), lambda job: names.append(job.name))
    assert sorted(names) == ["job 0", "job 1", "job 2"]
    assert json.loads((tmp_path / "2" / "result.json").read_text()) == {"name": "job 2"}


def test_local_job_that_dies_is_named_and_others_are_kept(tmp_path):
    with pytest.raises(LostJobError, match=r"process of a job died.*not finished: job 1, job 2\."):
        LocalRunner(1).run(jobs(tmp_path, dying_job, 3))
    assert [path.parent.name for path in tmp_path.glob("*/result.json")] == ["0"]


@pytest.mark.slow
def test_killed_worker_loses_no_job(tmp_path):
    with dask_cluster(tmp_path, "no-nanny", "nanny", "no-nanny") as (url, programs):
        todo = jobs(tmp_path / "kept", count=5)
        names = []

        def finished(job):
            names.append(job.name)
            if len(names) == 2:
                programs[0].kill()  # it is at work: there are more jobs than workers

        ClusterRunner(url, same_code).run(todo, finished)
        assert sorted(names) == [job.name for job in todo]
        for job in todo:
            assert json.loads((job.folder / "result.json").read_text())["name"] == job.name
            assert (job.folder / "logs" / "log.txt").read_text() == job.name

        with pytest.raises(EdgebioError, match=r"^no window of class 'fist'$"):
            ClusterRunner(url, same_code).run(jobs(tmp_path, refused_job))
        with pytest.raises(EdgebioError, match="has another version of edgebio"):
            ClusterRunner(url, other_code).run(jobs(tmp_path))


def test_missing_scheduler_or_workers_are_reported(tmp_path, monkeypatch):
    pytest.importorskip("distributed", reason="Dask is not installed: pip install edgebio[scale]")
    monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 0.5)
    for url in ("tcp://127.0.0.1:1", "nonsense://x"):
        with pytest.raises(EdgebioError, match="no Dask scheduler answers") as error:
            ClusterRunner(url, same_code).run(jobs(tmp_path))
        assert "\n" not in str(error.value)
    monkeypatch.undo()
    with (
        dask_cluster(tmp_path) as (url, _),
        pytest.raises(EdgebioError, match=f"no workers; start some: dask worker {url}"),
    ):
        ClusterRunner(url, same_code).run(jobs(tmp_path))
