"""Jobs on an existing Dask cluster.

Workers need the same edgebio and no shared folder: the files that a job leaves come back over the
connection. A job whose worker dies is given to another worker.
"""

import contextlib
import platform
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgebio import storage
from edgebio.errors import EdgebioError, MissingToolError
from edgebio.processes.folder_job import Finished, FolderJob, LostJobError

_CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class ClusterRunner:
    """Runs jobs on the workers of a Dask scheduler.

    Attributes
    ----------
    scheduler
        Its address, such as ``tcp://10.0.0.5:8786``.
    code_digest
        Digest of the code that results depend on, computed where it is called: workers with other
        code are refused.
    """

    scheduler: str
    code_digest: Callable[[], bytes]

    @property
    def threads(self) -> int:
        """Jobs that the workers take at a time; `LostJobError` where there are none."""
        with self._client() as client:
            return sum(client.nthreads().values())

    def run(self, jobs: Sequence[FolderJob], on_finished: Finished = lambda job: None) -> None:
        """Run all jobs; see `edgebio.processes.folder_job.LocalRunner.run`."""
        with self._client() as client, warnings.catch_warnings():
            from distributed import as_completed

            # Recordings travel with their job, so that no worker's death can lose them.
            warnings.filterwarnings("ignore", message="Sending large graph")
            code = self.code_digest, self.code_digest()
            running = {client.submit(_run_remotely, job, *code, pure=False): job for job in jobs}
            try:
                futures = as_completed(list(running), loop=client.loop)  # type: ignore[no-untyped-call]
                for future in futures:
                    job = running[future]
                    # In their order: the file that completes a folder is written last here too.
                    for path, content in _files_of(future, job).items():
                        storage.write_bytes(job.folder / path, content)
                    on_finished(job)
            finally:
                client.cancel(list(running))

    @contextlib.contextmanager
    def _client(self) -> Iterator[Any]:
        """Client of the scheduler, which has workers."""
        try:
            from distributed import Client
        except ImportError:
            raise MissingToolError("--dask needs Dask: pip install 'edgebio[scale]'") from None
        try:
            client: Any = Client(  # type: ignore[no-untyped-call]
                self.scheduler, timeout=_CONNECT_SECONDS, set_as_default=False
            )
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise LostJobError(
                f"{self.scheduler}: no Dask scheduler answers ({reason}); start one: dask scheduler"
            ) from None
        with client:
            if not client.scheduler_info()["workers"]:
                raise LostJobError(
                    f"{self.scheduler}: the scheduler has no workers; start some: dask worker "
                    f"{self.scheduler}"
                )
            yield client


def _run_remotely(
    job: FolderJob, code_digest: Callable[[], bytes], expected: bytes
) -> dict[str, bytes]:
    """Run a job on a worker; return its files by path below the folder, the last written last."""
    if code_digest() != expected:
        raise EdgebioError(
            f"a worker ({platform.node()}) has another version of edgebio than this machine: "
            "install the same on both"
        )
    with tempfile.TemporaryDirectory(prefix="edgebio-job-") as scratch:
        folder = Path(scratch) / "job"
        job.run(folder)
        files = [path for path in folder.rglob("*") if path.is_file()]
        files.sort(key=lambda path: path.stat().st_mtime_ns)
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _files_of(future: Any, job: FolderJob) -> dict[str, bytes]:
    try:
        return dict(future.result())
    except EdgebioError:
        raise
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "no reason given")
        raise LostJobError(
            f"{job.name} failed on the cluster: {type(error).__name__}: {reason}. Finished jobs "
            "are kept: run the same command again"
        ) from error
