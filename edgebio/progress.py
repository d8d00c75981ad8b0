"""Progress of long work: silent in a library, on stderr once the command line asks.

A terminal gets a bar with the time left; a file or a pipe, a line now and then.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TextIO, TypeVar

T = TypeVar("T")

EVERY_NOTE = "EDGEBIO_EVERY_NOTE"
"""Environment variable: a program that starts edgebio sets it to get each note in a line."""

FIRST_LINE, NEXT_LINE = 5.0, 10.0
"""Seconds after which work that is not on a terminal prints its first line, and the next one."""

_enabled = False
_shown: "_Bar | None" = None
_relay: TextIO | None = None


class _Bar:
    """What is being done, how far it is, and a note about it; `show` is called when they change."""

    def __init__(self, description: str, total: float | None) -> None:
        self.description, self.total = description, total
        self.done, self.note, self._printed = 0.0, "", ""
        self._start = time.monotonic()
        self._next = self._start + FIRST_LINE

    def advance(self, amount: float) -> None:
        self.done += amount
        self.show()

    def show(self) -> None:
        """Print a line if it is time for one."""
        now = time.monotonic()
        fresh, self._printed = self.note != self._printed, self.note
        if now < self._next and not (fresh and EVERY_NOTE in os.environ):
            return
        self._next = now + NEXT_LINE
        parts = [self.note] if self.note else []
        if self.total and self.done:
            left = (now - self._start) * (self.total / self.done - 1)
            parts += [f"{100 * self.done / self.total:.0f} %, {max(left, 0):.0f} s left"]
        print(f"{self.description}: {', '.join(parts) or '...'}", file=sys.stderr, flush=True)


def enable() -> None:
    """Show progress from now on (the command line calls it unless ``-q``)."""
    global _enabled
    _enabled = True


def relay(file: TextIO) -> None:
    """Write notes to a file from now on, a line each: to the process that shows them."""
    global _relay
    _relay = file


def note(text: str) -> None:
    """Show a few words on how the work goes, such as a loss, with the bar that is shown."""
    if _relay is not None:
        print(text, file=_relay, flush=True)
    elif _shown is not None:
        _shown.note = text
        _shown.show()


@contextlib.contextmanager
def bar(description: str, total: float | None = None) -> Iterator[Callable[[float], None]]:
    """Show progress while the block runs.

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
    if not _enabled or _shown is not None:  # a bar within a bar is part of it
        yield lambda amount: None
        return
    with contextlib.ExitStack() as stack:
        on_terminal = sys.stderr.isatty()
        shown = (
            _terminal_bar(stack, description, total) if on_terminal else _Bar(description, total)
        )
        _shown = shown
        try:
            yield shown.advance
        finally:
            _shown = None


def _terminal_bar(stack: contextlib.ExitStack, description: str, total: float | None) -> _Bar:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    screen = stack.enter_context(Progress(console=Console(stderr=True), transient=True))
    task = screen.add_task(description, total=total)

    class TerminalBar(_Bar):
        def show(self) -> None:
            text = f"{self.description}: {self.note}" if self.note else self.description
            screen.update(task, completed=self.done, description=escape(text))

    return TerminalBar(description, total)


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Iterate over `items` with a progress bar of one step an item."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with bar(description, total) as advance:
        for item in items:
            yield item
            advance(1)
