"""The image to emulate in place of one whose board has no emulator."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from edgebio import firmware
from edgebio.firmware import manifest
from edgebio.firmware.stand_in import stand_in


@contextlib.contextmanager
def image_to_emulate(folder: Path) -> Iterator[Path]:
    """Folder of an image that an emulator runs, for the duration of the block.

    It is `folder` if its board is emulated. Otherwise the same model is built with the same
    settings for an emulated board of the same CPU.
    """
    board = manifest.load_board(folder)
    if board.emulator is not None:
        yield folder
        return
    built = manifest.load(folder)
    with tempfile.TemporaryDirectory(prefix="edgebio-hil-") as scratch:
        image = Path(scratch, "image")
        firmware.build(
            manifest.load_model(folder), stand_in(board), image, hooks=built.hooks,
            stream=built.hop_frames is not None,
        )  # fmt: skip
        yield image
