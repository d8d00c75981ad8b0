"""An image for MLPerf Tiny's public runner: its serial protocol in place of the link.

The protocol is that of github.com/mlcommons/tiny, ``benchmark/api``; see ``eb_runner.h``. Streaming
wakeword (``sww01``), which samples a microphone, is not part of it.
"""

from pathlib import Path
from typing import Final, Literal

from edgebio import generated_c, storage
from edgebio.boards import Board
from edgebio.errors import EdgebioError
from edgebio.firmware.peripheral_options import parse, read_options
from edgebio.section import Section
from edgebio.tflite import Graph, Tensor

RunnerModel = Literal["kws01", "ic01", "vww01", "ad01"]

NAMES: Final = ("mlperf-tiny",)
"""Runners that an image can be built for."""

_MODULES: Final = ("runner/eb_runner.c", "app/main_runner.c", "app/eb_network.c")
_BAUD: Final = 115_200  # the runner's own, in performance mode
_FORMS: Final[dict[RunnerModel, str]] = {
    "kws01": "TENSOR", "ic01": "PIXELS", "vww01": "PIXELS", "ad01": "FLOATS",
}  # fmt: skip
_INPUTS: Final[dict[RunnerModel, int]] = {
    "kws01": 490, "ic01": 32 * 32 * 3, "vww01": 96 * 96 * 3, "ad01": 640,
}  # fmt: skip


class Runner(Section):
    """What an image tells the runner.

    Attributes
    ----------
    model : {"kws01", "ic01", "vww01", "ad01"} or None
        The benchmark, which says how inputs arrive: ``kws01`` as int8, ``ic01`` and ``vww01`` as
        uint8 pixels, ``ad01`` as float32. None for a model of one's own, with int8 inputs.
    """

    model: RunnerModel | None = None


OWN_MODEL: Final = Runner()


def read(text: str) -> Runner:
    """Read ``mlperf-tiny`` or ``mlperf-tiny:model=kws01``.

    Raises
    ------
    EdgebioError
        If there is no such runner or option.
    """
    choice = parse(text, "runner")
    if choice.kind not in NAMES:
        raise EdgebioError(f"--runner {text}: no runner {choice.kind!r}; there is {NAMES[0]}")
    return read_options(Runner, choice, "runner")


def with_baud(board: Board) -> Board:
    """Copy of a board whose UART has the runner's baud rate."""
    return board.model_copy(update={"uart": board.uart.model_copy(update={"baud": _BAUD})})


def write(folder: Path, graph: Graph, runner: Runner) -> tuple[list[Path], list[Path]]:
    """Write ``runner_config.h``; returns C sources and folders of headers.

    Raises
    ------
    EdgebioError
        If the model's input or output is not what the runner sends and reads.
    """
    source, target = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    inputs, outputs = _count(source, "input"), _count(target, "output")
    model = runner.model
    if model and inputs != _INPUTS[model]:
        raise EdgebioError(
            f"runner: {model} has {_INPUTS[model]:,} inputs, this model {inputs:,}; leave out "
            "model= for a model of your own"
        )
    if model == "ad01" and outputs != inputs:
        raise EdgebioError(f"runner: ad01 has as many outputs as inputs; this model has {outputs}")
    scale, output_scale = float(source.scale[0]), float(target.scale[0])
    form = _FORMS[model] if model else "TENSOR"
    text = generated_c.header(
        "/* What the image tells MLPerf Tiny's runner. Generated. */\n",
        "EB_RUNNER_CONFIG_H",
        macros=f"""\
#define EB_RUNNER_NAME "edgebio"
#define EB_RUNNER_MODEL "{model or "custom"}"
#define EB_RUNNER_FORM EB_RUNNER_{form}
#define EB_RUNNER_INPUTS {inputs}u
#define EB_RUNNER_INPUT_SCALE {scale:.9e}f
#define EB_RUNNER_INPUT_ZERO ({int(source.zero_point[0])})
#define EB_RUNNER_OUTPUTS {outputs}u
#define EB_RUNNER_OUTPUT_SCALE {output_scale:.9e}f
#define EB_RUNNER_OUTPUT_BILLIONTHS {round(1e9 * output_scale)}
#define EB_RUNNER_OUTPUT_ZERO ({int(target.zero_point[0])})
""",
    )
    storage.write_text(folder / "runner_config.h", text)
    assets = storage.assets("firmware_assets")
    return [assets / name for name in _MODULES], [assets / "runner", assets / "app", folder]


def _count(tensor: Tensor, kind: str) -> int:
    """Values of an int8 tensor with one scale."""
    if tensor.dtype != "int8" or len(tensor.scale) != 1:
        raise EdgebioError(f"runner: the model's {kind} is {tensor.dtype}, not int8 with one scale")
    count = 1
    for size in tensor.shape[1:]:
        count *= size
    return count
