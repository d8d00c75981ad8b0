"""``edgebio quantize``: a run's float network to its int8 model.tflite."""

import functools
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
              help="As it was trained, or trained on; default: as the recipe says.")  # fmt: skip
@folder_option
def quantize(out: Output, folder: Path, scheme: "Scheme | None", root: Path | None) -> Document:
    """Make RUN/model.tflite, int8 in and out, and RUN/quantize.json, its report by layer.

    Schemes: ptq quantizes the network as it was trained. The others train it on first, with the
    recordings of the run: qat with the rounding of int8, prune while small weights become 0,
    cluster while a layer's weights become few values; how stands in [quantize.qat], ... of the
    recipe. RUN/model.h5 stays as it is.
    """
    from edgebio.evaluation.evaluate import by_generated_c
    from edgebio.quantize import quantize as quantize_run
    from edgebio.training import imitation, sides

    # Ten channels' windows to a decision: by tflite-micro they would take minutes.
    decide = by_generated_c if imitation.is_one(folder) else None
    recordings = functools.partial(sides.load, root=root)
    report = quantize_run(folder, decide, scheme, recordings)
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
            for layer in report["layers"]
        ],
    )
    if "r2" in report:
        names = list(report["r2"]["int8"])
        rows = [[k, *(f"{row[name]:.4f}" for name in names)] for k, row in report["r2"].items()]
        out.table("R2", ["", *names], rows)
    out.result(
        f"accuracy on {report['windows']:,} test windows: float {report['accuracy_float']:.4f}, "
        f"int8 {report['accuracy_int8']:.4f} (by {report['kernels']})"
    )
    if "weights" in report:
        weights = report["weights"]
        out.result(
            f"scheme {report['scheme']}: {weights['bytes']:,} bytes of weights, "
            f"{100 * weights['zeros']:.1f} % zero, at most {weights['distinct']} values a filter, "
            f"{weights['deflated']:,} bytes deflated (not on the device)"
        )
    if tuning := report.get("tuning"):
        out.result(f"trained on for {tuning['epochs']} epochs, {tuning['seconds']:.0f} s")
    out.result(f"{folder / 'model.tflite'}: {report['bytes']['int8']:,} bytes")
    return {"run": str(folder), **report}
