"""``edgebio quantize``: a run's float network to its int8 model.tflite."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import PATH, data_option

if TYPE_CHECKING:
    from edgebio.recipes import Scheme


@command(example="edgebio quantize run\nedgebio quantize run --scheme qat")
@click.argument("folder", metavar="RUN", type=PATH)
@click.option("--scheme", type=click.Choice(["ptq", "qat", "prune", "cluster"]),
              help="As trained, or trained further; default: the recipe's.")  # fmt: skip
@data_option
def quantize(out: Output, folder: Path, scheme: "Scheme | None", data: Path | None) -> Document:
    """Write RUN/model.tflite, int8 in and out, and RUN/quantize.json, its report by layer.

    Schemes: ptq quantizes the network as it was trained. The others train it further first, with
    the recordings of the run: qat with the rounding of int8, prune while small weights become 0,
    cluster while a layer's weights become few values; [quantize.qat], ... of the recipe have their
    settings. RUN/model.h5 is unchanged.
    """
    from edgebio import api, tasks

    result = api.quantize(folder, scheme=scheme, data=data)
    document = result.document()
    rows = [
        [layer["name"], layer["operator"], "x".join(map(str, layer["shape"])),
         "exact" if layer["snr_db"] is None else f"{layer['snr_db']:.1f}",
         f"{layer['worst']:.3g}", f"{100 * layer['saturated']:.3f}"]
        for layer in result.layers
    ]  # fmt: skip
    out.table("", ["layer", "operator", "output", "SNR dB", "worst", "saturated %"], rows)
    for table in tasks.task_of_run(folder).tables(document):
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
