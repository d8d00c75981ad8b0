"""Live sources by URL: boards, serial text, LSL, BrainFlow, replays and a computed signal."""

import importlib
from collections.abc import Callable
from pathlib import Path

from edgebio.sources.source import (
    Chunk,
    EndOfSourceError,
    Marker,
    Source,
    SourceDescription,
    SourceError,
)
from edgebio.sources.stream import Gap, LiveStream
from edgebio.sources.url import SourceUrl

__all__ = [
    "SCHEMES", "Chunk", "EndOfSourceError", "Gap", "LiveStream", "Marker", "Source",
    "SourceDescription", "SourceError", "open_stream", "source_of",
    "source_url",
]  # fmt: skip

SCHEMES = {
    "device": "a board with an image of edgebio that samples by itself",
    "serial": "numbers in text lines on a serial port, as any Arduino prints them",
    "lsl": "a stream of the Lab Streaming Layer",
    "brainflow": "an amplifier that BrainFlow drives",
    "replay": "a file or data set at its own pace",
    "synthetic": "a computed signal that follows the prompts",
}
"""What each scheme is."""


def source_of(url: str, data: Path | None = None) -> Source:
    """Make the source of a URL, not yet open.

    `data` is the folder of data sets for ``replay://``.

    Raises
    ------
    EdgebioError
        If the URL has an unknown scheme or option.
    """
    parsed = source_url(url)
    if parsed.scheme == "replay":
        from edgebio.sources.replay import ReplaySource

        return ReplaySource(parsed, data)
    module, name = _CLASSES[parsed.scheme]
    source: Source = getattr(importlib.import_module(f"{__name__}.{module}"), name)(parsed)
    return source


def source_url(url: str) -> SourceUrl:
    """Parts of the URL of a source; refuses an unknown scheme."""
    return SourceUrl.parse(url, SCHEMES)


def open_stream(
    url: str, *, data: Path | None = None, on_status: Callable[[str], None] = lambda text: None
) -> LiveStream:
    """Stream of the source of a URL; it opens in a ``with`` statement."""
    return LiveStream(source_of(url, data), on_status=on_status)


_CLASSES = {
    "device": ("device", "DeviceSource"),
    "serial": ("serial_text", "SerialTextSource"),
    "lsl": ("lsl", "LslSource"),
    "brainflow": ("brainflow", "BrainFlowSource"),
    "synthetic": ("synthetic", "SyntheticSource"),
}
"""Module and class of each scheme but replay, imported when it is used."""
