"""``edgebio validate``: verify a model rung by rung."""

from pathlib import Path

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import (
    board_option,
    data_option,
    model_argument,
    note_stand_in,
    segments_option,
)
from edgebio.errors import CheckFailedError


@command(example="edgebio validate run --board mps2-an386")
@model_argument
@board_option("Board for rung 5: emulated, or another one of its cpu (edgebio boards list).")
@click.option("--dataset", help="Data set for the inputs; default: the test set of the run.")
@data_option
@segments_option("Segments to take from the recordings.", most=100_000, default=300)
def validate(
    out: Output,
    model: Path,
    board: str | None,
    dataset: str | None,
    data: Path | None,
    segments: int,
) -> Document:
    """Prove that every stage of MODEL (a run or a .tflite) computes the same, from float64 on.

    Rungs: 1 float64 STFT against the fixed-point twin, 2 the twin against CMSIS-DSP, 3 float
    against int8, 4 tflite-micro against the generated C, 5 this machine against an emulated
    board. Exits with 1 if a rung breaks.
    """
    from edgebio import api
    from edgebio.tasks.measurement_sections import ladder_section

    target = api.load_board(board) if board else None
    if target:
        note_stand_in(out, target)
    result = api.verify(model, dataset, board=target, segments=segments, data=data)
    if result.inputs == "generated":
        out.note("no recordings of this model (--dataset names some): generated signals only")
    ladder = ladder_section(result.document())
    out.table(ladder.title, ladder.tables[0].columns, ladder.tables[0].rows)
    first = result.rungs[0]
    if levels := first.metrics.get("snr_by_level"):
        rows = [[row["sigma"], f"{row['snr_db']:.1f} dB"] for row in levels]
        title = "Spectrum against float64, noise in the pass band"
        out.table(title, ["sigma (counts)", "SNR"], rows)
    if first.metrics.get("railed"):
        out.note(f"rung 1: {first.note}")
    for rung in result.rungs:
        if rung.note:
            out.detail(f"rung {rung.number}: {rung.note}")
        for part in rung.parts:
            ratio = "" if part.snr_db is None else f", {part.snr_db:.1f} dB"
            out.detail(f"  {part.name}: {part.differing} of {part.compared} differ{ratio}")
    if broken := result.broken:
        reason = broken.first or broken.note
        raise CheckFailedError(f"rung {broken.number} breaks: {reason}", result.document())
    return result.document()
