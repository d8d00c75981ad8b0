"""The ADS1298's source on an emulated RP2040 and converter: every sample, every flag."""

import shutil
import time
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import serial

from edgebio import boards, storage
from edgebio.boards import emulator
from edgebio.boards.rp2040js_parts import Ads1298Event, Ads1298Signal, Parts, read_journal
from edgebio.errors import MissingToolError
from edgebio.firmware import board_header, linking, source_config
from edgebio.firmware.peripheral_options import parse
from edgebio.firmware.port_sources import add_port
from edgebio.firmware.source_tree import SourceTree
from edgebio.frontend.spec import FrontendSpec
from edgebio.sampling.ads1298 import Ads1298, counts
from edgebio.tflite.metadata import SignalScale

OVERRUN, LEAD_OFF, DISCONNECTED = 1, 2, 4
STEP = Fraction(1, 10**6)
SIGNAL = SignalScale(volts_per_count=Decimal("0.000001"))


@dataclass(frozen=True)
class Image:
    """An application that sends its source's blocks, for one kind of converter."""

    path: Path
    board: boards.Board
    converter: Ads1298
    channels: int
    rate: int


def build(
    folder: Path, options: str, converter: Ads1298, channels: int, rate: int, name: str = "pico"
) -> Image:
    board = boards.load(name)
    try:
        emulator.check_installed(board)
    except MissingToolError as error:
        pytest.skip(str(error))
    root = folder / "src"
    (root / "app").mkdir(parents=True)
    application = Path(__file__).with_name("ads1298_stream.c")
    shutil.copyfile(application, root / "app" / application.name)
    spec = FrontendSpec(rate=rate, channels=channels)
    source = source_config.configure(parse(f"ads1298:{options}", "source"), board, spec, SIGNAL)
    storage.write_text(root / "app" / "source_config.h", source.header(10_000))
    tree = SourceTree(root, [*board.flags, "-DEB_STANDALONE=1"])
    add_port(tree, board, board_header.Use(spi=source.spi))
    sources = storage.assets("firmware_assets") / "sources"
    tree.add("sources", source.sources, [sources])
    tree.add("app", [root / "app" / application.name], [root / "app"])
    path = linking.compile_and_link(tree, board, folder / "firmware.elf").path
    return Image(path, board, converter, channels, rate)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Image:
    folder = tmp_path_factory.mktemp("one")
    converter = Ads1298(gain=12, lead_off=True, highpass=10)
    return build(folder, "gain=12,highpass=10,lead_off=on", converter, 8, 1000)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Image:
    folder = tmp_path_factory.mktemp("chain")
    converter = Ads1298(chip="ads1299", chips=2, gain=24)
    options = "chip=ads1299,chips=2,gain=24,lead_off=off"
    return build(folder, options, converter, 11, 2000)


@dataclass(frozen=True)
class Block:
    """What the source gave."""

    first: int
    time_us: int
    leads_off: int
    frames: int
    flags: int
    samples: npt.NDArray[np.int16]


def play(
    image: Image, codes: npt.NDArray[np.int32], folder: Path, frames: int, **more
) -> list[Block]:
    """Blocks of at least `frames` frames."""
    spi = image.board.sources.ads1298
    assert spi
    signal = Ads1298Signal(codes, image.converter, spi, **more)
    blocks, total, end = [], 0, time.monotonic() + 60
    parts = Parts(ads1298=signal)
    with (
        emulator.start(image.board, image.path, parts=parts, folder=folder) as running,
        serial.serial_for_url(running.url, timeout=20) as port,
    ):
        while total < frames and time.monotonic() < end:
            blocks.append(read_block(port, image.channels))
            total += blocks[-1].frames
    return blocks


def read_block(port: serial.Serial, channels: int) -> Block:
    first, time_us, leads_off, frames, flags = np.frombuffer(read(port, 20), "<u4").tolist()
    samples = np.frombuffer(read(port, 2 * channels * frames), "<i2").astype(np.int16)
    return Block(first, time_us, leads_off, frames, flags, samples.reshape(-1, channels))


def read(port: serial.Serial, size: int) -> bytes:
    data = port.read(size)
    assert len(data) == size, "the emulated board fell silent"
    return data


