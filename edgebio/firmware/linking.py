"""Objects to a linked image with exactly as much stack as it can use, and to its files."""

from pathlib import Path

from edgebio.boards import Board
from edgebio.errors import EdgebioError
from edgebio.firmware import elf, port_sources, stack, toolchain
from edgebio.firmware.source_tree import SourceTree
from edgebio.processes.programs import run_compiler

FLAGS = (
    "-nostartfiles",
    "--specs=nano.specs",
    "-Wl,--gc-sections",
    "-Wl,--fatal-warnings",
    "-Lports",
    f"-T{port_sources.LINKER_SCRIPT}",
)
_HEAP = ("malloc", "_malloc_r", "calloc", "realloc", "_sbrk", "_sbrk_r")


def compile_and_link(tree: SourceTree, board: Board, target: Path) -> elf.Image:
    """Compile all sources and link them; see `link`."""
    return link(tree, board, toolchain.compile_all(tree.units(), tree.root), target)


def link(tree: SourceTree, board: Board, objects: list[Path], target: Path) -> elf.Image:
    """Link twice: to find the bound of the stack, and with that stack; in memory without limits.

    `EdgebioError` if a symbol is undefined, the program uses a heap, or the stack has no bound.
    """
    bound = stack.bound(_link_once(tree, board, objects, target, 1024, "-Wl,--emit-relocs"))
    image = _link_once(tree, board, objects, target, bound)
    heap = next((name for name in _HEAP if image.symbol(name)), None)
    if heap:
        raise EdgebioError(f"the image contains {heap}, but has no heap; its .map names the user")
    elf.check_alignment(image, objects)
    port_sources.write_memory_map(tree.root, board, bound, unlimited=False)
    return image


def _link_once(
    tree: SourceTree, board: Board, objects: list[Path], target: Path, stack_bytes: int, *more: str
) -> elf.Image:
    port_sources.write_memory_map(tree.root, board, stack_bytes, unlimited=True)
    command = [toolchain.tool("gcc"), *board.flags, *FLAGS, *more, *map(str, objects)]
    listing = f"-Wl,-Map={target.with_suffix('.map')}"
    try:
        run_compiler(*command, listing, "-o", target, folder=tree.root)
    except EdgebioError as error:
        if any(f"`{name}'" in str(error) for name in _HEAP):
            raise EdgebioError(f"the image needs a heap, but has none: {error}") from None
        raise
    return elf.Image(target)


def convert(image: Path) -> Path:
    """Make firmware.hex and firmware.bin from firmware.elf; return the latter."""
    for suffix, form in (("hex", "ihex"), ("bin", "binary")):
        # Gaps are filled so that both files write the same bytes.
        command = [toolchain.tool("objcopy"), "--gap-fill=0", "-O", form]
        run_compiler(*command, image, image.with_suffix(f".{suffix}"))
    return image.with_suffix(".bin")


def makefile(tree: SourceTree) -> str:
    """Makefile that builds the same image without edgebio."""
    groups = {name: files for name, files in (("OWN", tree.own), ("VENDOR", tree.vendor)) if files}
    variables = "".join(
        f"{name} = {' '.join(map(str, files))}\n"
        f"{name}_FLAGS = {' '.join(tree.flags_of(files[0]))}\n\n"
        for name, files in groups.items()
    )
    rules = "".join(
        f"$({name}:%.c=build/%.o): build/%.o: %.c\n"
        "\t@mkdir -p $(@D)\n"
        f"\t$(CC) $({name}_FLAGS) -ffile-prefix-map=$(CURDIR)=. -c $< -o $@\n\n"
        for name in groups
    )
    cpu = " ".join(flag for flag in tree.flags if flag.startswith("-m"))
    return f"""\
# The same image without edgebio: make CROSS=arm-none-eabi-
CROSS ?= arm-none-eabi-
CC = $(CROSS)gcc

{variables}OBJECTS = {" ".join(f"$({name}:%.c=build/%.o)" for name in groups)}

build/firmware.bin: build/firmware.elf
\t$(CROSS)objcopy -O binary $< $@

build/firmware.elf: $(OBJECTS)
\t$(CC) {cpu} {" ".join(FLAGS)} $^ -o $@

{rules}clean:
\trm -rf build
"""
