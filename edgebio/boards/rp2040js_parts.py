"""What is connected to an RP2040 in rp2040js: settings of ``firmware_assets/emulator``'s parts."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from edgebio import storage
from edgebio.boards.board import LinkKind
from edgebio.boards.peripherals import Spi, pin_number
from edgebio.sampling.ads1298 import Ads1298

SETTINGS: Final = "emulation.json"
CODES: Final = "emulation-codes.bin"
ADS1298_CODES: Final = "emulation-ads1298.bin"
JOURNAL: Final = "emulation.jsonl"

FaultKind = Literal["brownout", "hang", "hang-masked", "overflow"]


@dataclass(frozen=True)
class Electrodes:
    """Codes that the electrodes play into the converter of the chip.

    Attributes
    ----------
    codes : ndarray, uint16, (frames, channels)
        One frame for each sample time.
    inputs : tuple of int
        Input of the converter for each channel.
    period_us : Fraction
        Time between frames, exactly as the device's divider makes it.
    zero : int
        Code before and after.
    """

    codes: npt.NDArray[np.uint16]
    inputs: tuple[int, ...]
    period_us: Fraction
    zero: int


@dataclass(frozen=True)
class Ads1298Event:
    """What happens to an external converter at a time since power-on; see ``ads1298.mjs``.

    `positive` and `negative` are bit masks of electrodes that are off, for "leads".
    """

    time_us: float
    kind: Literal["leads", "unplug", "plug"]
    positive: int = 0
    negative: int = 0


@dataclass(frozen=True)
class Ads1298Signal:
    """Codes that an external converter plays, and what happens to it.

    Attributes
    ----------
    codes : ndarray, int32, (frames, channels of all converters)
        Codes of 24 bits, right for the gain and the reference of `converter`.
    converter : Ads1298
        How the program sets it up; it refuses to play otherwise.
    spi : Spi
        Where it is connected.
    ppm : float
        By how much its periods are too long.
    """

    codes: npt.NDArray[np.int32]
    converter: Ads1298
    spi: Spi
    ppm: float = 0.0
    events: tuple[Ads1298Event, ...] = ()

    def settings(self) -> dict[str, Any]:
        """Settings of the part."""
        pins = self.spi.pins
        return {
            "file": ADS1298_CODES,
            "chip": self.converter.chip,
            "chips": self.converter.chips,
            "spi": self.spi.index,
            "pins": {"select": pin_number(pins.select), "ready": pin_number(pins.ready)},
            "gain": self.converter.gain,
            "reference_4_volt": self.converter.reference == 4,
            "ppm": self.ppm,
            "events": [vars(event) for event in self.events],
        }


@dataclass(frozen=True)
class Fault:
    """A fault that happens at a time since power-on; see ``faults.mjs``."""

    time_us: float
    kind: FaultKind


@dataclass(frozen=True)
class Parts:
    """What is connected; the journal reports pulses, levels and calls, see ``journal.mjs``.

    Attributes
    ----------
    link : {"uart", "usb"}
        What carries the link of the image.
    drives : Path or None
        Folder for the drive of its boot loader.
    pulses, levels : tuple of int
        Pins whose pulses, or whose levels, are reported.
    calls : mapping of str to int
        Functions by name and address, whose calls are reported.
    quad_enable
        Bit QE of the flash before the first start: set, clear, or it cannot be set.
    """

    electrodes: Electrodes | None = None
    ads1298: Ads1298Signal | None = None
    pulses: tuple[int, ...] = ()
    levels: tuple[int, ...] = ()
    calls: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    link: LinkKind = "uart"
    drives: Path | None = None
    quad_enable: Literal["set", "clear", "never"] = "set"

    def write(self, folder: Path) -> Path:
        """Write the settings and what they refer to into `folder`; return their file."""
        settings: dict[str, Any] = {
            "journal": {
                "file": JOURNAL,
                "pulses": self.pulses,
                "levels": self.levels,
                "calls": dict(self.calls),
            },
            "link": self.link,
            "flash": self.quad_enable,
        }
        if self.drives:
            settings["drives"] = str(self.drives)
        if self.electrodes:
            played = self.electrodes
            (folder / CODES).write_bytes(played.codes.astype("<u2").tobytes())
            settings["electrodes"] = {
                "file": CODES,
                "inputs": played.inputs,
                "period_us": played.period_us.as_integer_ratio(),
                "zero": played.zero,
            }
        if self.ads1298:
            (folder / ADS1298_CODES).write_bytes(self.ads1298.codes.astype("<i4").tobytes())
            settings["ads1298"] = self.ads1298.settings()
        if self.faults:
            settings["faults"] = [vars(fault) for fault in self.faults]
        storage.write_json(folder / SETTINGS, settings)
        return folder / SETTINGS


@dataclass(frozen=True)
class Pulse:
    """A pulse at a pin; times in microseconds since power-on."""

    time_us: float
    pin: int
    pulse_us: float


@dataclass(frozen=True)
class Call:
    """A call of a watched function, with its first two arguments."""

    time_us: float
    name: str
    arguments: tuple[int, int]


def read_journal(folder: Path) -> Iterator[dict[str, Any]]:
    """Lines of the journal in `folder`, complete ones only, while it grows."""
    try:
        text = (folder / JOURNAL).read_text()
    except OSError:
        return
    for line in text.splitlines(keepends=True):
        if line.endswith("\n"):
            yield json.loads(line)


def pulses(folder: Path, pin: int) -> list[Pulse]:
    """Pulses at a pin so far."""
    return [
        Pulse(row["time_us"], pin, row["pulse_us"])
        for row in read_journal(folder)
        if row.get("pin") == pin and "pulse_us" in row
    ]


def calls(folder: Path, name: str) -> list[Call]:
    """Calls of a watched function so far."""
    return [
        Call(row["time_us"], name, (row["arguments"][0], row["arguments"][1]))
        for row in read_journal(folder)
        if row.get("call") == name
    ]
