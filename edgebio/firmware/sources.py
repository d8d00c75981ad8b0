"""All C of an image, laid out in one folder that needs nothing from outside."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgebio import compiler, csource, storage
from edgebio.boards import Board
from edgebio.errors import EdgebioError
from edgebio.firmware import application, toolchain
from edgebio.firmware.application import ImageIdentity
from edgebio.firmware.manifest import App, Hooks
from edgebio.frontend import c_source as frontend_firmware
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.processes.programs import run_compiler
from edgebio.tflite import read
from edgebio.tflite.metadata import read_metadata

LINKER_SCRIPT = Path("ports/sections.ld")
MEMORY_SCRIPT = Path("ports/memory.ld")

# Scheduling before registers are assigned spills in the kernels' loops: without it 4 to 6 % fewer
# instructions on Cortex-M4. -O3 changes less than 1 %.
_OPTIMIZE = (
    *("-O2", "-fno-schedule-insns", "-g"),
    *("-ffunction-sections", "-fdata-sections", "-fno-common"),
)
_OWN = ("-std=c11", "-Wall", "-Wextra", "-Wshadow", "-Werror")
_VENDOR = ("-std=gnu11", "-w")


@dataclass
class Sources:
    """Sources of an image; all paths are relative to `root`.

    Attributes
    ----------
    root : Path
        The folder that holds everything.
    own, vendor : list of Path
        C files of edgebio, held to all warnings, and of others.
    include, system : list of Path
        Header folders of either.
    flags : list of str
        Flags of the board and definitions of the model.
    network : compiler.Generated
        What the compiler said of the network.
    build : str
        First 16 bytes, as hex, of the SHA-256 of what the image is made from.
    """

    root: Path
    own: list[Path] = field(default_factory=list)
    vendor: list[Path] = field(default_factory=list)
    include: list[Path] = field(default_factory=list)
    system: list[Path] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    network: compiler.Generated = field(init=False)
    build: str = field(init=False)

    def take(self, room: str, sources: Iterable[Path], include: Iterable[Path] = ()) -> None:
        """Add C files and header folders, copied into folder `room` where they lie outside."""
        self.own += [self._inside(room, path) for path in sources]
        for folder in include:
            if folder.is_relative_to(self.root):
                place = folder.relative_to(self.root)
            else:
                place = Path(room)
                for header in sorted(folder.glob("*.h")):
                    self._inside(room, header)
            if place not in self.include:
                self.include.append(place)

    def take_vendor(self, room: str, sources: Iterable[Path], include: Iterable[Path]) -> None:
        """Add somebody else's C files and header trees."""
        self.vendor += [self._inside(room, path) for path in sources]
        for folder in include:
            place = Path(room) / folder.name
            for header in sorted(folder.rglob("*.h")):
                target = self.root / place / header.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(header, target)
            self.system.append(place)

    def _inside(self, room: str, path: Path) -> Path:
        if path.is_relative_to(self.root):
            return path.relative_to(self.root)
        target = Path(room) / path.name
        (self.root / room).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, self.root / target)
        return target

    def flags_of(self, source: Path) -> tuple[str, ...]:
        """All compiler flags of one of the files."""
        include = [f"-I{folder}" for folder in self.include]
        system = [f"-isystem{folder}" for folder in self.system]
        return (
            *self.flags,
            *_OPTIMIZE,
            *(_VENDOR if source in self.vendor else _OWN),
            *include,
            *system,
        )

    def units(self) -> list[toolchain.Unit]:
        """List what the compiler is to be run on."""
        return [toolchain.Unit(path, self.flags_of(path)) for path in [*self.own, *self.vendor]]


def write(
    root: Path, model: Path, board: Board, app: App, hooks: Hooks, goal: compiler.Goal
) -> Sources:
    """Write all sources of an image into `root`.

    Parameters
    ----------
    root
        An empty folder.
    model
        The .tflite.
    board
        The board.
    app
        Which application.
    hooks
        Of the batch application; "trace" also of the link's.
    goal
        What the network's kernels are chosen for.

    Returns
    -------
    Sources
        What to compile, and how.

    Raises
    ------
    EdgebioError
        Where the model cannot be compiled; the text names the operator.
    """
    tree = Sources(root, flags=list(board.flags))

    tree.network = compiler.generate(model, root / "model", board.isa, goal)
    tree.take("model", tree.network.sources, tree.network.include)

    graph = read(model)
    about = read_metadata(graph)
    _take_frontend(
        tree, board, about.frontend if about else None, about.standardization if about else None
    )
    take_port(tree, board)
    if app == "batch":
        _take_batch(tree, hooks)
        tree.build = _build_id(tree)
        return tree
    # The hash that names the image covers what the device says of itself, but for that hash.
    identity = ImageIdentity(board.name, board.cpu, board.clock_hz, build=bytes(16))
    traced = hooks == "trace"
    device = application.write(root / "app", graph, identity, traced=traced)
    if traced:
        tree.flags += application.TRACE_FLAGS
    for source in device.own:
        tree.take(source.parent.name, [source])
    for folder in device.include:
        tree.take(folder.name, [], [folder])
    tree.build = _build_id(tree)
    identity = replace(identity, build=bytes.fromhex(tree.build))
    application.write(root / "app", graph, identity, traced=traced)
    return tree


def write_frontend(
    root: Path, spec: FrontendSpec, standardization: Standardization, board: Board, hooks: Hooks
) -> Sources:
    """Write the sources of a batch image that holds a front end and no network."""
    tree = Sources(root, flags=[*board.flags, "-DEB_HAS_NETWORK=0"])
    _take_frontend(tree, board, spec, standardization)
    take_port(tree, board)
    _take_batch(tree, hooks)
    return tree


