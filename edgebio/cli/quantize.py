"""``edgebio quantize``: a float network, of a run or another tool's, to an int8 .tflite."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import (
    PATH,
    check_output,
    data_option,
    force_option,
    model_argument,
)
from edgebio.errors import EdgebioError

if TYPE_CHECKING:
    from edgebio.quantization.model_report import ModelReport
    from edgebio.recipes import Scheme


@command(
    example="edgebio quantize run\nedgebio quantize run --scheme qat\n"
    "edgebio quantize model.keras --calibration inputs.npy -o model.tflite"
)
@model_argument
@click.option("--scheme", type=click.Choice(["ptq", "qat", "prune", "cluster"]),
              help="Of a run: as trained, or trained further; default: the recipe's.")  # fmt: skip
@data_option
@click.option("--calibration", type=PATH, metavar="X.npy",
              help="Of another tool's model: inputs like those of training, shape (n, ...); .npz "
              "for several inputs.")  # fmt: skip
@click.option("-o", "--output", type=PATH, metavar="OUT.tflite",
              help="Of another tool's model: the file to write.")  # fmt: skip
@force_option
def quantize(
    out: Output,
    model: Path,
    scheme: "Scheme | None",
    data: Path | None,
    calibration: Path | None,
    output: Path | None,
    force: bool,
) -> Document:
    """Write MODEL as an int8 .tflite, int8 in and out, with its report by layer.

    MODEL is a run, which gets model.tflite and quantize.json, or the model of another tool: .keras,
    .h5, the folder of a SavedModel, or a float .tflite. That needs --calibration and -o, and its
    batch becomes 1.

    Schemes of a run: ptq quantizes the network as it was trained. The others train it further
    first, with the recordings of the run: qat with the rounding of int8, prune while small weights
    become 0, cluster while a layer's weights become few values; [quantize.qat], ... of the recipe
    have their settings. RUN/model.h5 is unchanged.
    """
    from edgebio.quantization.model_quantizer import is_float_model

    if is_float_model(model):
        if scheme or data:
            raise EdgebioError(f"{model}: --scheme and --data are of a run")
        if calibration is None or output is None:
            raise EdgebioError(
                f"{model}: needs inputs like those of training: edgebio quantize {model} "
                f"--calibration X.npy -o {output or f'{model.stem}_int8.tflite'}"
            )
        check_output(output, force)
        return _quantize_model(out, model, calibration, output)
    if calibration or output or force:
        raise EdgebioError(
            f"{model}: --calibration and -o are of a model file or a SavedModel; a run has its own"
        )
    return _quantize_run(out, model, scheme, data)


def _quantize_model(out: Output, model: Path, calibration: Path, output: Path) -> Document:
    from edgebio import api, compiler

    result = api.quantize_model(model, calibration, output)
    report = result.report
    _show_layers(out, report.layers)
    for line in _edge_lines(report, calibration):
        out.result(line)
    size = report.bytes
    out.result(f"{output}: {size['int8']:,} bytes, of {size['float']:,} in float")
    document, reason = result.document(), None
    try:
        compiler.compile_model(output)
    except EdgebioError as error:
        reason = str(error)
        out.note(f"edgebio does not compile it: {reason}")
    else:
        out.result(f"next, edgebio build {output} --board BOARD -o image")
    return {**document, "not_compiled": reason}


def _edge_lines(report: "ModelReport", calibration: Path) -> list[str]:
    lines = []
    for each in report.inputs:
        lines.append(
            f"input {each.name} ({_sizes(each.shape)}): {calibration} has {report.samples:,}, from "
            f"{each.lowest:.4g} to {each.highest:.4g}; real = {each.scale:.6g} x "
            f"(q {-each.zero_point:+d})"
        )
    for one in report.outputs:
        same = ""
        if one.same_largest is not None:
            same = f"; the same value is the largest in {100 * one.same_largest:.1f} %"
        ratio = "exact" if one.snr_db is None else f"{one.snr_db:.1f} dB"
        lines.append(
            f"output {one.name} ({_sizes(one.shape)}), float against int8 on {report.compared} "
            f"inputs: {ratio}, at most {one.worst:.3g} apart{same}"
        )
    return lines


def _sizes(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _show_layers(out: Output, layers: list[dict[str, Any]]) -> None:
    rows = [
        [layer["name"], layer["operator"], _sizes(layer["shape"]),
         "exact" if layer["snr_db"] is None else f"{layer['snr_db']:.1f}",
         f"{layer['worst']:.3g}", f"{100 * layer['saturated']:.3f}"]
        for layer in layers
    ]  # fmt: skip
    if rows:
        out.table("", ["layer", "operator", "output", "SNR dB", "worst", "saturated %"], rows)


def _quantize_run(
    out: Output, folder: Path, scheme: "Scheme | None", data: Path | None
) -> Document:
    from edgebio import api, tasks

    result = api.quantize(folder, scheme=scheme, data=data)
    document = result.document()
    _show_layers(out, result.layers)
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
