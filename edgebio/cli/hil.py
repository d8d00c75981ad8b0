"""``edgebio hil``: hardware in the loop, a board held against this machine stage by stage."""

import contextlib
from pathlib import Path
from typing import Any, Literal

import click

from edgebio.cli.common import Output, command
from edgebio.errors import CheckFailedError, EdgebioError


@command(
    example="edgebio build run --board mps2-an386 --hil -o image\nedgebio hil image\n"
    "edgebio flash image --port /dev/ttyACM0\nedgebio hil image --port /dev/ttyACM0 --run run "
    "--junit hil.xml"
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--port", help="Serial URL of the board; without it, the emulator of its kind.")
@click.option("--baud", default=921_600, show_default=True, help="Rate of the port.")
@click.option("--mode", type=click.Choice(["outputs", "layers", "data"]), default="layers",
              show_default=True, help="Outputs alone; checksums of every stage and layer; or all "
              "that they make.")  # fmt: skip
@click.option("--inputs", type=click.IntRange(min=1), default=20, show_default=True, metavar="N",
              help="Inputs of the network, chosen and random.")  # fmt: skip
@click.option("--soak", type=click.FloatRange(min=0), default=10.0, show_default=True,
              metavar="SECONDS", help="Streaming in real time; 0: none.")  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Of the random inputs.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write JUnit XML there.")
@click.option("--run", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Run that the image was built of: its report.html will show this.")  # fmt: skip
def hil(
    out: Output,
    folder: Path,
    port: str | None,
    baud: int,
    mode: Literal["outputs", "layers", "data"],
    inputs: int,
    soak: float,
    seed: int,
    junit: Path | None,
    run: Path | None,
) -> dict[str, Any]:
    """Hold the board that carries the image in FOLDER against this machine.

    Identity and the image as the board reads it back, outputs, every layer and every stage of the
    front end on chosen and random inputs, latency by the board's own clock, stack, and streaming in
    real time. Layers and stages need an image built with --hil. Exits with 1 where anything
    differs, and names the first stage or layer and element.
    """
    from edgebio import firmware, report, storage
    from edgebio.boards import emulator
    from edgebio.firmware import manifest
    from edgebio.link.client import Client
    from edgebio.parity import hil as bench

    built = manifest.load(folder)
    model = firmware.model_file(run) if run else None
    if model and storage.sha256(model) != built.model.sha256:
        raise EdgebioError(f"{run}: its model is not the one that {folder} was built of")
    checks = []
    patience = 10.0
    with contextlib.ExitStack() as stack:
        if port is None:
            board = manifest.load_board(folder)
            patience = emulator.patience(board)
            if soak and board.emulator and board.emulator.program != "qemu":
                out.note(f"no streaming in real time: {board.emulator.program} is slower than it")
                soak = 0
            running = stack.enter_context(emulator.start(board, folder / "firmware.elf"))
            port = running.url
        device = stack.enter_context(Client(port, baud=baud, patience=patience))
        for check in bench.run(device, folder, mode=mode, inputs=inputs, soak=soak, seed=seed):
            checks.append(check)
            word = {True: "ok", False: "FAILED", None: "left out"}[check.ok]
            out.result(f"{check.name:9} {word:9} {check.note}")
            for m in check.measures:
                out.detail(f"  {m.name}: {m.differing} of {m.compared:,} differ")
    if junit:
        bench.write_junit(junit, built.board, checks)
    document = {
        "board": built.board, "port": port, "model": built.model.sha256,
        "ok": all(check.ok is not False for check in checks),
        "checks": [check.document() for check in checks],
    }  # fmt: skip
    if run and model:
        report.keep(run, report.ON_BOARD, document, model)
    failed = next((check for check in checks if check.ok is False), None)
    if failed:
        raise CheckFailedError(f"{built.board}: {failed.name}: {failed.note}", document)
    return document
