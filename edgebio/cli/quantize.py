"""``edgebio quantize``: a run's float network to its int8 model.tflite."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.data import folder_option

if TYPE_CHECKING:
    from edgebio.recipes import Scheme


@command(example="edgebio quantize run\nedgebio quantize run --scheme qat")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--scheme", type=click.Choice(["ptq", "qat", "prune", "cluster"]),
              help="As trained, or trained further; default: the recipe's.")  # fmt: skip
@folder_option
def quantize(out: Output, folder: Path, scheme: "Scheme | None", root: Path | None) -> Document:
    """Make RUN/model.tflite, int8 in and out, and RUN/quantize.json, its report by layer.

    Schemes: ptq quantizes the network as it was trained. The others train it further first, with
    the recordings of the run: qat with the rounding of int8, prune while small weights become 0,
    cluster while a layer's weights become few values; [quantize.qat], ... of the recipe have their
    settings. RUN/model.h5 is unchanged.
    """
    from edgebio import tasks

    task = tasks.task_of_run(folder)
    result = task.quantize(folder, scheme=scheme, data=root)
    document = result.document()
    out.table(
        "",
        ["layer", "operator", "output", "SNR dB", "worst", "saturated %"],
        [
            [
                layer["name"],
                layer["operator"],
                "x".join(map(str, layer["shape"])),
                "exact" if layer["snr_db"] is None else f"{layer['snr_db']:.1f}",
                f"{layer['worst']:.3g}",
                f"{100 * layer['saturated']:.3f}",
            ]
            for layer in result.layers
        ],
    )
    for table in task.tables(document):
        out.table(*table)
    out.result(
        f"accuracy on {result.segments:,} test segments: float "
        f"{result.float_metrics.accuracy:.4f}, int8 {result.int8_metrics.accuracy:.4f} "
        f"(by {result.kernels})"
    )
    if weights := document.get("weights"):
        out.result(
            f"scheme {result.scheme}: {weights['bytes']:,} bytes of weights, "
            f"{100 * weights['zeros']:.1f} % zero, at most {weights['distinct']} values per "
            f"filter, {weights['deflated']:,} bytes deflated (not on the device)"
        )
    if tuning := document.get("tuning"):
        out.result(f"trained further for {tuning['epochs']} epochs, {tuning['seconds']:.0f} s")
    out.result(f"{result.model}: {document['bytes']['int8']:,} bytes")
    return {"run": str(folder), **document}
