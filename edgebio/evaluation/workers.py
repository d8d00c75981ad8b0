"""Folds at work: on the cores of this machine, or on an existing Dask cluster.

Either way each fold has a process of its own, and what it leaves is kept as soon as it is whole.
"""

import concurrent.futures as futures
import contextlib
import platform
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from edgebio import storage
from edgebio.errors import EdgebioError, MissingToolError
from edgebio.processes import subprocess_call
from edgebio.protocols import Fold
from edgebio.recipes import Recipe

Job = Callable[[Recipe, Fold, Path], None]
"""Trains and scores a fold and leaves what it found in a folder."""

Folds = Mapping[Path, Fold]
"""What is to be done, by the folder that each fold is kept in."""

_CONNECT_SECONDS = 10.0


class LostError(EdgebioError):
    """A fold did not end through no fault of its own: the same command can go on with it."""


def locally(job: Job, recipe: Recipe, folds: Folds, count: int) -> Iterator[Path]:
    """Run folds on this machine, `count` at a time; yield each folder when its fold is done.

    Raises
    ------
    EdgebioError
        Of the first fold that fails.
    LostError
        Where the process of a fold dies.
    """
    pool = futures.ThreadPoolExecutor(min(count, len(folds)))
    try:
        running = {
            pool.submit(subprocess_call.call, job, recipe, fold, place): place
            for place, fold in folds.items()
        }
        finished = set()
        for future in futures.as_completed(running):
            try:
                future.result()
            except subprocess_call.ProcessDiedError as error:
                left = ", ".join(f.name for place, f in folds.items() if place not in finished)
                raise LostError(
                    f"the process of a fold died ({error}; short of memory?); not finished: "
                    f"{left}. The others are kept: run the same command again, with --jobs 1"
                ) from None
            finished.add(running[future])
            yield running[future]
    finally:
        pool.shutdown(cancel_futures=True)


def on_cluster(
    job: Job, recipe: Recipe, folds: Folds, scheduler: str, code: Callable[[], bytes]
) -> Iterator[Path]:
    """Run folds on the workers of a Dask scheduler; yield each folder when its fold is here.

    Workers need edgebio of the same code, and no folder that is shared: what a fold leaves comes
    back over the connection. A fold whose worker dies is given to another one.

    Parameters
    ----------
    job, recipe, folds
        What is done.
    scheduler
        Its address, such as ``tcp://10.0.0.5:8786``.
    code
        Digest of the code that a fold's result depends on, on the machine where it is called.

    Raises
    ------
    EdgebioError
        Where a fold fails, or a worker has other code.
    LostError
        Where there is no scheduler or no worker, or a fold breaks on the cluster.
    """
    with _cluster(scheduler) as client, warnings.catch_warnings():
        from distributed import as_completed

        # Recordings travel with their fold, so that no worker's death can lose them.
        warnings.filterwarnings("ignore", message="Sending large graph")
        running = {
            client.submit(_from_afar, job, recipe, fold, code, code(), pure=False): place
            for place, fold in folds.items()
        }
        try:
            made = as_completed(list(running), loop=client.loop)  # type: ignore[no-untyped-call]
            for future in made:
                place = running[future]
                _keep(place, _fetched(future, folds[place].name))
                yield place
        finally:
            client.cancel(list(running))


def at_a_time(scheduler: str) -> int:
    """Folds that the workers of a Dask scheduler take at a time: their threads.

    Raises
    ------
    LostError
        Where there is no scheduler or no worker.
    """
    with _cluster(scheduler) as client:
        return sum(client.nthreads().values())


@contextlib.contextmanager
def _cluster(scheduler: str) -> Iterator[Any]:
    """Client of a Dask scheduler that has workers."""
    try:
        from distributed import Client
    except ImportError:
        raise MissingToolError("--dask needs Dask: pip install 'edgebio[scale]'") from None
    try:
        client: Any = Client(  # type: ignore[no-untyped-call]
            scheduler, timeout=_CONNECT_SECONDS, set_as_default=False
        )
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise LostError(
            f"{scheduler}: no Dask scheduler answers ({reason}); start one: dask scheduler"
        ) from None
    with client:
        if not client.scheduler_info()["workers"]:
            raise LostError(
                f"{scheduler}: the scheduler has no workers; start some: dask worker {scheduler}"
            )
        yield client


def _from_afar(
    job: Job, recipe: Recipe, fold: Fold, code: Callable[[], bytes], wanted: bytes
) -> dict[str, bytes]:
    """Run a fold on a worker: its files by their path below the fold's folder, in their order."""
    if code() != wanted:
        raise EdgebioError(
            f"a worker ({platform.node()}) has another version of edgebio than this machine: "
            "install the same on both"
        )
    with tempfile.TemporaryDirectory(prefix="edgebio-fold-") as scratch:
        place = Path(scratch) / "fold"
        subprocess_call.call(job, recipe, fold, place)
        files = [path for path in place.rglob("*") if path.is_file()]
        files.sort(key=lambda path: path.stat().st_mtime_ns)
        return {path.relative_to(place).as_posix(): path.read_bytes() for path in files}


def _fetched(future: Any, name: str) -> dict[str, bytes]:
    try:
        files: dict[str, bytes] = future.result()
    except EdgebioError:
        raise
    except Exception as error:
        raise LostError(
            f"fold {name!r} failed on the cluster: {type(error).__name__}: "
            f"{str(error).splitlines()[0] if str(error) else 'no reason given'}. The folds that "
            "are finished are kept: run the same command again"
        ) from error
    return files


def _keep(place: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():  # the fold's result was written last, and is here too
        storage.write_bytes(place / name, content)
