"""C and linker scripts of a bare board: start-up code, port, memory map and board header."""

import shutil
import tempfile
from pathlib import Path

from edgebio import generated_c, storage
from edgebio.boards import Board
from edgebio.errors import EdgebioError
from edgebio.firmware import board_header, toolchain
from edgebio.firmware.source_tree import SourceTree
from edgebio.processes.programs import run_compiler

LINKER_SCRIPT = Path("ports/sections.ld")

_BOOT2_BYTES = 252
_UNLIMITED = 0x10000000


def add_port(
    tree: SourceTree, board: Board, use: board_header.Use = board_header.NO_PERIPHERALS
) -> None:
    """Add the start-up code, linker script and port of a board, with the peripherals in use.

    `EdgebioError` if the port has no C for one of them.
    """
    ports = storage.assets("firmware_assets") / "ports"
    folders = _folders(ports, board.port)
    tree.add(
        "ports",
        [*sorted((ports / "cortex_m").glob("*.c")), ports / board.port / "port.c"],
        [ports, ports / "cortex_m", *folders],
    )
    tree.add("ports", [path for path in (f / f"{f.name}.c" for f in folders) if path.is_file()])
    # A port with one link only, and without a boot loader to enter, has neither file.
    own = [ports / board.port / name for name in (f"link_{board.link}.c", "bootloader.c")]
    tree.add("ports", [path for path in own if path.is_file()])
    if board.link == "usb":
        tree.add("ports", sorted((ports / "usb").glob("*.c")), [ports / "usb"])
    for name in use.files():
        source = next((f / name for f in folders if (f / name).is_file()), None)
        if source is None:
            raise EdgebioError(f"{board.name}: port {board.port} has no {name}, which this needs")
        tree.add("ports", [source])
    shutil.copyfile(ports / "cortex_m" / LINKER_SCRIPT.name, tree.root / LINKER_SCRIPT)
    if board.boot2:
        source = tree.root / "ports" / "boot2_image.c"
        storage.write_text(source, _boot2(ports / board.port / "boot2.S"))
        tree.add("ports", [source])
    storage.write_text(tree.root / "ports" / "eb_board.h", board_header.text(board, use))


def _folders(ports: Path, port: str) -> list[Path]:
    """Folders of a port: its own, and that of its chip's family, such as stm32 of stm32f4."""
    families = (path for path in sorted(ports.iterdir()) if path.is_dir() and path.name != port)
    return [ports / port, *(path for path in families if port.startswith(path.name))]


def write_memory_map(root: Path, board: Board, stack: int, *, unlimited: bool) -> None:
    """Write the linker's memory map, with a number of bytes for the stack.

    If it is `unlimited`, an image that is too large for the board can be linked and measured.
    """
    regions = {"FLASH (rx)": board.memory.flash, "RAM (rwx)": board.memory.ram}
    lines = "".join(
        f"    {name} : ORIGIN = {region.origin:#010x}, "
        f"LENGTH = {_UNLIMITED if unlimited else region.bytes:#x}\n"
        for name, region in regions.items()
    )
    storage.write_text(
        root / "ports" / "memory.ld",
        "/* Memory of the board, and the stack's share of it. Generated. */\n"
        f"MEMORY\n{{\n{lines}}}\n\neb_stack_bytes = {stack};\n",
    )


def _boot2(source: Path) -> str:
    """C of a second-stage boot loader, with the CRC-32 that the RP2040's ROM checks.

    The CRC (datasheet, 2.8.1.3.1) has zlib's polynomial, but neither reflection nor a final XOR.
    """
    with tempfile.TemporaryDirectory(prefix="edgebio-boot2-") as scratch:
        compiled, binary = Path(scratch) / "boot2.o", Path(scratch) / "boot2.bin"
        run_compiler(toolchain.tool("gcc"), "-c", source, "-o", compiled)
        run_compiler(toolchain.tool("objcopy"), "-O", "binary", "-j", ".text", compiled, binary)
        code = binary.read_bytes()
    if len(code) > _BOOT2_BYTES:
        raise EdgebioError(f"{source.name} is {len(code)} bytes; a boot ROM takes {_BOOT2_BYTES}")
    code = code.ljust(_BOOT2_BYTES, b"\0")
    crc = 0xFFFF_FFFF
    for byte in code:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C1_1DB7 if crc >> 31 else 0)) & 0xFFFF_FFFF
    block = code + crc.to_bytes(4, "little")
    rows = "".join(f"    {', '.join(map(hex, block[i : i + 12]))},\n" for i in range(0, 256, 12))
    return (
        generated_c.NOTICE
        + "/* boot2.S assembled, with its CRC. Generated. */\n#include <stdint.h>\n\n"
        "extern const uint8_t boot2_image[256];\n"
        'const uint8_t boot2_image[256] __attribute__((section(".boot2"), used)) = {\n'
        f"{rows}}};\n"
    )
