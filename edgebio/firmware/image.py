"""A model and a board to a folder that holds the firmware image and every source of it."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import edgebio
from edgebio import compiler, storage
from edgebio.boards import Board
from edgebio.errors import CheckFailedError, EdgebioError
from edgebio.firmware import elf, sources, stack, toolchain
from edgebio.firmware.manifest import (
    BOARD_FILE,
    FILE,
    MODEL_FILE,
    App,
    Flash,
    Hooks,
    ImageRecord,
    Manifest,
    ModelRecord,
    Ram,
)
from edgebio.processes.programs import run_compiler

_HEAP = ("malloc", "_malloc_r", "calloc", "realloc", "_sbrk", "_sbrk_r")
_LINK = (
    "-nostartfiles",
    "--specs=nano.specs",
    "-Wl,--gc-sections",
    "-Wl,--fatal-warnings",
    "-Lports",
    f"-T{sources.LINKER_SCRIPT}",
)


def model_file(path: Path) -> Path:
    """Return the .tflite that `path` names: the file itself, or the one in the folder of a run.

    Raises
    ------
    EdgebioError
        Where there is none.
    """
    if path.is_dir():
        inside = path / "model.tflite"
        if not inside.is_file():
            raise EdgebioError(f"{path}: no model.tflite there; make it: edgebio quantize {path}")
        return inside
    if not path.is_file():
        raise EdgebioError(f"{path}: no such model")
    return path


@dataclass(frozen=True)
class Budget:
    """What an image is wanted for, and what it may take.

    Attributes
    ----------
    optimize : {"speed", "balanced", "size"}
        What the network's kernels are chosen for.
    flash, ram : int or None
        Most bytes of the whole image; None for all that the board has.
    weights : int or None
        Most bytes of the network's constants alone: with those that another image's manifest
        tells, the same kernels are chosen as for that.
    """

    optimize: compiler.Optimize = "speed"
    flash: int | None = None
    ram: int | None = None
    weights: int | None = None


SPEED: Final = Budget()


def build(
    model: Path,
    board: Board,
    folder: Path,
    app: App = "link",
    *,
    hooks: Hooks = "none",
    budget: Budget = SPEED,
) -> Manifest:
    """Build the image of a model for a board.

    Parameters
    ----------
    model
        A .tflite, or the folder of a run with a model.tflite.
    board
        The board.
    folder
        Where firmware.elf, .hex and .bin, manifest.json, board.json and src/ go; an image that is
        there already is replaced, and stays as it is where the build fails.
    app
        "link" speaks the link over the UART; "batch" works through files of a debugger or an
        emulator.
    hooks
        Of the batch application; with "trace" the link's is one for hardware in the loop.
    budget
        What to choose the network's kernels for, and what the image may take.

    Returns
    -------
    Manifest
        What was built.

    Raises
    ------
    MissingToolError
        Where the cross-compiler is not installed.
    CheckFailedError
        Where no choice of kernels makes an image that fits the board and the budget; the text says
        by how much.
    EdgebioError
        Where the model cannot be compiled, or the folder holds something else.
    """
    toolchain.tool("gcc")
    model = model_file(model)
    # Absolute, as the compiler runs in the folder of the sources.
    with _workspace(folder.resolve()) as work:
        root = work / "src"
        goal = compiler.Goal(budget.optimize, budget.weights)
        over = ""
        while True:
            root.mkdir()
            try:
                tree = sources.write(root, model, board, app, hooks, goal)
            except EdgebioError as error:
                if not over:
                    raise
                raise CheckFailedError(f"{over}; {error}") from None
            objects = toolchain.compile_all(tree.units(), root)
            image = link(tree, board, objects, work / "firmware.elf")
            elf.check_alignment(image, objects)
            binary = _convert(work)
            manifest = Manifest(
                edgebio=edgebio.__version__,
                app=app,
                board=board.name,
                core=board.cpu,
                compiler=toolchain.version(),
                model=ModelRecord(file=model.name, sha256=tree.network.program.network.sha256),
                image=ImageRecord(sha256=storage.sha256(binary), build=tree.build),
                flash=_flash(image, board, binary.stat().st_size),
                ram=_ram(image, board, tree),
                hooks=hooks,
                kernels=[step.function for step in tree.network.program.steps],
                weights=tree.network.program.constant_bytes,
            )
            over = _over(manifest, budget)
            if not over:
                break
            goal = _tighter(goal, budget, manifest, tree.network.program)
            shutil.rmtree(root)
        storage.write_text(root / "Makefile", _makefile(tree))
        shutil.copyfile(model, work / MODEL_FILE)
        storage.write_json(work / BOARD_FILE, board.model_dump(mode="json"))
        storage.write_json(work / FILE, manifest.model_dump())
    return manifest


def _over(manifest: Manifest, budget: Budget) -> str:
    """Say by how much an image is larger than it may be; empty where it is not."""
    over = []
    for name, part, most in (
        ("flash", manifest.flash, budget.flash),
        ("RAM", manifest.ram, budget.ram),
    ):
        if part.total > part.available:
            over.append(
                f"{part.total - part.available:,} bytes too large for its {part.available:,} "
                f"bytes of {name}"
            )
        elif most is not None and part.total > most:
            over.append(f"{part.total - most:,} bytes over the {most:,} bytes of {name} asked for")
    if not over:
        return ""
    return f"{manifest.model.file} does not fit {manifest.board}: {' and '.join(over)}"


def _tighter(
    goal: compiler.Goal, budget: Budget, manifest: Manifest, program: compiler.Program
) -> compiler.Goal:
    """Ask the network for what the image takes too much."""
    flash, ram = manifest.flash, manifest.ram
    flash_over = flash.total - min(budget.flash or flash.available, flash.available)
    ram_over = ram.total - min(budget.ram or ram.available, ram.available)
    if flash_over > 0:
        goal = replace(goal, constants=program.constant_bytes - flash_over)
    if ram_over > 0:
        goal = replace(goal, state=program.plan.total - ram_over)
    return goal


@contextlib.contextmanager
def _workspace(folder: Path) -> Iterator[Path]:
    """Yield a folder whose content takes the place of the image in `folder` on success."""
    if folder.exists() and not folder.is_dir():
        raise EdgebioError(f"{folder}: not a folder")
    if (folder / "src").exists() and not (folder / FILE).is_file():
        raise EdgebioError(f"{folder}/src was not made by edgebio build; choose another folder")
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".build-", dir=folder))
    except OSError as error:
        raise EdgebioError(f"{folder}: cannot be written: {error.strerror}") from None
    done = False
    try:
        yield work
        # The manifest leaves first and comes last: no moment shows one beside another's image.
        (folder / FILE).unlink(missing_ok=True)
        shutil.rmtree(folder / "src", ignore_errors=True)
        for path in sorted(work.iterdir(), key=lambda path: path.name == FILE):
            path.replace(folder / path.name)
        done = True
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if made and not done:
            with contextlib.suppress(OSError):
                folder.rmdir()


def link(tree: sources.Sources, board: Board, objects: list[Path], target: Path) -> elf.Image:
    """Link twice: to measure the stack's bound, and with that much stack.

    The memory map is unlimited meanwhile, so that what is too large can be measured.

    Raises
    ------
    EdgebioError
        Where something is undefined, wants a heap, or has no bound of its stack.
    """

    def once(bound: int, *more: str) -> elf.Image:
        sources.write_memory(tree.root, board, bound, unlimited=True)
        command = [toolchain.tool("gcc"), *board.flags, *_LINK, *more, *map(str, objects)]
        listing = f"-Wl,-Map={target.with_suffix('.map')}"
        try:
            run_compiler(*command, listing, "-o", str(target), folder=tree.root)
        except EdgebioError as error:
            if any(f"`{name}'" in str(error) for name in _HEAP):
                raise EdgebioError(f"the image asks for a heap, and has none: {error}") from None
            raise
        return elf.Image(target)

    bound = stack.bound(once(1024, "-Wl,--emit-relocs"))
    image = once(bound)
    heap = next((name for name in _HEAP if image.symbol(name)), None)
    if heap:
        raise EdgebioError(f"the image holds {heap}, and has no heap; its .map says for whom")
    sources.write_memory(tree.root, board, bound, unlimited=False)
    return image


def _convert(work: Path) -> Path:
    """Make firmware.hex and firmware.bin from firmware.elf."""
    for suffix, form in (("hex", "ihex"), ("bin", "binary")):
        run_compiler(
            toolchain.tool("objcopy"),
            "--gap-fill=0",  # so that what is written is the same by either file
            "-O",
            form,
            str(work / "firmware.elf"),
            str(work / f"firmware.{suffix}"),
        )
    return work / "firmware.bin"


def _flash(image: elf.Image, board: Board, total: int) -> Flash:
    sizes = {section.name: section.size for section in image.sections if section.loaded}
    return Flash(
        vectors=sizes.pop(".vectors"),
        code=sizes.pop(".text"),
        constants=sizes.pop(".rodata", 0),
        data=sizes.pop(".data", 0),
        total=total,
        available=board.memory.flash.bytes,
    )


def _ram(image: elf.Image, board: Board, tree: sources.Sources) -> Ram:
    memory = board.memory.ram
    ends = [
        section.address + section.size
        for section in image.sections
        if memory.origin <= section.address < memory.origin + 0x10000000
    ]
    total = max(ends) - memory.origin
    reserved = next(section.size for section in image.sections if section.name == ".stack")
    plan = tree.network.program.plan
    return Ram(
        activations=plan.activations,
        scratch=plan.scratch,
        static=total - reserved - plan.total,
        stack=reserved,
        total=total,
        available=memory.bytes,
    )


def _makefile(tree: sources.Sources) -> str:
    """Write out how to make the same image without edgebio."""
    groups = {"OWN": tree.own, "VENDOR": tree.vendor}
    lines = [
        "# The same image without edgebio: make CROSS=arm-none-eabi-",
        "CROSS ?= arm-none-eabi-",
        "CC = $(CROSS)gcc",
        "",
    ]
    rules = []
    for name, group in groups.items():
        if group:
            lines += [
                f"{name} = {' '.join(map(str, group))}",
                f"{name}_FLAGS = {' '.join(tree.flags_of(group[0]))}",
                "",
            ]
            rules += [
                f"$({name}:%.c=build/%.o): build/%.o: %.c",
                "\t@mkdir -p $(@D)",
                f"\t$(CC) $({name}_FLAGS) -ffile-prefix-map=$(CURDIR)=. -c $< -o $@",
                "",
            ]
    objects = " ".join(f"$({name}:%.c=build/%.o)" for name, group in groups.items() if group)
    cpu = " ".join(flag for flag in tree.flags if flag.startswith("-m"))
    return "\n".join(
        [
            *lines,
            f"OBJECTS = {objects}",
            "",
            "build/firmware.bin: build/firmware.elf",
            "\t$(CROSS)objcopy -O binary $< $@",
            "",
            "build/firmware.elf: $(OBJECTS)",
            f"\t$(CC) {cpu} {' '.join(_LINK)} $^ -o $@",
            "",
            *rules,
            "clean:",
            "\trm -rf build",
            "",
        ]
    )
