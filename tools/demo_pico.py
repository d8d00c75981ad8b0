"""Second part of ``make demo``: a Pico that stands alone, from its electrodes to a servo.

It trains a network for three electrodes, builds an image that samples, decides and acts from
power-on, and plays the second session into the converter of an emulated Pico. A host watches in the
middle of it and leaves again. Every decision is compared with the host's twin on the same quantized
samples.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from edgebio import api, recipes, tflite
from edgebio.boards import rp2040js_parts
from edgebio.boards.peripherals import pin_number
from edgebio.firmware import manifest
from edgebio.link.client import Client
from edgebio.link.observer import CounterRecord
from edgebio.link.results import DecisionEvent
from edgebio.parity import sink_decisions
from edgebio.recordings import Recording
from edgebio.recordings.recording import UNLABELED
from edgebio.recordings.recordings_file import save_recordings
from edgebio.tflite.metadata import require_metadata

RECIPE, BOARD = "emg-grips-pico", "pico"
# An electrode amplifier of 1000, and recordings whose counts are 0.2 uV: the full range is 1.65 mV.
SOURCE = "adc:gain=1000,volts_per_count=0.0000002"

Run = Callable[..., dict[str, Any]]


@dataclass
class Watched:
    """What a host saw that was attached for a while."""

    decisions: list[DecisionEvent]
    counters: CounterRecord | None = None


def choose_session(dataset: str, subject: str) -> list[Recording]:
    """Labeled recordings of the second session's first repetition, with the recipe's channels."""
    recordings = recipes.load(RECIPE).with_data(dataset).recordings(subjects=[subject])
    return [
        recording
        for recording in recordings
        if recording.session == "2" and recording.repetition == 0
        if (recording.labels != UNLABELED).any()
    ]


def reached(folder: Path, seconds: float) -> bool:
    """Whether the emulated time has reached that of the signal; an error if it does not go on."""
    calls = sink_decisions.sink_calls(folder)
    return bool(calls) and calls[-1].time_us >= seconds * 1e6


def wait_until(folder: Path, seconds: float) -> None:
    """Wait for a time of the signal."""
    end = time.monotonic() + 300
    while not reached(folder, seconds):
        if time.monotonic() > end:
            raise SystemExit(f"the emulated Pico did not reach {seconds:.0f} s of the signal")
        time.sleep(0.1)


def watch(url: str, folder: Path, seconds: float) -> Watched:
    """Attach, watch everything until a time of the signal, and detach."""
    seen = Watched([])
    with Client(url, timeout=60) as device, device.watch() as observer:
        while not reached(folder, seconds) or seen.counters is None:
            for record in observer.poll(0.2):
                if isinstance(record, DecisionEvent):
                    seen.decisions.append(record)
                elif isinstance(record, CounterRecord):
                    seen.counters = record
    return seen


def main(edgebio: Run, folder: Path, dataset: str, subject: str) -> Table:
    """Run the second part with the data set of the first one; return its results."""
    run, image = folder / "pico-run", folder / "pico-image"
    edgebio("train (Pico)", "train", RECIPE, "--dataset", dataset, "--subject", subject,
            "-o", str(run))  # fmt: skip
    quantized = edgebio("quantize (Pico)", "quantize", str(run))
    built = edgebio("build (Pico)", "build", str(run), "--board", BOARD, "--standalone",
                    "--source", SOURCE, "--sink", "servo", "-o", str(image))  # fmt: skip
    recordings = choose_session(dataset, subject)
    session = save_recordings(folder / "pico-session.npz", recordings)
    seconds = sum(recording.seconds for recording in recordings)

    start = time.monotonic()
    emulator = edgebio("flash (Pico)", "flash", str(image), "--play", str(session))
    try:
        wait_until(image, seconds / 3)
        seen = watch(emulator["url"], image, seconds * 2 / 3)
        wait_until(image, seconds)
        last = watch(emulator["url"], image, seconds)  # counters of all of it
    finally:
        edgebio("stop (Pico)", "flash", str(image), "--stop")
    spent = time.monotonic() - start

    counters = last.counters
    assert counters is not None
    table, differences = report(image, api.converted_recording(image, recordings), seen)
    if differences or counters.lost:
        raise SystemExit(f"{differences} decisions or pulses differ, {counters.lost} samples lost")
    deadline = built["deadline"]
    rows = {
        "samples lost": f"{counters.lost} of {counters.frames:,}",
        "signal at the electrodes": f"{seconds:.1f} s, {len(recordings)} gestures",
        "int8 accuracy, session 2": f"{quantized['accuracy_int8']:.3f}",
        "a decision, estimated": f"{deadline['estimated_us'] / 1000:.1f} of "
        f"{deadline['due_us'] / 1000:.0f} ms",
        "its network, on the emulated Pico": f"{counters.slowest_us / 1000:.1f} ms",
        "flash of the image": f"{built['flash']['total']:,} bytes",
        "RAM of the image": f"{built['ram']['total']:,} bytes",
        "seconds: signal played": f"{spent:.1f}",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def report(image: Path, recording: Recording, seen: Watched) -> tuple[Table, int]:
    """Compare decisions and pulses with the host's twin; return the table and the differences."""
    metadata = require_metadata(tflite.read(manifest.load_model(image)), "the demo")
    host = sink_decisions.HostDecisions.of(image, recording)
    calls = sink_decisions.sink_calls(image)
    correct, labeled = host.correct(recording, metadata.classes)
    own = host.decisions.tolist()
    differing = host.differing(calls)
    watched = [event for event in seen.decisions if event.index < len(own)]
    wrong = sum(event.decision != own[event.index] for event in watched)
    widths = {
        index: 1000 + round(metadata.grips[name][0] * 1000 / 180)
        for index, name in enumerate(metadata.classes)
    }
    (pin,) = map(pin_number, manifest.load(image).sink_pins)
    pulses = rp2040js_parts.pulses(image, pin)
    astray = sink_decisions.astray(pulses, calls, widths, widths[metadata.classes.index("neutral")])

    table = Table(title="A Pico that stands alone, emulated", show_header=False)
    table.add_row("decisions that differ from the host's", f"{differing} of {len(own)}")
    table.add_row("  seen by a host attached in the middle", f"{wrong} of {len(watched)}")
    table.add_row("servo pulses not as decided", f"{astray} of {len(pulses):,}")
    for index, name in enumerate(metadata.classes):
        table.add_row(f"  {name}", f"{widths[index]} us")
    table.add_row("accuracy of its decisions", f"{correct / labeled:.3f}")
    return table, differing + wrong + astray
