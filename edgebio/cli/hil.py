"""``edgebio hil``: hardware in the loop, a board compared with this machine stage by stage."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import COUNT, FOLDER, PATH, baud_option, note_stand_in
from edgebio.errors import CheckFailedError, EdgebioError

if TYPE_CHECKING:
    from edgebio.parity.hil.bench import Mode


@command(
    example="edgebio build run --board mps2-an386 --hil -o image\nedgebio hil image\n"
    "edgebio flash image --port /dev/ttyACM0\nedgebio hil image --port /dev/ttyACM0 --run run "
    "--junit hil.xml"
)
@click.argument("folder", type=PATH)
@click.option("--port", help="Serial URL of the board; default: emulate it, or one of its cpu.")
@baud_option
@click.option("--mode", type=click.Choice(["outputs", "layers", "data"]), default="layers",
              show_default=True, help="Outputs only; also checksums of stages and layers; or all "
              "values.")  # fmt: skip
@click.option("--inputs", type=COUNT, default=20, show_default=True, metavar="N",
              help="Inputs of the network, chosen and random.")  # fmt: skip
@click.option("--soak", type=click.FloatRange(min=0), default=10.0, show_default=True,
              metavar="SECONDS", help="Streaming in real time; 0: none.")  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Seed of the random inputs.")
@click.option("--junit", type=PATH, help="Write JUnit XML there.")
@click.option("--run", type=FOLDER,
              help="Run of the image's model: its report.html shows the result.")  # fmt: skip
def hil(
    out: Output,
    folder: Path,
    port: str | None,
    baud: int,
    mode: "Mode",
    inputs: int,
    soak: float,
    seed: int,
    junit: Path | None,
    run: Path | None,
) -> Document:
    """Compare the board that runs the image in FOLDER with this machine.

    Checks the identity and the image as the board reads it back, outputs, every layer and every
    front-end stage for chosen and random inputs, latency by the board's own clock, stack, and
    streaming in real time. Layers and stages need an image built with --hil. Exits with 1 if
    anything differs, and names the first stage or layer and element.
    """
    from edgebio import firmware, storage
    from edgebio.firmware import manifest
    from edgebio.parity import hil as bench
    from edgebio.parity.hil.stand_in_image import image_to_emulate
    from edgebio.runtime.device import Device
    from edgebio.tasks import run_documents

    built = manifest.load(folder)
    if built.standalone:
        raise EdgebioError(
            f"{folder}: the image stands alone and takes no inputs; build it without --standalone"
        )
    model = firmware.model_file(run) if run else None
    if model and storage.sha256(model) != built.model.sha256:
        raise EdgebioError(f"{run}: its model is not the one that {folder} was built from")
    checks = []
    emulation = manifest.load_board(folder).emulator
    if port is None and soak and emulation and emulation.program != "qemu":
        out.note(f"no streaming in real time: {emulation.program} is slower than that")
        soak = 0
    board = built.board
    with contextlib.ExitStack() as stack:
        if not port:
            note_stand_in(out, manifest.load_board(folder))
            folder = stack.enter_context(image_to_emulate(folder))
            board = manifest.load(folder).board
        device = stack.enter_context(
            Device(port, baud=baud) if port else Device.emulate_image(folder)
        )
        for check in bench.run(device, folder, mode=mode, inputs=inputs, soak=soak, seed=seed):
            checks.append(check)
            result = {True: "ok", False: "FAILED", None: "skipped"}[check.ok]
            out.result(f"{check.name:9} {result:9} {check.note}")
            for part in check.parts:
                out.detail(f"  {part.name}: {part.differing} of {part.compared:,} differ")
    if junit:
        bench.write_junit(junit, board, checks)
    document = {
        "board": built.board, "emulated": None if port else board,
        "port": device.url, "model": built.model.sha256,
        "ok": all(check.ok is not False for check in checks),
        "checks": [check.document() for check in checks],
    }  # fmt: skip
    if model:
        run_documents.write_document(model, run_documents.HIL, document)
    failed = next((check for check in checks if check.ok is False), None)
    if failed:
        raise CheckFailedError(f"{board}: {failed.name}: {failed.note}", document)
    return document
