"""Recordings of a device that stands alone: what other commands read is what it sampled."""

from pathlib import Path

import numpy as np
import pytest

from edgebio.link.client import Client
from edgebio.link.observer import MarkRecord, ObservedRecord, SampleRecord
from edgebio.recordings import load_recordings, save_recordings
from edgebio.runtime.device_recording import record, recordings_of
from edgebio.runtime.host_device import HostLive
from tests.link.standin import SPEC, StandIn, signal
from tests.runtime.live_device import LiveDevice, build


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> LiveDevice:
    model, folder = StandIn(), tmp_path_factory.mktemp("live")
    return LiveDevice(build(model, folder / "build", HostLive()), model, signal(4000), folder)


def test_a_recording_of_a_device_is_saved_and_read(device: LiveDevice, tmp_path: Path) -> None:
    cues = {0.1: 1, 0.2: 0, 0.3: 99}
    frames: list[int] = []
    with device.watched() as running, Client(running.url) as client:

        def give_cues(elapsed: float) -> None:
            while cues and min(cues) <= elapsed:
                frames.append(client.cue(cues.pop(min(cues))).next_frame)

        recorded = record(client, 0.4, classes=("open", "fist"), step=give_cues)
    [read] = load_recordings(save_recordings(tmp_path / "live", recorded))
    assert (read.rate, read.classes) == (SPEC.rate, ("open", "fist"))
    first = next(
        i for i in range(2000) if np.array_equal(device.samples[i : i + 50], read.samples[:50])
    )
    assert np.array_equal(read.samples, device.samples[first : first + len(read.samples)])
    changes = np.flatnonzero(np.diff(read.labels)) + 1
    assert (changes + first).tolist() == frames
    assert read.labels[[0, *changes]].tolist() == [-1, 1, 0, -1]


def test_lost_samples_end_a_recording() -> None:
    def piece(first: int) -> SampleRecord:
        return SampleRecord(first, 0, 0, np.full((5, 2), first, np.int16))

    records: list[ObservedRecord] = [piece(0), MarkRecord(1, 0, 3), piece(5), piece(20), piece(25)]
    first, second = recordings_of(records, 1000.0, classes=("a", "b"))
    assert first.samples[:, 0].tolist() == [0] * 5 + [5] * 5
    assert first.labels.tolist() == [-1] * 3 + [1] * 7
    assert second.samples[:, 0].tolist() == [20] * 5 + [25] * 5
    assert second.labels.tolist() == [1] * 10
    assert recordings_of([], 1000.0) == []
