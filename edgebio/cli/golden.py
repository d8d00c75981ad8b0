"""``edgebio golden``: golden vectors of every stage."""

from pathlib import Path

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import data_option, model_argument, output_option


@command(example="edgebio golden run -o golden")
@model_argument
@output_option("Folder of the vectors.")
@data_option
def golden(out: Output, model: Path, output: Path, data: Path | None) -> Document:
    """Write the exact output of every stage of MODEL (a run or a .tflite) as raw files.

    Inputs are generated signals that stress fixed point and, for a model in its run, recordings of
    the test set; random inputs of a network without a front end. Test your own firmware with them.
    """
    from edgebio import api

    document = api.write_golden_vectors(model, output, data=data)
    out.result(f"{len(document['signals'])} signals; {output}/README.md explains the files")
    return document
