"""``edgebio golden``: golden vectors of every stage."""

from pathlib import Path
from typing import Any

import click

from edgebio.cli.common import Output, command


@command(example="edgebio golden run -o golden")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of data sets.")
def golden(out: Output, model: Path, output: Path, data: Path | None) -> dict[str, Any]:
    """Write what every stage of MODEL (a run or a .tflite) must give, as raw files.

    Generated signals that stress fixed point, and where the model is in its run, recordings that
    it was scored on. Hold your own firmware to them.
    """
    from edgebio import firmware, tflite
    from edgebio.parity import golden as vectors
    from edgebio.parity import scored_on
    from edgebio.parity.stimuli import generated, recorded
    from edgebio.tflite.metadata import require

    file = firmware.model_file(model)
    spec = require(tflite.read(file), "golden vectors").frontend
    signals = [*generated(spec), *recorded(scored_on(file.parent, data), 100, spec)]
    document = vectors.write(file, signals, output)
    out.result(f"{len(signals)} signals: {output}/README.md says how to use them")
    return document
