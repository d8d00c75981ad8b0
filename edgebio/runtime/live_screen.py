"""Decisions about a live source in the terminal."""

from collections import deque

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.panel import Panel
from rich.style import Style
from rich.table import Table
from rich.text import Text

from edgebio.decision.outputs import Outputs
from edgebio.runtime.live_decisions import LiveDecision, LiveDecisions

_LATEST = 6
_BAR = 24


class LiveScreen:
    """What the terminal shows: `add` a decision, then print the screen."""

    def __init__(self, decisions: LiveDecisions, title: str) -> None:
        self._decisions, self._title = decisions, title
        self._latest: deque[LiveDecision] = deque(maxlen=_LATEST)

    def add(self, decision: LiveDecision) -> None:
        """Show a decision."""
        self._latest.append(decision)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the decision first, then probabilities and delay."""
        if not self._latest:
            yield Panel("waiting for the first segment", title=self._title)
            return
        latest = self._latest[-1]
        table = Table.grid(padding=(0, 1))
        outputs: Outputs = self._decisions.outputs
        values = outputs.probabilities(latest.decision.outputs[None])[0]
        for number, name in enumerate(self._decisions.metadata.classes):
            bar = ("█" * round(float(values[number]) * _BAR)).ljust(_BAR)
            chosen = Style(bold=number == latest.decision.event.decision)
            table.add_row(Text(name, chosen), Text(f"{values[number]:5.3f}", chosen), bar)
        text = Text(f" {latest.decision.name} ", Style(bold=True, reverse=True))
        text.append(f"  {latest.decision.event.reason}", Style(reverse=False))
        counts = (
            f"{self._decisions.decisions} decisions, {self._decisions.differing} differ, "
            f"{self._decisions.restarts} gaps; delay {latest.delay_ms:.1f} ms"
        )
        yield Panel(Group(text, Text(""), table, Text(""), Text(counts)), title=self._title)
