"""All C of an image compiles under clang for Arm without a warning, on every board."""

import subprocess
from pathlib import Path

import pytest

from edgebio import boards, storage
from edgebio.compiler import SPEED
from edgebio.firmware import sources
from edgebio.firmware.manifest import App, Hooks
from edgebio.firmware.source_tree import SourceTree
from edgebio.processes.worker_pool import map_in_order
from tests.clang import clang_for_arm

KERNELS = sorted((storage.assets("firmware_assets") / "kernels").glob("*.c"))
CPUS = {
    "m0plus": ("-mcpu=cortex-m0plus",),
    "m3": ("-mcpu=cortex-m3",),
    "m4": ("-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"),
    "m33": ("-mcpu=cortex-m33", "-mfloat-abi=soft"),
    "m55": ("-mcpu=cortex-m55", "-mfloat-abi=hard"),
}
APPS: tuple[tuple[App, Hooks], ...] = (("link", "trace"), ("batch", "trace"))
ONLY_GCC = {"-fno-schedule-insns"}


def messages(folder: Path, source: Path, flags: tuple[str, ...]) -> str:
    """What clang says of a source."""
    command = [*clang_for_arm(), *(flag for flag in flags if flag not in ONLY_GCC), "-c", source]
    done = subprocess.run(
        [*command, "-o", "/dev/null"], cwd=folder, capture_output=True, text=True, check=False
    )
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


@pytest.mark.parametrize("board", boards.names())
def test_port(board: str, emg_model: Path, tmp_path: Path) -> None:
    clang_for_arm()
    tree = written(emg_model, board, "link", "none", tmp_path)
    ports = [(unit.source, unit.flags) for unit in tree.units() if unit.source.parts[0] == "ports"]
    assert len(ports) >= 3
    assert complaints(ports, tree.root) == {}


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
