"""Which live sources are there now, and what the others need."""

import importlib.util
from dataclasses import asdict, dataclass
from typing import Any

from edgebio import boards
from edgebio.errors import EdgebioError
from edgebio.sources.lsl import import_pylsl

_LSL_SECONDS = 1.0


@dataclass(frozen=True)
class CatalogEntry:
    """A source, or a kind of source that is not there.

    Attributes
    ----------
    url
        URL to open it by, or an example of one.
    name
        What it is.
    available
        Whether it is there.
    hint
        What is missing and how to get it, or what to know about it.
    """

    url: str
    name: str
    available: bool
    hint: str = ""

    def document(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


def list_sources() -> list[CatalogEntry]:
    """Look for sources: serial ports, LSL streams, and what is built in."""
    return [
        *_ports(),
        *_lsl_streams(),
        *_brainflow(),
        CatalogEntry("replay://emg-3dc:2", "a file or data set at its own pace", True,
                     "edgebio data list"),
        CatalogEntry("synthetic://", "a computed signal that follows the prompts", True),
    ]  # fmt: skip


def _ports() -> list[CatalogEntry]:
    from serial.tools import list_ports

    ids = {
        (link.vid, link.pid): board.title
        for board in map(boards.load, boards.names())
        if (link := board.usb_link)
    }
    entries = []
    for port in sorted(list_ports.comports(), key=lambda port: str(port.device)):
        board = ids.get((port.vid, port.pid))
        described = board or (port.description if port.description != "n/a" else "serial port")
        scheme = "device" if board else "serial"
        hint = "" if board else "numbers in text lines; a board of edgebio: device://"
        entries.append(CatalogEntry(f"{scheme}://{port.device}", str(described), True, hint))
    if not entries:
        entries.append(
            CatalogEntry("serial:///dev/ttyUSB0", "a serial port", False,
                         "none is there: plug the device in")
        )  # fmt: skip
    return entries


def _lsl_streams() -> list[CatalogEntry]:
    try:
        pylsl = import_pylsl()
    except EdgebioError as error:
        return [
            CatalogEntry("lsl://NAME", "a stream of the Lab Streaming Layer", False, str(error))
        ]
    entries = [
        CatalogEntry(
            f"lsl://{info.name()}",
            f"LSL stream of {info.hostname()}: {info.channel_count()} channels"
            + (f" at {info.nominal_srate():g} Hz" if info.nominal_srate() > 0 else ""),
            info.nominal_srate() > 0,
            "" if info.nominal_srate() > 0 else "it states no sampling rate",
        )
        for info in sorted(pylsl.resolve_streams(_LSL_SECONDS), key=lambda info: str(info.name()))
    ]
    return entries or [
        CatalogEntry("lsl://NAME", "a stream of the Lab Streaming Layer", False,
                     "none is on this network: start its sender")
    ]  # fmt: skip


def _brainflow() -> list[CatalogEntry]:
    there = importlib.util.find_spec("brainflow") is not None
    hint = "and others, such as brainflow://cyton?serial_port=/dev/ttyUSB0"
    return [
        CatalogEntry("brainflow://synthetic", "BrainFlow's synthetic board", there,
                     hint if there else 'needs BrainFlow: pip install "edgebio[live]"')
    ]  # fmt: skip
