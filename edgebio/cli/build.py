"""``edgebio build``: a firmware image for a board, or a library of a network's C."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import (
    PATH,
    board_option,
    budget_options,
    check_model,
    check_option,
    model_argument,
    output_option,
)
from edgebio.errors import EdgebioError

if TYPE_CHECKING:
    from edgebio.boards.board import LinkKind
    from edgebio.compiler import Optimize
    from edgebio.firmware.library import Package
    from edgebio.firmware.manifest import Manifest

_FLASH, _RAM = ("vectors", "code", "constants", "data"), ("activations", "scratch", "static")


@command(
    example="edgebio build run --board mps2-an386 -o image\n"
    "edgebio build run --board mps2-an386 --flash-budget 48k -o image\n"
    "edgebio build run --board pico --standalone --source adc --sink gpio -o image\n"
    "edgebio build model.tflite --package arduino --board netduinoplus2 -o library\n"
    "edgebio build kws.tflite --board pico --runner mlperf-tiny:model=kws01 -o image"
)
@model_argument
@board_option()
@output_option("Folder of the image; in a project: images/BOARD.", required=False)
@click.option(
    "--package",
    type=click.Choice(["cmake", "arduino", "zephyr", "platformio", "cmsis-pack"]),
    help="A C library for firmware of your own; without --board, for any CPU.",
)
@click.option(
    "--prefix", metavar="NAME", help="Begins all C names of the library; default: edgebio."
)
@click.option("--explain", is_flag=True, help="Print the decisions of each compiler stage.")
@click.option("--hil", is_flag=True, help="For edgebio hil: slower, traces every stage and layer.")
@click.option(
    "--standalone", is_flag=True, help="Samples, decides and acts from power-on, without a host."
)
@click.option(
    "--source",
    metavar="KIND[:KEY=VALUE,...]",
    help="Sample source: link, adc, saadc or ads1298, as the board offers.",
)
@click.option(
    "--sink",
    metavar="KIND[:KEY=VALUE,...]",
    help="Decision sink: none, text, servo or gpio; default: none.",
)
@click.option(
    "--overlay",
    type=PATH,
    metavar="FILE.toml",
    help="Source and sink in a file, and changes to the board's pins.",
)
@click.option(
    "--link",
    type=click.Choice(["uart", "usb"]),
    help="What carries the link: a UART or the chip's own USB; default: as the board file says.",
)
@click.option(
    "--runner",
    metavar="NAME[:model=MODEL]",
    help="Speak with a benchmark's runner in place of the link: mlperf-tiny, for the models kws01, "
    "ic01, vww01 and ad01 or one of your own.",
)
@click.option(
    "--allow-late", is_flag=True, help="Build even if decisions take longer than there is time for."
)
@click.option(
    "--stream/--no-stream",
    default=None,
    help="Compute only what is new in a window; default: where it saves, and fits.",
)
@check_option
@budget_options
def build(
    out: Output,
    model: Path,
    board: str | None,
    output: Path | None,
    package: "Package | None",
    prefix: str | None,
    explain: bool,
    hil: bool,
    standalone: bool,
    source: str | None,
    sink: str | None,
    overlay: Path | None,
    link: "LinkKind | None",
    runner: str | None,
    allow_late: bool,
    stream: bool | None,
    check: bool,
    optimize: "Optimize",
    flash_budget: int | None,
    ram_budget: int | None,
) -> Document:
    """Generate C and build a firmware image of MODEL (a run or a .tflite) for a board.

    The folder holds firmware.elf, .hex and .bin, manifest.json, and in src/ all sources with a
    Makefile that builds the same image without edgebio; src/model/ is the network by itself, with
    its memory plan as plan.svg and what was decided as explain.txt.

    With --package, the folder holds a C library of front end, network and decision for the build
    system of your own firmware; of a .tflite without metadata, of its network. The budgets are
    then those of the network alone.

    An image that decides on a stream is refused if front end and network take longer, by an
    estimate, than there is time from one decision to the next.
    """
    from edgebio import api, compiler, firmware

    if not standalone and (source or sink or overlay):
        raise EdgebioError("--source, --sink and --overlay need --standalone")
    if standalone and (package or hil):
        raise EdgebioError("--standalone builds an image; leave out --package and --hil")
    if runner and (package or hil or standalone or stream):
        raise EdgebioError(
            "--runner builds an image of whole windows; leave out --package, --hil, --standalone "
            "and --stream"
        )
    if link and package:
        raise EdgebioError("--link is of an image; leave out --package")
    if prefix and not package:
        raise EdgebioError("--prefix needs --package")
    board, output = _targets(board, output, package)
    if not board and not package:
        raise EdgebioError("give the --board to build for, or a --package")
    document: Document = {"folder": str(output)}
    isa = api.load_board(board).isa if board else "portable"
    proof = ""
    if check:
        proof = check_model(document, firmware.model_file(model), isa, compiler.Goal(optimize))
    if package:
        goal = compiler.Goal(optimize, flash_budget, ram_budget)
        library = api.compile_model(
            model, output, isa=isa, goal=goal, package=package, prefix=prefix, stream=stream
        )
        document |= library.document()
        explanation = library.explanation
    else:
        assert board is not None
        budget = firmware.Budget(optimize, flash_budget, ram_budget)
        request = firmware.Standalone(source or "", sink or "", overlay) if standalone else None
        manifest = api.build(
            model, board, output, hooks="trace" if hil else "none", budget=budget,
            standalone=request, link=link, allow_late=allow_late, stream=stream, runner=runner,
        )  # fmt: skip
        _show(out, manifest)
        document |= manifest.model_dump()
        explanation = output / "src" / "model" / "explain.txt"
    if proof:
        out.note(proof)
    if explain:
        document["explanation"] = explanation.read_text()
        out.result(document["explanation"])
    out.result(f"{package} library: {output}" if package else f"image: {output}")
    return document


def _show(out: Output, manifest: "Manifest") -> None:
    flash, ram = manifest.flash, manifest.ram
    rows: list[list[Any]] = [["flash", flash.total]]
    rows += [[f"  {name}", getattr(flash, name)] for name in _FLASH]
    rows += [[f"  of {flash.available:,} on the board", ""], ["RAM", ram.total]]
    rows += [[f"  {name}", getattr(ram, name)] for name in _RAM]
    rows += [["  stack, at most", ram.stack], [f"  of {ram.available:,} on the board", ""]]
    out.table(f"{manifest.model.file} on {manifest.board}", ["", "bytes"], rows)
    if manifest.deadline:
        deadline = manifest.deadline
        out.result(
            f"a decision takes about {deadline.estimated_us / 1000:.3g} ms of "
            f"{deadline.due_us / 1000:.3g} (estimate: {deadline.note})"
        )


def _targets(
    board: str | None, output: Path | None, package: str | None
) -> tuple[str | None, Path]:
    """Board and folder; those of the project where they are not given."""
    from edgebio.project import Project

    project = None if output else Project.find()
    if project and not package:
        board = board or project.settings.board
    if output is None and project:
        output = project.image(package or board or "")
    if output is None:
        raise EdgebioError("missing option -o; give it, or work in a project (edgebio init)")
    return board, output
