"""An emulated Pico that stands alone: 24-bit codes in, the decisions of the twin out."""

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edgebio import boards, tflite
from edgebio.boards import emulator
from edgebio.boards.rp2040js_parts import Ads1298Event, Ads1298Signal, Parts, calls
from edgebio.compiler.host_model import HostModel
from edgebio.decision.outputs import Outputs
from edgebio.decision.twin import Decider, activity
from edgebio.errors import EdgebioError, MissingToolError
from edgebio.firmware import elf, playback
from edgebio.firmware.image import Budget
from edgebio.firmware.peripheral_options import Standalone
from edgebio.firmware.timed_build import build_in_time
from edgebio.frontend.twin import Twin
from edgebio.link.client import Client
from edgebio.link.observer import SampleRecord
from edgebio.link.results import DecisionEvent, RestEvent, reason_name
from edgebio.recordings import Recording
from edgebio.sampling.ads1298 import Ads1298, counts
from edgebio.tflite.metadata import SignalScale, require_metadata
from tests.firmware import wearable

CHANNELS, RATE, SECONDS = 8, 1000, 5
STEP = Fraction(1, 2_000_000)
CONVERTER = Ads1298(gain=6, lead_off=True, highpass=10)
CLASSES = ("neutral", "fist", "pinch", "point", "open")


@dataclass(frozen=True)
class Expected:
    """What the host computes of the codes: counts, and every decision."""

    samples: npt.NDArray[np.int16]
    crcs: list[int]
    logits: npt.NDArray[np.int8]
    activity: npt.NDArray[np.uint32]
    decisions: npt.NDArray[np.uint8]
    reasons: list[str]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    signal = SignalScale(volts_per_count=Decimal("0.5e-6"), peak=2000)
    target = tmp_path_factory.mktemp("model") / "model.tflite"
    return wearable.write(target, wearable.spec(CHANNELS, RATE), signal=signal, classes=CLASSES)