def _take_frontend(
    tree: Sources, board: Board, spec: FrontendSpec | None, standardization: Standardization | None
) -> None:
    if spec and spec.fft_numerics == "mve" and board.helium:
        board.helium.bound(spec.n_fft)  # or an error that says what the board file lacks
    helium = board.helium is not None
    made = frontend_firmware.write(tree.root / "frontend", spec, standardization, helium=helium)
    tree.take("frontend", made.own, made.include)
    tree.take_vendor("cmsis-dsp", made.vendor, made.system_include)
    tree.flags += made.flags


def _take_batch(tree: Sources, hooks: Hooks) -> None:
    app = storage.assets("firmware_assets") / "app"
    tree.take("app", [app / "batch.c"], [app])
    if hooks != "none":
        tree.flags += [f"-DEB_BATCH_{hooks.upper()}", "-include", "app/eb_batch.h"]


def take_port(tree: Sources, board: Board) -> None:
    """Add what runs on the bare board: start-up, linker script and port."""
    ports = storage.assets("firmware_assets") / "ports"
    tree.take(
        "ports",
        [*sorted((ports / "cortex_m").glob("*.c")), ports / board.port / "port.c"],
        [ports, ports / "cortex_m"],
    )
    shutil.copyfile(ports / "cortex_m" / LINKER_SCRIPT.name, tree.root / LINKER_SCRIPT)
    if board.boot2:
        made = tree.root / "ports" / "boot2_image.c"
        storage.write_text(made, _boot2(ports / board.port / "boot2.S"))
        tree.take("ports", [made])
    storage.write_text(tree.root / "ports" / "eb_board.h", _board_header(board))


def _boot2(source: Path) -> str:
    """C of a second-stage boot loader: 252 bytes and the CRC-32 that the RP2040's ROM checks.

    Its CRC (datasheet, 2.8.1.3.1) has zlib's polynomial, but neither reflection nor a final XOR.
    """
    with tempfile.TemporaryDirectory(prefix="edgebio-boot2-") as scratch:
        made, raw = Path(scratch) / "boot2.o", Path(scratch) / "boot2.bin"
        run_compiler(toolchain.tool("gcc"), "-c", str(source), "-o", str(made))
        objcopy = toolchain.tool("objcopy")
        run_compiler(objcopy, "-O", "binary", "-j", ".text", str(made), str(raw))
        code = raw.read_bytes()
    if len(code) > 252:
        raise EdgebioError(f"{source.name} is {len(code)} bytes; a boot ROM takes 252")
    code = code.ljust(252, b"\0")
    crc = 0xFFFF_FFFF
    for byte in code:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C1_1DB7 if crc >> 31 else 0)) & 0xFFFF_FFFF
    block = code + crc.to_bytes(4, "little")
    rows = "".join(f"    {', '.join(map(hex, block[i : i + 12]))},\n" for i in range(0, 256, 12))
    return (
        csource.NOTICE
        + "/* boot2.S assembled, with its CRC. Generated. */\n#include <stdint.h>\n\n"
        "extern const uint8_t boot2_image[256];\n"
        'const uint8_t boot2_image[256] __attribute__((section(".boot2"), used)) = {\n'
        f"{rows}}};\n"
    )


def write_memory(root: Path, board: Board, stack: int, *, unlimited: bool) -> None:
    """Write the linker's memory map.

    Parameters
    ----------
    root
        Folder of the sources.
    board
        The board.
    stack
        Bytes of stack to set aside.
    unlimited
        Let both regions be as long as may be, so that an image that is too large links and can be
        measured.
    """
    regions = {"FLASH": (board.memory.flash, "rx"), "RAM": (board.memory.ram, "rwx")}
    lines = [
        f"    {name} ({access}) : ORIGIN = {region.origin:#010x}, "
        f"LENGTH = {0x10000000 if unlimited else region.bytes:#x}"
        for name, (region, access) in regions.items()
    ]
    storage.write_text(
        root / MEMORY_SCRIPT,
        "/* Memory of the board, and the stack's share of it. Generated. */\n"
        "MEMORY\n{\n" + "\n".join(lines) + f"\n}}\n\neb_stack_bytes = {stack};\n",
    )


def _build_id(tree: Sources) -> str:
    """Hash all files, flags and the compiler's version."""
    digest = hashlib.sha256(toolchain.version().encode())
    for unit in tree.units():
        digest.update("\0".join([str(unit.source), *unit.flags]).encode())
    for path in sorted(path for path in tree.root.rglob("*") if path.is_file()):
        digest.update(f"\0{path.relative_to(tree.root)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def _board_header(board: Board) -> str:
    irqs = board.uart.irqs
    slots = ", ".join(f"[16 + {irq}] = {{.entry = (handler)}}" for irq in irqs)
    each = " ".join(f"enable({irq}u);" for irq in irqs)
    more = "".join(f"#define {name} {value}u\n" for name, value in board.defines.items())
    return csource.header(
        f"/* Board {board.name}: {board.title}. Generated. */\n",
        "EB_BOARD_H",
        macros=f"""\
#define EB_CLOCK_HZ {board.clock_hz}u
#define EB_UART_BASE {board.uart.base:#010x}u
#define EB_UART_CLOCK_HZ {board.uart.clock_hz}u
#define EB_UART_BAUD {board.uart.baud}u
{more}
/* Interrupts that the vector table holds, and those of the UART's receiver. */
#define EB_IRQS {max(irqs) + 1}u
#define EB_UART_VECTORS(handler) {slots}
#define EB_UART_EACH_IRQ(enable) do {{ {each} }} while (0)
""",
    )
