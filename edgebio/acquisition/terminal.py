"""A guided recording in the terminal: the prompt, what is left, and the signal."""

import contextlib
import os
import select
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.align import Align
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.style import Style
from rich.text import Text

from edgebio.acquisition.pictures import sign_of
from edgebio.acquisition.session import RecordingSession, SessionState

_BARS = " ▁▂▃▄▅▆▇█"
_COLORS = {"good": "green", "warning": "yellow", "error": "red"}
_PHASES = {
    "check": "checking the signal: relax",
    "rest": "relax",
    "hold": "hold",
    "paused": "paused",
    "done": "done",
}
_KEYS = "space: pause   r: repeat the last   q: stop and save"
_LEAST_SAMPLES = 20


class RecorderScreen:
    """What the terminal shows of a session: `update` its state, then print it."""

    def __init__(self, session: RecordingSession) -> None:
        self._session = session
        self._state = session.state

    def update(self, state: SessionState) -> None:
        """Show another state."""
        self._state = state

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the prompt, its time, the channels and the keys."""
        state = self._state
        active = state.phase == "hold"
        prompt = Text(f" {sign_of(state.name)}  {state.name.upper()} ",
                      Style(bold=True, reverse=active))  # fmt: skip
        following = f"next: {sign_of(state.following)} {state.following}" if state.following else ""
        width = max(20, options.max_width - 8)
        elapsed = state.seconds - state.remaining
        yield Panel(
            Group(
                Align.center(Text(_PHASES[state.phase], Style(dim=True))),
                Text(""),
                Align.center(prompt),
                Text(""),
                ProgressBar(total=max(state.seconds, 0.01), completed=elapsed, width=width),
                Align.center(Text(f"{state.remaining:4.1f} s   {following}")),
                Text(""),
                *self._channels(),
                Text(state.message, Style(color="yellow")),
                Text(f"{_KEYS}", Style(dim=True)),
            ),
            title=f"repetition {min(state.done + 1, state.total)} of {state.total}",
        )

    def _channels(self) -> list[Text]:
        """One line for the loudness of the channels, colored by quality."""
        chunks = list(self._session.signal)[-20:]
        if not chunks or sum(len(chunk.samples) for chunk in chunks) < _LEAST_SAMPLES:
            return [Text("waiting for samples", Style(dim=True))]
        samples = np.concatenate([chunk.samples for chunk in chunks]).astype(np.float64)
        rms = samples.std(axis=0)
        levels = np.clip(np.log10(np.maximum(rms, 1.0)) / 4 * 8, 0, 8).astype(int)
        check = self._state.check
        quality = check.quality() if check else ["good"] * len(rms)
        line = Text("channels ", Style(dim=True))
        for level, state in zip(levels, quality, strict=True):
            line.append(_BARS[level] * 2, Style(color=_COLORS[state]))
            line.append(" ")
        return [line]


class Keyboard:
    """Single keys of the terminal, without waiting for Enter; none where there is no terminal."""

    def __init__(self) -> None:
        self._descriptor = sys.stdin.fileno() if _is_terminal() else None

    @contextlib.contextmanager
    def raw(self) -> Iterator["Keyboard"]:
        """Read keys one by one while the block runs."""
        if self._descriptor is None:
            yield self
            return
        import termios
        import tty

        before: Any = termios.tcgetattr(self._descriptor)
        tty.setcbreak(self._descriptor)
        try:
            yield self
        finally:
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, before)

    def key(self) -> str:
        """Return the next key that was pressed, if one was."""
        if self._descriptor is None or not select.select([self._descriptor], [], [], 0)[0]:
            return ""
        return os.read(self._descriptor, 1).decode("utf-8", "ignore")


def _is_terminal() -> bool:
    try:
        return sys.stdin.isatty()
    except ValueError:  # closed
        return False
