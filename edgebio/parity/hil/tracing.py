"""Outputs of stages and layers from a board, by checksum where these suffice."""

import zlib
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edgebio.errors import DeviceError
from edgebio.link.client import Client
from edgebio.link.errors import RefusedError
from edgebio.link.trace import Trace

_TRIES = 3  # a trace with a lost event starts over

Source = Literal["layers", "stages"]


def differing_outputs(
    device: Client,
    run: Callable[[Trace], object],
    source: Source,
    expected: Mapping[int, npt.NDArray[Any]],
    all_data: bool,
) -> dict[int, bytes]:
    """Outputs of a run by index; without `all_data`, only those with unexpected checksums.

    `run` runs the network or front end once with the handler of the trace. `expected` are the
    outputs of this machine by index, their parts (channels of a stage) as rows.
    """
    equal: set[int] = set()
    if not all_data:
        checksums = _trace(device, run, source, data=False).checksums()
        equal = {
            index
            for index, parts in expected.items()
            if all(checksums.get((index, i)) == [_checksum(row)] for i, row in enumerate(parts))
        }
    differing = [index for index in expected if index not in equal]
    data = _trace(device, run, source, first=min(differing)).data() if differing else {}
    return {
        index: b"".join(data.get((index, i), b"") for i in range(len(expected[index])))
        for index in differing
    }


def _trace(
    device: Client, run: Callable[[Trace], object], source: Source, *, data: bool = True,
    first: int = 0,
) -> Trace:  # fmt: skip
    for _ in range(_TRIES):
        try:
            with device.trace(source, data=data, first=first) as trace:
                run(trace)
        except RefusedError as error:
            if error.code == "request":
                raise DeviceError(
                    f"{device.url}: the image on the board is not built for hardware in the "
                    "loop: edgebio build --hil, edgebio flash"
                ) from None
            raise
        if trace.complete:
            return trace
    raise DeviceError(f"{device.url}: parts of the trace were lost; the link is too noisy")


def _checksum(array: npt.NDArray[Any]) -> tuple[int, int]:
    """Size and CRC-32 of an array's bytes."""
    raw = np.ascontiguousarray(array).tobytes()
    return len(raw), zlib.crc32(raw)
