"""Where files live: the assets that travel with the package, the user's cache, and safe writing."""

import contextlib
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from edgebio.errors import EdgebioError

if TYPE_CHECKING:
    import numpy.typing as npt

_PACKAGE = Path(__file__).resolve().parent


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

    A block that raises leaves `path` as it was, and no temporary file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)  # mkstemp makes files private; results are not
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
