"""All C of an image, in one folder that needs no files from outside."""

from dataclasses import dataclass, replace
from pathlib import Path

from edgebio import compiler, storage, tflite
from edgebio.boards import Board
from edgebio.errors import EdgebioError
from edgebio.firmware import application, runner, standalone
from edgebio.firmware.application import ImageIdentity
from edgebio.firmware.board_header import NO_PERIPHERALS
from edgebio.firmware.manifest import App, Hooks
from edgebio.firmware.port_sources import add_port
from edgebio.firmware.source_tree import SourceTree
from edgebio.firmware.standalone import StandaloneConfig
from edgebio.frontend import c_source as frontend_firmware
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.tflite.metadata import read_metadata


@dataclass(frozen=True)
class ImageSources:
    """Sources of an image: the folder, the compiled network, and the id of the build."""

    tree: SourceTree
    program: compiler.Program
    build: str


def write(
    root: Path,
    model: Path,
    board: Board,
    app: App,
    hooks: Hooks,
    goal: compiler.Goal,
    live: StandaloneConfig | None = None,
    slowest_us: int = 0,
    hop: int | None = None,
    benchmark: runner.Runner = runner.OWN_MODEL,
) -> ImageSources:
    """Write all sources of an image into an empty folder.

    Parameters
    ----------
    model
        A .tflite; `EdgebioError` names the operator that cannot be compiled.
    hooks
        Hooks of the batch application; the link's has "trace" only.
    live, slowest_us
        Source and sink of an image that stands alone, and the microseconds that a decision of it
        takes at most.
    hop
        Frames between windows, for a network that computes only what is new.
    benchmark
        What an image for a runner tells it.
    """
    tree = SourceTree(root, [*board.flags, *((standalone.FLAG,) if live else ())])
    network = compiler.generate(model, root / "model", board.isa, goal, hop)
    if app != "batch":
        check_one_image(network.program)
    tree.add("model", network.sources, network.include)
    graph = tflite.read(model)
    if app == "runner":
        add_port(tree, board)
        own, include = runner.write(root / "app", graph, benchmark)
        for source in own:
            tree.add(source.parent.name, [source])
        for folder in include:
            tree.add(folder.name, [], [folder])
        return ImageSources(tree, network.program, tree.build_id())
    metadata = read_metadata(graph)
    if metadata is None:
        _add_frontend(tree, board, None, None)
    else:
        _add_frontend(tree, board, metadata.frontend, metadata.standardization)
    add_port(tree, board, live.use if live else NO_PERIPHERALS)
    if app == "batch":
        _add_batch(tree, hooks)
        return ImageSources(tree, network.program, tree.build_id())
    # The build's id covers the identity that the device reports, except for the id itself.
    identity = ImageIdentity(board.name, board.cpu, board.clock_hz, build=bytes(16))
    traced = hooks == "trace"
    device = application.write(root / "app", graph, identity, traced=traced, live=live is not None)
    if traced:
        tree.flags += application.TRACE_FLAGS
    if live:
        tree.flags += application.LIVE_FLAGS
    for source in device.own:
        tree.add(source.parent.name, [source])
    for folder in device.include:
        tree.add(folder.name, [], [folder])
    if live:
        for source in live.write(root / "app", slowest_us):
            tree.add(source.parent.name, [source], [source.parent])
    build = tree.build_id()
    identity = replace(identity, build=bytes.fromhex(build))
    application.write(root / "app", graph, identity, traced=traced, live=live is not None)
    return ImageSources(tree, network.program, build)


def check_one_image(program: compiler.Program) -> None:
    """Check that a network takes one image at a time, which is all that an application gives it.

    Raises
    ------
    EdgebioError
        If it has several inputs or outputs, or a state; names what runs it.
    """
    network = program.network
    for count, name in ((len(network.inputs), "inputs"), (len(network.outputs), "outputs")):
        if count > 1:
            raise EdgebioError(
                f"the model has {count} {name}, and the firmware runs models of one: put it into "
                "your own firmware: edgebio build --package cmake"
            )
    if program.plan.states:
        raise EdgebioError(
            "the model has a state that lasts between inferences, and the firmware runs models "
            "without: put it into your own firmware: edgebio build --package cmake"
        )


def write_frontend(
    root: Path, spec: FrontendSpec, standardization: Standardization, board: Board, hooks: Hooks
) -> SourceTree:
    """Write the sources of a batch image with a front end and no network."""
    tree = SourceTree(root, [*board.flags, "-DEB_HAS_NETWORK=0"])
    _add_frontend(tree, board, spec, standardization)
    add_port(tree, board)
    _add_batch(tree, hooks)
    return tree


def _add_frontend(
    tree: SourceTree,
    board: Board,
    spec: FrontendSpec | None,
    standardization: Standardization | None,
) -> None:
    if spec and spec.fft_numerics == "mve" and board.helium:
        board.helium.bound(spec.n_fft)  # raises if the board file lacks it
    helium = board.helium is not None
    front = frontend_firmware.write(tree.root / "frontend", spec, standardization, helium=helium)
    tree.add("frontend", front.own, front.include)
    tree.add_vendor("cmsis-dsp", front.vendor, front.system_include)
    tree.flags += front.flags


def _add_batch(tree: SourceTree, hooks: Hooks) -> None:
    app = storage.assets("firmware_assets") / "app"
    tree.add("app", [app / "batch.c"], [app])
    if hooks != "none":
        tree.flags += [f"-DEB_BATCH_{hooks.upper()}", "-include", "app/eb_batch.h"]
