"""The screen shows what the board decided and computed."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from rich.console import Console

from edgebio.decision.outputs import Outputs
from edgebio.link.results import DecisionEvent
from edgebio.recordings import Recording
from edgebio.recordings.recording import UNLABELED
from edgebio.runtime.session import Decision, Delay
from edgebio.runtime.terminal import Screen, _amount, _color
from edgebio.tflite.metadata import ModelMetadata, read_metadata
from tests.link.standin import CLASSES, SPEC, StandIn, signal


@pytest.fixture(scope="module")
def model() -> StandIn:
    return StandIn()


def metadata_of(model: StandIn) -> ModelMetadata:
    metadata = read_metadata(model.graph)
    assert metadata is not None
    return metadata


def recording(n: int = 4000) -> Recording:
    labels = np.full(n, UNLABELED, np.int16)
    return Recording(signal(n), SPEC.rate, "counts", labels, (), "1", "1", 0, "test")


def decision(model: StandIn, k: int, of: Recording) -> Decision:
    logits = model.logits(of.samples)[k]
    event = DecisionEvent(
        k, 0, SPEC.segment_length + k * SPEC.step, 1, 700, 1234, 0, 160, 0, 1, 1, "vote", logits
    )
    return Decision(event.end / of.rate, "class 1", 0.5, event, 0.0125, of.source)


def drawn(screen: Screen, width: int) -> str:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(screen)
    return console.export_text()


def in_a_terminal(screen: Screen, width: int, height: int) -> list[str]:
    console = Console(width=width, height=height, record=True, force_terminal=True,
                      file=open("/dev/null", "w"))  # noqa: SIM115, PTH123  # fmt: skip
    console.print(screen)
    return console.export_text().rstrip("\n").split("\n")


def test_decision_and_probabilities_come_first_in_80_x_24(model: StandIn) -> None:
    of = recording()
    screen = Screen(metadata_of(model), Outputs.from_graph(model.graph), "host")
    for k in range(100, 112):
        screen.add(of, decision(model, k, of))
    lines = in_a_terminal(screen, 80, 24)
    assert len(lines) < 24
    assert "class 1" in lines[2]
    assert "vote" in lines[2]
    assert all(any(f"class {c} " in line for line in lines[4:12]) for c in range(CLASSES))
    assert any("signals" in line for line in lines)
    bars = [line.strip("│ ").split()[0] for line in lines if "▃" in line]
    assert bars[0] == "1"  # channels count from 1
    assert not any("behind" in line for line in lines)


def test_a_late_decision_is_said_to_be_behind(model: StandIn) -> None:
    of = recording()
    screen = Screen(metadata_of(model), Outputs.from_graph(model.graph), "host")
    one = decision(model, 100, of)
    screen.add(of, replace(one, latency_s=1.52))
    assert "1.5 s behind the signal" in in_a_terminal(screen, 80, 24)[3]
    screen.add(of, replace(one, latency_s=0.01))
    assert screen.behind_s == 0


def test_amounts_have_units(model: StandIn) -> None:
    assert _amount(50.0, "0.2 uV", None) == "50.0 counts = 10 uV"
    assert _amount(5000.0, "counts", Decimal("1e-6")) == "5000.0 counts = 5 mV"
    assert _amount(5.0, "counts", None) == "5.0 counts"


@pytest.mark.parametrize("width", [80, 140])
def test_screen_shows_all_panels(model: StandIn, width: int) -> None:
    of = recording()
    screen = Screen(metadata_of(model), Outputs.from_graph(model.graph), "host on /dev/pts/0")
    assert "waiting for the first segment" in drawn(screen, width)
    for k in range(100, 112):
        screen.add(of, decision(model, k, of))
    screen.delay = Delay(56, 16, 3, 1.2)
    screen.link = {"damaged": 7}
    screen.rests = {"timeout": 2}
    text = drawn(screen, width)
    for part in (
        "host on /dev/pts/0", "signals, last 3 s", "STFT image", "class 1", "vote", "12.5 ms",
        "1,234 us", "10.0 counts", "damaged 7", "rest: timeout 2",
        "segment 56 + 3 x 16 + compute 1.2 = 105 ms",
        *(f"class {c}" for c in range(CLASSES)),
    ):  # fmt: skip
        assert part in " ".join(text.split()), part
    assert max(map(len, text.splitlines())) <= width
    assert "▀" in text
    assert len(set("▁▂▃▄▅▆▇█") & set(text)) > 3


def test_stft_image_is_that_of_the_board(model: StandIn) -> None:
    """The image of a segment is that of the whole stream, filters included."""
    of = recording()
    screen = Screen(metadata_of(model), Outputs.from_graph(model.graph), "")
    images = model.images(of.samples)
    for k in (0, 1, 50, 200):
        one = decision(model, k, of)
        screen.add(of, one)
        difference = np.abs(screen.image_of(of, one) - images[k].astype(float).mean(axis=-1))
        assert difference.max() <= (0 if k < 2 else 2)


def test_colors_go_from_dark_to_bright() -> None:
    brightness = [
        int(_color(pixel)[1:3], 16) + int(_color(pixel)[3:5], 16) for pixel in (-128, 0, 127)
    ]
    assert brightness == sorted(brightness)
    assert _color(127) == "#ffffff"
