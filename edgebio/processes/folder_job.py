"""Long calls that leave their results in a folder, each in a process of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgebio import progress
from edgebio.errors import EdgebioError
from edgebio.processes import subprocess_call
from edgebio.processes.worker_pool import WorkerPool


@dataclass(frozen=True)
class FolderJob:
    """A picklable call whose last argument is the folder that its results go to."""

    name: str
    folder: Path
    function: Callable[..., None]
    arguments: tuple[object, ...]

    def run(self, folder: Path) -> None:
        """Run in a process of its own, with another folder than the job's if need be."""
        subprocess_call.call(
            self.function, *self.arguments, folder,
            on_note=lambda text: progress.note(f"{self.name}: {text}"),
        )  # fmt: skip


Finished = Callable[[FolderJob], None]
"""Called with each job when its folder is complete, by one thread at a time."""


class LostJobError(EdgebioError):
    """A job did not end through no fault of its own: the same command can go on with it."""


@dataclass(frozen=True)
class LocalRunner:
    """Runs jobs on this machine, so many at a time."""

    workers: int

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
        unfinished = {job.folder: job.name for job in jobs}
        pool = WorkerPool(min(self.workers, len(jobs)))

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
