"""Table of the boards for the documentation, from the board files."""

from edgebio import boards
from edgebio.boards import Board


def table() -> str:
    """Markdown of all boards: sources, sinks, link, flashing and what is proven."""
    lines = [
        "| board | sources | sinks | link | flashed by | proven |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    every = [boards.load(name) for name in boards.names()]
    lines += [_row(board) for board in every]
    lines += ["", "## How each is proven", ""]
    lines += [f"- **`{board.name}`**, {board.proven.level}: {board.proven.note}" for board in every]
    return "\n".join(lines)


def _row(board: Board) -> str:
    links = [board.uart.name]
    if board.usb_link:
        links.append(board.usb_link.name)
    cells = (
        f"`{board.name}`<br>{board.title}, {board.cpu} at {board.clock_hz / 1e6:g} MHz",
        "<br>".join(_source(board, name) for name in board.sources.names()),
        "<br>".join(_sink(board, name) for name in board.sinks.names()),
        "<br>".join(links),
        "<br>".join(board.flash.methods),
        board.proven.level,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _source(board: Board, name: str) -> str:
    section = getattr(board.sources, name, None)
    if section is None:
        return f"`{name}`"
    if name == "ads1298":
        return f"`{name}`: SPI at {', '.join(section.pin_names())}"
    return f"`{name}`: {section.bits} bits, {', '.join(section.pins)}"


def _sink(board: Board, name: str) -> str:
    section = getattr(board.sinks, name, None)
    return f"`{name}`: {', '.join(section.pin_names())}" if section else f"`{name}`"
