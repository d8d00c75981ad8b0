"""The cross-compiler: C to objects, kept by content so that a rebuild compiles what changed."""

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
_KEPT_BYTES = 512 << 20


@dataclass(frozen=True)
class Unit:
    """One C file and what it is compiled with.

    Attributes
    ----------
    source : Path
        The file, relative to the folder that the compiler runs in.
    flags : tuple of str
        All flags, ``-c`` and ``-o`` excepted.
    """

    source: Path
    flags: tuple[str, ...]


def tool(name: str) -> str:
    """Path of ``arm-none-eabi-<name>``.

    Raises
    ------
    MissingToolError
        Where it is not installed.
    """
    found = shutil.which(_PREFIX + name)
    if not found:
        raise MissingToolError(f"no {_PREFIX}{name} on this machine; install it: {INSTALL}")
    return found


def version() -> str:
    """First line of what the compiler says about itself."""
    return _version(tool("gcc"))


@functools.cache
def _version(gcc: str) -> str:
    return run_compiler(gcc, "--version").splitlines()[0].strip()


def compile_all(units: Sequence[Unit], folder: Path) -> list[Path]:
    """Compile `units`, as many at a time as there are cores.

    Parameters
    ----------
    units
        What to compile.
    folder
        Folder that the compiler runs in; names in error lines and in debug information are
        relative to it.

    Returns
    -------
    list of Path
        Objects in the order of `units`. They lie in the user's cache under the hash of what the
        preprocessor made of the file, the flags and the compiler: never write to them.
    """
    gcc = tool("gcc")
    store = storage.cache("objects")
    made = map_in_order(lambda unit: _compile(gcc, unit, folder, store), units)
    objects = list(progress.track(made, "compiling", len(units)))
    _prune(store, keep=set(objects))
    return objects


def _compile(gcc: str, unit: Unit, folder: Path, store: Path) -> Path:
    command = [gcc, *unit.flags, f"-ffile-prefix-map={folder}=."]
    # -g would name the folder in the preprocessor's output
    text = run_compiler(
        gcc, *unit.flags, "-E", "-fno-working-directory", str(unit.source), folder=folder
    )
    key = "\0".join([version(), *unit.flags, str(unit.source), text])
    target = store / f"{hashlib.sha256(key.encode()).hexdigest()}.o"
    if target.exists():
        target.touch()
    else:
        with storage.replacing(target) as temporary:
            run_compiler(*command, "-c", str(unit.source), "-o", str(temporary), folder=folder)
    return target


def _prune(store: Path, keep: set[Path]) -> None:
    """Remove the objects that were not used for longest where there are too many."""
    found = []
    for path in store.glob("[!.]*.o"):
        try:
            found.append((path.stat().st_mtime, path.stat().st_size, path))
        except FileNotFoundError:  # another build prunes too
            continue
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= _KEPT_BYTES:
            return
        if path not in keep:
            path.unlink(missing_ok=True)
            total -= size
