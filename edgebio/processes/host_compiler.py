"""The host's C compiler: C sources to a shared library, built once into the user's cache.

The front end, the decision, the link and every generated network are the firmware's own C; their
host twins are shared libraries that this module builds and loads with ctypes.
"""

import ctypes
import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from edgebio import storage
from edgebio.errors import MissingToolError
from edgebio.processes.programs import run_compiler

STRICT = ("-std=c11", "-Wall", "-Wextra", "-Werror")
"""Flags that all C of edgebio must pass."""


def find_compiler() -> str:
    """Path of the host's C compiler: ``CC`` if set, else cc, gcc or clang.

    Raises
    ------
    MissingToolError
        Where there is none.
    """
    for name in (os.environ.get("CC"), "cc", "gcc", "clang"):
        path = shutil.which(name) if name else None
        if path:
            return path
    raise MissingToolError("no C compiler on this machine; install one: sudo apt-get install gcc")


def is_available() -> bool:
    """Whether there is a C compiler."""
    try:
        find_compiler()
    except MissingToolError:
        return False
    return True


def load_library(
    name: str,
    sources: Sequence[Path],
    include: Sequence[Path] = (),
    flags: Sequence[str] = STRICT,
) -> ctypes.CDLL:
    """Load C sources as a shared library, compiled first where the cache does not hold it.

    Every header in the folders of `include` counts as an input. `flags` are compiler flags besides
    ``-O2 -shared -fPIC``.

    Raises
    ------
    MissingToolError
        Where there is no C compiler.
    EdgebioError
        Where the sources do not compile; the text has the compiler's first error.
    """
    return ctypes.CDLL(str(_compile(f"{name}.so", ("-shared", *flags), sources, include)))


def compile_object(
    source: Path, include: Sequence[Path] = (), flags: Sequence[str] = STRICT
) -> Path:
    """Compile a C file to an object in the cache, a source of `load_library`."""
    return _compile(f"{source.stem}.o", ("-c", *flags), [source], include)


def _compile(
    name: str, flags: Sequence[str], sources: Sequence[Path], include: Sequence[Path]
) -> Path:
    """Compile into the cache, unless it has been compiled from the same files and flags."""
    command = [find_compiler(), "-O2", "-fPIC", *flags, *(f"-I{folder}" for folder in include)]
    digest = hashlib.sha256("\0".join([*command, *map(str, sources)]).encode())
    for path in [*sources, *(h for folder in include for h in sorted(folder.rglob("*.h")))]:
        digest.update(path.read_bytes())
    stem, suffix = name.rsplit(".", 1)
    target = storage.cache("host") / f"{stem}-{digest.hexdigest()[:16]}.{suffix}"
    if not target.exists():
        with storage.replacing(target) as temporary:
            run_compiler(*command, "-o", temporary, *sources)
    return target
