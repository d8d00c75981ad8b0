"""UF2 files, and the drive of a boot ROM that takes them."""

import contextlib
import os
import struct
from collections.abc import Callable
from pathlib import Path

from edgebio.boards.drives import mounted
from edgebio.errors import DeviceError

_PAYLOAD = 256
_MAGIC_START, _MAGIC_END = (0x0A324655, 0x9E5D5157), 0x0AB16F30
_HAS_FAMILY = 0x2000
_CHUNK = 1 << 14


def encode(binary: bytes, origin: int, family: int) -> bytes:
    """UF2 file of an image with address `origin` for a `family` of chips.

    Format: "USB Flashing Format (UF2)", Microsoft; blocks of 512 bytes with 256 bytes of image.
    """
    count = -(-len(binary) // _PAYLOAD)
    return b"".join(
        struct.pack(
            "<8I476sI", *_MAGIC_START, _HAS_FAMILY, origin + at, _PAYLOAD, at // _PAYLOAD, count,
            family, binary[at : at + _PAYLOAD], _MAGIC_END,
        )
        for at in range(0, len(binary), _PAYLOAD)
    )  # fmt: skip


def copy(data: bytes, board: str, advance: Callable[[float], None]) -> None:
    """Copy a UF2 file to the drive of the boot ROM, which restarts after the last block."""
    target = _drive(board) / "FIRMWARE.UF2"
    try:
        with target.open("wb", buffering=0) as file:
            for at in range(0, len(data), _CHUNK):
                file.write(data[at : at + _CHUNK])
                advance(min(at + _CHUNK, len(data)) / len(data))
            with contextlib.suppress(OSError):  # the drive may be gone after the last block
                os.fsync(file.fileno())
    except OSError as error:
        raise DeviceError(
            f"{target}: the copy failed ({error.strerror}); hold BOOTSEL, plug the board in again "
            "and repeat"
        ) from None


def drives() -> list[Path]:
    """Mounted drives of boot loaders that take UF2 files."""
    return [path for path in mounted() if (path / "INFO_UF2.TXT").is_file()]


def _drive(board: str) -> Path:
    choice = drives()
    if len(choice) != 1:
        problem = f"{len(choice)} such drives are" if choice else "no drive of a boot loader is"
        raise DeviceError(
            f"{problem} mounted: hold BOOTSEL while plugging {board} in, and mount its drive"
        )
    return choice[0]
