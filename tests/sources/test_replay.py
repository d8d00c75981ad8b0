"""Replays and the computed signal: their pace, and how they follow cues."""

import time
from pathlib import Path

import numpy as np
import pytest

from edgebio.errors import EdgebioError
from edgebio.recordings import Recording
from edgebio.recordings.recordings_file import save_recordings
from edgebio.sources import Chunk, EndOfSourceError, source_of


def recording(name: str, value: int, repetition: int = 0) -> Recording:
    samples = np.full((1000, 2), value, np.int16)
    return Recording.from_array(
        samples, 1000.0, labels=np.full(1000, name), classes=("rest", "fist"), repetition=repetition
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return save_recordings(
        tmp_path / "two.npz", [recording("rest", 1), recording("fist", 2), recording("fist", 3, 1)]
    )


def test_a_file_is_played_to_its_end(file: Path) -> None:
    chunks: list[Chunk] = []
    with source_of(f"replay://{file}?speed=0&loop=0") as source:
        while sum(len(chunk.samples) for chunk in chunks) < 3000:
            chunks += source.read(0.1)
        with pytest.raises(EndOfSourceError, match="played to its end"):
            source.read(0.1)
    samples = np.concatenate([chunk.samples for chunk in chunks])
    assert samples[:, 0].tolist() == [1] * 1000 + [2] * 1000 + [3] * 1000
    assert [m.name for chunk in chunks for m in chunk.markers] == ["rest", "fist", "fist"]


def test_a_replay_keeps_its_pace(file: Path) -> None:
    start, count = time.monotonic(), 0
    with source_of(f"replay://{file}") as source:
        while count < 300:
            chunks = source.read(0.05)
            count += sum(len(chunk.samples) for chunk in chunks)
    assert time.monotonic() - start >= 0.29
    assert abs(chunks[-1].times[-1] - time.monotonic()) < 0.1


@pytest.mark.parametrize("name", ["rest", "neutral"])
def test_a_replay_follows_cues_after_its_delay(file: Path, name: str) -> None:
    with source_of(f"replay://{file}?delay=0.1") as source:
        source.read(0.05)
        cue = time.monotonic()
        source.cue("fist", cue)
        chunks = []
        while time.monotonic() < cue + 0.3:
            chunks += source.read(0.02)
        source.cue(name, time.monotonic())
        while time.monotonic() < cue + 0.6:
            chunks += source.read(0.02)
    times = np.concatenate([chunk.times for chunk in chunks])
    values = np.concatenate([chunk.samples[:, 0] for chunk in chunks])
    assert set(values[times < cue + 0.099].tolist()) <= {1}
    assert set(values[(times > cue + 0.102) & (times < cue + 0.29)].tolist()) == {2}
    assert values[-1] == 1


def test_the_computed_signal_follows_cues_after_its_delay() -> None:
    """The strength of every channel is the same in every session, and changes 0.2 s after a cue."""
    with source_of("synthetic://?channels=3&rate=2000&delay=0.2&mains=0") as source:
        cue = time.monotonic()
        source.cue("fist", cue)
        chunks = []
        while time.monotonic() < cue + 0.7:
            chunks += source.read(0.02)
    times = np.concatenate([chunk.times for chunk in chunks])
    samples = np.concatenate([chunk.samples for chunk in chunks]).astype(float)
    quiet = samples[times < cue + 0.199].std(axis=0)
    active = samples[times > cue + 0.5].std(axis=0)
    assert (quiet < 20).all()
    assert active.max() > 100


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("replay://not-there.csv", "no such file"),
        ("replay://emg-3dd:2", "emg-3dc"),
        ("replay://emg-3dc:2:7:1:1", "expected a .csv or .npz file"),
    ],
)
def test_what_is_not_there_is_told(url: str, text: str) -> None:
    with pytest.raises(EdgebioError, match=text):
        source_of(url)
