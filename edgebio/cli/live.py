"""``edgebio live``: decisions about a live source, by this machine or by a board."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import POSITIVE, baud_option, board_option, data_option
from edgebio.errors import CheckFailedError, EdgebioError

if TYPE_CHECKING:
    from edgebio.runtime.live_decisions import LiveDecision, LiveDecisions
    from edgebio.runtime.motor_test import CursorTest, TargetMatching
    from edgebio.sources import LiveStream

_BEHIND = 500.0  # ms that a decision waits for the one before it


@command(
    example="edgebio live run serial:///dev/ttyUSB0\n"
    "edgebio live run replay://emg-3dc:2:2 --board pico --seconds 20\n"
    "edgebio live run lsl://armband --send osc"
)
@click.argument("model_and_source", nargs=-1, metavar="[MODEL] [SOURCE]")
@board_option("Board to emulate: it decides, and this machine compares.")
@click.option("--port", help="Serial URL of a board that decides, and this machine compares.")
@baud_option
@click.option("--seconds", type=POSITIVE, help="Stop after so many seconds; default: Ctrl-C.")
@click.option("--votes", type=click.IntRange(1, 31), metavar="N",
              help="Segments in the majority vote.")  # fmt: skip
@click.option("--confidence", type=click.FloatRange(0, 1, max_open=True), metavar="P",
              help="Smallest probability of a class that is not rejected.")  # fmt: skip
@click.option("--send", multiple=True, metavar="WAY",
              help="Send decisions to other programs: lsl, osc, udp (also as osc://HOST:PORT) or "
              "keyboard; can be repeated.")  # fmt: skip
@click.option("--key", "keys", multiple=True, metavar="CLASS=KEY",
              help="With --send keyboard: the key of a class, such as fist=space.")  # fmt: skip
@click.option("--test", type=click.Choice(["targets", "cursor"]),
              help="Test the wearer's control, with numbers; ends with the test.")  # fmt: skip
@click.option("--directions", default="", metavar="NAME,NAME,NAME,NAME",
              help="With --test cursor: the classes of right, up, left and down.")  # fmt: skip
@data_option
def live(
    out: Output, model_and_source: tuple[str, ...], board: str | None, port: str | None, baud: int,
    seconds: float | None, votes: int | None, confidence: float | None, send: tuple[str, ...],
    keys: tuple[str, ...], test: str | None, directions: str, data: Path | None,
) -> Document:  # fmt: skip
    """Decide about live SOURCE with MODEL, a run or a .tflite, and tell the delay.

    In a project, MODEL is its latest run and SOURCE its source where they are not given.
    This machine decides, by the twin of the device's C. With --board or --port a board decides, and
    every image, logit and decision is compared; exits with 1 if one differs.
    """
    from edgebio import firmware, tflite
    from edgebio.runtime.decision_senders import sender_of
    from edgebio.runtime.device import Device
    from edgebio.runtime.host_decisions import HostDecisions
    from edgebio.runtime.live_decisions import LiveDecisions
    from edgebio.runtime.motor_test import motor_test
    from edgebio.runtime.session import Session
    from edgebio.sources import open_stream
    from edgebio.tflite.metadata import require_metadata

    if board and port:
        raise EdgebioError("choose one of --board and --port")
    model, source = _model_and_source(model_and_source)
    file = firmware.model_file(model)
    graph = tflite.read(file)
    changed = {key: value for key, value in (("votes", votes), ("confidence", confidence))
               if value is not None}  # fmt: skip
    metadata = require_metadata(graph, "live")
    settings = metadata.decision.model_copy(update=changed) if changed else None
    host = HostDecisions(graph, settings)
    with contextlib.ExitStack() as stack:
        senders = [sender_of(text, _keys(keys, metadata.classes)) for text in send]
        for sender in senders:
            stack.callback(sender.close)
        session = None
        if board or port:
            if board:
                out.note(f"building the image for {board}")
            device = stack.enter_context(
                Device.emulate(board, file) if board else Device(str(port), file, baud=baud)
            )
            session = stack.enter_context(Session(device, settings))
        stream = stack.enter_context(open_stream(source, data=data, on_status=out.note))
        known = stream.description
        out.note(f"{known.name}: {known.channels} channels at {known.rate:g} Hz")
        decisions = LiveDecisions(stream, host, session)

        control = None
        if test:
            names = tuple(name.strip() for name in directions.split(",") if name.strip())
            control = _Control(out, motor_test(test, metadata.classes, names), stream)

        def use(each: "LiveDecision") -> bool:
            for sender in senders:
                sender.send(each.decision)
            return control is not None and control.update(each)

        try:
            _run(out, decisions, known.name, seconds, use)
        except KeyboardInterrupt:
            out.note("interrupted")
        document = {
            "model": graph.sha256,
            "source": source,
            "board": session.device.identify().board if session else None,
            **decisions.document(),
            "test": control.test.score.document() if control else None,
        }
    _summarize(out, document)
    if score := document["test"]:
        texts = (f"{name.replace('_', ' ')} {'-' if x is None else x}" for name, x in score.items())
        out.result(", ".join(texts))
    if decisions.differing:
        raise CheckFailedError(
            f"{decisions.differing} of {decisions.decisions} decisions differ from this machine's: "
            f"{decisions.first_difference}",
            document,
        )
    return document


def _model_and_source(arguments: tuple[str, ...]) -> tuple[Path, str]:
    """Model and source as given, or those of the project; a source is a URL."""
    from edgebio.project import Project

    urls = [text for text in arguments if "://" in text]
    models = [text for text in arguments if "://" not in text]
    if len(urls) > 1 or len(models) > 1:
        raise EdgebioError("give one MODEL and one SOURCE, such as run synthetic://")
    project = None if urls and models else Project.find()
    if project is None and not (urls and models):
        missing = "MODEL" if urls else "SOURCE"
        raise EdgebioError(f"missing {missing}; give it, or work in a project (edgebio init)")
    model = Path(models[0]) if models else project.latest_run() if project else Path()
    return model, urls[0] if urls else project.settings.source if project else ""


def _run(
    out: Output, decisions: "LiveDecisions", title: str, seconds: float | None,
    use: "Callable[[LiveDecision], bool]",
) -> None:  # fmt: skip
    from rich.console import Console
    from rich.live import Live

    from edgebio.runtime.live_screen import LiveScreen
    from edgebio.sources import EndOfSourceError

    console = Console(stderr=True, quiet=out.as_json)
    screen = LiveScreen(decisions, title)
    end = None if seconds is None else time.monotonic() + seconds
    before = ""
    with contextlib.ExitStack() as stack:
        shown = None
        if console.is_terminal:
            shown = stack.enter_context(Live(screen, console=console, auto_refresh=False))
        with contextlib.suppress(EndOfSourceError):
            while end is None or time.monotonic() < end:
                for each in decisions.step():
                    if use(each):
                        return
                    screen.add(each)
                    if shown is None and each.decision.name != before:
                        before = each.decision.name
                        out.result(_line(each))
                if shown is not None:
                    shown.update(screen, refresh=True)


class _Control:
    """A test of control: it tells the wearer, and a replay, what to do next."""

    def __init__(
        self, out: Output, test: "TargetMatching | CursorTest", stream: "LiveStream"
    ) -> None:
        self.test = test
        self._out, self._stream = out, stream
        self._number = -1

    def update(self, each: "LiveDecision") -> bool:
        """Take a decision; return whether the test is over."""
        shown = self.test.update(time.monotonic(), each.decision.name)
        if shown["number"] != self._number and not shown["done"]:
            self._number = shown["number"]
            target = shown["target"]
            self._out.note(f"{self._number + 1} of {shown['count']}: {target}")
            if isinstance(target, str):
                self._stream.cue(target)
        return self.test.done


def _line(each: "LiveDecision") -> str:
    probability = each.decision.probability
    text = "" if probability is None else f"  {probability:.3f}"
    return f"{each.decision.time_s:9.3f}  {each.decision.name}{text}  {each.delay_ms:.1f} ms"


def _keys(keys: tuple[str, ...], classes: tuple[str, ...]) -> dict[str, str]:
    from edgebio.suggest import nearest

    result = {}
    for text in keys:
        name, separator, key = text.partition("=")
        if not separator or not key:
            raise EdgebioError(f"--key {text!r}; expected CLASS=KEY, such as fist=space")
        if name not in classes:
            raise EdgebioError(
                f"--key {text!r}: no class {name!r}{nearest(name, classes)}; there are "
                f"{', '.join(classes)}"
            )
        result[name] = key
    return result


def _summarize(out: Output, document: dict[str, Any]) -> None:
    compared = "" if document["board"] is None else f", {document['differing']} differ"
    out.result(f"{document['decisions']} decisions{compared}; {document['lost']} samples lost")
    delay = document["delay_ms"]
    if delay["median"] is None:
        return
    stages = delay["stages"]
    if stages["arrival"]["median"] > _BEHIND:
        out.note(
            f"{document['board'] or 'this machine'} is slower than the source: it falls behind"
        )
    out.result(
        f"from the last sample of a segment to its decision: {delay['median']:.1f} ms (median), "
        f"{delay['p99']:.1f} ms (p99): {stages['arrival']['median']:.1f} ms until it is here, "
        f"{stages['decision']['median']:.1f} ms to decide"
    )
    if marker := delay["marker"]:
        out.result(
            f"from a change of class to the first decision for it: {marker['median']:.0f} ms "
            f"(median), of which the segment is {document['segment_ms']:.0f} ms and a step "
            f"{document['step_ms']:.0f} ms, {document['votes']} votes"
        )
