"""The source for ADS1298 and ADS1299: registers and data, and at work on a model of the chip."""

import ctypes
import subprocess
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio import storage
from edgebio.errors import EdgebioError
from edgebio.processes import host_compiler
from edgebio.sampling.ads1298 import GAINS, RATES, Ads1298, codes, counts

SOURCES = storage.assets("firmware_assets") / "sources"
PORTS = storage.assets("firmware_assets") / "ports"
OVERRUN, LEAD_OFF, DISCONNECTED = 1, 2, 4
SANITIZE = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
STARTED_US = 290_000  # 2^18 clocks of 514 ns, then 150 ms for the reference


class Settings(ctypes.Structure):
    """``eb_ads1298_settings``."""

    _fields_ = (
        ("is_ads1299", ctypes.c_bool), ("chips", ctypes.c_uint8), ("channels", ctypes.c_uint8),
        ("gain", ctypes.c_uint8), ("reference_4_volt", ctypes.c_bool), ("lead_off", ctypes.c_bool),
        ("rate_hz", ctypes.c_uint32),
    )  # fmt: skip


@pytest.fixture(scope="module")
def driver() -> ctypes.CDLL:
    flags = ("-fsanitize=undefined", "-fno-sanitize-recover=all", *host_compiler.STRICT)
    library = host_compiler.load_library("ads", [SOURCES / "eb_ads1298.c"], [SOURCES], flags)
    library.eb_ads1298_registers.restype = ctypes.c_bool
    library.eb_ads1298_parse.restype = ctypes.c_bool
    library.eb_ads1298_identified.restype = ctypes.c_bool
    library.eb_ads1298_frame_bytes.restype = ctypes.c_size_t
    return library


def registers(driver: ctypes.CDLL, *settings) -> list[int] | None:
    values = (ctypes.c_uint8 * 24)()
    fits = driver.eb_ads1298_registers(ctypes.byref(Settings(*settings)), values)
    return list(values) if fits else None


def test_registers_of_an_ads1298(driver):
    """By SBAS459K, 9.6: 1 kHz with high resolution, 2.4 V, gain 12, six channels, lead-off."""
    values = registers(driver, False, 1, 6, 12, False, True, 1000)
    assert values == [
        0, 0b1100_0101, 0, 0b1100_1100, 0b0000_0011, *[0x60] * 6, 0x81, 0x81,
        0, 0, 0x3F, 0x3F, 0, 0, 0, 0, 0, 0, 0b0000_0010,
    ]  # fmt: skip


def test_registers_of_an_ads1299_chain(driver):
    """By SBAS499C, 9.6: 250 Hz, gain 24, twelve channels of two converters, no lead-off."""
    values = registers(driver, True, 2, 12, 24, False, False, 250)
    assert values == [0, 0b1001_0110, 0, 0b1110_1100, 0, *[0x60] * 8, *[0] * 11]


def test_python_and_the_driver_agree_on_what_the_chips_can_do(driver):
    for chip in GAINS:
        is_1299 = chip == "ads1299"
        gains = {g for g in range(256) if registers(driver, is_1299, 1, 8, g, 0, 0, 500)}
        assert gains == set(GAINS[chip])
        rates = {
            r
            for r in [*range(0, 70_000, 125), *(2**k for k in range(17))]
            if registers(driver, is_1299, 1, 8, 12, 0, 0, r)
        }
        assert rates == set(RATES[chip])


@pytest.mark.parametrize("rate", RATES["ads1298"])
def test_rates_are_those_of_the_data_sheet(driver, rate):
    """Table of CONFIG1: f_CLK / 64 / 2^DR with high resolution, / 128 / 2^DR with low power."""
    values = registers(driver, False, 1, 8, 6, 0, 0, rate)
    assert values
    config = values[1]
    assert 2_048_000 / (64 if config & 0x80 else 128) / 2 ** (config & 7) == rate
    assert config & 0x38 == 0


@pytest.mark.parametrize("rate", RATES["ads1299"])
def test_rates_of_the_ads1299(driver, rate):
    values = registers(driver, True, 1, 8, 6, 0, 0, rate)
    assert values
    config = values[1]
    assert 2_048_000 / 128 / 2 ** (config & 7) == rate
    assert config & 0xF8 == 0xD0


