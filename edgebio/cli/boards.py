"""``edgebio boards``: list and describe boards."""

import click

from edgebio.cli.common import Document, Group, Output, command


@click.group(
    cls=Group, epilog="\b\nExample:\n  edgebio boards list\n  edgebio boards info netduinoplus2"
)
def boards() -> None:
    """List and describe the boards."""


@command(boards, name="list", example="edgebio boards list")
def list_(out: Output) -> Document:
    """List the boards and how far each is proven."""
    from edgebio.boards import load, names

    every = [load(name) for name in names()]
    out.table(
        "",
        ["name", "board", "CPU", "flash", "RAM", "proven"],
        [
            [board.name, board.title, board.cpu, f"{board.memory.flash.bytes // 1024} KB",
             f"{board.memory.ram.bytes // 1024} KB", board.proven.level]
            for board in every
        ],
    )  # fmt: skip
    return {"boards": [board.document() for board in every]}


@command(boards, name="info", example="edgebio boards info netduinoplus2")
@click.argument("name")
def info(out: Output, name: str) -> Document:
    """Describe the board NAME, or the one that a .toml file describes."""
    from edgebio.boards import load

    board = load(name)
    flash, ram = board.memory.flash, board.memory.ram
    emulator = board.emulator
    ids = ", ".join(f"{usb.vid:04x}:{usb.pid:04x}" for usb in board.usb)
    rows = [
        ["board", board.title],
        ["CPU", f"{board.cpu} at {board.clock_hz / 1e6:g} MHz"],
        ["kernels", board.isa],
        ["FFT", f"numerics {board.fft_numerics}"],
        ["flash", f"{flash.bytes:,} bytes at {flash.origin:#010x}"],
        ["RAM", f"{ram.bytes:,} bytes at {ram.origin:#010x}"],
        ["serial", f"{board.uart.name}, {board.uart.baud} baud, 8N1"],
        ["USB", ids or "-"],
        ["sources", ", ".join(board.sources.names())],
        ["sinks", ", ".join(board.sinks.names())],
        ["compiler", " ".join(board.flags)],
        ["emulator", " ".join((emulator.program, emulator.machine)) if emulator else "-"],
        ["flashing", ", ".join(board.flash.methods)],
        ["proven", f"{board.proven.level}: {board.proven.note}"],
    ]
    for key, value in rows:
        out.result(f"{key:<10} {value}")
    return board.document()
