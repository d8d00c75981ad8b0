"""An emulated Pico that stands alone, from the electrodes at its converter to the servo."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edgebio import api, boards, tflite
from edgebio.boards import detached_emulator, emulator, rp2040js_parts
from edgebio.boards.rp2040js_parts import Fault, FaultKind
from edgebio.errors import EdgebioError, MissingToolError
from edgebio.firmware import playback
from edgebio.firmware.peripheral_options import Standalone
from edgebio.link.client import Client
from edgebio.link.observer import CounterRecord
from edgebio.link.results import DecisionEvent, RestEvent
from edgebio.parity import sink_decisions
from edgebio.recordings import Recording
from edgebio.tflite.metadata import require_metadata
from tests.firmware import wearable

RATE, SECONDS, CHANNELS = 1000, 6, 3
GRIPS: dict[str, tuple[float, ...]] = {"neutral": (90.0,), "fist": (0.0,), "pinch": (180.0,)}
WIDTHS, REST = {1: 1000.0, 2: 2000.0}, 1500.0
SERVO = 2  # its pin


def record(samples: npt.NDArray[np.int16], rate: float = RATE) -> Recording:
    return Recording.from_array(samples, rate, labels="fist", classes=wearable.CLASSES)


@pytest.fixture(scope="module")
def recording() -> Recording:
    """A muscle that changes four times a second; the loudest parts are beyond the converter."""
    rng = np.random.default_rng(5)
    strength = np.repeat(10 ** rng.uniform(0, 3.3, (4 * SECONDS, CHANNELS)), RATE // 4, axis=0)
    samples = rng.normal(size=strength.shape) * strength
    return record(samples.clip(-32768, 32767).astype(np.int16))


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        emulator.check_installed(boards.load("pico"))
    except MissingToolError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("image")
    front = wearable.spec(CHANNELS, RATE)
    model = wearable.write(folder / "model.tflite", front, grips=GRIPS, outputs=6)
    api.build(model, "pico", folder / "image", standalone=Standalone("adc:gain=500", "servo"))
    return folder / "image"


@contextmanager
def running(
    image: Path, folder: Path, recording: Recording, *faults: Fault
) -> Iterator[tuple[str, Recording]]:
    """URL of a Pico with the recording at its electrodes, and the samples that its model sees."""
    converted = playback.convert(image, [recording])
    parts = replace(playback.connect(image, converted), faults=faults)
    board, file = boards.load("pico"), image / "firmware.elf"
    with emulator.start(board, file, parts=parts, folder=folder) as device:
        yield device.url, converted.recording


def rows(folder: Path, key: str, value: str | None = None) -> list[dict[str, object]]:
    journal = rp2040js_parts.read_journal(folder)
    return [row for row in journal if key in row and value in (None, row[key])]


def wait_for(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, f"no {what}"
        time.sleep(0.02)


def test_twin_decides_the_same_while_a_host_comes_and_goes(
    image: Path, recording: Recording, tmp_path: Path
) -> None:
    with running(image, tmp_path, recording) as (url, converted):
        wait_for(lambda: len(sink_decisions.sink_calls(tmp_path)) > 20, "decisions")
        events: list[DecisionEvent] = []
        counters: list[CounterRecord] = []
        with Client(url, timeout=30) as device, device.watch() as observer:
            while len(events) < 20 or not counters:
                seen = observer.poll(1.0)
                events += [event for event in seen if isinstance(event, DecisionEvent)]
                counters += [event for event in seen if isinstance(event, CounterRecord)]
        wait_for(lambda: bool(rows(tmp_path, "electrodes", "end")), "end of the recording")
        with Client(url, timeout=30) as device, device.watch("counters") as observer:
            while counters[-1].frames < len(recording.samples):
                counters += [r for r in observer.poll(1.0) if isinstance(r, CounterRecord)]
    host = sink_decisions.HostDecisions.of(image, converted)
    calls = sink_decisions.sink_calls(tmp_path)
    assert set(host.decisions.tolist()) == {0, 2}, "rest and a grip"
    assert host.differing(calls) == 0
    assert counters[-1].lost == 0
    for event in events:
        if event.index < len(host.decisions):
            assert event.decision == host.decisions[event.index]
            assert event.activity == host.activity[event.index]
    pulses = rp2040js_parts.pulses(tmp_path, SERVO)
    assert len(pulses) > 50 * (SECONDS - 1)
    assert {pulse.pulse_us for pulse in pulses} == {REST, WIDTHS[2]}
    assert sink_decisions.astray(pulses, calls, WIDTHS, REST) == 0
    # A comparison that cannot fail proves nothing.
    wrong = host.decisions.copy()
    wrong[7] += 1
    assert replace(host, decisions=wrong).differing(calls) == 1
    assert sink_decisions.astray(pulses, calls, WIDTHS, REST + 1) > 0
    assert host.differing(calls[1:]) > 0


@pytest.mark.parametrize("kind", ["hang", "hang-masked", "brownout"])
def test_fault_means_rest_and_a_correct_stream_afterwards(
    image: Path, recording: Recording, tmp_path: Path, kind: FaultKind
) -> None:
    at = 2_500_000.0
    with running(image, tmp_path, recording, Fault(at, kind)) as (url, converted):
        wait_for(lambda: bool(rows(tmp_path, "reset")), "reset")
        with Client(url, timeout=30) as device:
            cause = device.statistics().start_cause
        wait_for(lambda: bool(rows(tmp_path, "electrodes", "end")), "end of the recording")
    assert cause == {"brownout": 3}.get(kind, 2)
    pulses = rp2040js_parts.pulses(tmp_path, SERVO)
    (_, restart) = [int(str(row["frame"])) for row in rows(tmp_path, "electrodes", "start")]
    back = next(c for c in sink_decisions.sink_calls(tmp_path) if c.time_us > at + 100_000)
    resting = [p for p in pulses if at + 250_000 < p.time_us < back.time_us]
    assert all(pulse.pulse_us == REST for pulse in resting)
    after = record(converted.samples[restart:])
    host = sink_decisions.HostDecisions.of(image, after)
    calls = [call for call in sink_decisions.sink_calls(tmp_path) if call.time_us >= back.time_us]
    assert len(host.decisions) > 20
    assert host.differing(calls) == 0


def test_lost_conversion_is_an_overrun(image: Path, recording: Recording, tmp_path: Path) -> None:
    with (
        running(image, tmp_path, recording, Fault(3_000_000, "overflow")) as (url, _),
        Client(url, timeout=30) as device,
        device.watch("decisions") as observer,
    ):
        events: list[RestEvent | DecisionEvent] = []
        while not (events and isinstance(events[-1], DecisionEvent) and events[-1].origin):
            seen = observer.poll(1.0)
            events += [e for e in seen if isinstance(e, RestEvent | DecisionEvent)]
    assert "overrun" in [event.reason for event in events if isinstance(event, RestEvent)]


def test_codes_are_the_nearest_within_the_range(image: Path) -> None:
    samples = np.arange(-32768, 32768, 7, dtype=np.int16)[:, None].repeat(CHANNELS, axis=1)
    converted = playback.convert(image, [record(samples)])
    codes = converted.codes.astype(int)
    assert codes.min() == 0
    assert codes.max() == 4095
    inside = (codes > 0) & (codes < 4095)
    step = 3.3 / 4096 / 500 / 1e-6  # counts of a code
    difference = np.abs(converted.recording.samples.astype(int) - samples)[inside]
    assert difference.max() <= step / 2 + 1
    assert np.array_equal(codes[inside], np.floor(samples / step + 2048.5).astype(int)[inside])


def test_recordings_that_do_not_fit_are_refused(image: Path, tmp_path: Path) -> None:
    good = np.zeros((500, CHANNELS), np.int16)
    for samples, rate, error in (
        (good[:, :2], RATE, "2 channels; the image samples 3"),
        (good, 500.0, "recorded at 500 Hz; the image samples at 1000 Hz"),
    ):
        with pytest.raises(EdgebioError, match=error):
            api.flash(image, play=[record(samples, rate)])
    assert detached_emulator.find(image) is None
    with pytest.raises(EdgebioError, match="leave out its port"):
        api.flash(image, "/dev/null", play=[record(good)])
    linked = tmp_path / "linked"
    api.build(image / "model.tflite", "pico", linked)
    with pytest.raises(EdgebioError, match=r"does not stand alone; .* --standalone --source adc"):
        api.flash(linked, play=[record(good)])


def test_recording_of_the_api_is_what_the_model_sees(image: Path, recording: Recording) -> None:
    converted = api.converted_recording(image, [recording, recording])
    assert len(converted.samples) == 2 * len(recording.samples)
    assert converted.samples.dtype == np.int16
    assert np.abs(converted.samples).max() < np.abs(recording.samples).max(), "limited"
    spec = require_metadata(tflite.read(image / "model.tflite"), "a test").frontend
    assert converted.rate == spec.rate
