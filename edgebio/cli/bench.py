"""``edgebio bench``: instructions, flash and RAM of a network or a front end."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import (
    PATH,
    board_option,
    budget_options,
    check_model,
    check_option,
    check_stream,
    hop_options,
    note_stand_in,
)
from edgebio.errors import EdgebioError

if TYPE_CHECKING:
    from edgebio.boards import Board
    from edgebio.compiler import Optimize
    from edgebio.firmware.bench import Bench
    from edgebio.firmware.bench_stream import StreamCost
    from edgebio.firmware.time_and_energy import InferenceEnergy, InferenceTime
    from edgebio.frontend.spec import FftNumerics

_METHODS = {"exact": "counted exactly", "clock": "by the instruction clock, 64 too many a layer"}


@command(
    example="edgebio bench run --board mps2-an386\nedgebio bench run --board mps2-an386 --stream\n"
    "edgebio bench --frontend --board mps2-an386"
)
@click.argument("model", type=PATH, required=False)
@board_option(required=True)
@click.option("--inputs", multiple=True, metavar="[NAME=]FILE",
              help=".npy of shape (n, frames, bins, channels) to average over, NAME=FILE once for "
              "each of several; default: random inputs.")  # fmt: skip
@click.option("--frontend", is_flag=True, help="Count an STFT frame instead, for each FFT length.")
@click.option("--numerics", "--core-class", type=click.Choice(["scalar", "dsp", "mve"]),
              help="With --frontend: FFT numerics to count; default: the board's.")  # fmt: skip
@hop_options
@check_option
@budget_options
def bench(
    out: Output,
    model: Path | None,
    board: str,
    inputs: tuple[str, ...],
    frontend: bool,
    numerics: "FftNumerics | None",
    stream: bool,
    hop_frames: int | None,
    check: bool,
    optimize: "Optimize",
    flash_budget: int | None,
    ram_budget: int | None,
) -> Document:
    """Count the instructions of MODEL (a run or a .tflite) on a board, by layer.

    A board that QEMU does not emulate is replaced by one of the same cpu; cycles, times and energy
    are those of the board that was asked for.

    Executed instructions, not cycles. Flash and RAM are those of the counted image: the network
    with a minimal application. With --stream, a decision that computes only what is new is counted
    beside the whole window, in the steady state.
    """
    from edgebio import api, compiler, firmware
    from edgebio.runtime import infer

    if (model is None) != frontend:
        raise EdgebioError("give a MODEL to count, or --frontend")
    check_stream(stream, hop_frames)
    target = api.load_board(board)
    note_stand_in(out, target)
    if model is None:
        return _bench_frontend(out, target, numerics)
    document: Document = {}
    if check:
        goal = compiler.Goal(optimize)
        out.note(check_model(document, firmware.model_file(model), target.isa, goal))
    budget = firmware.Budget(optimize, flash_budget, ram_budget)
    result = api.bench(
        model, target, infer.load_named(inputs) if inputs else None, budget=budget, stream=stream,
        hop_frames=hop_frames,
    )  # fmt: skip
    _show(out, result)
    if result.stream:
        _show_stream(out, result.stream, result)
    return result.document() | document


def _show(out: Output, result: "Bench") -> None:
    out.table(
        f"{result.model} on {result.board} ({result.cpu})",
        ["layer", "description", "instructions", "MACs", "per MAC"],
        [
            [layer.index, layer.description, layer.instructions, layer.macs,
             f"{layer.instructions / layer.macs:.2f}" if layer.macs else ""]
            for layer in result.layers
        ],
    )  # fmt: skip
    for function in result.functions:
        out.detail(f"{function.instructions:>12,}  {function.name}")
    kind = "random inputs" if result.random_inputs else "inputs"
    out.result(
        f"{result.instructions:,} instructions, {result.macs:,} MACs per inference "
        f"(mean of {result.inputs} {kind}, {_METHODS[result.method]})"
    )
    if result.cycles:
        out.result(
            f"about {result.cycles.estimate:,} cycles: an estimate from {result.cycles.source}, "
            f"without {result.cycles.leaves_out}"
        )
    _show_time(out, result.board, result.time_us, result.energy_uj)
    ram = result.ram
    out.result(
        f"flash {result.flash.total:,} bytes; RAM {ram.total:,}: activations {ram.activations:,}, "
        f"scratch {ram.scratch:,}, stack {ram.stack:,}"
    )


def _show_time(
    out: Output, board: str, time: "InferenceTime | None", energy: "InferenceEnergy | None"
) -> None:
    if time:
        out.result(f"about {time.estimate / 1000:.3g} ms on {board} (estimate: {time.note})")
    if energy:
        out.result(
            f"about {energy.low:.3g} to {energy.high:.3g} uJ on {board} (estimate: these cycles by "
            f"{energy.source})"
        )


def _show_stream(out: Output, cost: "StreamCost", whole: "Bench") -> None:
    out.table(
        f"A decision every {cost.hop_frames} of {cost.window_frames} frames",
        ["layer", "operator", "reused", "recomputed", "instructions", "MACs", "state", "because"],
        [
            [layer.index, layer.operator, layer.columns_reused, layer.columns_recomputed,
             layer.instructions, layer.macs, layer.state_bytes, layer.reason]
            for layer in cost.layers
        ],
    )  # fmt: skip
    out.result(
        f"stream: {cost.instructions:,} instructions, {cost.macs:,} MACs per decision, "
        f"{cost.instructions / whole.instructions:.3f} of the whole window's; keeps "
        f"{cost.state_bytes:,} bytes, takes {cost.memory_bytes:,} of RAM"
    )
    _show_time(out, whole.board, cost.time_us, cost.energy_uj)


def _bench_frontend(out: Output, board: "Board", numerics: "FftNumerics | None") -> Document:
    from edgebio.firmware.bench_frontend import bench_frontend

    result = bench_frontend(board, numerics)
    out.table(
        f"One frame and channel on {result.board} ({result.cpu}, {result.fft_numerics} numerics)",
        ["FFT", "instructions", "in the FFT", "ratio", "flash", f"RAM, {result.channels} channels"],
        [
            [row.n_fft, row.instructions, row.fft_instructions,
             f"{row.instructions / row.fft_instructions:.2f}", row.flash, row.ram]
            for row in result.frames
        ],
    )  # fmt: skip
    bound = f", by up to {result.worst} steps" if result.differing else ""
    out.result(f"{result.differing:,} of {result.compared:,} pixels differ from the twin{bound}")
    return result.document()
