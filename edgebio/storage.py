"""Where files live: the assets that travel with the package, the user's cache, and safe writing."""

import contextlib
import fcntl
import glob
import hashlib
import io
import json
import os
import shutil
import struct
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from edgebio.errors import EdgebioError

if TYPE_CHECKING:
    import numpy.typing as npt

_PACKAGE = Path(__file__).resolve().parent
_RANDOM = "????????"  # of `tempfile`
_PROCESS_PREFIX = "edgebio.run-"
_SWEEP_SECONDS = 60.0


def assets(name: str) -> Path:
    """``boards``, ``firmware_assets`` or ``LICENSE``, from the wheel or from the checkout.

    Parameters
    ----------
    name
        Name of the folder or file at the top.

    Returns
    -------
    Path
        It; inside ``edgebio/_assets`` of an installed wheel, at the top of a checkout.
    """
    packed = _PACKAGE / "_assets" / name
    return packed if packed.exists() else _PACKAGE.parent / name


def cache(*parts: str) -> Path:
    """Folder in the user's cache (``EDGEBIO_CACHE`` or the platform's own), made where missing."""
    root = os.environ.get("EDGEBIO_CACHE") or platformdirs.user_cache_dir("edgebio")
    folder = Path(root).expanduser().joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def sha256(path: Path) -> str:
    """SHA-256 of a file as lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path` that is renamed onto it when the block succeeds.

    A block that raises leaves `path` as it was, and no temporary file. Those of processes that were
    killed are deleted first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{path.stem}-"
    _sweep(path.parent, f"{glob.escape(prefix)}{_RANDOM}{glob.escape(path.suffix)}")
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=path.suffix, dir=path.parent)
    # While it is locked, nobody sweeps it. HDF5 takes a lock of the other kind (flock) itself.
    _lock_file(handle)
    temporary = Path(name)
    try:
        yield temporary
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)  # mkstemp makes files private; results are not
        temporary.replace(path)
    finally:
        os.close(handle)
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def scratch_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Yield an empty folder in `parent` that is deleted afterwards.

    Those of processes that were killed are deleted first.
    """
    _sweep(parent, f"{glob.escape(prefix)}{_RANDOM}")
    work = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    handle = os.open(work, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield work
    finally:
        os.close(handle)
        shutil.rmtree(work, ignore_errors=True)


@contextlib.contextmanager
def own_temporary_folder() -> Iterator[None]:
    """Let temporary files of this process and of its children be in one folder, swept later."""
    before, variable = tempfile.tempdir, os.environ.get("TMPDIR")
    with contextlib.ExitStack() as stack:
        try:
            work = stack.enter_context(scratch_folder(Path(tempfile.gettempdir()), _PROCESS_PREFIX))
        except OSError:  # a full disk, or a folder that cannot be written
            yield
            return
        tempfile.tempdir = os.environ["TMPDIR"] = str(work)
        try:
            yield
        finally:
            tempfile.tempdir = before
            if variable is None:
                os.environ.pop("TMPDIR", None)
            else:
                os.environ["TMPDIR"] = variable


def _lock_file(handle: int) -> None:
    """Lock an open file against other open files, in this process too; raise if it is locked."""
    lock = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)  # struct flock: all bytes
    fcntl.fcntl(handle, fcntl.F_OFD_SETLK, lock)


def _sweep(folder: Path, pattern: str) -> None:
    """Delete what processes left that were killed: old, and locked by nobody."""
    for remains in folder.glob(pattern):
        with contextlib.suppress(OSError):
            if time.time() - remains.stat().st_mtime < _SWEEP_SECONDS:
                continue  # it may not be locked yet
            is_folder = remains.is_dir()
            handle = os.open(remains, os.O_RDONLY if is_folder else os.O_RDWR)
            try:
                if is_folder:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(remains, ignore_errors=True)
                else:
                    _lock_file(handle)
                    remains.unlink()
            finally:
                os.close(handle)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_array(path: Path, array: "npt.NDArray[Any]") -> None:
    """Write `array` to `path` as a .npy file, whole or not at all.

    NumPy writes an array to an open file by C's buffers, and does not notice a full disk.
    """
    import numpy as np

    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    write_bytes(path, content.getvalue())


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` in UTF-8, whole or not at all."""
    write_bytes(path, text.encode())


def write_json(path: Path, document: Any) -> None:
    """Write `document` to `path` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    EdgebioError
        Where the file is missing or damaged.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise EdgebioError(f"{path}: damaged ({error}); make it again") from None
    if not isinstance(document, dict):
        raise EdgebioError(f"{path}: damaged (not an object); make it again")
    return document
