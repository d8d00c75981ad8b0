"""A source that a test drives: what each read returns, and when it fails."""

import time
from collections import deque

import numpy as np

from edgebio.sources import Chunk, Source, SourceDescription

RATE = 1000.0


def description(rate: float = RATE, channels: int = 2, units: str = "counts") -> SourceDescription:
    names = tuple(f"channel {number + 1}" for number in range(channels))
    return SourceDescription("fake://", "fake", rate, names, units)


def chunk(first: int, count: int, gap: str = "", value: int = 0, channels: int = 2) -> Chunk:
    times = time.monotonic() - (count - 1 - np.arange(count)) / RATE
    return Chunk(first, np.full((count, channels), value, np.int16), times, gap)


class FakeSource(Source):
    """Returns what it is given; an exception is raised, and a number is a silence in seconds."""

    paced = False

    def __init__(self, *script: list[Chunk] | Exception | float) -> None:
        self.script: deque[list[Chunk] | Exception | float] = deque(script)
        self.opened = 0
        self.cues: list[str] = []
        self.descriptions = [description()]

    def open(self) -> None:
        self.description = self.descriptions[min(self.opened, len(self.descriptions) - 1)]
        self.opened += 1

    def close(self) -> None:
        pass

    def cue(self, name: str, time: float) -> None:
        self.cues.append(name)

    def read(self, seconds: float) -> list[Chunk]:
        if not self.script:
            time.sleep(seconds)
            return []
        event = self.script.popleft()
        if isinstance(event, Exception):
            raise event
        if isinstance(event, float):
            time.sleep(event)
            return []
        return event
