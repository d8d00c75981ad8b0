"""Download of data sets into the user's cache: checked, and resumed where it was interrupted.

Names and SHA-256 of the files travel with the package (``datasets/checksums``); pooch checks them.
What has arrived is kept as ``<file>.part``, and the next attempt or call continues there.
"""

import contextlib
import http.client
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from edgebio import datasets, progress, storage
from edgebio.errors import EdgebioError
from edgebio.recordings.natural_order import sort_naturally

_CONNECTIONS = 4
_ATTEMPTS = 5
_TIMEOUT = 30.0
_PAUSE = 0.5
"""Seconds before the second attempt at a file; doubled before each further one."""
_CHUNK = 1 << 16
_TRANSIENT = (408, 416, 429)
"""HTTP codes below 500 after which another attempt can succeed; 416 refuses a part too long."""


@dataclass(frozen=True)
class File:
    """A file of a data set: its path below the set's folder, its size, and its SHA-256 in hex."""

    path: str
    size: int
    sha256: str


def list_files(name: str) -> list[File]:
    """List the files that `fetch` downloads of a data set."""
    resource = resources.files(datasets) / "checksums" / f"{name}.txt"
    if not resource.is_file():
        return []
    rows = (line.split(" ", 2) for line in resource.read_text("utf-8").splitlines())
    return [File(path, int(size), digest) for digest, size, path in rows if digest != "#"]


def cache_folder(name: str) -> Path:
    """Folder that `fetch` downloads a data set into."""
    return storage.cache("data") / name


def state(name: str, folder: Path | None) -> str:
    """Return whether a data set is in `folder`: ``computed``, ``no``, ``partly`` or ``yes``.

    Only a folder of `fetch` is compared with the list of its files: one of the user may hold other
    subjects.
    """
    dataset = datasets.get(name)
    if dataset.computed:
        return "computed"
    if folder is None:
        return "no"
    if folder != cache_folder(name) or not dataset.download_url:
        return "yes"
    files = list_files(name)
    missing = sum(_size(folder / file.path) != file.size for file in files)
    return "yes" if not missing else "no" if missing == len(files) else "partly"


def files_of(name: str, subjects: Sequence[str] | None) -> list[File]:
    """List the files that `fetch` downloads of some subjects of a data set; of all if None.

    Raises
    ------
    EdgebioError
        If a subject has no files, or paths do not tell whose they are.
    """
    files, prefix = list_files(name), datasets.get(name).subject_prefix
    if subjects is None:
        return files
    if not prefix:
        raise EdgebioError(f"{name}: its files do not tell subjects apart; leave out --subject")
    chosen = list[File]()
    for subject in subjects:
        own = [file for file in files if file.path.startswith(prefix.format(subject=subject))]
        if not own:
            first, _, last = prefix.partition("{subject}")
            names = {f.path.removeprefix(first).partition(last)[0] for f in files}
            raise EdgebioError(
                f"{name}: no subject {subject!r} to fetch; there are "
                f"{', '.join(sort_naturally(names))}"
            )
        chosen += own
    return chosen


def answers(name: str, seconds: float, address: str | None = None) -> bool:
    """Whether the source of a data set begins to send its first file within so many seconds."""
    first = list_files(name)[0]
    url = _folder(address or datasets.get(name).download_url) + urllib.parse.quote(first.path)
    arrived = threading.Event()

    def read() -> None:
        request = urllib.request.Request(url, headers={"User-Agent": "edgebio"})
        with contextlib.suppress(OSError, http.client.HTTPException):
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                if answer.read(1):
                    arrived.set()
            return
        failed.set()

    failed = threading.Event()
    # In a thread of its own, as looking up a name has no time limit.
    threading.Thread(target=read, daemon=True).start()
    end = time.monotonic() + seconds
    while time.monotonic() < end and not (arrived.wait(0.05) or failed.is_set()):
        pass
    return arrived.is_set()


