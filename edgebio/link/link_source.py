"""Samples of the host as the sample source of a device that stands alone."""

import numpy as np
import numpy.typing as npt

from edgebio.link import packing
from edgebio.link.connection import Connection
from edgebio.link.messages import CODES, MESSAGES
from edgebio.link.results import Description


class LinkSource:
    """Feeds a device whose image was built with ``--standalone --source link``.

    Opening it restarts the device's numbers at sample frame 0. It is not closed: without samples
    the device rests.

    Parameters
    ----------
    connection, description
        Of the device.
    real_time
        Samples are like those of a converter: as new as they arrive, and lost where the device's
        ring is full. Otherwise `feed` waits for the ring.
    """

    def __init__(
        self, connection: Connection, description: Description, *, real_time: bool = False
    ) -> None:
        self._connection = connection
        self._channels = description.channels
        self._next = 0  # number of the next frame
        on_gap = CODES["on_gap"]["restart" if real_time else "wait"]
        connection.request("stream_start", on_gap=on_gap, real_time=int(real_time))

    def feed(self, samples: npt.NDArray[np.int16]) -> int:
        """Send samples, shape (n, channels); return the number of the next frame."""
        most = self._connection.piece_bytes("stream_samples", 2 * self._channels)
        rows = min(most // (2 * self._channels), (1 << 16) - 1)
        first, end = self._next, self._next + len(samples)
        while self._next < end:
            piece = samples[self._next - first :][:rows]
            bits = packing.bit_width(piece)
            answer = self._connection.request(
                MESSAGES["stream_samples"].name, first=self._next, received=0, count=len(piece),
                bits=bits, packed=packing.pack(piece, bits),
            )  # fmt: skip
            self._next = answer["next_sample"]
        return self._next

    def skip(self, frames: int) -> None:
        """Leave out sample frames, as a converter that loses them."""
        self._next += frames
