"""What the boot ROMs of RP2040 and RP2350 look for, in the images that are built for them."""

import zlib
from pathlib import Path

import pytest

from edgebio import boards, firmware
from edgebio.boards import emulator
from edgebio.errors import DeviceError, MissingToolError
from tests.boards.conftest import build_probe

PICO = "pico"


def bits_reversed(value: int, width: int) -> int:
    return int(f"{value:0{width}b}"[::-1], 2)


def rom_crc(data: bytes) -> int:
    """CRC-32 without reflection and final XOR, by way of zlib's."""
    mirrored = bytes(bits_reversed(byte, 8) for byte in data)
    return bits_reversed(zlib.crc32(mirrored) ^ 0xFFFF_FFFF, 32)


@pytest.fixture(scope="module")
def binary(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp(PICO)
    firmware.build(models_folder / "emg_cnn.tflite", boards.load(PICO), folder)
    return (folder / "firmware.bin").read_bytes()


def test_second_stage_has_the_crc_that_the_rom_checks(binary: bytes) -> None:
    assert rom_crc(b"123456789") == 0x0376E6E7, "CRC-32/MPEG-2 of the catalog"
    assert rom_crc(binary[:252]) == int.from_bytes(binary[252:256], "little")
    assert any(binary[:252])


def test_vectors_stand_where_the_second_stage_looks(binary: bytes) -> None:
    ram, flash = boards.load(PICO).memory.ram, boards.load(PICO).memory.flash
    stack, reset = (int.from_bytes(binary[at : at + 4], "little") for at in (0x200, 0x204))
    assert ram.origin < stack <= ram.origin + ram.bytes
    assert flash.origin < reset < flash.origin + len(binary)
    assert reset & 1
    assert (0x10000200).to_bytes(4, "little") in binary[:252]


def test_rp2350_finds_its_image(models_folder: Path, tmp_path: Path) -> None:
    """The block of datasheet 5.9.5.1, in the first 4 KB behind the vectors."""
    firmware.build(models_folder / "emg_cnn.tflite", boards.load("pico2"), tmp_path)
    data = (tmp_path / "firmware.bin").read_bytes()
    block = b"".join(
        word.to_bytes(4, "little")
        for word in (0xFFFFDED3, 0x10210142, 0x000001FF, 0x00000000, 0xAB123579)
    )
    assert 0 < data.find(block) < 4096
    assert data.find(block) % 4 == 0
    ram = boards.load("pico2").memory.ram
    assert ram.origin < int.from_bytes(data[:4], "little") <= ram.origin + ram.bytes


def test_a_second_stage_with_a_wrong_crc_does_not_boot(tmp_path: Path) -> None:
    board = boards.load(PICO)
    try:
        emulator.check_installed(board)
    except MissingToolError as error:
        pytest.skip(str(error))
    image = build_probe(board, tmp_path)
    data = bytearray(image.read_bytes())
    at = data.find((0x1F0300).to_bytes(4, "little"))
    assert at > 0
    data[at] ^= 1
    image.write_bytes(data)
    with (
        pytest.raises(DeviceError, match="boot ROM refuses the second stage: its CRC is wrong"),
        emulator.start(board, image),
    ):
        pass