def make_codes(frames: int, channels: int) -> npt.NDArray[np.int32]:
    rng = np.random.default_rng(frames)
    walk = rng.integers(-(1 << 14), 1 << 14, (frames, channels)).cumsum(0)
    walk += rng.integers(-(1 << 22), 1 << 22, channels)  # offsets of electrodes
    return walk.clip(-(1 << 23), (1 << 23) - 1).astype(np.int32)


@pytest.mark.parametrize("ppm", [0, 20_000])
@pytest.mark.parametrize("name", ["one", "chain"])
def test_no_sample_is_lost_or_different(name, ppm, request, tmp_path):
    image = request.getfixturevalue(name)
    codes = make_codes(1200, image.converter.channels)
    blocks = play(image, codes, tmp_path, 1000, ppm=ppm)
    samples = np.concatenate([block.samples for block in blocks])
    assert [block.flags for block in blocks] == [0] * len(blocks)
    numbers = [block.first + i for block in blocks for i in range(block.frames)]
    assert numbers == list(range(len(samples)))
    expected = counts(codes[:, : image.channels], image.converter, STEP, image.rate)
    assert (samples == expected[: len(samples)]).all()
    span = blocks[-1].time_us - blocks[0].time_us
    period = (1e6 + ppm) / image.rate
    assert span == pytest.approx(blocks[-1].first * period, abs=10)


def test_faults_of_electrodes_and_converter_are_reported(one, tmp_path):
    events = (
        Ads1298Event(400_000, "leads", positive=0b100),
        Ads1298Event(450_000, "leads", negative=0b1001),
        Ads1298Event(500_000, "leads"),
        Ads1298Event(600_000, "unplug"),
        Ads1298Event(800_000, "plug"),
    )
    codes = make_codes(3000, 8)
    blocks = play(one, codes, tmp_path, 600, events=events)
    seen = [(block.flags, block.leads_off) for block in blocks]
    order = [seen[0], *(b for a, b in pairwise(seen) if a != b)]
    assert order == [
        (0, 0), (LEAD_OFF, 0b100), (LEAD_OFF, 0b1001), (0, 0),
        (DISCONNECTED, 0), (OVERRUN, 0), (0, 0),
    ]  # fmt: skip
    lost = next(block for block in blocks if block.flags & DISCONNECTED)
    assert 600_000 < lost.time_us < 622_000  # eight periods, 2 ms, and a lap of the sleeping loop
    back = next(i for i, block in enumerate(blocks) if block.flags & OVERRUN)
    assert 1_200_000 < blocks[back].time_us < 1_500_000
    # The signal went on meanwhile, and the high-pass starts afresh.
    begin = round((blocks[back].time_us - blocks[0].time_us) / 1000)
    assert blocks[back].first == pytest.approx(begin, abs=1)
    samples = np.concatenate([block.samples for block in blocks[back:]])
    expected = [
        counts(codes[k : k + len(samples)], one.converter, STEP, 1000) for k in (begin, begin + 1)
    ]
    assert any((samples == values).all() for values in expected)


def test_the_converter_is_set_up_by_the_data_sheet(one, tmp_path):
    play(one, make_codes(100, 8), tmp_path, 20)
    registers = next(row["registers"] for row in read_journal(tmp_path) if "registers" in row)
    assert registers[:0x18] == [
        0x92, 0xC5, 0x40, 0xCC, 0x03, *[0x60] * 8, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0x0F, 0, 0, 0x02,
    ]  # fmt: skip


def test_an_stm32_without_a_converter_says_so(tmp_path):
    """QEMU has the SPI of the STM32F405, with nothing at it: it reads as zeros."""
    image = build(tmp_path, "gain=6", Ads1298(gain=6, lead_off=True), 4, 500, "netduinoplus2")
    with (
        emulator.start(image.board, image.path, "tcp") as running,
        serial.serial_for_url(running.url, timeout=20) as port,
    ):
        blocks = [read_block(port, 4) for _ in range(3)]
    assert [(block.flags, block.frames) for block in blocks] == [(DISCONNECTED, 0)] * 3
    times = [block.time_us for block in blocks]
    assert times[0] > 140_000
    assert max(np.diff(times)) < 200_000
