"""A model and a board to a folder with the firmware image and all of its sources."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import edgebio
from edgebio import compiler, storage, tflite
from edgebio.boards import Board
from edgebio.errors import CheckFailedError, EdgebioError
from edgebio.firmware import elf, linking, manifest, sources, toolchain
from edgebio.firmware.manifest import (
    App,
    Deadline,
    Flash,
    Hooks,
    ImageRecord,
    Manifest,
    ModelRecord,
    Ram,
)
from edgebio.firmware.runner import OWN_MODEL, Runner, with_baud
from edgebio.firmware.standalone import StandaloneConfig
from edgebio.firmware.stream_choice import stream_hop
from edgebio.quantization.model_quantizer import is_float_model


@dataclass(frozen=True)
class Budget:
    """What to choose the network's kernels for, and limits of the image in bytes.

    With `weights`, the size of the network's constants, from another image's manifest, the same
    kernels are chosen as for that image.
    """

    optimize: compiler.Optimize = "speed"
    flash: int | None = None  # the board's memory if None
    ram: int | None = None
    weights: int | None = None


SPEED: Final = Budget()


def model_file(path: Path) -> Path:
    """Path of a .tflite: `path` itself, or the model in the folder of a run."""
    if path.exists() and path.suffix != ".tflite" and is_float_model(path):
        raise EdgebioError(
            f"{path}: a float model; make it int8: edgebio quantize {path} --calibration X.npy -o "
            f"{path.stem}.tflite"
        )
    if path.is_dir():
        inside = path / manifest.MODEL_FILE
        if not inside.is_file():
            raise EdgebioError(f"{path}: no {inside.name} there; make it: edgebio quantize {path}")
        return inside
    if not path.is_file():
        raise EdgebioError(f"{path}: no such model")
    return path


def build(
    model: Path,
    board: Board,
    folder: Path,
    app: App = "link",
    *,
    hooks: Hooks = "none",
    budget: Budget = SPEED,
    live: StandaloneConfig | None = None,
    slowest_us: int = 0,
    check_time: Callable[[Manifest], Deadline | None] = lambda record: None,
    stream: bool | None = None,
    hop: int | None = None,
    benchmark: Runner = OWN_MODEL,
) -> Manifest:
    """Build the image of a model for a board.

    Parameters
    ----------
    model
        A .tflite, or the folder of a run.
    folder
        Gets firmware.elf, .hex and .bin, manifest.json, board.json and src/. It replaces an image
        that is there already, but only if the build succeeds.
    hooks
        Hooks of the batch application; the link's with "trace" is for hardware in the loop.
    live, slowest_us
        Source and sink of an image that stands alone, and the microseconds that a decision of it
        takes at most.
    check_time
        Estimates the time of an image that fits, or raises.
    stream
        Whether the network of an image with the link computes only what is new; None where that
        saves, and fits.
    hop
        Frames between windows, for the stream of a batch image.
    benchmark
        What the image of app "runner" tells the runner.

    Raises
    ------
    CheckFailedError
        If no choice of kernels makes an image within the board's memory and the budget.
    EdgebioError
        If the model cannot be compiled, or the folder contains other sources.
    """
    toolchain.tool("gcc")
    model = model_file(model)
    if app == "runner":
        board = with_baud(board)
    # An absolute path, as the compiler runs in the folder of the sources.
    with _workspace(folder.resolve()) as work:
        root = work / "src"
        if app == "link":
            hop = image_hop(tflite.read(model), board, hooks, stream)
        goal = compiler.Goal(budget.optimize, budget.weights)
        excess = ""
        while True:
            root.mkdir()
            try:
                source = sources.write(
                    root, model, board, app, hooks, goal, live, slowest_us, hop, benchmark
                )
            except EdgebioError as error:
                if not excess:
                    raise
                raise CheckFailedError(f"{excess}; {error}") from None
            image = linking.compile_and_link(source.tree, board, work / "firmware.elf")
            binary = linking.convert(image.path)
            record = Manifest(
                edgebio=edgebio.__version__,
                app=app,
                board=board.name,
                cpu=board.cpu,
                compiler=toolchain.version(),
                model=ModelRecord(file=model.name, sha256=source.program.network.sha256),
                image=ImageRecord(sha256=storage.sha256(binary), build=source.build),
                flash=_flash(image, board, binary.stat().st_size),
                ram=_ram(image, board, source.program),
                hooks=hooks,
                kernels=tuple(call.function for call in source.program.calls),
                weights=source.program.constant_bytes,
                standalone=live is not None,
                hop_frames=hop,
                source=live.source.kind if live else None,
                sink=live.sink.kind if live else None,
                converter=live.source.converter if live else None,
                external_converter=live.source.external_converter if live else None,
                sink_pins=live.sink.peripheral.pin_names() if live and live.sink.peripheral else (),
            )
            excess = _excess(record, budget)
            if not excess:
                break
            if hop is not None and app == "link" and stream is None:
                hop = None
            else:
                goal = _tighter_goal(goal, budget, record, source.program)
            shutil.rmtree(root)
        record = record.model_copy(update={"deadline": check_time(record)})
        storage.write_text(root / "Makefile", linking.makefile(source.tree))
        shutil.copyfile(model, work / manifest.MODEL_FILE)
        storage.write_json(work / manifest.BOARD_FILE, board.model_dump(mode="json"))
        storage.write_json(work / manifest.FILE, record.model_dump())
    return record


def image_hop(graph: tflite.Graph, board: Board, hooks: Hooks, stream: bool | None) -> int | None:
    """Frames between the decisions of an image whose network is to be a stream; see `build`."""
    traced = hooks == "trace"
    if traced and stream:
        raise EdgebioError("layers are traced of whole windows: leave out --stream")
    return stream_hop(graph, board.isa, False if traced else stream)


def _excess(record: Manifest, budget: Budget) -> str:
    """By how much an image exceeds its limits; empty if it does not."""
    excess = []
    for name, part, limit in (
        ("flash", record.flash, budget.flash),
        ("RAM", record.ram, budget.ram),
    ):
        if part.total > part.available:
            excess.append(
                f"{part.total - part.available:,} bytes too large for its {part.available:,} "
                f"bytes of {name}"
            )
        elif limit is not None and part.total > limit:
            excess.append(
                f"{part.total - limit:,} bytes over the limit of {limit:,} bytes of {name}"
            )
    return (
        f"{record.model.file} does not fit {record.board}: {' and '.join(excess)}" if excess else ""
    )


def _tighter_goal(
    goal: compiler.Goal, budget: Budget, record: Manifest, program: compiler.Program
) -> compiler.Goal:
    """Take the excess of an image from the limits of its network."""

    def excess(part: Flash | Ram, limit: int | None) -> int:
        return part.total - min(limit or part.available, part.available)

    if (flash := excess(record.flash, budget.flash)) > 0:
        goal = replace(goal, constants=program.constant_bytes - flash)
    if (ram := excess(record.ram, budget.ram)) > 0:
        goal = replace(goal, state=program.plan.total - ram)
    return goal


@contextlib.contextmanager
def _workspace(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder whose files replace the image in `folder` on success."""
    if folder.exists() and not folder.is_dir():
        raise EdgebioError(f"{folder}: not a folder")
    if (folder / "src").exists() and not manifest.describes(folder):
        raise EdgebioError(f"{folder}/src was not made by edgebio build; choose another folder")
    is_new = not folder.exists()
    try:
        with contextlib.ExitStack() as stack:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                work = stack.enter_context(storage.scratch_folder(folder, ".build-"))
            except OSError as error:
                raise EdgebioError(f"{folder}: cannot be written: {error.strerror}") from None
            yield work
            # The manifest is removed first and written last: it never describes another image.
            (folder / manifest.FILE).unlink(missing_ok=True)
            shutil.rmtree(folder / "src", ignore_errors=True)
            for path in sorted(work.iterdir(), key=lambda path: path.name == manifest.FILE):
                path.replace(folder / path.name)
    finally:
        if is_new:
            with contextlib.suppress(OSError):  # not empty: the build succeeded
                folder.rmdir()


def _flash(image: elf.Image, board: Board, total: int) -> Flash:
    sizes = {section.name: section.size for section in image.sections if section.data}
    return Flash(
        vectors=sizes[elf.VECTORS],
        code=sizes[".text"],
        constants=sizes.get(".rodata", 0),
        data=sizes.get(".data", 0),
        total=total,
        available=board.memory.flash.bytes,
    )


def _ram(image: elf.Image, board: Board, program: compiler.Program) -> Ram:
    start = board.memory.ram.origin
    total = max(s.end for s in image.sections if start <= s.address < start + 0x10000000) - start
    stack = next(section.size for section in image.sections if section.name == ".stack")
    plan, stream = program.plan, program.stream.plan.total if program.stream else 0
    return Ram(
        activations=plan.activations,
        scratch=plan.scratch,
        static=total - stack - plan.total,
        stack=stack,
        total=total,
        available=board.memory.ram.bytes,
        stream=stream,
    )
