"""Images with the link on USB for every board that has one: they build, without the UART."""

from pathlib import Path

import pytest

from edgebio import boards, storage
from edgebio.boards.board import Board
from edgebio.errors import EdgebioError
from edgebio.firmware import board_header, elf, resources
from tests.boards.conftest import build_probe

WITH_USB = [name for name in boards.names() if boards.load(name).usb_link]


def test_some_boards_have_usb() -> None:
    assert {"pico", "pico2", "nrf52840-dk"} <= set(WITH_USB)


@pytest.mark.parametrize("name", WITH_USB)
def test_image_builds_with_a_bound_of_its_stack(name: str, tmp_path: Path) -> None:
    board = boards.with_link(boards.load(name), "usb")
    image = elf.Image(build_probe(board, tmp_path))
    stack = next(section.size for section in image.sections if section.name == ".stack")
    assert 200 < stack < 2000
    assert image.symbol("port_usb_irq")
    assert not image.symbol("port_uart_irq")
    header = (tmp_path / "src" / "ports" / "eb_board.h").read_text()
    assert f'EB_USB_PRODUCT "edgebio {name}"' in header
    assert "EB_UART_BASE" not in header


@pytest.mark.parametrize("name", WITH_USB)
def test_product_fits_into_a_string_descriptor(name: str) -> None:
    assert len(board_header.usb_product(boards.load(name))) <= 31
    longest = Board.model_fields["name"].metadata
    assert any(getattr(each, "max_length", 0) == 23 for each in longest), "23 + len('edgebio ')"


def test_uart_frees_its_pins_and_usb_its_interrupt() -> None:
    board = boards.load("pico")
    gpio = board.sinks.gpio
    assert gpio
    taken = {"sinks.gpio": gpio.model_copy(update={"pins": ("GP0",)})}
    with pytest.raises(EdgebioError, match=r"pin GP0 is taken by uart and sinks\.gpio"):
        resources.check(board, taken)
    resources.check(boards.with_link(board, "usb"), taken)
    adc = board.sources.adc
    assert adc
    clash = {"sources.adc": adc.model_copy(update={"irqs": (5,)})}
    resources.check(board, clash)
    with pytest.raises(EdgebioError, match=r"interrupt 5 is taken by usb_link and sources\.adc"):
        resources.check(boards.with_link(board, "usb"), clash)


def test_board_file_that_chooses_usb_must_have_it(tmp_path: Path) -> None:
    text = (storage.assets("boards") / "mps2-an386.toml").read_text()
    (tmp_path / "mine.toml").write_text('link = "usb"\n' + text)
    with pytest.raises(EdgebioError, match=r"link 'usb' and section \[usb_link\] go together"):
        boards.load(tmp_path / "mine.toml")
