"""Servos and pins move as decided: the firmware's C on the host, under the sanitizers."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio import boards, storage
from edgebio.decision.spec import REJECTED, REST, DecisionSettings
from edgebio.firmware import board_header, sink_config
from edgebio.firmware.board_header import Use
from edgebio.firmware.peripheral_options import parse
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.processes import host_compiler
from edgebio.processes.programs import run_compiler
from edgebio.tflite.metadata import ModelMetadata
from tests.compiler.sanitizers import SANITIZED

ASSETS = storage.assets("firmware_assets")
PICO = boards.load("pico")
SPEC = FrontendSpec(rate=1000, channels=3)
METADATA = ModelMetadata(
    name="x",
    classes=("fist", "neutral", "pinch"),
    frontend=SPEC,
    standardization=Standardization.learn(SPEC, [np.ones((2, SPEC.n_bins, 3), np.int16)]),
    decision=DecisionSettings(),
)
NEUTRAL_IS = 1


class Sink:
    """A sink of the Pico for three classes, as a program."""

    def __init__(self, folder: Path, options: str) -> None:
        config = sink_config.configure(parse(options, "sink"), PICO, METADATA)
        storage.write_text(folder / "sink_config.h", config.header)
        use = Use(servo=config.servo, pins=config.pins)
        storage.write_text(folder / "eb_board.h", board_header.text(PICO, use))
        self.program = folder / "sink"
        include = (folder, *(ASSETS / name for name in ("sinks", "ports", "decision")))
        run_compiler(
            host_compiler.find_compiler(), *SANITIZED, *(f"-I{path}" for path in include),
            *config.sources, Path(__file__).with_name("host.c"), "-o", self.program,
        )  # fmt: skip

    def run(self, *commands: str) -> list[list[int]]:
        """Outputs after the start and after each command."""
        result = subprocess.run(
            [self.program], input="\n".join(commands), capture_output=True, text=True, check=True
        )
        return [[int(word) for word in line.split()] for line in result.stdout.splitlines()]


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Sink:
    return Sink(tmp_path_factory.mktemp("fast"), "servo:fist=0/180,pinch=45/90,rest=90/135")


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Sink:
    """180 degrees are 1000 us: 90 degrees a second are 500 us."""
    return Sink(tmp_path_factory.mktemp("slow"), "servo:fist=0,pinch=180,rest=90,slew=90")


def test_each_class_has_its_pulse_and_all_else_is_rest(fast: Sink) -> None:
    decided = fast.run("d 0 9", "d 2 9", "d 1 9", "d 0 9", f"d {REJECTED} 9", f"d {REST} 9")
    rest = [1500, 1750]
    assert decided == [rest, [1000, 2000], [1250, 1500], rest, [1000, 2000], rest, rest]


def test_speed_is_limited(slow: Sink) -> None:
    at = [pulse for (pulse,) in slow.run("d 0 9", *["t 100000"] * 12)]
    assert at == [1500, 1500, *range(1450, 950, -50), 1000, 1000]


def test_rest_is_reached_at_once_and_left_at_the_limited_speed(slow: Sink) -> None:
    at = [pulse for (pulse,) in slow.run("d 2 9", "t 400000", "r", "t 900000", "d 2 9", "t 100000")]
    assert at == [1500, 1500, 1700, 1500, 1500, 1500, 1550]


def test_steps_add_up_however_often_they_come(slow: Sink) -> None:
    at = [pulse for (pulse,) in slow.run("d 2 9", *["t 37"] * 10_000)]
    assert at == sorted(at)
    assert abs(at[-1] - (1500 + 0.37 * 500)) <= 2


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 3_000_000)), max_size=30))
@settings(max_examples=15)
def test_no_pulse_is_outside_of_those_of_the_classes(
    slow: Sink, steps: list[tuple[int, int]]
) -> None:
    commands = [line for decision, time in steps for line in (f"d {decision} 5", f"t {time}")]
    at = [pulse for (pulse,) in slow.run(*commands)]
    assert all(1000 <= pulse <= 2000 for pulse in at)
    after_steps = at[2::2]
    for (_, time), before, after in zip(steps, [1500, *after_steps], after_steps, strict=False):
        assert abs(after - before) <= 500 * min(time, 1_000_000) / 1e6 + 2


def test_activity_sets_the_speed(tmp_path: Path) -> None:
    options = "servo:fist=0,pinch=180,rest=90,slew=90,speed=activity,full_activity=1000"
    sink = Sink(tmp_path, options)
    steps = ("d 2 500", "t 200000", "d 2 5000", "t 200000", "d 2 0", "t 200000")
    at = [pulse for (pulse,) in sink.run(*steps, f"d {NEUTRAL_IS} 0", "t 200000")]
    assert at == [1500, 1500, 1550, 1550, 1650, 1650, 1650, 1650, 1550]


@pytest.mark.parametrize("servo", [0, 1])
def test_an_emergency_in_the_middle_of_a_change_rests(fast: Sink, servo: int) -> None:
    rest = [1500, 1750]
    assert fast.run(f"i {servo}", "d 0 9") == [rest, rest]


def test_an_emergency_in_a_step_rests(slow: Sink) -> None:
    assert slow.run("d 0 9", "i 0", "t 100000", "t 100000")[2:] == [[1500], [1500]]


def test_pins_follow_the_class(tmp_path: Path) -> None:
    levels = Sink(tmp_path, "gpio:fist=011,pinch=100,rest=001")
    rest = [0b100]
    assert levels.run("d 0 9", "d 2 9", "d 1 9", "d 2 9", "r") == [
        rest, [0b110], [0b001], rest, [0b001], rest,
    ]  # fmt: skip
    one_each = tmp_path / "plain"
    one_each.mkdir()
    assert Sink(one_each, "gpio").run("d 0 9", "d 2 9", "r") == [[0], [1], [2], [0]]
