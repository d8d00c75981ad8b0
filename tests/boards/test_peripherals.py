"""Converter, servos and pins of every board: the C compiles, its interrupts are in place."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from edgebio import boards
from edgebio.boards import Board
from edgebio.firmware import linking, resources, stack
from edgebio.firmware.board_header import AdcUse, Use
from edgebio.firmware.elf import Image
from edgebio.firmware.port_sources import add_port
from edgebio.firmware.source_tree import SourceTree
from edgebio.firmware.standalone import FLAG

PORTS = ("stm32f4", "stm32l4", "nrf52")
NAMES = [name for name in boards.names() if boards.load(name).port in PORTS]
SAMPLING = [
    name for name in NAMES if boards.load(name).sources.adc or boards.load(name).sources.saadc
]
APPLICATION = Path(__file__).with_name("peripherals.c")


def uses(board: Board) -> Use:
    """Everything that a board offers, with all channels."""
    adc = board.sources.adc or board.sources.saadc
    assert adc is not None
    return Use(
        AdcUse(adc.pins, adc.inputs, adc.clock_hz // 1000, adc.clock_hz, adc),
        None,
        board.sinks.servo,
        board.sinks.gpio,
    )


def link(board: Board, use: Use, folder: Path) -> Image:
    """Image that calls every function of peripherals.h but those of SPI."""
    root = folder / "src"
    (root / "app").mkdir(parents=True)
    shutil.copyfile(APPLICATION, root / "app" / "peripherals.c")
    tree = SourceTree(root, [*board.flags, FLAG])
    add_port(tree, board, use)
    tree.add("app", [root / "app" / "peripherals.c"])
    return linking.compile_and_link(tree, board, folder / "firmware.elf")


@pytest.mark.parametrize("name", SAMPLING)
def test_interrupts_of_all_peripherals_are_in_the_vector_table(name: str, tmp_path: Path) -> None:
    board = boards.load(name)
    adc = board.sources.adc or board.sources.saadc
    assert adc is not None
    image = link(board, uses(board), tmp_path)
    functions = {function.name: function.address for function in image.functions}
    origin = board.memory.flash.origin
    expected = {
        "port_uart_irq": board.uart.irqs, "port_adc_irq": adc.irqs,
        "port_supply_irq": board.irqs["supply"],
    }  # fmt: skip
    for handler, irqs in expected.items():
        for irq in irqs:
            assert image.word(origin + 4 * (16 + irq)) == functions[handler] | 1, (handler, irq)
    assert image.word(origin + 4 * 15) == functions["cortex_m_clock_irq"] | 1
    if board.port != "nrf52":
        assert image.word(origin + 4 * 2) == functions["cortex_m_nmi"] | 1
        assert functions["cortex_m_nmi"] != functions["fault_entry"], "the clock may have failed"
    assert stack.bound(image) > 0


@pytest.mark.parametrize("name", NAMES)
def test_every_source_of_a_board_goes_with_every_sink(name: str) -> None:
    board = boards.load(name)
    for source in (board.sources.adc, board.sources.saadc, board.sources.ads1298):
        for sink in (board.sinks.servo, board.sinks.gpio):
            resources.check(board, {"source": source, "sink": sink})


@pytest.mark.parametrize("channels", [1, 6, 7, 13])
def test_any_number_of_channels_compiles(channels: int, tmp_path: Path) -> None:
    for name in ("nucleo-f446re", "nucleo-l476rg"):
        board = boards.load(name)
        use = uses(board)
        assert use.adc is not None
        some = replace(use.adc, pins=use.adc.pins[:channels], inputs=use.adc.inputs[:channels])
        folder = tmp_path / name
        folder.mkdir()
        assert link(board, replace(use, adc=some), folder).functions
