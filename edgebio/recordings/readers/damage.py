"""Damaged, missing and oversized files, each as one line."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgebio.errors import EdgebioError, MissingToolError


@contextmanager
def refuse_damage(path: Path, message: str) -> Iterator[None]:
    """Turn whatever a parser raises on a damaged file into one line: `message` and the reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # parsers warn before they raise
            yield
    except (EdgebioError, MemoryError):
        raise
    except FileNotFoundError:
        raise EdgebioError(f"{path}: no such file") from None
    except ImportError:
        raise MissingToolError(f"{path.name} needs: pip install 'edgebio[data]'") from None
    except Exception as error:  # parsers raise anything on a damaged file
        reason = (str(error).splitlines() or [type(error).__name__])[0][:160]
        raise EdgebioError(f"{path}: {message} ({reason})") from None


def check_file(path: Path, limit: int | None = None, kind: str = "file") -> None:
    """Refuse a file that is missing, cannot be opened, or is larger than `limit` bytes."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
    except FileNotFoundError:
        raise EdgebioError(f"{path}: no such file") from None
    except OSError as error:
        raise EdgebioError(f"{path}: {error.strerror or error}") from None
    if limit is not None and size > limit:
        raise EdgebioError(f"{path}: {size:,} bytes; a {kind} may have up to {limit:,}")
