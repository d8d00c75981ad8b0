"""``edgebio infer``: run inputs through a model, on the host or on a board."""

from pathlib import Path

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import (
    board_option,
    check_model,
    check_option,
    check_output,
    check_stream,
    force_option,
    hop_options,
    model_argument,
    note_stand_in,
    output_option,
)
from edgebio.errors import EdgebioError


@command(example="edgebio infer model.tflite --inputs x.npy --board mps2-an386 -o y.npy")
@model_argument
@click.option("--inputs", required=True, multiple=True, metavar="[NAME=]FILE",
              help="int8 .npy of shape (n, frames, bins, channels); with --stream (frames, bins, "
              "channels). NAME=FILE, once for each of several inputs.")  # fmt: skip
@click.option("--host", is_flag=True, help="Run the generated C on this machine (default).")
@board_option("Board to emulate.")
@click.option("--port", help="Serial URL of a board that runs this model.")
@hop_options
@output_option(".npy of shape (n, classes); .npz of several outputs.", "FILE")
@force_option
@check_option
def infer(
    out: Output,
    model: Path,
    inputs: tuple[str, ...],
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
    window; it equals that of the window by itself. A model with a state gets its inputs in order,
    from its first state on.
    """
    from edgebio import api, firmware, tflite
    from edgebio.runtime import infer
    from edgebio.tflite.edges import inputs_of, outputs_of

    if sum((host, bool(board), bool(port))) > 1:
        raise EdgebioError("choose one of --host, --board and --port")
    check_stream(stream, hop_frames)
    if board:
        note_stand_in(out, api.load_board(board))
    check_output(output, force)
    file = firmware.model_file(model)
    graph = tflite.read(file)
    sources, targets = inputs_of(graph), outputs_of(graph)
    single = len(sources.tensors) == len(targets.tensors) == 1
    if not single and (stream or port):
        raise EdgebioError(f"{'--stream' if stream else '--port'} takes a model of one input and "
                           "one output")  # fmt: skip
    infer.check_suffix(output, len(targets.tensors))
    x = sources.named(infer.load_named(inputs))
    document: Document = {}
    if check and not (board or port):
        out.note(check_model(document, file))
    if single:
        y = {targets.only.name: api.infer(
            file, x[sources.only.name], board=board, port=port, stream=stream,
            hop_frames=hop_frames,
        )}  # fmt: skip
        shapes = {"inputs": x[sources.only.name].shape, "outputs": y[targets.only.name].shape}
    else:
        y = api.infer_named(file, x, board=board)
        shapes = {}
    infer.save_named(output, y)
    target = board or port or "host"
    out.result(f"{len(next(iter(y.values())))} outputs of {target}: {output}")
    document |= {"model": str(file), "place": target}
    document |= {
        "input_shapes": {name: list(values.shape) for name, values in x.items()},
        "output_shapes": {name: list(values.shape) for name, values in y.items()},
    }
    return document | {key: list(shape) for key, shape in shapes.items()}
