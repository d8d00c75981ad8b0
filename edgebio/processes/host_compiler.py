"""The host's C compiler: C sources to a shared library, built once into the user's cache.

The front end, the decision, the link and every generated network are the firmware's own C; their
host twins are this module's products, loaded by ctypes.
"""

import ctypes
import hashlib
import os
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from edgebio import storage
from edgebio.errors import EdgebioError, MissingToolError

_In = TypeVar("_In")
_Out = TypeVar("_Out")

STRICT = ("-std=c11", "-Wall", "-Wextra", "-Werror")
"""Flags that all C of edgebio must pass."""


def compiler() -> str:
    """Path of the host's C compiler: ``CC`` if set, else cc, gcc or clang.

    Raises
    ------
    MissingToolError
        Where none is found.
    """
    for name in (os.environ.get("CC"), "cc", "gcc", "clang"):
        found = shutil.which(name) if name else None
        if found:
            return found
    raise MissingToolError("no C compiler on this machine; install one: sudo apt-get install gcc")


def present() -> bool:
    """Whether there is a C compiler."""
    try:
        compiler()
    except MissingToolError:
        return False
    return True


def library(
    name: str,
    sources: Sequence[Path],
    include: Sequence[Path] = (),
    flags: Sequence[str] = STRICT,
) -> ctypes.CDLL:
    """Compile `sources` into a shared library, or take it from the cache, and load it.

    Parameters
    ----------
    name
        Stem of the library's file name.
    sources
        C files.
    include
        Folders of headers; every header in them counts as an input.
    flags
        Compiler flags besides ``-O2 -shared -fPIC``.

    Returns
    -------
    ctypes.CDLL
        The loaded library.

    Raises
    ------
    MissingToolError
        Where there is no C compiler.
    EdgebioError
        Where the sources do not compile; the text is the compiler's first error.
    """
    cc = compiler()
    command = [cc, "-O2", "-shared", "-fPIC", *flags, *(f"-I{folder}" for folder in include)]
    digest = hashlib.sha256("\0".join([*command, *map(str, sources)]).encode())
    for path in [*sources, *(h for folder in include for h in sorted(folder.rglob("*.h")))]:
        digest.update(path.read_bytes())
    target = storage.cache("host") / f"{name}-{digest.hexdigest()[:16]}.so"
    if not target.exists():
        with storage.replacing(target) as temporary:
            run(*command, "-o", str(temporary), *map(str, sources))
    return ctypes.CDLL(str(target))


def run(*command: str) -> None:
    """Run a compiler; raise `EdgebioError` with its first error line where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.splitlines()
        first = next((line for line in lines if "error" in line.lower()), lines[0] if lines else "")
        raise EdgebioError(f"{Path(command[0]).name} failed: {first.strip()}")


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not everywhere
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def on_all_cores(
    function: Callable[[_In], _Out], inputs: Iterable[_In], count: int | None = None
) -> Iterator[_Out]:
    """Map a function of C over inputs, in their order, on `count` cores (None: all).

    C runs outside Python's lock. No more than two inputs a core are taken before their results are
    wanted, so that neither inputs that are made on the way nor results pile up.
    """
    count = count or cores()
    waiting: deque[Future[_Out]] = deque()
    with ThreadPoolExecutor(count) as pool:
        for each in inputs:
            waiting.append(pool.submit(function, each))
            if len(waiting) > 2 * count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
