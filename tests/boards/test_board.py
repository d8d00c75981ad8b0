"""Board files: those of edgebio, and the errors of wrong ones."""

from pathlib import Path

import pytest

from edgebio import boards, storage
from edgebio.boards.board import Board
from edgebio.errors import EdgebioError

NAMES = (
    "mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547", "netduinoplus2",
    "nrf52840-dk", "nucleo-f446re", "nucleo-l476rg", "nucleo-l4r5zi", "pico", "pico2",
    "stm32f4discovery",
)  # fmt: skip
SCALAR = ("cortex-m0plus", "cortex-m3")


def test_names_are_those_of_the_board_files() -> None:
    assert boards.names() == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_board_file_is_valid_and_has_the_name_of_its_board(name: str) -> None:
    board = boards.load(name)
    assert board.name == name
    assert board.fft_numerics == ("scalar" if board.cpu in SCALAR else "dsp")
    assert board.isa == {"cortex-m55": "mve"}.get(board.cpu, board.fft_numerics).replace(
        "scalar", "portable"
    )
    assert (board.proven.level == "builds") == (board.emulator is None)
    assert board.proven.level != "hardware"  # no board has been tested yet


def test_helium_section_needs_a_cpu_with_helium(tmp_path: Path) -> None:
    helium = '[helium]\nnote = "x"\nbounds.64 = { spectrum = 1, image = 1 }\n\n[flash]'
    with pytest.raises(EdgebioError, match="helium: a cortex-m4 has no Helium"):
        boards.load(board_file(tmp_path, "[flash]", helium))
    assert boards.load("mps3-an547").helium is not None


def test_unknown_board_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(
        EdgebioError,
        match=r"no board 'pico3' \(did you mean 'pico2?'\?\); there are mps2-an385, .*",
    ):
        boards.load("pico3")


def board_file(folder: Path, old: str = "", new: str = "") -> Path:
    """The Netduino's board file with a change."""
    text = (storage.assets("boards") / "netduinoplus2.toml").read_text()
    assert old in text
    path = folder / "own.toml"
    path.write_text(text.replace(old, new))
    return path


def test_board_is_read_by_path(tmp_path: Path) -> None:
    board = boards.load(board_file(tmp_path, 'name = "netduinoplus2"', 'name = "my-f405"'))
    assert board.name == "my-f405"
    assert Board.model_validate_json(board.model_dump_json()) == board


def test_missing_board_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EdgebioError, match=r"none\.toml: no such board file"):
        boards.load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("clock_hz = 168_000_000", "", "clock_hz: Field required"),
        ("clock_hz = 168_000_000", "clock_hz = 0", "clock_hz: .*greater than 0"),
        ("[defines]", "[wires]", "no key .wires."),
        ('"cortex-m4"', '"cortex-m9"', "cpu: Input should be"),
        ('isa = "dsp"', 'isa = "mve"', "isa: a cortex-m4 has no mve; its best is dsp"),
        ("-mcpu=cortex-m4", "-mcpu=cortex-m7", "flags lack -mcpu=cortex-m4"),
        ("0x2000_0000", "0x0801_0000", "flash and ram overlap"),
        ("0x0800_0000", "0x0800_0100", "multiple of 512"),
        ('"emulator", ', "", "'emulator' and section"),
        (
            'port = "stm32f4"',
            'port = "stm32f7"',
            r"no port 'stm32f7' \(did you mean 'stm32f4'\?\); there are cmsdk, nrf52, rp2, .*",
        ),
        ('port = "stm32f4"', 'port = "../.."', "port: String should match"),
        ("irqs = [37]", "irqs = []", "uart.irqs"),
        ('name = "netduinoplus2"', "name = ", "not TOML"),
        ('level = "emulated"', 'level = "surely"', "proven.level"),
    ],
)
def test_wrong_board_file_is_refused_by_key(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = board_file(tmp_path, old, new)
    with pytest.raises(EdgebioError, match=message) as caught:
        boards.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_board_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EdgebioError, match="not TOML"):
        boards.load(path)
