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


def emulated_board(board: Board) -> Board:
    """Board whose QEMU executes the code of `board`: itself, or its `stand_in`."""
    if board.emulator and board.emulator.program == "qemu":
        return board
    return stand_in(board)


def describe_stand_in(board: Board) -> str:
    """Which emulated board takes the place of `board`, and what that means; "" if none does."""
    target = emulated_board(board)
    if target.name == board.name:
        return ""
    cpu = board.cpu.removeprefix("cortex-").upper().replace("PLUS", "+")
    own = boards.load(target.name).cpu.removeprefix("cortex-").upper()
    alike = f"a Cortex-{own} too" if own == cpu else f"a Cortex-{own}, which executes {cpu} code"
    reason = "no emulator" if board.emulator is None else f"only {board.emulator.program}"
    return (
        f"{board.name} has {reason} to count and compare with: {target.name} runs its code, "
        f"{alike}; times are those of {board.name} at {board.clock_hz / 1e6:g} MHz"
    )


def stand_in(board: Board) -> Board:
    """Emulated board of the same CPU, with the compiler's settings of `board`."""
    target = boards.load(STAND_IN[board.cpu])
    settings = ("cpu", "isa", "fft_numerics", "flags", "helium")
    return target.model_copy(update={name: getattr(board, name) for name in settings})