def fetch(
    name: str, address: str | None = None, subjects: Sequence[str] | None = None
) -> list[File]:
    """Download what is missing of a data set into the user's cache, where `datasets.load` finds it.

    Returns the files that were downloaded. `address` is that of an http(s) folder which carries the
    same files, if not the set's own source; for `subjects` see `files_of`. Refused are files that
    differ from the published ones; where the connection fails repeatedly, what has arrived is kept.
    """
    import pooch

    dataset, files = datasets.get(name), files_of(name, subjects)
    address = address or dataset.download_url
    if dataset.computed:
        raise EdgebioError(f"{name} has no files to fetch; it is computed")
    if not files or not address:
        raise EdgebioError(
            f"{name} cannot be fetched file by file; get it from {dataset.page} and point "
            "EDGEBIO_DATA or --data at the folder that holds it"
        )
    if urllib.parse.urlsplit(address).scheme not in ("http", "https"):
        raise EdgebioError(f"{address}: expected an address that starts with https:// or http://")
    pooch.get_logger().setLevel("WARNING")
    address = _folder(address)
    store = pooch.Pooch(
        path=cache_folder(name),
        base_url=address,
        registry={file.path: f"sha256:{file.sha256}" for file in files},
        urls={file.path: address + urllib.parse.quote(file.path) for file in files},
        retry_if_failed=1,  # what arrived of an older version is replaced by a fresh attempt
    )
    stop = threading.Event()
    with (
        progress.bar(f"fetching {name}", sum(file.size for file in files)) as advance,
        ThreadPoolExecutor(_CONNECTIONS) as pool,
    ):
        tasks = {pool.submit(_fetch_file, file, store, stop): file for file in files}
        fetched = []
        try:
            for task in as_completed(tasks):
                if task.result():
                    fetched.append(tasks[task])
                advance(tasks[task].size)
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return fetched


def _fetch_file(file: File, store: Any, stop: threading.Event) -> bool:
    """Download a file unless it is complete; return whether it was downloaded."""

    def download(url: str, output_file: str, _: Any) -> None:
        part = store.path / f"{file.path}.part"
        for attempt in range(_ATTEMPTS):
            if attempt and stop.wait(_PAUSE * 2 ** (attempt - 1)):
                raise CancelledError
            failure = _append_rest(url, part, file.size, stop)
            if _size(part) > file.size:
                part.unlink()
                raise ValueError("too long")
            if not failure:
                part.replace(output_file)
                return
        raise EdgebioError(
            f"{url}: gave up after {_ATTEMPTS} attempts ({failure}); what arrived is kept: repeat "
            "the command to continue"
        )

    try:
        action = store.fetch(file.path, lambda path, action, _: action, downloader=download)
    except ValueError:
        url = store.get_url(file.path)
        raise EdgebioError(
            f"{url}: not the published bytes (size or SHA-256); none was kept"
        ) from None
    return bool(action != "fetch")


def _append_rest(url: str, part: Path, size: int, stop: threading.Event) -> str:
    """Append to `part` what it lacks of `size` bytes; return why it still lacks some, or "".

    Where the source sends more than `size`, reading ends with the first chunk past it.
    """
    start = _size(part)
    if start == size:
        return ""
    headers = {"Accept-Encoding": "identity", "User-Agent": "edgebio"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer, part.open("ab") as out:
            content_range = answer.headers.get("Content-Range", "")
            if not (answer.status == 206 and content_range.startswith(f"bytes {start}-")):
                out.truncate(0)
                start = 0
            while start <= size and (chunk := answer.read(_CHUNK)):
                if stop.is_set():
                    raise CancelledError
                out.write(chunk)
                start += len(chunk)
    except urllib.error.HTTPError as error:
        if error.code not in _TRANSIENT and error.code < 500:
            raise EdgebioError(
                f"{url}: HTTP {error.code} {error.reason}; the source does not have this file: get "
                "the set elsewhere and point EDGEBIO_DATA or --data at it"
            ) from None
        return f"HTTP {error.code} {error.reason}"
    except (OSError, http.client.HTTPException) as error:
        return str(getattr(error, "reason", error)) or type(error).__name__
    return "" if start == size else f"{start:,} of {size:,} bytes"


def _folder(address: str) -> str:
    return address.rstrip("/") + "/"


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
