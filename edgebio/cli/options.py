"""Arguments and options that several commands share."""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from edgebio.cli.common import Document, Output
from edgebio.errors import EdgebioError

if TYPE_CHECKING:
    from edgebio.boards import Board
    from edgebio.compiler import Goal, KernelSet
    from edgebio.project import Project
    from edgebio.recordings import Recording
    from edgebio.runtime.device import Device
    from edgebio.tflite.metadata import ModelMetadata

Function = Callable[..., Any]
Decorator = Callable[[Function], Function]

PATH = click.Path(path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
POSITIVE = click.FloatRange(min=0, min_open=True)
COUNT = click.IntRange(min=1)


class Quantity(click.ParamType):  # type: ignore[type-arg]  # generic in newer click only
    """A positive number with a unit; without one, in the unit whose factor is 1."""

    def __init__(self, name: str, units: dict[str, float], integer: bool, example: str) -> None:
        self.name = name
        self._units, self._example = units, example
        self._number = r"\d+" if integer else r"\d+\.?\d*|\.\d+"
        self._type: type[int] | type[float] = int if integer else float

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Convert to the unit whose factor is 1."""
        if isinstance(value, int | float):
            return value
        match = re.fullmatch(rf"({self._number})\s*([a-z]*)", str(value).strip().lower())
        if not match or match[2] not in self._units or not float(match[1]):
            self.fail(f"{value!r} is not a {self.name}; give for example {self._example}", param,
                      ctx)  # fmt: skip
        return self._type(match[1]) * self._units[match[2]]


class NearestChoice(click.Choice):  # type: ignore[type-arg]  # generic in newer click only
    """One of several names; the nearest one is suggested for any other."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name."""
        if value not in self.choices:
            from edgebio.suggest import nearest

            names = list(map(str, self.choices))
            self.fail(f"no {value!r}{nearest(str(value), names)}; there are {', '.join(names)}",
                      param, ctx)  # fmt: skip
        return super().convert(value, param, ctx)


_KIB, _MIB = 1 << 10, 1 << 20
SIZE = Quantity(
    "size", {"": 1, "b": 1, "k": _KIB, "kb": _KIB, "m": _MIB, "mb": _MIB}, True, "65536 or 64k"
)
"""Bytes: 24000, 64k, 1M."""
DURATION = Quantity("time", {"": 1.0, "us": 1e-3, "ms": 1.0, "s": 1e3}, False, "10ms")
"""Milliseconds: 10, 10ms, 800us, 0.2s."""


def together(*options: Decorator) -> Decorator:
    """Join several options into one decorator."""
    return lambda function: functools.reduce(lambda f, add: add(f), reversed(options), function)


def hop_options(function: Function) -> Function:
    """Options of a network that computes only what is new; checked by `check_stream`."""
    return together(
        click.option("--stream", is_flag=True,
                     help="Take new frames, and compute only what they change."),
        click.option("--hop-frames", type=COUNT,
                     help="With --stream: frames between windows; default: the step of the "
                     "model's front end, or 1."),
    )(function)  # fmt: skip


def check_stream(stream: bool, hop_frames: int | None) -> None:
    """Refuse a hop without a stream."""
    if hop_frames is not None and not stream:
        raise EdgebioError("--hop-frames needs --stream")


def project_default(name: str, choose: "Callable[[Project], Any]") -> Callable[..., Any]:
    """Value of the project that the current folder is in, where none is given."""

    def default(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        if value is not None or context.resilient_parsing:
            return value
        from edgebio.project import Project

        project = Project.find()
        if project is None:
            raise click.UsageError(
                f"missing {name}; give it, or work in a project (edgebio init)", context
            )
        return choose(project)

    return default


model_argument = click.argument(
    "model", type=PATH, required=False,
    callback=project_default("MODEL", lambda project: project.latest_run()),
)  # fmt: skip
data_option = click.option(
    "--data", type=FOLDER,
    help="Folder of data sets, one folder each; default: EDGEBIO_DATA, then the fetched sets.",
)  # fmt: skip
subject_option = click.option(
    "--subject", "subjects", multiple=True, callback=lambda context, option, names: names or None,
    help="Only this subject; can be repeated.",
)  # fmt: skip


def _project_dataset(context: click.Context, parameter: click.Parameter, value: str | None) -> Any:
    """Return the recordings of the project, where its own recipe is used."""
    from edgebio.project import Project

    project = None if value or context.resilient_parsing else Project.find()
    own = project is not None and Path(context.params["recipe"]).resolve() == project.recipe
    return str(project.recordings) if project and own else value


recipe_options = together(
    click.argument(
        "recipe",
        required=False,
        is_eager=True,
        callback=project_default("RECIPE", lambda project: str(project.recipe)),
    ),
    click.option(
        "--dataset",
        callback=_project_dataset,
        help="Another data set than the recipe's: a name, an .npz file or a folder of them.",
    ),
    subject_option,
    data_option,
)
rate_option = click.option(
    "--rate", type=POSITIVE, metavar="HZ", help="Sampling rate of a file that does not state it."
)
baud_option = click.option(
    "--baud", default=921_600, show_default=True, help="Bits per second of the port."
)
budget_options = together(
    click.option("--optimize", type=click.Choice(["fastest", "speed", "balanced", "size"]),
                 default="speed", show_default=True,
                 help="What kernels are chosen for; balanced spends flash where it saves most, "
                 "fastest wherever it saves anything."),
    click.option("--flash-budget", type=SIZE, help="Most flash of the image, such as 64k."),
    click.option("--ram-budget", type=SIZE, help="Most RAM of the image, such as 24k."),
)  # fmt: skip


def output_option(
    text: str,
    metavar: str = "DIR",
    required: bool = True,
    project: "Callable[[Project], Path] | None" = None,
) -> Decorator:
    """Option -o, what the command writes; in a project, where it does not have to be given."""
    default = project_default("option -o", project) if project else None
    return click.option(
        "-o", "--output", required=required and not project, type=PATH, metavar=metavar, help=text,
        callback=default,
    )  # fmt: skip


force_option = click.option("--force", is_flag=True, help="Replace a file that is there already.")


def check_output(path: Path, force: bool) -> None:
    """Refuse to replace a file unless asked to."""
    if path.exists() and not force:
        raise EdgebioError(f"{path}: exists already; give another name, or --force to replace it")


check_option = click.option(
    "--check/--no-check", default=True, show_default=True,
    help="Compare a few inputs with tflite-micro first, where it is installed.",
)  # fmt: skip


def check_model(
    document: Document, model: Path, isa: "KernelSet" = "portable", goal: "Goal | None" = None
) -> str:
    """Prove the C of a model on a few inputs; refuse it where a byte differs.

    Adds ``checked`` to the document of the command; returns the line to print.
    """
    from edgebio import compiler
    from edgebio.parity.reference_check import check_against_reference

    result = check_against_reference(model, isa, goal or compiler.SPEED)
    document["checked"] = {"inputs": result.inputs, "differing": result.differing}
    return str(result)


def board_option(
    text: str = "Board: a name (edgebio boards list) or a .toml file.", required: bool = False
) -> Decorator:
    """Option --board."""
    return click.option("--board", required=required, help=text)


def note_stand_in(out: Output, board: "Board") -> None:
    """Name the emulated board that takes the place of one without a fitting emulator."""
    from edgebio.firmware.stand_in import describe_stand_in

    if text := describe_stand_in(board):
        out.note(text)


def segments_option(text: str, most: int | None = None, default: int | None = None) -> Decorator:
    """Option --segments, also under its old name."""
    return click.option(
        "--segments", "--windows", "segments", type=click.IntRange(1, most), default=default,
        show_default=default is not None, metavar="N", help=text,
    )  # fmt: skip


def protocol_option(text: str, required: bool = False) -> Decorator:
    """Option --protocol, with the names of all protocols."""
    from edgebio import protocols

    choice = NearestChoice(protocols.names())
    return click.option("--protocol", type=choice, required=required, help=text)


def worker_options(work: str) -> Decorator:
    """Add --jobs and --dask for a kind of work."""
    return together(
        click.option("--jobs", type=COUNT, metavar="N",
                     help=f"{work} at a time; default: one per core, or thread of the cluster."),
        click.option("--dask", "scheduler", metavar="URL",
                     help=f"Send {work.lower()} to the workers of this Dask scheduler, such as "
                     "tcp://10.0.0.5:8786."),
    )  # fmt: skip


@dataclass(frozen=True)
class StreamOptions:
    """A recording, and the device to stream it to: a board on a port, or an emulated board."""

    recording: str | None
    board: str | None
    port: str | None
    host: bool
    baud: int
    transport: Literal["pty", "socket"]
    data: Path | None
    rate: float | None
    segments: int | None

    def recordings(self, metadata: "ModelMetadata | None") -> "list[Recording]":
        """Load the recordings; refuse those that do not fit the model."""
        from edgebio.datasets.selection import select
        from edgebio.runtime.session import check_recording

        if bool(self.board) + bool(self.port) + self.host != 1:
            raise EdgebioError("choose one of --board, --port and --host")
        if (self.board or self.host) and not metadata:
            given = "--board" if self.board else "--host"
            raise EdgebioError(f"{given} needs --model, a run or a .tflite to build the image of")
        assert self.recording is not None
        recordings = select(self.recording, self.data, self.rate)
        if metadata:
            for each in recordings:
                check_recording(each, metadata.frontend.rate, metadata.frontend.channels)
        return recordings

    def open(self, out: Output, model: Path | None) -> "Device":
        """Open the board on its port, or emulate one, or a process here, with a `model`."""
        from edgebio.runtime.device import Device

        if self.board and model:
            out.note(f"building the image for {self.board}")
            device = Device.emulate(self.board, model, transport=self.transport)
        elif self.host and model:
            out.note("building the model for this machine")
            device = Device.on_host(model, transport=self.transport)
        else:
            device = Device(str(self.port), model, baud=self.baud)
        identity = device.identify()
        out.note(f"{identity.board} ({identity.cpu}) on {device.url}")
        return device


def stream_options(function: Function, *, needs_recording: bool = True) -> Function:
    """Add the options of `StreamOptions`, which the command takes as its argument ``stream``."""

    @functools.wraps(function)
    def call(out: Output, **values: Any) -> Any:
        own = {field.name: values.pop(field.name) for field in fields(StreamOptions)}
        return function(out, StreamOptions(**own), **values)

    return together(
        click.argument("recording", required=needs_recording),
        board_option("Board to emulate: built, started and stopped by this command."),
        click.option("--port",
                     help="Serial URL of a board: /dev/ttyACM0, COM3, socket://host:port; or "
                     "usb, the one on its own USB."),
        click.option("--host", is_flag=True,
                     help="Take this machine for the board: the same C, in a process."),
        baud_option,
        click.option("--transport", default="pty", show_default=True,
                     type=click.Choice(["pty", "socket"]),
                     help="Serial port of the emulated board."),
        data_option,
        rate_option,
        segments_option("Stop after N decisions."),
    )(call)  # fmt: skip
