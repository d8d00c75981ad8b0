"""``edgebio infer``: run inputs through a model, on the host or on a board."""

from pathlib import Path
from typing import Any

import click

from edgebio.cli.common import Output, command
from edgebio.errors import EdgebioError


@command(example="edgebio infer model.tflite --inputs x.npy --board mps2-an386 -o y.npy")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--inputs", required=True, type=click.Path(path_type=Path),
              help="int8 .npy of shape (n, frames, bins, channels).")  # fmt: skip
@click.option("--host", is_flag=True, help="Run the generated C on this machine (default).")
@click.option("--board", "board_name", help="Board to emulate.")
@click.option("--port", help="Serial URL of a board that runs this model.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path),
              help=".npy of shape (n, classes).")  # fmt: skip
def infer(
    out: Output,
    model: Path,
    inputs: Path,
    host: bool,
    board_name: str | None,
    port: str | None,
    output: Path,
) -> dict[str, Any]:
    """Run the inputs through MODEL (a run or a .tflite) and write its outputs."""
    from edgebio import firmware
    from edgebio.runtime import infer

    if sum((host, bool(board_name), bool(port))) > 1:
        raise EdgebioError("choose one of --host, --board and --port")
    file = firmware.model_file(model)
    x = infer.load(inputs)
    y = infer.run(file, x, board_name, port)
    infer.save(output, y)
    target = board_name or port or "host"
    out.result(f"{len(y)} outputs of {target}: {output}")
    return {"model": str(file), "place": target, "inputs": list(x.shape), "outputs": list(y.shape)}
