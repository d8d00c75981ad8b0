"""Messages to all open pages, each at its own pace.

A message is a byte for its kind, and its content:

====  ===============================================================================
kind  content
====  ===============================================================================
0     JSON
1     signal: uint32 number of the first sample, uint16 channels, uint16 0, int16 samples
2     STFT image, mean over channels: uint16 frames, uint16 bins, int8 pixels
====  ===============================================================================

Numbers are little endian.
"""

import asyncio
import json
import struct
from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

_MOST = 400  # messages that wait for a slow page; older signals are dropped


def json_message(**content: Any) -> bytes:
    """Message of kind 0."""
    return b"\0" + json.dumps(content).encode()


def signal_message(first: int, samples: npt.NDArray[np.int16]) -> bytes:
    """Message of kind 1; `samples` have shape (n, channels)."""
    head = struct.pack("<BIHH", 1, first & 0xFFFFFFFF, samples.shape[1], 0)
    return head + bytes(np.ascontiguousarray(samples, "<i2").tobytes())


def image_message(image: npt.NDArray[np.int8]) -> bytes:
    """Message of kind 2; `image` has shape (frames, bins, channels)."""
    mean = np.rint(image.astype(np.float64).mean(axis=-1)).astype(np.int8)
    return struct.pack("<BHH", 2, *mean.shape) + bytes(mean.tobytes())


class Page:
    """What waits for one page."""

    def __init__(self) -> None:
        self._messages: deque[bytes] = deque()
        self._ready = asyncio.Event()

    def add(self, message: bytes) -> None:
        """Append a message; where too many wait, signals and images are dropped."""
        self._messages.append(message)
        if len(self._messages) > _MOST:
            self._messages = deque(each for each in self._messages if each[0] == 0)
        self._ready.set()

    async def take(self) -> list[bytes]:
        """Wait for messages, and return all of them."""
        await self._ready.wait()
        self._ready.clear()
        messages = list(self._messages)
        self._messages.clear()
        return messages


class Hub:
    """Pages that are open, and messages to them from any thread."""

    def __init__(self) -> None:
        self.pages: set[Page] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Name the event loop of the server."""
        self._loop = loop

    def send(self, message: bytes) -> None:
        """Send a message to all pages."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._send, message)

    def _send(self, message: bytes) -> None:
        for page in self.pages:
            page.add(message)
