"""``edgebio golden``: golden vectors of every stage."""

from pathlib import Path
from typing import Any

import click

from edgebio.cli.common import Output, command

_IMAGES = 100  # STFT images from recordings of the test set


@command(example="edgebio golden run -o golden")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of data sets.")
def golden(out: Output, model: Path, output: Path, data: Path | None) -> dict[str, Any]:
    """Write the exact output of every stage of MODEL (a run or a .tflite) as raw files.

    Inputs are generated signals that stress fixed point and, for a model in its run, recordings of
    the test set. Test your own firmware with them.
    """
    from edgebio import firmware, tflite
    from edgebio.parity import golden as vectors
    from edgebio.parity.stimuli import generated, recorded
    from edgebio.tasks.provenance import load_test_recordings
    from edgebio.tflite.metadata import require_metadata

    file = firmware.model_file(model)
    spec = require_metadata(tflite.read(file), "golden vectors").frontend
    signals = [*generated(spec), *recorded(load_test_recordings(file.parent, data), _IMAGES, spec)]
    document = vectors.write(file, signals, output)
    out.result(f"{len(signals)} signals; {output}/README.md explains the files")
    return document