@pytest.fixture(scope="module")
def image(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    board = boards.load("pico")
    try:
        emulator.check_installed(board)
    except MissingToolError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("image")
    request = Standalone("ads1298:gain=6,highpass=10", "none")
    record = build_in_time(model, board, folder, Budget(), request=request)
    assert record.source == "ads1298"
    assert record.deadline
    assert record.deadline.ok
    return folder


@pytest.fixture(scope="module")
def codes() -> npt.NDArray[np.int32]:
    """A muscle that changes four times a second, in 24 bits, with the offsets of electrodes."""
    rng = np.random.default_rng(3)
    frames = RATE * SECONDS
    strength = np.repeat(10 ** rng.uniform(-6, -3.3, (frames // 250, CHANNELS)), 250, axis=0)
    volts = rng.normal(size=(frames, CHANNELS)) * strength + rng.uniform(-0.3, 0.3, CHANNELS)
    scaled = np.rint(volts / float(CONVERTER.volts_per_code))
    return scaled.clip(-(1 << 23), (1 << 23) - 1).astype(np.int32)


def expect(model: Path, samples: npt.NDArray[np.int16]) -> Expected:
    graph = tflite.read(model)
    metadata = require_metadata(graph, "a test")
    spec = metadata.frontend
    images = Twin(spec, metadata.standardization).images(samples)
    logits = HostModel(graph).run(images)
    active = activity(samples, spec.segment_length, spec.step)
    decided = Decider(metadata.decision, Outputs.from_graph(graph)).decide(logits, active)
    reasons = [reason_name(int(reason)) for reason in decided.reasons]
    crcs = [zlib.crc32(row.tobytes()) for row in images]
    return Expected(samples, crcs, logits, active, decided.decisions, reasons)


@pytest.fixture(scope="module")
def expected(model: Path, codes: npt.NDArray[np.int32]) -> Expected:
    return expect(model, counts(codes, CONVERTER, STEP, RATE))


def watch(
    image: Path, codes: npt.NDArray[np.int32], folder: Path, enough: Callable[[list], bool], **more
) -> list:
    """Records of an emulated Pico until there are enough."""
    board = boards.load("pico")
    assert board.sources.ads1298
    decide = elf.Image(image / "firmware.elf").symbol("eb_sink_decide")
    assert decide
    parts = Parts(
        ads1298=Ads1298Signal(codes, CONVERTER, board.sources.ads1298, **more),
        calls={"eb_sink_decide": decide.address},
    )
    records: list = []
    end = time.monotonic() + 60
    with (
        emulator.start(board, image / "firmware.elf", parts=parts, folder=folder) as running,
        Client(running.url, timeout=20) as client,
        client.watch("decisions", "signals") as observer,
    ):
        while not enough(records) and time.monotonic() < end:
            records += observer.poll(1.0)
    return records


def test_every_decision_is_that_of_the_twin(image, codes, expected, tmp_path):
    count = len(expected.decisions)
    last = count - 1

    def ended(records: list) -> bool:
        return any(isinstance(r, DecisionEvent) and r.index >= last for r in records)

    records = watch(image, codes, tmp_path, ended)
    # All of them, from power-on: the emulator reports each call of the sink.
    decided = calls(tmp_path, "eb_sink_decide")[:count]
    assert len(decided) == count
    assert [call.arguments[0] for call in decided] == expected.decisions.tolist()
    assert [call.arguments[1] for call in decided] == expected.activity.tolist()
    # In detail, from the moment on when the host began to watch.
    events = [r for r in records if isinstance(r, DecisionEvent) and r.index <= last]
    assert len(events) > count // 2
    assert [event.index for event in events] == list(range(events[0].index, count))
    for event in events:
        assert event.image_crc == expected.crcs[event.index]
        assert event.logits.tolist() == expected.logits[event.index].tolist()
        assert event.decision == expected.decisions[event.index]
        assert event.reason == expected.reasons[event.index]
        assert event.vote_resets == events[0].vote_resets
    assert len({*expected.decisions.tolist()}) > 1, "the signal makes one decision only"
    blocks = [r for r in records if isinstance(r, SampleRecord)]
    assert sum(len(block.samples) for block in blocks) > RATE
    for block in blocks:
        end = block.first + len(block.samples)
        if end <= len(codes):
            assert (block.samples == expected.samples[block.first : end]).all()
            assert block.leads_off == 0


def test_a_recording_is_played_to_the_converter(image, model):
    """As `edgebio flash --play` does: what the model sees are the counts of the recording."""
    metadata = require_metadata(tflite.read(model), "a test")
    rng = np.random.default_rng(1)
    signal = rng.integers(-2000, 2000, (700, CHANNELS)).astype(np.int16)
    recording = Recording.from_array(signal, RATE, units="0.5 uV", classes=metadata.classes)
    played = playback.convert(image, [recording])
    assert played.codes.shape == (700, CHANNELS)
    assert np.abs(played.codes).max() <= 2000 * 10.5  # codes of 47.7 nV
    assert (played.recording.samples == counts(played.codes, CONVERTER, STEP, RATE)).all()
    parts = playback.connect(image, played)
    assert parts.electrodes is None
    assert parts.ads1298
    assert parts.ads1298.converter == replace(CONVERTER, highpass=0.0)
    with pytest.raises(EdgebioError, match="7 channels; the image samples 8"):
        playback.convert(image, [Recording.from_array(signal[:, :7], RATE)])


def test_lead_off_and_a_lost_converter_are_rest(image, codes, tmp_path):
    events = (
        Ads1298Event(1_500_000, "leads", negative=0b10),
        Ads1298Event(2_000_000, "leads"),
        Ads1298Event(3_000_000, "unplug"),
        Ads1298Event(3_500_000, "plug"),
    )

    def ended(records: list) -> bool:
        return any(isinstance(r, DecisionEvent) and r.time_us > 4_600_000 for r in records)

    records = watch(image, codes, tmp_path, ended, events=events)
    rests = [(r.time_us, r.reason) for r in records if isinstance(r, RestEvent)]
    reasons = [reason for _, reason in rests]
    assert reasons.index("lead_off") < reasons.index("disconnected")
    lead_off = next(at for at, reason in rests if reason == "lead_off")
    assert 1_500_000 < lead_off < 1_520_000
    lost = next(at for at, reason in rests if reason == "disconnected")
    assert 3_000_000 < lost < 3_030_000
    decided = [r.time_us for r in records if isinstance(r, DecisionEvent)]
    assert not [at for at in decided if 1_520_000 < at < 2_200_000]
    assert not [at for at in decided if 3_030_000 < at < 3_900_000]
    assert [at for at in decided if 2_200_000 < at < 3_000_000]
    assert [at for at in decided if at > 4_000_000]
    off = {r.leads_off for r in records if isinstance(r, SampleRecord)}
    assert off == {0, 0b10}
