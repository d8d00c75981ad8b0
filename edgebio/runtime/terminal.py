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
from edgebio.recordings import Recording
from edgebio.runtime.session import Decision, Delay
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
    """What the terminal shows: `add` a decision, then print the screen.

    `delay` is that of a decision once it is known, `link` the link's errors by name, and `rests`
    counts decisions without a segment by reason.
    """

    metadata: ModelMetadata
    outputs: Outputs
    title: str
    delay: Delay | None = None
    link: dict[str, int] = field(default_factory=dict)
    rests: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._latest: deque[Decision] = deque(maxlen=_LATEST)
        self._recording: Recording | None = None
        self._twin = Twin(self.metadata.frontend, self.metadata.standardization)

    def add(self, recording: Recording, decision: Decision) -> None:
        """Show a decision and its recording."""
        if recording is not self._recording:
            self._recording = recording
            # One scale for all channels and all time, so that weak ones look weak.
            change = np.abs(np.diff(recording.samples.astype(np.int32), axis=0))
            self._scale = max(1.0, float(np.percentile(change, 99)))
        self._latest.append(decision)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw two columns, or one in a narrow terminal."""
        if not self._latest or self._recording is None:
            yield Panel("waiting for the first segment", title=self.title)
            return
        latest = self._latest[-1]
        text = Text(f" {latest.name} ", Style(bold=True, reverse=True))
        text.append(f"  {latest.event.reason}, {latest.time_s:.2f} s", Style(reverse=False))
        left = Group(
            Panel(_signals(self._recording, latest.event.end, self._scale),
                  title=f"signals, last {_SECONDS:g} s"),
            Panel(_image(self.image_of(self._recording, latest)),
                  title="STFT image, mean over channels"),
        )  # fmt: skip
        right = Group(
            Panel(text, title="decision"),
            Panel(self._probabilities(latest), title="probabilities"),
            Panel(_grid([_history_row(each) for each in reversed(self._latest)]),
                  title="decisions"),
            Panel(self._counters(latest), title="link"),
        )  # fmt: skip
        narrow = options.max_width < 2 * _WIDTH
        content = Group(left, right) if narrow else _grid([[left, right]])
        yield Panel(content, title=self.title, expand=narrow)

    def image_of(self, recording: Recording, decision: Decision) -> npt.NDArray[np.float64]:
        """STFT image of a decision's segment, mean over channels, shape (frames, bins).

        The front end has no memory beyond its filters, so the samples of the segment, and some
        before it to let the filters settle, give the image that the board computed.
        """
        spec = self.metadata.frontend
        first = decision.event.end - spec.segment_length
        settle = min(first, 4 * spec.step) // spec.step * spec.step
        images = self._twin.images(recording.samples[first - settle : decision.event.end])
        mean: npt.NDArray[np.float64] = images[-1].astype(np.float64).mean(axis=-1)
        return mean

    def _probabilities(self, decision: Decision) -> Table:
        values = self.outputs.probabilities(decision.outputs[None])[0]
        rows = []
        for k, (name, value) in enumerate(zip(self.metadata.classes, values, strict=True)):
            style = Style(bold=k == decision.event.decision)
            bar = ("█" * round(float(value) * 20)).ljust(20)
            rows.append([Text(name, style), Text(f"{value:5.3f}", style), bar])
        return _grid(rows)

    def _counters(self, decision: Decision) -> Table:
        event = decision.event
        rows: list[tuple[str, Any]] = [
            ("front end", f"{event.frontend_us:,} us"),
            ("network", f"{event.compute_us:,} us"),
            ("activity", f"{event.activity / 16:.1f} counts"),
            *self.link.items(),
            *((f"rest: {reason}", count) for reason, count in self.rests.items()),
        ]
        if self.delay:
            rows.append(("delay", str(self.delay).removeprefix("delay: ")))
        return _grid([[name, str(value)] for name, value in rows])


def _grid(rows: list[list[Any]]) -> Table:
    table = Table.grid(padding=(0, 1))
    for row in rows:
        table.add_row(*row)
    return table


def _history_row(decision: Decision) -> list[str]:
    latency = decision.latency_s
    late = "" if latency is None else f"{latency * 1000:6.1f} ms"
    return [f"{decision.time_s:8.2f} s", decision.name, decision.event.reason, late]


def _signals(recording: Recording, end: int, scale: float) -> RenderableType:
    """Activity of each channel over the last seconds, one line each."""
    per = max(1, int(_SECONDS * recording.rate / _WIDTH))
    samples = recording.samples[max(0, end - _WIDTH * per) : end].astype(np.int32)
    change = np.abs(np.diff(samples, axis=0))
    lines = Text()
    for channel in range(min(recording.channels, _MOST_CHANNELS)):
        means = [change[at : at + per, channel].mean() for at in range(0, len(change), per)]
        bars = (_BARS[min(len(_BARS) - 1, round(mean / scale * 8))] for mean in means)
        lines.append(f"{channel:2} ", Style(dim=True))
        lines.append("".join(bars).rjust(_WIDTH) + "\n")
    if recording.channels > _MOST_CHANNELS:
        lines.append(f"and {recording.channels - _MOST_CHANNELS} more", Style(dim=True))
    return lines


def _image(image: npt.NDArray[np.float64]) -> RenderableType:
    """Frames from left to right, bins upwards, two bins a line."""
    pixels = image.T[::-1]
    if len(pixels) % 2:
        pixels = np.vstack([np.full((1, pixels.shape[1]), -128.0), pixels])
    block = "▀" * max(1, _WIDTH // pixels.shape[1])
    lines = Text()
    for upper, lower in zip(pixels[::2], pixels[1::2], strict=True):
        for above, below in zip(upper, lower, strict=True):
            lines.append(block, Style(color=_color(above), bgcolor=_color(below)))
        lines.append("\n")
    lines.rstrip()
    return lines


def _color(pixel: float) -> str:
    stops = np.linspace(-128, 127, len(_COLORS))
    return "#" + "".join(f"{int(np.interp(pixel, stops, part)):02x}" for part in _COLORS.T)
