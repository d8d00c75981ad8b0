"""Keys of files under their old names: read, with one warning for each file."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any


class EdgebioDeprecationWarning(FutureWarning):
    """A file uses a key under its old name; the command line prints the text as one line."""


_notes: ContextVar[list[str] | None] = ContextVar("notes", default=None)
_echo: ContextVar[Callable[[str], None] | None] = ContextVar("echo", default=None)


def read_old_keys(content: Any, new_names: Mapping[str, str]) -> Any:
    """Parsed content of a section, with each old key under its new name.

    Raises
    ------
    ValueError
        If a key is given under both names.
    """
    old_names = [key for key in content if key in new_names] if isinstance(content, dict) else []
    if not old_names:
        return content
    for old in old_names:
        if new_names[old] in content:
            raise ValueError(f"{old!r} is the old name of {new_names[old]!r}: give only the latter")
    _warn([f"{old} is now {new_names[old]}" for old in old_names])
    return {new_names.get(key, key): value for key, value in content.items()}


@contextmanager
def one_warning(source: object) -> Iterator[None]:
    """Gather the old keys that are read within into one warning that names `source`."""
    notes: list[str] = []
    token = _notes.set(notes)
    try:
        yield
    finally:
        _notes.reset(token)
    if notes:
        _warn([f"{source}: old keys: {', '.join(dict.fromkeys(notes))}"])


@contextmanager
def print_warnings(echo: Callable[[str], None]) -> Iterator[None]:
    """Pass each warning about old keys to `echo`, as one line and once."""
    token = _echo.set(cache(echo))
    try:
        yield
    finally:
        _echo.reset(token)


def _warn(notes: list[str]) -> None:
    pending, echo = _notes.get(), _echo.get()
    if pending is not None:
        pending.extend(notes)
    elif echo:
        echo("; ".join(notes))
    else:
        warnings.warn("; ".join(notes), EdgebioDeprecationWarning, stacklevel=2)
