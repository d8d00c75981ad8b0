"""``edgebio build``: a model and a board to a firmware image."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgebio.cli.budget import budget_options
from edgebio.cli.common import Document, Output, command

if TYPE_CHECKING:
    from edgebio.compiler import Optimize


@command(
    example="edgebio build run --board mps2-an386 -o image\n"
    "edgebio build run --board mps2-an386 --flash-budget 48k -o image"
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--board", "board_name", required=True, help="Name, or a board's .toml file.")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the image."
)
@budget_options
def build(
    out: Output,
    model: Path,
    board_name: str,
    output: Path,
    optimize: "Optimize",
    flash_budget: int | None,
    ram_budget: int | None,
) -> Document:
    """Make C and a firmware image of MODEL (a run or a .tflite) for a board.

    The folder holds firmware.elf, .hex and .bin, manifest.json, and in src/ all sources with a
    Makefile that builds the same image without edgebio.
    """
    from edgebio import boards, firmware

    board = boards.load(board_name)
    manifest = firmware.build(
        model, board, output, budget=firmware.Budget(optimize, flash_budget, ram_budget)
    )
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
    out.result(f"image: {output}")
    return {"folder": str(output), **manifest.model_dump()}
