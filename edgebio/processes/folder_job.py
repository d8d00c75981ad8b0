"""Long calls that leave their results in a folder, each in a process of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edgebio.errors import EdgebioError
from edgebio.processes import subprocess_call
from edgebio.processes.worker_pool import WorkerPool


@dataclass(frozen=True)
class FolderJob:
    """A call whose results are files in a folder.

    Attributes
    ----------
    name
        For messages.
    folder
        Passed to the function as its last argument.
    function, arguments
        Must be picklable.
    """

    name: str
    folder: Path
    function: Callable[..., None]
    arguments: tuple[object, ...]

    def run(self, folder: Path) -> None:
        """Run in a process of its own, with another folder than the job's if need be."""
        subprocess_call.call(self.function, *self.arguments, folder)


Finished = Callable[[FolderJob], None]
"""Called with each job when its folder is complete, by one thread at a time."""


class LostJobError(EdgebioError):
    """A job did not end through no fault of its own: the same command can go on with it."""


class JobRunner(Protocol):
    """Runs jobs, on this machine or on others."""

    def run(self, jobs: Sequence[FolderJob], on_finished: Finished = lambda job: None) -> None:
        """Run all jobs.

        Raises
        ------
        InterruptedWorkError
            On Ctrl-C.
        EdgebioError
            Of the first job that fails.
        LostJobError
            Where the process of a job dies.
        """


class LocalRunner:
    """Runs jobs on this machine, several at a time.

    Parameters
    ----------
    workers
        Jobs at a time.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def run(self, jobs: Sequence[FolderJob], on_finished: Finished = lambda job: None) -> None:
        """See `JobRunner`."""
        unfinished = {job.folder: job.name for job in jobs}
        pool = WorkerPool(min(self._workers, len(jobs)))

        def run_one(job: FolderJob) -> None:
            job.run(job.folder)
            with pool.lock:
                del unfinished[job.folder]
                on_finished(job)

        try:
            pool.for_each(run_one, jobs)
        except subprocess_call.ProcessDiedError as error:
            raise LostJobError(
                f"the process of a job died ({error}; short of memory?); not finished: "
                f"{', '.join(unfinished.values())}. The others are kept: run the same command "
                "again, with --jobs 1"
            ) from None
