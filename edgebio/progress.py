"""Progress bars of long work: silent in a library, on a terminal once the command line asks."""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TypeVar

T = TypeVar("T")

_enabled = False
_shown = False


def enable() -> None:
    """Show progress bars from now on (the command line calls it unless ``-q``)."""
    global _enabled
    _enabled = True


@contextlib.contextmanager
def bar(description: str, total: float | None = None) -> Iterator[Callable[[float], None]]:
    """Show a progress bar while the block runs.

    Parameters
    ----------
    description
        What is being done, a few words.
    total
        Amount of work, in the unit that the callback is given; unknown if None.

    Yields
    ------
    Callable
        Call it with the amount of work just done.
    """
    global _shown
    if not (_enabled and sys.stderr.isatty()) or _shown:  # a bar within a bar is part of it
        yield lambda amount: None
        return
    from rich.console import Console
    from rich.progress import Progress

    _shown = True
    try:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(description, total=total)
            yield lambda amount: progress.advance(task, amount)
    finally:
        _shown = False


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Iterate over `items` with a progress bar of one step an item."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with bar(description, total) as advance:
        for item in items:
            yield item
            advance(1)
