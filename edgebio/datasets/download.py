"""Bring a data set's files from its public source into the user's cache, checked and resumable.

The names of the files and their SHA-256 travel with the package (``datasets/checksums``). A file is
written as ``<file>.part`` and takes its name when its digest is right; what was cut goes on where
it stopped, in the next attempt or in the next call.
"""

import http.client
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from edgebio import datasets, progress, storage
from edgebio.errors import EdgebioError

_AT_ONCE = 4
_ATTEMPTS = 5
_TIMEOUT = 30.0
_PAUSE = 0.5
"""Seconds before the second attempt at a file; each one after it waits twice as long."""
_CHUNK = 1 << 16
_TRANSIENT = (408, 416, 429)
"""HTTP codes below 500 that another attempt may cure; 416 answers a part that is too long."""


@dataclass(frozen=True)
class File:
    """A file of a data set: its path below the set's folder, its size and its SHA-256 in hex."""

    path: str
    size: int
    sha256: str


class _InterruptedError(Exception):
    """Another file failed, or the user stopped the call."""


def listing(name: str) -> list[File]:
    """List the files that `fetch` brings of a data set; none of a computed one."""
    resource = resources.files(datasets) / "checksums" / f"{name}.txt"
    if not resource.is_file():
        return []
    rows = (line.split(" ", 2) for line in resource.read_text("utf-8").splitlines())
    return [File(path, int(size), digest) for digest, size, path in rows if digest != "#"]


def folder(name: str) -> Path:
    """Folder of the cache that `fetch` brings a data set into."""
    return storage.cache("data") / name


def state(name: str, place: Path | None) -> str:
    """Say whether a data set is in the folder `place`: ``computed``, ``no``, ``partly`` or ``yes``.

    A folder that `fetch` fills is held against the list of its files; one of the user's may hold
    other people, and is taken as it is.
    """
    described = datasets.get(name)
    if described.computed:
        return "computed"
    if place is None:
        return "no"
    if place != folder(name) or not described.files:
        return "yes"
    files = listing(name)
    lacking = sum(_size(place / file.path) != file.size for file in files)
    return "yes" if not lacking else "no" if lacking == len(files) else "partly"


def fetch(name: str, address: str | None = None) -> list[File]:
    """Bring a data set into the user's cache, where `datasets.load` finds it.

    Parameters
    ----------
    name
        A name of `datasets.names`.
    address
        http(s) address of a folder that carries the same files; the set's own source if None.

    Returns
    -------
    list of File
        What was brought; files that were there and right are left alone.

    Raises
    ------
    EdgebioError
        Where the set has no files, a file is not at the source, the source sends other bytes than
        were published, or the connection fails time after time; what has arrived is kept.
    """
    address = address or datasets.get(name).files
    files = listing(name)
    if datasets.get(name).computed:
        raise EdgebioError(f"{name} has no files to fetch; it is computed")
    if not files or not address:
        raise EdgebioError(
            f"{name} cannot be fetched file by file; get it from {datasets.get(name).page} and "
            "point EDGEBIO_DATA or --data at the folder that holds it"
        )
    if urllib.parse.urlsplit(address).scheme not in ("http", "https"):
        raise EdgebioError(f"{address}: expected an address that starts with https:// or http://")
    address = address.rstrip("/") + "/"
    target = folder(name)
    stop = threading.Event()
    total = sum(file.size for file in files)
    with (
        progress.bar(f"fetching {name}", total) as advance,
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):
        tasks = [
            pool.submit(_bring, file, address, target / file.path, advance, stop) for file in files
        ]
        try:
            brought = [task.result() for task in as_completed(tasks)]
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return [file for file in brought if file is not None]


def _bring(
    file: File, address: str, target: Path, advance: Callable[[float], None], stop: threading.Event
) -> File | None:
    """Bring one file; None where it was there."""
    if target.is_file():
        if _size(target) == file.size and storage.sha256(target) == file.sha256:
            advance(file.size)
            return None
        target.unlink()
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    advance(_size(part))
    url = urllib.parse.urljoin(address, urllib.parse.quote(file.path))
    wrong = 0
    for attempt in range(_ATTEMPTS):
        if attempt and stop.wait(_PAUSE * 2 ** (attempt - 1)):
            raise _InterruptedError
        failure = _continue(url, part, file.size, advance, stop)
        if not failure and storage.sha256(part) == file.sha256:
            part.replace(target)
            return file
        if not failure or _size(part) > file.size:
            # A part that an older version of the file had left is made good by a fresh attempt.
            failure = "other bytes than were published"
            wrong += 1
            advance(-_size(part))
            part.unlink()
        if wrong == 2:
            raise EdgebioError(f"{url}: not the published bytes (size or SHA-256); none was kept")
    raise EdgebioError(
        f"{url}: given up after {_ATTEMPTS} attempts ({failure}); what arrived is kept: call again "
        "to go on"
    )


def _continue(
    url: str, part: Path, size: int, advance: Callable[[float], None], stop: threading.Event
) -> str:
    """Append to `part` what it lacks of `size` bytes; return why it still lacks some, or "".

    Where the source sends more than `size`, reading ends with the first chunk past it.
    """
    start = _size(part)
    if start == size:
        return ""
    headers = {"Accept-Encoding": "identity", "User-Agent": "edgebio"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=_TIMEOUT
        ) as answer:
            continued = answer.headers.get("Content-Range", "").startswith(f"bytes {start}-")
            with part.open("ab") as out:
                if start and not (answer.status == 206 and continued):
                    out.truncate(0)
                    advance(-start)
                    start = 0
                arrived = start
                while arrived <= size and (chunk := answer.read(_CHUNK)):
                    if stop.is_set():
                        raise _InterruptedError
                    out.write(chunk)
                    advance(len(chunk))
                    arrived += len(chunk)
    except urllib.error.HTTPError as error:
        if error.code not in _TRANSIENT and error.code < 500:
            raise EdgebioError(
                f"{url}: HTTP {error.code} {error.reason}; the source does not give this file: get "
                "the set elsewhere and point EDGEBIO_DATA or --data at it"
            ) from None
        return f"HTTP {error.code} {error.reason}"
    except (OSError, http.client.HTTPException) as error:
        return str(getattr(error, "reason", error)) or type(error).__name__
    return "" if arrived == size else f"{arrived:,} of {size:,} bytes"


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
