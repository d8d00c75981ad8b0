"""``edgebio build``: a firmware image for a board, or a library of a network's C."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import board_option, budget_options, model_argument, output_option
from edgebio.errors import EdgebioError

if TYPE_CHECKING:
    from edgebio.compiler import Optimize, Package
    from edgebio.firmware.manifest import Manifest

_FLASH, _RAM = ("vectors", "code", "constants", "data"), ("activations", "scratch", "static")


@command(
    example="edgebio build run --board mps2-an386 -o image\n"
    "edgebio build run --board mps2-an386 --flash-budget 48k -o image\n"
    "edgebio build model.tflite --package arduino --board netduinoplus2 -o library"
)
@model_argument
@board_option()
@output_option("Folder of the image.")
@click.option("--package", type=click.Choice(["cmake", "arduino", "zephyr", "platformio"]),
              help="Only the network's C, as a library; without --board, for any CPU.")  # fmt: skip
@click.option("--explain", is_flag=True, help="Print the decisions of each compiler stage.")
@click.option("--hil", is_flag=True, help="For edgebio hil: slower, traces every stage and layer.")
@budget_options
def build(
    out: Output,
    model: Path,
    board: str | None,
    output: Path,
    package: "Package | None",
    explain: bool,
    hil: bool,
    optimize: "Optimize",
    flash_budget: int | None,
    ram_budget: int | None,
) -> Document:
    """Generate C and build a firmware image of MODEL (a run or a .tflite) for a board.

    The folder holds firmware.elf, .hex and .bin, manifest.json, and in src/ all sources with a
    Makefile that builds the same image without edgebio; src/model/ is the network by itself, with
    a CMakeLists.txt, its memory plan as plan.svg and what was decided as explain.txt. With
    --package, the budgets are those of the network alone.
    """
    from edgebio import api, compiler, firmware

    document: Document = {"folder": str(output)}
    if package:
        isa = api.load_board(board).isa if board else "portable"
        goal = compiler.Goal(optimize, flash_budget, ram_budget)
        library = api.compile_model(model, output, isa=isa, goal=goal, package=package)
        document |= {"package": package, **library.document()}
        sources = library.sources[0].parent
    elif board:
        budget = firmware.Budget(optimize, flash_budget, ram_budget)
        manifest = api.build(model, board, output, hooks="trace" if hil else "none", budget=budget)
        _show(out, manifest)
        document |= manifest.model_dump()
        sources = output / "src" / "model"
    else:
        raise EdgebioError("give the --board to build for, or a --package")
    if explain:
        document["explanation"] = (sources / "explain.txt").read_text()
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
