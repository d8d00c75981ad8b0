"""A session in the terminal: signals, STFT image, probabilities, decisions, link."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.style import Style
from rich.table import Table
from rich.text import Text

from edgebio.decision.outputs import Outputs
from edgebio.frontend.twin import Twin
from edgebio.parity.decisions import Classified, Delay
from edgebio.recordings import Recording
from edgebio.tflite.metadata import ModelMetadata

_BARS = " ▁▂▃▄▅▆▇█"
_SECONDS = 3.0  # of signal on the screen
_WIDTH = 60  # of a panel, in characters
_MOST_CHANNELS = 12
_LATEST = 8
# Dark blue, cyan, yellow, white: pixels from -128 to 127.
_COLORS = np.array([[0, 0, 40], [0, 90, 160], [240, 200, 40], [255, 255, 255]], np.float64)


@dataclass
class Screen:
    """What the terminal shows: `take` a decision, then print the screen.

    Attributes
    ----------
    metadata, outputs
        Of the model.
    title
        The board and its port.
    delay
        Of a decision, once it is known.
    link
        Counters of the link by name.
    rests
        Number of rest decisions without a segment, by reason.
    """

    metadata: ModelMetadata
    outputs: Outputs
    title: str
    delay: Delay | None = None
    link: dict[str, int] = field(default_factory=dict)
    rests: dict[str, int] = field(default_factory=dict)
    _latest: deque[Classified] = field(init=False)
    _recording: Recording | None = field(init=False, default=None)
    _scale: float = field(init=False, default=1.0)

    def __post_init__(self) -> None:
        self._latest = deque(maxlen=_LATEST)
        self._twin = Twin(self.metadata.frontend, self.metadata.standardization)

    def take(self, recording: Recording, decision: Classified) -> None:
        """Show a decision and its recording."""
        if recording is not self._recording:
            self._recording = recording
            # One scale for all channels and all time, so that weak ones look weak.
            spread = np.abs(np.diff(recording.samples.astype(np.int32), axis=0))
            self._scale = max(1.0, float(np.percentile(spread, 99)))
        self._latest.append(decision)

    def __rich__(self) -> RenderableType:
        """Draw the whole screen."""
        if not self._latest or self._recording is None:
            return Panel("waiting for the first segment", title=self.title)
        newest = self._latest[-1]
        decided = Text(f" {newest.name} ", Style(bold=True, reverse=True))
        decided.append(f"  {newest.made.reason}, {newest.time:.2f} s", Style(reverse=False))
        left = Group(
            Panel(self._signals(newest), title=f"signals, last {_SECONDS:g} s"),
            Panel(self._image(newest), title="STFT image, mean over channels"),
        )
        right = Group(
            Panel(decided, title="decision"),
            Panel(self._probabilities(newest), title="probabilities"),
            Panel(self._history(), title="decisions"),
            Panel(self._counters(newest), title="link"),
        )
        return _TwoColumns(left, right, self.title)

    def _signals(self, newest: Classified) -> RenderableType:
        """Activity of each channel over the last seconds, one line each."""
        recording = self._recording
        if recording is None:
            raise AssertionError("no decision to draw")
        end = newest.made.end
        per = max(1, int(_SECONDS * recording.rate / _WIDTH))
        start = max(0, end - _WIDTH * per)
        change = np.abs(np.diff(recording.samples[start:end].astype(np.int32), axis=0))
        lines = Text()
        for channel in range(min(recording.channels, _MOST_CHANNELS)):
            track = change[:, channel]
            means = [float(track[at : at + per].mean()) for at in range(0, len(track), per)]
            steps = [min(len(_BARS) - 1, round(mean / self._scale * 8)) for mean in means]
            lines.append(f"{channel:2} ", Style(dim=True))
            lines.append("".join(_BARS[step] for step in steps).rjust(_WIDTH) + "\n")
        if recording.channels > _MOST_CHANNELS:
            lines.append(f"and {recording.channels - _MOST_CHANNELS} more", Style(dim=True))
        return lines

    def image_of(self, newest: Classified) -> npt.NDArray[np.float64]:
        """STFT image of a decision's segment, mean over channels, shape (frames, bins).

        The front end has no memory beyond its filters, so the samples of the segment, and some
        before it to let the filters settle, give the image that the board computed.
        """
        recording = self._recording
        if recording is None:
            raise AssertionError("no decision to draw")
        spec = self.metadata.frontend
        first = newest.made.end - spec.segment_length
        settle = min(first, 4 * spec.step) // spec.step * spec.step
        images = self._twin.images(recording.samples[first - settle : newest.made.end])
        mean: npt.NDArray[np.float64] = images[-1].astype(np.float64).mean(axis=-1)
        return mean

    def _image(self, newest: Classified) -> RenderableType:
        """Frames from left to right, bins upwards, two bins a line."""
        pixels = self.image_of(newest).T[::-1]
        if len(pixels) % 2:
            pixels = np.vstack([np.full((1, pixels.shape[1]), -128.0), pixels])
        wide = max(1, _WIDTH // pixels.shape[1])
        lines = Text()
        for upper, lower in zip(pixels[::2], pixels[1::2], strict=True):
            for above, below in zip(upper, lower, strict=True):
                style = Style(color=_color(above), bgcolor=_color(below))
                lines.append("▀" * wide, style)
            lines.append("\n")
        lines.rstrip()
        return lines

    def _probabilities(self, newest: Classified) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        shares = self.outputs.probabilities(newest.made.logits[None])[0]
        for number, (name, share) in enumerate(zip(self.metadata.classes, shares, strict=True)):
            style = Style(bold=number == newest.made.decision)
            bar = "█" * round(float(share) * 20)
            table.add_row(Text(name, style), Text(f"{share:5.3f}", style), Text(bar.ljust(20)))
        return table

    def _history(self) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        for one in reversed(self._latest):
            latency = "" if one.latency is None else f"{one.latency * 1000:6.1f} ms"
            table.add_row(f"{one.time:8.2f} s", one.name, one.made.reason, latency)
        return table

    def _counters(self, newest: Classified) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        rows: list[tuple[str, Any]] = [
            ("front end", f"{newest.made.frontend_us:,} us"),
            ("network", f"{newest.made.compute_us:,} us"),
            ("activity", f"{newest.made.activity / 16:.1f} counts"),
            *self.link.items(),
            *((f"rest: {reason}", count) for reason, count in self.rests.items()),
        ]
        for name, value in rows:
            table.add_row(name, str(value))
        if self.delay:
            table.add_row("delay", str(self.delay).removeprefix("delay: "))
        return table


@dataclass(frozen=True)
class _TwoColumns:
    """Two panels side by side, or one above the other in a narrow terminal."""

    left: RenderableType
    right: RenderableType
    title: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.max_width < 2 * _WIDTH:
            yield Panel(Group(self.left, self.right), title=self.title)
            return
        grid = Table.grid(padding=(0, 1))
        grid.add_row(self.left, self.right)
        yield Panel(grid, title=self.title, expand=False)


def _color(pixel: float) -> str:
    place = (pixel + 128) / 255 * (len(_COLORS) - 1)
    below = min(int(place), len(_COLORS) - 2)
    mixed = _COLORS[below] + (place - below) * (_COLORS[below + 1] - _COLORS[below])
    red, green, blue = (int(value) for value in mixed)
    return f"#{red:02x}{green:02x}{blue:02x}"
