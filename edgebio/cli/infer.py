"""``edgebio infer``: run inputs through a model, on the host or on a board."""

from pathlib import Path

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import (
    PATH,
    board_option,
    check_model,
    check_option,
    check_output,
    check_stream,
    force_option,
    hop_options,
    model_argument,
    output_option,
)
from edgebio.errors import EdgebioError


@command(example="edgebio infer model.tflite --inputs x.npy --board mps2-an386 -o y.npy")
@model_argument
@click.option("--inputs", required=True, type=PATH,
              help="int8 .npy of shape (n, frames, bins, channels); with --stream (frames, bins, "
              "channels).")  # fmt: skip
@click.option("--host", is_flag=True, help="Run the generated C on this machine (default).")
@board_option("Board to emulate.")
@click.option("--port", help="Serial URL of a board that runs this model.")
@hop_options
@output_option(".npy of shape (n, classes).", "FILE")
@force_option
@check_option
def infer(
    out: Output,
    model: Path,
    inputs: Path,
    host: bool,
    board: str | None,
    port: str | None,
    stream: bool,
    hop_frames: int | None,
    output: Path,
    force: bool,
    check: bool,
) -> Document:
    """Run the inputs through MODEL (a run or a .tflite) and write its outputs.

    With --stream, the inputs are the frames of one stream, and there is an output for each whole
    window; it equals that of the window by itself.
    """
    from edgebio import api, firmware
    from edgebio.runtime import infer

    if sum((host, bool(board), bool(port))) > 1:
        raise EdgebioError("choose one of --host, --board and --port")
    check_stream(stream, hop_frames)
    check_output(output, force)
    file = firmware.model_file(model)
    x = infer.load(inputs)
    document: Document = {}
    if check and not (board or port):
        out.note(check_model(document, file))
    y = api.infer(file, x, board=board, port=port, stream=stream, hop_frames=hop_frames)
    infer.save(output, y)
    target = board or port or "host"
    out.result(f"{len(y)} outputs of {target}: {output}")
    document |= {"model": str(file), "place": target}
    return document | {"inputs": list(x.shape), "outputs": list(y.shape)}
