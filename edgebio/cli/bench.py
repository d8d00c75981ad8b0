"""``edgebio bench``: what a network costs on a board."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgebio.cli.budget import budget_options
from edgebio.cli.common import Document, Output, command
from edgebio.errors import EdgebioError

if TYPE_CHECKING:
    from edgebio.compiler import Optimize
    from edgebio.frontend.spec import CoreClass


@command(
    example="edgebio bench run --board mps2-an386\nedgebio bench --frontend --board mps2-an386"
)
@click.argument("model", type=click.Path(path_type=Path), required=False)
@click.option("--board", "board_name", required=True, help="Name, or a board's .toml file.")
@click.option(
    "--inputs",
    type=click.Path(path_type=Path),
    help=".npy of shape (n, height, width, channels) to take the mean over; else random ones.",
)
@click.option("--frontend", is_flag=True, help="Count a column of the STFT instead, by FFT length.")
@click.option("--core-class", type=click.Choice(["scalar", "dsp", "mve"]),
              help="With --frontend: numerics to count; default: the board's.")  # fmt: skip
@budget_options
def bench(
    out: Output,
    model: Path | None,
    board_name: str,
    inputs: Path | None,
    frontend: bool,
    core_class: "CoreClass | None",
    optimize: "Optimize",
    flash_budget: int | None,
    ram_budget: int | None,
) -> Document:
    """Count the instructions of MODEL (a run or a .tflite) on an emulated board, by layer.

    Executed instructions, not cycles. Flash and RAM are those of the counted image: the network
    with a minimal application.
    """
    from edgebio import boards, firmware, report
    from edgebio.firmware.bench import bench as count
    from edgebio.runtime import infer

    if (model is None) != frontend:
        raise EdgebioError("give a MODEL to count, or --frontend")
    if model is None:
        return _frontend(out, board_name, core_class)
    board = boards.load(board_name)
    x = infer.load(inputs) if inputs else None
    found = count(
        board,
        firmware.model_file(model),
        x,
        firmware.Budget(optimize, flash_budget, ram_budget),
    )
    rows = [
        [x.index, x.description, x.instructions, x.macs, f"{x.instructions / x.macs:.2f}"]
        if x.macs
        else [x.index, x.description, x.instructions, x.macs, ""]
        for x in found.layers
    ]
    out.table(
        f"{found.model} on {found.board} ({found.core})",
        ["layer", "what", "instructions", "MACs", "per MAC"],
        rows,
    )
    for function in found.functions:
        out.detail(f"{function.instructions:>12,}  {function.name}")
    kind = "random inputs" if found.random_inputs else "inputs"
    how = {"exact": "counted exactly", "clock": "by the instruction clock, 64 too many a layer"}
    out.result(
        f"{found.instructions:,} instructions, {found.macs:,} MACs an inference "
        f"(mean of {found.inputs} {kind}, {how[found.method]})"
    )
    if found.cycles:
        out.result(
            f"about {found.cycles.estimate:,} cycles: an estimate by Arm's table of timings, "
            f"without {found.cycles.leaves_out}"
        )
    out.result(
        f"flash {found.flash.total:,} bytes; RAM {found.ram.total:,}: activations "
        f"{found.ram.activations:,}, scratch {found.ram.scratch:,}, stack {found.ram.stack:,}"
    )
    document = found.model_dump()
    report.keep(model, report.BENCHED, document, firmware.model_file(model))
    return document


def _frontend(out: Output, board_name: str, core_class: "CoreClass | None") -> Document:
    from edgebio import boards
    from edgebio.firmware.bench_frontend import bench_frontend

    found = bench_frontend(boards.load(board_name), core_class)
    rows = [
        [
            c.fft,
            c.instructions,
            c.fft_instructions,
            f"{c.instructions / c.fft_instructions:.2f}",
            c.flash,
            c.ram,
        ]
        for c in found.columns
    ]
    out.table(
        f"One column of one channel on {found.board} ({found.core}, class {found.core_class})",
        ["FFT", "instructions", "of them FFT", "ratio", "flash", f"RAM, {found.channels} channels"],
        rows,
    )
    by = f", by up to {found.worst} steps" if found.differing else ""
    out.result(f"{found.differing:,} of {found.compared:,} pixels unlike the host twin's{by}")
    return found.model_dump()
