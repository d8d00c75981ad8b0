"""All C of an image compiles under clang for Arm without a warning, on every board."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgebio import boards, storage, tflite
from edgebio.boards.board import LinkKind
from edgebio.compiler import SPEED
from edgebio.firmware import sources, standalone
from edgebio.firmware.manifest import App, Hooks
from edgebio.firmware.peripheral_options import Standalone
from edgebio.firmware.source_tree import SourceTree
from edgebio.processes.worker_pool import map_in_order
from edgebio.tflite.metadata import require_metadata
from tests.clang import clang_for_arm
from tests.firmware import wearable

ASSETS = storage.assets("firmware_assets")
KERNELS = sorted((ASSETS / "kernels").glob("*.c"))
CPUS = {
    "m0plus": ("-mcpu=cortex-m0plus",),
    "m3": ("-mcpu=cortex-m3",),
    "m4": ("-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"),
    "m33": ("-mcpu=cortex-m33", "-mfloat-abi=soft"),
    "m55": ("-mcpu=cortex-m55", "-mfloat-abi=hard"),
}
APPS: tuple[tuple[App, Hooks], ...] = (("link", "trace"), ("batch", "trace"), ("runner", "none"))
OPTIONS = {
    "adc": ":gain=1000", "saadc": ":gain=1000", "ads1298": ":gain=12",
    "servo": ":fist=20,pinch=160,rest=90",
}  # fmt: skip
ONLY_GCC = {"-fno-schedule-insns"}


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of three channels, which every board can sample."""
    return wearable.write(tmp_path_factory.mktemp("model") / "model.tflite")


def messages(folder: Path, source: Path, flags: tuple[str, ...]) -> str:
    """What clang says of a source."""
    common = [flag for flag in flags if flag not in ONLY_GCC]
    done = subprocess.run(
        [*clang_for_arm(), *common, "-c", source, "-o", "/dev/null"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stderr or ("failed" if done.returncode else "")


def complaints(units: list[tuple[Path, tuple[str, ...]]], folder: Path) -> dict[str, str]:
    texts = map_in_order(lambda unit: messages(folder, *unit), units)
    return {str(unit[0]): text for unit, text in zip(units, texts, strict=True) if text}


@pytest.mark.parametrize("cpu", CPUS)
def test_kernels(cpu: str, tmp_path: Path) -> None:
    strict = ("-std=c11", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-mthumb", "-O2", *CPUS[cpu])
    assert complaints([(path, strict) for path in KERNELS], tmp_path) == {}


def written(model: Path, board: str, app: App, hooks: Hooks, folder: Path) -> SourceTree:
    return sources.write(folder, model, boards.load(board), app, hooks, SPEED).tree


@pytest.mark.parametrize(("app", "hooks"), APPS)
@pytest.mark.parametrize("board", ["mps2-an386", "pico", "mps3-an547"])
def test_image(board: str, app: App, hooks: Hooks, emg_model: Path, tmp_path: Path) -> None:
    clang_for_arm()
    tree = written(emg_model, board, app, hooks, tmp_path)
    assert complaints([(unit.source, unit.flags) for unit in tree.units()], tree.root) == {}


def live_trees(name: str, model: Path, folder: Path) -> Iterator[SourceTree]:
    """Images of a board that stand alone: each source, each sink and each link at least once."""
    board = boards.load(name)
    kinds, sinks = board.sources.names(), board.sinks.names()
    links: tuple[LinkKind, ...] = ("uart", "usb") if board.usb_link else ("uart",)
    metadata = require_metadata(tflite.read(model), "a test")
    for number in range(max(len(kinds), len(sinks))):
        source, sink = kinds[number % len(kinds)], sinks[number % len(sinks)]
        linked = board.model_copy(update={"link": links[number % len(links)]})
        request = Standalone(source + OPTIONS.get(source, ""), sink + OPTIONS.get(sink, ""))
        live = standalone.configure(request, linked, metadata)
        root = folder / str(number)
        root.mkdir()
        yield sources.write(root, model, linked, "link", "none", SPEED, live, 1000).tree


@pytest.mark.parametrize("board", boards.names())
def test_images_that_stand_alone(board: str, small_model: Path, tmp_path: Path) -> None:
    clang_for_arm()
    for tree in live_trees(board, small_model, tmp_path):
        units = {
            (unit.source, unit.flags)
            for unit in tree.units()
            if unit.source.parts[0] in ("ports", "sources", "sinks", "app")
        }
        assert complaints(sorted(units), tree.root) == {}


def test_no_c_file_is_left_out(small_model: Path, tmp_path: Path) -> None:
    """Of what runs on a device, the images of these tests have every file."""
    trees = [
        tree
        for board in boards.names()
        for tree in live_trees(board, small_model, Path(tempfile.mkdtemp(dir=tmp_path)))
    ]
    for number, (app, hooks) in enumerate(APPS):
        root = tmp_path / str(number)
        root.mkdir()
        trees.append(written(small_model, "mps2-an386", app, hooks, root))
    compiled = {path.name for tree in trees for path in tree.own}
    device = {
        path.name
        for path in ASSETS.rglob("*.c")
        if path.parent.name not in ("kernels", "library", "host", "emulator")
        and not path.stem.endswith("_host")
    }
    assert device - compiled == set()


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_fault_record_survives_a_reset(compiler: str, emg_model: Path, tmp_path: Path) -> None:
    """clang has no attribute for it, so that the section's name must do."""
    clang = clang_for_arm()  # and with it, arm-none-eabi-gcc
    tree = written(emg_model, "mps2-an386", "link", "none", tmp_path)
    startup = next(unit for unit in tree.units() if unit.source.name == "startup.c")
    flags = [flag for flag in startup.flags if flag not in ONLY_GCC]
    command = [*(clang if compiler == "clang" else ["arm-none-eabi-gcc"]), *flags]
    target = tmp_path / "startup.o"
    subprocess.run([*command, "-c", startup.source, "-o", target], cwd=tree.root, check=True)
    symbols = subprocess.run(
        ["arm-none-eabi-objdump", "-t", target], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert [line.split()[-3] for line in symbols if line.endswith(" record")] == [".noinit"]
