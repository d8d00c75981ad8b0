"""rp2040js on Node, which emulates the RP2040."""

import os
import re
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

from edgebio import storage
from edgebio.boards import emulated_drives, emulator_process
from edgebio.boards.board import Board
from edgebio.boards.emulator_process import Emulator
from edgebio.boards.rp2040js_parts import Parts
from edgebio.errors import MissingToolError

RP2040JS = "1.4.1"
"""Version of rp2040js that the boards are proven with."""


def program() -> tuple[str, str]:
    """Paths of Node and of the folder of rp2040js.

    ``EDGEBIO_RP2040JS`` names the folder; by default it is the one that ``make setup`` fills.
    `MissingToolError` if one of them is not installed.
    """
    node = shutil.which("node")
    if not node:
        raise MissingToolError("no node on this machine; install it: sudo apt-get install nodejs")
    default = Path(sys.prefix) / "node" / "node_modules" / "rp2040js"
    folder = Path(os.environ.get("EDGEBIO_RP2040JS") or default)
    if not (folder / "dist").is_dir():
        raise MissingToolError(
            f"no rp2040js in {folder}; install it: npm install --prefix {sys.prefix}/node "
            f"rp2040js@{RP2040JS}"
        )
    return node, str(folder)


def launch(
    board: Board, image: Path, log: Path, *, detached: bool, parts: Parts | None = None
) -> Emulator:
    """Start an emulated board, whose serial port is always a TCP port.

    `parts` are connected to it; their files are written beside `log`.
    """
    node, library = program()
    script = storage.assets("firmware_assets") / "emulator" / "rp2040.mjs"
    parts = replace(parts or Parts(), link=board.link, drives=emulated_drives.root())
    settings = parts.write(log.parent.resolve())
    line = [node, str(script), library, str(image.resolve()), str(settings)]
    process = emulator_process.launch(line, log, detached=detached)
    deadline = time.monotonic() + emulator_process.START_SECONDS
    port = None
    with emulator_process.starting(board, process, log):
        while port is None and process.poll() is None:
            if time.monotonic() > deadline:
                raise TimeoutError
            time.sleep(0.02)
            port = re.search(r"^port (\d+)$", log.read_text(errors="replace"), re.MULTILINE)
    return Emulator(board.name, f"socket://127.0.0.1:{port[1] if port else ''}", process)
