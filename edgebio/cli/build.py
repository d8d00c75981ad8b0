"""``edgebio build``: a model and a board to a firmware image, or to a library of its C."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgebio.cli.budget import budget_options
from edgebio.cli.common import Document, Output, command
from edgebio.errors import EdgebioError

_PACKAGES = ("cmake", "arduino", "zephyr", "platformio")  # told here so that --help stays light

if TYPE_CHECKING:
    from edgebio.compiler import Optimize, Package
    from edgebio.firmware.manifest import Hooks, Manifest


@command(
    example="edgebio build run --board mps2-an386 -o image\n"
    "edgebio build run --board mps2-an386 --flash-budget 48k -o image\n"
    "edgebio build model.tflite --package arduino --board netduinoplus2 -o library"
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--board", "board_name", help="Name, or a board's .toml file.")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the image."
)
@click.option(
    "--package",
    type=click.Choice(_PACKAGES),
    help="Only the network's C, as a library; without --board, for any core.",
)
@click.option("--explain", is_flag=True, help="Print what each stage of the compiler decided.")
@click.option("--hil", is_flag=True, help="For hardware in the loop: slower, shows every layer.")
@budget_options
def build(
    out: Output,
    model: Path,
    board_name: str | None,
    output: Path,
    package: "Package | None",
    explain: bool,
    hil: bool,
    optimize: "Optimize",
    flash_budget: int | None,
    ram_budget: int | None,
) -> Document:
    """Make C and a firmware image of MODEL (a run or a .tflite) for a board.

    The folder holds firmware.elf, .hex and .bin, manifest.json, and in src/ all sources with a
    Makefile that builds the same image without edgebio; src/model/ is the network by itself, with
    a CMakeLists.txt, its memory plan as plan.svg and what was decided as explain.txt. With
    --package, the budgets are those of the network alone.
    """
    from edgebio import boards, compiler, firmware
    from edgebio.firmware.sources import KERNELS

    document: Document = {"folder": str(output)}
    if package:
        core = KERNELS[boards.load(board_name).core] if board_name else "portable"
        goal = compiler.Goal(optimize, flash_budget, ram_budget)
        made = compiler.package(firmware.model_file(model), package, output, core, goal)
        document |= {"package": package, **made.document()}
        told = made.sources[0].parent
    elif board_name:
        budget = firmware.Budget(optimize, flash_budget, ram_budget)
        hooks: Hooks = "trace" if hil else "none"
        board = boards.load(board_name)
        manifest = firmware.build(model, board, output, hooks=hooks, budget=budget)
        _show(out, manifest)
        document |= manifest.model_dump()
        told = output / "src" / "model"
    else:
        raise EdgebioError("give the --board to build for, or a --package")
    if explain:
        document["explanation"] = (told / "explain.txt").read_text()
        out.result(document["explanation"])
    out.result(f"{package} library: {output}" if package else f"image: {output}")
    return document


def _show(out: Output, manifest: "Manifest") -> None:
    flash, ram = manifest.flash, manifest.ram
    out.table(
        f"{manifest.model.file} on {manifest.board}",
        ["", "bytes"],
        [
            ["flash", flash.total],
            ["  vectors", flash.vectors],
            ["  code", flash.code],
            ["  constants", flash.constants],
            ["  data", flash.data],
            [f"  of {flash.available:,} on the board", ""],
            ["RAM", ram.total],
            ["  activations", ram.activations],
            ["  scratch", ram.scratch],
            ["  static", ram.static],
            ["  stack, at most", ram.stack],
            [f"  of {ram.available:,} on the board", ""],
        ],
    )
