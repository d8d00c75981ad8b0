"""The emulated board that executes the code of another board."""

from typing import Final

from edgebio import boards
from edgebio.boards import Board
from edgebio.boards.board import Cpu

STAND_IN: Final[dict[Cpu, str]] = {
    "cortex-m0plus": "mps2-an385",  # a Cortex-M3 executes all of its instructions alike
    "cortex-m3": "mps2-an385",
    "cortex-m4": "mps2-an386",
    "cortex-m7": "mps2-an500",
    "cortex-m33": "mps2-an505",
    "cortex-m55": "mps3-an547",
}
"""Board whose emulator executes the code of each CPU."""


def stand_in(board: Board) -> Board:
    """Emulated board of the same CPU, with the compiler's settings of `board`."""
    target = boards.load(STAND_IN[board.cpu])
    settings = ("cpu", "isa", "fft_numerics", "flags", "helium")
    return target.model_copy(update={name: getattr(board, name) for name in settings})
