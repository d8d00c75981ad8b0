"""A session in the terminal: signals, STFT image, probabilities, decisions, link."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
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
from edgebio.recordings.units import volts_per_count
from edgebio.runtime.session import Decision, Delay
from edgebio.tflite.metadata import ModelMetadata

_BARS = " ▁▂▃▄▅▆▇█"
_SECONDS = 3.0  # of signal on the screen
_WIDTH = 60  # of a panel, in characters
_MOST_CHANNELS = 12
_LATEST = 8
_UNLIMITED = 1 << 16  # lines of what is no terminal
_LATE_STEPS, _LATE_SECONDS = 3, 0.3  # a decision that comes later than both is behind
# Dark blue, cyan, yellow, white: pixels from -128 to 127.
_COLORS = np.array([[0, 0, 40], [0, 90, 160], [240, 200, 40], [255, 255, 255]], np.float64)


@dataclass
class Screen:
    """What the terminal shows: `add` a decision, then print the screen.

    `delay` is that of a decision once it is known, `link` the link's errors by name, `rests` counts
    decisions without a segment by reason, and `behind_s` are the seconds by which the last decision
    came late, 0 where it came in time.
    """

    metadata: ModelMetadata
    outputs: Outputs
    title: str
    delay: Delay | None = None
    link: dict[str, int] = field(default_factory=dict)
    rests: dict[str, int] = field(default_factory=dict)
    behind_s: float = 0.0

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
        self._units = recording.units
        self._latest.append(decision)
        self.delay_by(decision.latency_s or 0.0)

    def delay_by(self, seconds: float) -> None:
        """Say that decisions are behind the signal if they are by more than a few steps."""
        step = self.metadata.frontend.step / self.metadata.frontend.rate
        self.behind_s = seconds if seconds > max(_LATE_STEPS * step, _LATE_SECONDS) else 0.0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw two columns, or in a narrow terminal one, of what its height has room for.

        Decision and probabilities come first.
        """
        if not self._latest or self._recording is None:
            yield Panel("waiting for the first segment", title=self.title)
            return
        latest = self._latest[-1]
        text = Text(f" {latest.name} ", Style(bold=True, reverse=True))
        text.append(f"  {latest.event.reason}, {latest.time_s:.2f} s", Style(reverse=False))
        if self.behind_s:
            text.append(
                f"\n{self.behind_s:.1f} s behind the signal: the board or its line is too slow",
                Style(bold=True, color="red"),
            )
        is_narrow = options.max_width < 2 * _WIDTH
        height = (options.height or console.height) - 3 if console.is_terminal else _UNLIMITED
        first = [
            Panel(text, title="decision"),
            Panel(self._probabilities(latest, height // 2), title="probabilities"),
        ]
        status = [
            Panel(self._counters(latest), title="link"),
            Panel(_grid([_history_row(each) for each in reversed(self._latest)]),
                  title="decisions"),
        ]  # fmt: skip
        volts = self.metadata.signal.volts_per_count
        signals = [
            Panel(_signals(self._recording, latest.event.end, self._scale),
                  title=f"signals, last {_SECONDS:g} s; highest bar: changes by "
                  f"{_amount(self._scale, self._recording.units, volts)}"),
            Panel(_image(self.image_of(self._recording, latest)), title=self._image_title()),
        ]  # fmt: skip
        width = options.max_width - 4 if is_narrow else _WIDTH + 4
        inner = options.update(width=width, height=None)
        if is_narrow:
            content: RenderableType = Group(*_fitting([*first, *signals, *status], console, inner,
                                                      height))  # fmt: skip
        else:
            left = Group(*_fitting([*first, *status], console, inner, height))
            content = _grid([[left, Group(*_fitting(signals, console, inner, height))]])
        yield Panel(content, title=self.title, expand=is_narrow)

    def _image_title(self) -> str:
        spec = self.metadata.frontend
        top, length = spec.rate / 2, 1000 * spec.segment_length / spec.rate
        return f"STFT image, mean over channels: up to {top:g} Hz, {length:.0f} ms"

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

    def _probabilities(self, decision: Decision, most: int) -> Table:
        """Draw all classes, or the likeliest where there is no room."""
        values = self.outputs.probabilities(decision.outputs[None])[0]
        shown = sorted(np.argsort(-values, kind="stable")[: max(1, most - 1)].tolist())
        shown = list(range(len(values))) if len(values) <= most else shown
        rows: list[list[Any]] = []
        for k in shown:
            style = Style(bold=k == decision.event.decision)
            bar = ("█" * round(float(values[k]) * 20)).ljust(20)
            rows.append([Text(self.metadata.classes[k], style), Text(f"{values[k]:5.3f}", style),
                         bar])  # fmt: skip
        if len(shown) < len(values):
            rows.append([f"and {len(values) - len(shown)} less likely"])
        return _grid(rows)

    def _counters(self, decision: Decision) -> Table:
        event, volts = decision.event, self.metadata.signal.volts_per_count
        rows: list[tuple[str, Any]] = [
            ("front end", f"{event.frontend_us:,} us"),
            ("network", f"{event.compute_us:,} us"),
            ("activity", _amount(event.activity / 16, self._units, volts)),
            *self.link.items(),
            *((f"rest: {reason}", count) for reason, count in self.rests.items()),
        ]
        if self.delay:
            rows.append(("delay", str(self.delay).removeprefix("delay: ")))
        return _grid([[name, str(value)] for name, value in rows])


def _fitting(
    blocks: Sequence[RenderableType], console: Console, options: ConsoleOptions, height: int
) -> list[RenderableType]:
    """Return the blocks, in order, that fit into so many lines; the first in any case."""
    chosen, used = list[RenderableType](), 0
    for block in blocks:
        lines = len(console.render_lines(block, options))
        if chosen and used + lines > height:
            continue
        chosen.append(block)
        used += lines
    return chosen


def _amount(counts: float, units: str, volts: Decimal | None) -> str:
    """Counts, and in volts where it is known what one is."""
    own = volts_per_count(units) or volts
    if own is None:
        return f"{counts:.1f} counts"
    microvolts = counts * float(own) * 1e6
    text = f"{microvolts / 1000:.3g} mV" if microvolts >= 1000 else f"{microvolts:.3g} uV"
    return f"{counts:.1f} counts = {text}"


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
        lines.append(f"{channel + 1:2} ", Style(dim=True))
        lines.append("".join(bars).rjust(_WIDTH) + "\n")
    if recording.channels > _MOST_CHANNELS:
        lines.append(f"and {recording.channels - _MOST_CHANNELS} more", Style(dim=True))
    lines.rstrip()
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
