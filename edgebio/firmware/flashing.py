"""An image onto its board: for an emulated one, its emulator is started and left running."""

from pathlib import Path

from edgebio.boards import emulator
from edgebio.errors import EdgebioError
from edgebio.firmware import manifest


def flash(
    folder: Path, port: str | None = None, serial: emulator.Serial = "pty"
) -> emulator.Detached:
    """Put the image in `folder` on its board.

    Parameters
    ----------
    folder
        What ``edgebio build`` made.
    port
        Serial port of a real board.
    serial
        Serial port that the emulator offers.

    Returns
    -------
    emulator.Detached
        The emulator that runs the image now, and until it is stopped.

    Raises
    ------
    EdgebioError
        Where the folder holds no image, or the board cannot be flashed that way.
    DeviceError
        Where the emulator does not come up.
    """
    manifest.load(folder)
    board = manifest.load_board(folder)
    image = folder / "firmware.elf"
    if port is None and board.emulator is not None:
        return emulator.detach(board, image, serial)
    others = [method for method in board.flash.methods if method != "emulator"]
    if not others:
        raise EdgebioError(f"{board.name} is an emulated board; leave out --port")
    raise EdgebioError(
        f"writing to a real {board.name} is not built in yet; write {folder}/firmware.hex with "
        f"{' or '.join(others)}"
    )


def stop(folder: Path) -> emulator.Detached | None:
    """Stop the emulator that runs the image in `folder`; None where none runs.

    Raises
    ------
    DeviceError
        Where it does not end.
    """
    return emulator.stop(folder)