@pytest.mark.parametrize(
    "settings",
    [
        (False, 3, 8, 12, 0, 0, 500), (False, 1, 9, 12, 0, 0, 500), (False, 1, 0, 12, 0, 0, 500),
        (True, 1, 8, 12, 1, 0, 500), (True, 1, 8, 3, 0, 0, 500), (True, 1, 8, 1, 0, 0, 32000),
    ],
)  # fmt: skip
def test_what_a_chip_cannot_do_is_refused(driver, settings):
    assert registers(driver, *settings) is None


def test_only_its_own_id_is_accepted(driver):
    accepted = {i for i in range(256) if driver.eb_ads1298_identified(False, i)}
    assert accepted == {0x92}  # eight channels, no respiration: not R, not 1294, not floating
    accepted = {i for i in range(256) if driver.eb_ads1298_identified(True, i)}
    assert accepted == {revision << 5 | 0x1E for revision in range(8)}


@given(
    chips=st.sampled_from([1, 2]),
    data=st.data(),
    p=st.integers(0, 0xFFFF),
    n=st.integers(0, 0xFFFF),
    gap=st.integers(0, 1),
)
def test_frames_are_taken_apart(driver, chips, data, p, n, gap):
    channels = data.draw(st.integers(1, 8 * chips))
    code = st.integers(-(1 << 23), (1 << 23) - 1)
    codes = data.draw(st.lists(code, min_size=8 * chips, max_size=8 * chips))
    bits = ""
    for k in range(chips):
        bits += str(gap) if k else ""
        bits += f"1100{p >> 8 * k & 255:08b}{n >> 8 * k & 255:08b}0110"
        bits += "".join(f"{c & 0xFFFFFF:024b}" for c in codes[8 * k : 8 * k + 8])
    assert driver.eb_ads1298_frame_bytes(chips) == (len(bits) + 7) // 8
    frame = int(bits.ljust((len(bits) + 7) // 8 * 8, "1"), 2).to_bytes((len(bits) + 7) // 8, "big")
    settings = Settings(False, chips, channels, 12, False, True, 500)
    found_codes, off = (ctypes.c_int32 * 16)(), ctypes.c_uint32()
    parse = driver.eb_ads1298_parse
    assert parse(ctypes.byref(settings), frame, found_codes, ctypes.byref(off))
    assert list(found_codes)[:channels] == codes[:channels]
    assert off.value == (p | n) & ((1 << channels) - 1)
    settings.lead_off = False
    assert parse(ctypes.byref(settings), frame, found_codes, ctypes.byref(off))
    assert off.value == 0
    for fill in (b"\0", b"\xff"):
        blank = fill * len(frame)
        assert not parse(ctypes.byref(settings), blank, found_codes, ctypes.byref(off))
    if chips == 2:  # the second one is missing
        blank = frame[:27] + b"\xff" * 28
        assert not parse(ctypes.byref(settings), blank, found_codes, ctypes.byref(off))


@dataclass(frozen=True)
class Case:
    """A converter, its image's settings, and codes that it plays."""

    converter: Ads1298
    channels: int
    rate: int
    ring: int = 200
    frames: int = 6000

    def build(self, folder: Path) -> Path:
        scale = self.converter.scale(Fraction(1, 10**6), self.rate)
        (folder / "source_config.h").write_text(f"""\
#define EB_SOURCE_CHANNELS {self.channels}u
#define EB_SOURCE_RATE_MILLIHZ {1000 * self.rate}u
#define EB_SOURCE_RING_FRAMES {self.ring}u
#define EB_SOURCE_SCALE {{{scale.zero}, {scale.multiplier}, {scale.shift}, {scale.highpass}}}
#define EB_ADS1298_IS_ADS1299 {int(self.converter.chip == "ads1299")}
#define EB_ADS1298_CHIPS {self.converter.chips}u
#define EB_ADS1298_GAIN {self.converter.gain}u
#define EB_ADS1298_REFERENCE_4_VOLT {int(self.converter.reference == 4)}
#define EB_ADS1298_LEAD_OFF {int(self.converter.lead_off)}
""")
        program = folder / "chip"
        subprocess.run(
            [
                host_compiler.find_compiler(), *SANITIZE, *host_compiler.STRICT,
                f"-I{folder}", f"-I{PORTS}", f"-I{SOURCES}",
                Path(__file__).with_name("ads1298_chip.c"),
                SOURCES / "eb_source_ads1298.c", SOURCES / "eb_ads1298.c", "-o", program,
            ],
            check=True,
        )  # fmt: skip
        return program

    def codes(self) -> np.ndarray:
        rng = np.random.default_rng(self.rate)
        walk = rng.integers(-(1 << 15), 1 << 15, (self.frames, 16)).cumsum(0)
        walk += rng.integers(-(1 << 22), 1 << 22, 16)
        return walk.clip(-(1 << 23), (1 << 23) - 1).astype(np.int32)

    def expected(self, codes: np.ndarray) -> np.ndarray:
        return counts(codes[:, : self.channels], self.converter, Fraction(1, 10**6), self.rate)


ONE = Case(Ads1298(gain=12, lead_off=True, highpass=10), 8, 1000)
CASES = {
    "one": ONE,
    "plain": Case(Ads1298(gain=12), 8, 1000),
    "fast": Case(Ads1298(gain=6, reference=Fraction(4)), 3, 4000, ring=64),
    "slow": Case(Ads1298(chip="ads1299", gain=24, highpass=1), 8, 250),
    "chain": Case(Ads1298(chips=2, gain=4, lead_off=True), 13, 1000),
    "chain_1299": Case(Ads1298(chip="ads1299", chips=2, gain=8, highpass=20), 16, 500),
}


@dataclass(frozen=True)
class Block:
    """What eb_source_take gave."""

    first: int
    time_us: int
    leads_off: int
    frames: int
    flags: int
    samples: np.ndarray


@dataclass(frozen=True)
class Log:
    """What the source did."""

    blocks: list[Block]
    marks: list[list[str]]
    registers: list[int]
    faults: list[int]

    def samples(self) -> np.ndarray:
        return np.concatenate([block.samples for block in self.blocks])

    def numbers(self) -> list[int]:
        return [block.first + i for block in self.blocks for i in range(block.frames)]


class Bench:
    """Programs of the cases, built once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, name: str, scenario: str) -> tuple[Case, np.ndarray, Log]:
        case, folder = CASES[name], self._folder / name
        if not folder.exists():
            folder.mkdir()
            case.build(folder)
        codes = case.codes()
        codes.tofile(folder / "codes")
        result = subprocess.run(
            [folder / "chip", folder / "codes", str(case.frames)],
            input=scenario, text=True, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        lines = [line.split() for line in result.stdout.splitlines()]
        blocks = [
            Block(
                int(line[1]),
                int(line[2]),
                int(line[3]),
                int(line[4]),
                int(line[5]),
                np.array(line[6:], np.int16).reshape(-1, case.channels),
            )
            for line in lines
            if line[0] == "block"
        ]
        marks = [line for line in lines if line[0] in {"unplugged", "plugged", "restart"}]
        assert [line[0] for line in lines[-2:]] == ["registers", "faults"]
        log = Log(blocks, marks, [*map(int, lines[-2][1:])], [*map(int, lines[-1][1:])])
        assert log.faults == [0, 0]  # t_SDECODE; t_SCCS and t_CSH
        return case, codes, log


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("chip"))


def assert_counts(case: Case, log: Log, codes: np.ndarray) -> None:
    """Frames from the first conversion on, none lost, equal to the twin's."""
    samples = log.samples()
    assert len(samples) > 100
    assert log.numbers() == list(range(len(samples)))
    assert {block.flags for block in log.blocks} <= {0}
    assert (samples == case.expected(codes)[: len(samples)]).all()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("ppm", [-25_000, 0, 25_000])
def test_counts_are_those_of_the_twin(bench, name, ppm):
    case, codes, log = bench.run(name, f"clock {ppm} run 900000 busy 12000 run 200000")
    assert_counts(case, log, codes)
    assert log.blocks[0].time_us > STARTED_US
    times = np.array([block.time_us for block in log.blocks if block.frames == 1])
    assert np.median(np.diff(times)) == pytest.approx((1e6 + ppm) / case.rate, abs=2)


@pytest.mark.parametrize("name", ["one", "chain"])
def test_registers_arrive(bench, driver, name):
    case, _, log = bench.run(name, "run 400000")
    converter = case.converter
    values = registers(
        driver, converter.chip == "ads1299", converter.chips, case.channels, converter.gain,
        converter.reference == 4, converter.lead_off, case.rate,
    )  # fmt: skip
    assert values is not None
    values[0], values[2], values[0x14] = 0x92, 0x40, 0x0F  # not written
    assert log.registers[:24] == values


def test_a_slow_reader_loses_numbers_not_order(bench):
    case, codes, log = bench.run("one", "run 400000 busy 500000 run 300000")
    gaps = [block for block in log.blocks if block.flags]
    assert [block.flags for block in gaps] == [OVERRUN]
    numbers = log.numbers()
    before = numbers.index(gaps[0].first)
    lost = numbers[before] - numbers[before - 1] - 1
    assert 500 <= lost <= 504  # what came meanwhile, that of the full ring included
    expected = case.expected(codes)[:before]
    assert (log.samples()[:before] == expected).all()
    assert abs(gaps[0].time_us - (log.blocks[0].time_us + 1000 * gaps[0].first)) < 1500


@given(late=st.integers(1, 20_000), ppm=st.sampled_from([-25_000, 0, 25_000]))
def test_masked_interrupts_lose_exactly_what_passed(bench, late, ppm):
    case, codes, log = bench.run("plain", f"clock {ppm} run 400300 mask {late} run 100000")
    numbers, samples = log.numbers(), log.samples()
    gaps = np.flatnonzero(np.diff(numbers) != 1)
    wrong = np.flatnonzero((samples != case.expected(codes)[numbers]).any(1))
    # An interrupt that is late by nearly a period looks like the next one: for one frame, in a gap.
    assert set(wrong) <= {*(gaps + 1)}
    assert (samples[wrong] == case.expected(codes)[np.array(numbers)[wrong] - 1]).all()
    assert len(gaps) <= 1
    assert [block.flags for block in log.blocks].count(OVERRUN) == len(gaps)
    if late <= 850:
        assert not len(gaps)
    if late >= 2100:
        assert len(gaps)


@pytest.mark.parametrize("name", ["one", "chain"])
def test_leads_off_are_reported_by_channel(bench, name):
    scenario = "run 400000 leads 4 0 run 50000 leads 0 33 run 50000 leads 0 0 run 50000"
    _, _, log = bench.run(name, scenario)
    seen = [(block.leads_off, block.flags) for block in log.blocks]
    order = [seen[0], *(b for a, b in pairwise(seen) if a != b)]
    assert order == [(0, 0), (4, LEAD_OFF), (33, LEAD_OFF), (0, 0)]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("loss", ["unplug", "mute", "noise"])
def test_a_lost_converter_is_reported_and_comes_back(bench, name, loss):
    scenario = f"run 500000 {loss} run 200000 plug run 900000"
    case, codes, log = bench.run(name, scenario)
    flags = [block.flags for block in log.blocks]
    first = flags.index(DISCONNECTED)
    assert set(flags[:first]) == {0}
    assert log.blocks[first].time_us < 500_000 + 8e6 / case.rate + 4000
    back = next(i for i in range(first, len(flags)) if log.blocks[i].frames)
    assert set(flags[first:back]) == {DISCONNECTED}
    assert flags[back] == OVERRUN
    assert set(flags[back + 1 :]) == {0}
    assert len(flags) > back + 50
    # 140 ms for the power-on reset, once more as the first answer came too early, 150 ms
    plugged = int(log.marks[-1][1])
    assert plugged + STARTED_US < log.blocks[back].time_us < plugged + 2 * STARTED_US
    # It starts afresh: the counts are the twin's from the first code on.
    samples = np.concatenate([block.samples for block in log.blocks[back:]])
    begin = int(log.marks[-1][2])
    assert (samples == case.expected(codes[begin:])[: len(samples)]).all()
    # Numbers went on meanwhile.
    elapsed = log.blocks[back].time_us - log.blocks[0].time_us
    assert log.blocks[back].first == pytest.approx(elapsed * case.rate / 1e6, abs=2)


def test_without_a_converter_it_reports_and_waits(bench):
    _, _, log = bench.run("one", "unplug run 2000000")
    assert {block.flags for block in log.blocks} == {DISCONNECTED}
    times = [0, *(block.time_us for block in log.blocks)]
    assert max(np.diff(times)) < 200_000  # often enough for a decision to rest within 250 ms


def test_a_restart_goes_on_without_waiting(bench):
    case, codes, log = bench.run("one", "run 500000 restart run 100000")
    restart = int(log.marks[-1][1])
    again = next(i for i, block in enumerate(log.blocks) if i and block.first == 0)
    assert log.blocks[again].time_us < restart + 10_000
    samples = np.concatenate([block.samples for block in log.blocks[again:]])
    begin = int(log.marks[-1][2])
    assert (samples == case.expected(codes[begin:])[: len(samples)]).all()


def test_impossible_settings_are_refused_by_name():
    for wrong, text in (
        ({"gain": 5}, "gain 5; an ADS1298 can do 1, 2, 3, 4, 6, 8, 12"),
        ({"chips": 3}, "chips 3"),
        ({"chip": "ads1299", "reference": Fraction(4)}, "reference 4; an ADS1299 can do 4.5"),
        ({"chip": "ads1115"}, "there are ads1298, ads1299"),
    ):
        with pytest.raises(EdgebioError, match=text):
            replace(Ads1298(), **wrong)
    with pytest.raises(EdgebioError, match="16000 Hz"):
        Ads1298(chip="ads1299").check_rate(32000)
    with pytest.raises(EdgebioError, match="300 Hz"):
        Ads1298().check_rate(300)


def test_a_rate_that_spi_cannot_follow_is_refused():
    assert Ads1298(chips=2).transfer_micros(4000, 8_000_000) == pytest.approx(54.1, abs=0.1)
    with pytest.raises(EdgebioError, match="433 bits takes 108 us at 4 MHz, more than half of 125"):
        Ads1298(chips=2).transfer_micros(8000, 4_000_000)


@given(
    samples=st.lists(st.tuples(*(st.integers(-32768, 32767),) * 3), min_size=1, max_size=20),
    volts=st.fractions(Fraction(1, 10**8), Fraction(1, 10**5)),
    gain=st.sampled_from(GAINS["ads1299"]),
)
def test_a_recording_that_is_played_comes_back(samples, volts, gain):
    """Codes are finer than counts here: what is within full scale comes back exactly."""
    converter = Ads1298(chip="ads1299", gain=gain)
    signal = np.array(samples, np.int16)
    played = codes(signal, converter, volts)
    assert played.shape == (len(samples), 8)
    assert not played[:, 3:].any()
    if volts >= converter.volts_per_code:
        back = counts(played[:, :3], converter, volts, 1000)
        inside = np.abs(signal) * float(volts) < float(converter.reference / gain) * 0.9999
        assert (back == signal)[inside].all()
        full = counts(np.array([[(1 << 23) - 1] * 3]), converter, volts, 1000)[0, 0]
        assert back.max() <= full


def test_a_recording_with_too_many_channels_is_refused():
    with pytest.raises(EdgebioError, match="9 channels; 1 ADS1298 has 8"):
        codes(np.zeros((1, 9), np.int16), Ads1298(), Fraction(1, 10**6))


def test_a_code_is_what_the_data_sheet_says():
    assert Ads1298(gain=1).volts_per_code == Fraction("2.4") / (1 << 23)
    assert Ads1298(chip="ads1299", gain=24).volts_per_code == Fraction("4.5") / 24 / (1 << 23)
