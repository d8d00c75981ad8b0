"""Converters of STM32F4, STM32L4 and nRF52840 on simulated chips, under sanitizers.

No emulator models their DMA and triggers. The C is that of the firmware; its registers are those of
a model written from the manuals, at every look at which codes may arrive.
"""

import subprocess
from pathlib import Path

import pytest

from edgebio import boards, storage
from edgebio.firmware import board_header
from edgebio.firmware.board_header import AdcUse, Use
from edgebio.processes import host_compiler

HERE = Path(__file__).with_name("chips")
SANITIZE = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
STRICT = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-Wno-pointer-to-int-cast")


def build(folder: Path, name: str, channels: int, change: tuple[str, str] | None = None) -> Path:
    """Program of a board's converter with its model; `change` replaces a text of adc.c."""
    board = boards.load(name)
    adc = board.sources.adc or board.sources.saadc
    assert adc is not None
    # Not in order: the converter must keep the order of the channels, not of its inputs.
    pins, inputs = adc.pins[::-1][:channels], adc.inputs[::-1][:channels]
    use = Use(AdcUse(pins, inputs, adc.clock_hz // 2000, adc.clock_hz, adc))
    ports = storage.assets("firmware_assets") / "ports"
    text = (ports / board.port / "adc.c").read_text()
    if change is not None:
        assert text.count(change[0]) == 1, change
        text = text.replace(*change)
    for path in (HERE / "cortex_m.h", HERE / "converter.c"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "adc.c").write_text(text)
    (folder / "eb_board.h").write_text(board_header.text(board, use))
    family = [ports / "stm32"] if board.port.startswith("stm32") else []
    sources = [folder / "converter.c", HERE / f"chip_{board.port}.c"]
    sources += [path / "stm32.c" for path in family]
    sources += [ports / "cortex_m" / "supply.c"]
    include = [folder, HERE, ports / board.port, *family, ports, ports / "cortex_m"]
    program = folder / "simulated"
    late = ["-DLATE_IS_SEEN"] if board.port == "nrf52" else []
    subprocess.run(
        [host_compiler.find_compiler(), *STRICT, *SANITIZE, *late,
         *(f"-I{path}" for path in include), *sources, "-o", program],
        check=True,
    )  # fmt: skip
    return program


def run(program: Path, seed: int) -> str:
    done = subprocess.run([program, str(seed)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("nucleo-f446re", 1), ("nucleo-f446re", 8), ("stm32f4discovery", 7), ("nucleo-f446re", 13),
        ("nucleo-l476rg", 1), ("nucleo-l476rg", 5), ("nucleo-l476rg", 13),
        ("nrf52840-dk", 1), ("nrf52840-dk", 3), ("nrf52840-dk", 8),
    ],
)  # fmt: skip
def test_frames_are_counted_and_channels_keep_their_order(
    tmp_path: Path, name: str, channels: int
) -> None:
    program = build(tmp_path, name, channels)
    for seed in range(1, 4):
        assert run(program, seed) == "right\n"


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("nucleo-f446re", "(flags & DMA_FLAG_HALF ? 1u : 0u) + ", "", "fails without a reason"),
        ("nucleo-f446re", "filled.items - DMA_NDTR, EB_ADC_CHANNELS",
         "DMA_NDTR, EB_ADC_CHANNELS", "count of frames"),
        ("nucleo-f446re", "DMA_IFCR = flags << DMA_FLAGS_AT;", "", "count of frames"),
        ("nucleo-f446re", "|| ADC_SR & ADC_SR_OVR", "", "overrun is not seen"),
        ("nucleo-l476rg", "(flags & DMA_FLAG_END ? 1u : 0u)", "0u", "fails without a reason"),
        ("nucleo-l476rg", "ADC_ISR = ADC_ISR_OVR;", "", "the start"),
        ("nrf52840-dk", "(filled.halves + 1u) & 1u", "filled.halves & 1u", "order of channels"),
        ("nrf52840-dk", "dma_ring_counted(&filled, count_done(SLOT_IRQ));", "",
         "late interrupt is not seen"),
        ("nrf52840-dk", "TIMER_SHORTS(COUNTER) = TIMER_SHORTS_CLEAR_AT(SLOT_RING);", "",
         "restarts with the ring"),
    ],
)  # fmt: skip
def test_model_finds_faults(tmp_path: Path, name: str, old: str, new: str, expected: str) -> None:
    """The model is not blind: each of these faults is one that it must see."""
    program = build(tmp_path, name, 4, (old, new))
    assert expected in " ".join(run(program, seed) for seed in range(1, 4))
