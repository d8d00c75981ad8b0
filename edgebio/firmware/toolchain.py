"""The cross-compiler, and a cache of the objects that it made."""

import functools
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgebio import progress, storage
from edgebio.errors import MissingToolError
from edgebio.processes.programs import run_compiler
from edgebio.processes.worker_pool import map_in_order

INSTALL = "sudo apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi"
"""The line that installs the compiler."""

_PREFIX = "arm-none-eabi-"
_CACHE_BYTES = 512 << 20


@dataclass(frozen=True)
class Unit:
    """C file, relative to the folder that the compiler runs in, and its flags without ``-c``."""

    source: Path
    flags: tuple[str, ...]


def tool(name: str) -> str:
    """Path of ``arm-none-eabi-<name>``; `MissingToolError` if it is not installed."""
    path = shutil.which(_PREFIX + name)
    if not path:
        raise MissingToolError(f"no {_PREFIX}{name} on this machine; install it: {INSTALL}")
    return path


def version() -> str:
    """First line of the compiler's ``--version``."""
    return _version(tool("gcc"))


@functools.cache
def _version(gcc: str) -> str:
    return run_compiler(gcc, "--version").splitlines()[0].strip()


def compile_all(units: Sequence[Unit], folder: Path) -> list[Path]:
    """Compile C files, as many at a time as there are cores.

    Parameters
    ----------
    folder
        Folder that the compiler runs in; names in errors and debug information are relative to it.

    Returns
    -------
    list of Path
        Objects in the order of `units`, in the user's cache under a hash of the preprocessed file,
        the flags and the compiler: never write to them.
    """
    gcc = tool("gcc")
    store = storage.cache("objects")
    compiled = map_in_order(lambda unit: _compile(gcc, unit, folder, store), units)
    objects = list(progress.track(compiled, "compiling", len(units)))
    _prune(store, keep=set(objects))
    return objects


def _compile(gcc: str, unit: Unit, folder: Path, store: Path) -> Path:
    source = str(unit.source)
    # -g would put the folder's name into the preprocessor's output.
    text = run_compiler(gcc, *unit.flags, "-E", "-fno-working-directory", source, folder=folder)
    key = "\0".join([version(), *unit.flags, source, text])
    target = store / f"{hashlib.sha256(key.encode()).hexdigest()}.o"
    if target.exists():
        target.touch()
        return target
    prefix_map = f"-ffile-prefix-map={folder}=."
    with storage.replacing(target) as temporary:
        run_compiler(
            gcc, *unit.flags, prefix_map, "-c", source, "-o", str(temporary), folder=folder
        )
    return target


def _prune(store: Path, keep: set[Path]) -> None:
    """Remove the least recently used objects if the cache is too large."""
    objects = []
    for path in store.glob("[!.]*.o"):
        try:
            objects.append((path.stat().st_mtime, path.stat().st_size, path))
        except FileNotFoundError:  # another build prunes, too
            continue
    total = sum(size for _, size, _ in objects)
    for _, size, path in sorted(objects):
        if total <= _CACHE_BYTES:
            return
        if path not in keep:
            path.unlink(missing_ok=True)
            total -= size
