"""``edgebio record``: a guided recording from a live source."""

import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import (
    COUNT,
    POSITIVE,
    data_option,
    force_option,
    output_option,
    project_default,
)
from edgebio.errors import CheckFailedError, EdgebioError, InterruptedWorkError

if TYPE_CHECKING:
    from edgebio.acquisition import RecordingSession, SessionState


@command(
    example="edgebio record serial:///dev/ttyUSB0 --classes rest,fist,open -o day1.npz\n"
    "edgebio record synthetic:// --classes rest,fist --repetitions 2 -o try.npz --unattended"
)
@click.argument("source", required=False, callback=project_default(
    "SOURCE", lambda project: project.settings.source
))  # fmt: skip
@click.option("--classes", metavar="NAME,NAME", help="Classes, joined by commas.",
              callback=project_default(
                  "option --classes", lambda project: ",".join(project.settings.classes)
              ))  # fmt: skip
@click.option("--repetitions", type=COUNT, default=5, show_default=True, help="Of each class.")
@click.option("--seconds", type=POSITIVE, default=3.0, show_default=True,
              help="Of each repetition.")  # fmt: skip
@click.option("--rest-seconds", type=POSITIVE, default=2.0, show_default=True,
              help="Of rest before each repetition.")  # fmt: skip
@click.option("--transition-seconds", type=click.FloatRange(min=0), default=0.5, show_default=True,
              help="Start of each repetition that gets no label.")  # fmt: skip
@output_option("File to write, .npz; in a project: recordings/SUBJECT-SESSION.npz.", "FILE",
               required=False)  # fmt: skip
@click.option("--subject", default="1", show_default=True, help="Name of the subject.")
@click.option("--session", default="1", show_default=True, help="Name of the session.")
@click.option("--placement", default="", help="Where the electrodes are: a note.")
@click.option("--gain", default="", help="Gain of the amplifier, where the source does not say.")
@click.option("--unattended", is_flag=True,
              help="Nobody watches: no keys, and a bad signal does not stop it.")  # fmt: skip
@data_option
@force_option
def record(
    out: Output, source: str, classes: str, repetitions: int, seconds: float, rest_seconds: float,
    transition_seconds: float, output: Path | None, subject: str, session: str, placement: str,
    gain: str, unattended: bool, data: Path | None, force: bool,
) -> Document:  # fmt: skip
    """Record SOURCE while prompting a subject; write a recording that every other command reads.

    SOURCE is a URL: edgebio sources lists them. The signal is checked first and after each
    repetition; one with a gap or a bad channel is asked again. All samples are on the disk within a
    second: a recording that was interrupted goes on where it stopped, by the same command.
    """
    from edgebio.acquisition import Placement, Plan, RecordingSession
    from edgebio.cli.options import check_output
    from edgebio.sources import open_stream

    output = output or _project_file(subject, session)
    if output.suffix != ".npz":
        output = output.with_name(output.name + ".npz")
    check_output(output, force)
    seed = zlib.crc32(f"{subject}/{session}".encode())
    names = tuple(name.strip() for name in classes.split(","))
    plan = Plan(names, repetitions, seconds, rest_seconds, transition_seconds, seed)
    with open_stream(source, data=data, on_status=out.note) as stream:
        known = stream.description
        out.note(f"{known.name}: {known.channels} channels at {known.rate:g} Hz, {known.units}")
        for note in known.notes:
            out.note(note)
        out.note(f"{len(plan.trials)} repetitions, about {plan.total_seconds / 60:.1f} min")
        recorder = RecordingSession(
            stream, plan, output, Placement(subject, session, placement, gain),
            pause_on_failure=not unattended,
        )  # fmt: skip
        try:
            _run(out, recorder, unattended)
        except KeyboardInterrupt:
            recorder.close()
            raise InterruptedWorkError(
                f"interrupted: {output.name}.part has what was recorded; the same command goes on"
            ) from None
        except OSError as error:
            raise CheckFailedError(
                f"{output.name}.part: {(error.strerror or str(error)).lower()}; what was recorded "
                "before is in it, and the same command goes on once there is room"
            ) from None
        except EdgebioError as error:
            recorder.close()
            raise type(error)(
                f"{error}; {output.name}.part has what was recorded, and the same command goes on"
            ) from None
        assembly = recorder.save()
        gaps = list(stream.gaps)
    labeled = sum(int((each.labels >= 0).sum()) for each in assembly.recordings) / known.rate
    out.result(f"{output}: {len(assembly.recordings)} recordings, {labeled:.0f} s labeled")
    reaction = assembly.notes["reaction_seconds"]
    if reaction is not None:
        text = f"reaction {reaction:.2f} s (median); the first {transition_seconds:g} s of each "
        late = reaction > transition_seconds
        hint = "; that is less: give a longer --transition-seconds next time" if late else ""
        out.note(f"{text}repetition are unlabeled{hint}")
    if assembly.gaps:
        out.note(f"{len(assembly.gaps)} gaps, {assembly.lost:,} samples lost: {assembly.gaps[0]}")
    return {
        "path": str(output),
        "recordings": len(assembly.recordings),
        "samples": assembly.samples,
        "lost": assembly.lost,
        "gaps": [{"first": g.first, "lost": g.lost, "reason": g.reason} for g in gaps],
        "seconds": round(assembly.samples / known.rate, 3),
        "labeled_seconds": round(labeled, 3),
        "reaction_seconds": reaction,
        "transition_seconds": transition_seconds,
        "rate": known.rate,
        "channels": known.channels,
        "classes": list(names),
    }


def _project_file(subject: str, session: str) -> Path:
    from edgebio.project import Project

    project = Project.find()
    if project is None:
        raise EdgebioError("missing option -o; give it, or work in a project (edgebio init)")
    return project.recording(subject, session)


def _run(out: Output, recorder: "RecordingSession", unattended: bool) -> None:
    """Guide through the plan, in a terminal or by plain lines."""
    from rich.console import Console
    from rich.live import Live

    from edgebio.acquisition.terminal import Keyboard, RecorderScreen

    console = Console(stderr=True, quiet=out.as_json)
    keyboard = Keyboard()
    if unattended or not console.is_terminal:
        before: SessionState | None = None
        while (state := recorder.step()).phase != "done":
            _print_step(out, state, before)
            before = state
        return
    screen = RecorderScreen(recorder)
    with keyboard.raw(), Live(screen, console=console, auto_refresh=False) as live:
        while (state := recorder.step()).phase != "done":
            match keyboard.key():
                case " " if state.phase == "paused":
                    recorder.resume()
                case " ":
                    recorder.pause()
                case "r":
                    recorder.repeat()
                case "q":
                    return
            screen.update(recorder.state)
            live.update(screen, refresh=True)


def _print_step(out: Output, state: "SessionState", before: "SessionState | None") -> None:
    if before is None or (state.phase, state.done) != (before.phase, before.done):
        number = f"{min(state.done + 1, state.total)}/{state.total}"
        if state.phase == "hold":
            out.note(f"{number}  {state.name}")
        elif state.phase == "paused":
            raise EdgebioError(f"{state.message}; mend it, or use --unattended to record anyway")
    if state.message and (before is None or state.message != before.message):
        out.note(state.message)
