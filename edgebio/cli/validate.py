"""``edgebio validate``: verify a model rung by rung."""

from pathlib import Path
from typing import Any

import click

from edgebio.cli.common import Output, command
from edgebio.errors import CheckFailedError


@command(example="edgebio validate run --board mps2-an386")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--board", "board_name", help="Emulated board for rung 5 (edgebio boards list).")
@click.option("--dataset", help="Data set for the inputs; default: the test set of the run.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of data sets.")
@click.option("--segments", "--windows", "segments", default=300, show_default=True,
              type=click.IntRange(1, 100_000),
              help="Segments to take from the recordings.")  # fmt: skip
def validate(
    out: Output,
    model: Path,
    board_name: str | None,
    dataset: str | None,
    data: Path | None,
    segments: int,
) -> dict[str, Any]:
    """Prove that every stage of MODEL (a run or a .tflite) computes the same, from float64 on.

    Rungs: 1 float64 STFT against the fixed-point twin, 2 the twin against CMSIS-DSP, 3 float
    against int8, 4 tflite-micro against the generated C, 5 this machine against an emulated
    board. Exits with 1 if a rung breaks.
    """
    from edgebio import boards, datasets, firmware
    from edgebio.tasks import run_documents, task_of_model

    file = firmware.model_file(model)
    board = boards.load(board_name) if board_name else None
    recordings = datasets.load(dataset, data) if dataset else None
    result = task_of_model(file).verify(
        file, board, segments=segments, recordings=recordings, data=data
    )
    rungs = result.rungs
    if result.inputs == "generated":
        out.note("no recordings of this model (--dataset names some): generated signals only")
    document = {
        "model": str(file),
        "board": board_name,
        "recordings": dataset or result.inputs,
        "rungs": [rung.document() for rung in rungs],
    }
    rows = [
        [
            rung.number,
            rung.name,
            rung.compared,
            "-" if rung.snr_db is not None else rung.differing,
            "-" if rung.snr_db is None else f"{rung.snr_db:.1f} dB",
            {True: "holds", False: "BROKEN", None: "skipped"}[rung.ok],
        ]
        for rung in rungs
    ]
    out.table("The ladder", ["rung", "comparison", "compared", "differing", "SNR", ""], rows)
    levels = rungs[0].metrics.get("snr_by_level", [])
    if levels:
        table = [[row["sigma"], f"{row['snr_db']:.1f} dB"] for row in levels]
        title = "Spectrum against float64, noise in the pass band"
        out.table(title, ["sigma (counts)", "SNR"], table)
    if rungs[0].metrics.get("railed"):
        out.note(f"rung 1: {rungs[0].note}")
    for rung in rungs:
        if rung.note:
            out.detail(f"rung {rung.number}: {rung.note}")
        for part in rung.parts:
            ratio = "" if part.snr_db is None else f", {part.snr_db:.1f} dB"
            out.detail(f"  {part.name}: {part.differing} of {part.compared} differ{ratio}")
    run_documents.write_document(model, run_documents.VALIDATE, document, file)
    broken = [rung for rung in rungs if rung.ok is False]
    if broken:
        reason = broken[0].first or broken[0].note
        raise CheckFailedError(f"rung {broken[0].number} breaks: {reason}", document)
    return document
