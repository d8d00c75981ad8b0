"""Text files of recording programs, recognized by their first lines: rate, names and channels.

OpenBCI GUI, OpenSignals (Biosignalsplux), BioSPPy, Vicon Nexus, Delsys and BrainFlow. What other
programs (Noraxon, Shimmer) write is described by its names and times alone, as `text_layout` and
`time_columns` read them.
"""

import contextlib
import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from edgebio.recordings.readers.text_layout import TextLayout

_VICON_SECTIONS = ("Devices", "Analog EMG", "Analog")
_BRAINFLOW_EXG = {15: 4, 24: 8, 32: 16}
"""Channels after the packet number, by columns, of Ganglion, Cyton, and Cyton with Daisy."""
_UNIX_2001 = 1e9  # seconds since 1970


@dataclass(frozen=True)
class TextExport:
    """What a file of a known program says of itself.

    Attributes
    ----------
    program
        Name of the program; empty if it is not known.
    layout
        The layout, with the names of the columns.
    rate
        In Hz, where the header states it.
    channels
        Columns of the signals; empty: all that nothing else uses.
    rates
        Of those signals whose times are in the column before, by column: in Hz, as text.
    """

    program: str
    layout: TextLayout
    rate: float | None
    channels: tuple[int, ...] = ()
    rates: Mapping[int, str] = field(default_factory=dict)


def recognize_export(layout: TextLayout) -> TextExport:
    """Recognize the program that wrote a file; its rate is that of any header if none is known."""
    header = "\n".join(layout.header)
    if header.startswith("OpenBCI"):
        return _openbci(layout, header)
    if header.startswith("OpenSignals"):
        return _opensignals(layout, header)
    if header.startswith("Simple Text Format"):
        return _biosppy(layout, header)
    if layout.header[:1] and layout.header[0].strip(",;") in _VICON_SECTIONS:
        return _vicon(layout)
    muscles = _columns(layout, r"(?i)\bEMG\b")
    if muscles and _columns(layout, r"X ?\[s\]|Time Series"):
        return _delsys(layout)
    if _is_brainflow(layout):
        return TextExport(
            "BrainFlow",
            replace(layout, units=("uV",) * layout.width),
            layout.rate,
            tuple(range(1, 1 + _BRAINFLOW_EXG[layout.width])),
        )
    return TextExport("", layout, layout.rate)


def find_section(lines: Iterable[str]) -> tuple[int, int] | None:
    """First line and end, from 0, of the analog signals in a Vicon file, if there are any.

    Sections are a title, a rate, names and samples, and end with an empty line.
    """
    start = None
    for number, line in enumerate(lines):
        title = line.strip().strip(",;")
        if start is None and title in _VICON_SECTIONS:
            start = number
        elif start is not None and not title:
            return start, number
    return None if start is None else (start, sys.maxsize)


def _delsys(layout: TextLayout) -> TextExport:
    """Take the channels of muscles, each after its times; those may be of several rates."""
    muscles = [
        k for k, name in enumerate(layout.names)
        if k and re.search(r"(?i)\bEMG\b(?!.*Time Series)", name)
    ]  # fmt: skip
    rates = {}
    for column in muscles:
        times = [row[column - 1].replace(layout.decimal, ".") for row in layout.rows[:20]]
        with contextlib.suppress(ValueError):
            steps = np.diff([float(text) for text in times])
            if len(steps) and (steps > 0).all():
                rates[column] = f"{1 / np.median(steps):.4g}"
    return TextExport("Delsys", layout, layout.rate, tuple(muscles), rates)


def _is_brainflow(layout: TextLayout) -> bool:
    """Whether columns are those of a board of OpenBCI: packet, signals, ..., Unix time, marker."""
    if layout.separator != "\t" or layout.names or layout.width not in _BRAINFLOW_EXG:
        return False
    with contextlib.suppress(ValueError):
        return all(float(row[-2]) > _UNIX_2001 for row in layout.rows)
    return False


def _openbci(layout: TextLayout, header: str) -> TextExport:
    channels = _columns(layout, r"\s*EXG Channel")
    if not channels and (count := re.search(r"Number of channels = (\d+)", header)):
        channels = tuple(range(1, min(1 + int(count[1]), layout.width)))
    layout = replace(layout, units=("uV",) * layout.width)  # of all EXG channels, by the GUI
    return TextExport("OpenBCI", layout, layout.rate, channels)


def _opensignals(layout: TextLayout, header: str) -> TextExport:
    """Columns of one device after the other, in the header's order."""
    text = next((line for line in layout.header if line.startswith("{")), "{}")
    names, labels, rates = list[str](), list[bool](), set[float]()
    try:
        devices = json.loads(text)
        for address, device in devices.items():
            columns, own = [str(name) for name in device["column"]], {*map(str, device["label"])}
            names += columns if len(devices) == 1 else [f"{address} {name}" for name in columns]
            labels += [name in own for name in columns]
            rates.add(float(device["sampling rate"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return TextExport("OpenSignals", layout, layout.rate)
    rate = rates.pop() if len(rates) == 1 else None
    layout = _named(layout, tuple(names))
    channels = tuple(k for k, is_signal in enumerate(labels) if is_signal and layout.names)
    return TextExport("OpenSignals", layout, rate if rate and rate > 0 else None, channels)


def _biosppy(layout: TextLayout, header: str) -> TextExport:
    labels = re.search(r"Labels:=[ \t]*(.*)", header)
    if labels:
        layout = _named(layout, tuple(part.strip() for part in re.split(r"[\t,;]", labels[1])))
    return TextExport("BioSPPy", layout, layout.rate)


def _vicon(layout: TextLayout) -> TextExport:
    rate = layout.header[1].strip(",;") if len(layout.header) > 1 else ""
    return TextExport("Vicon", layout, float(rate) if re.fullmatch(r"[1-9]\d*", rate) else None)


def _named(layout: TextLayout, names: tuple[str, ...]) -> TextLayout:
    return replace(layout, names=names) if len(names) == layout.width else layout


def _columns(layout: TextLayout, pattern: str) -> tuple[int, ...]:
    return tuple(
        k
        for k, name in enumerate(layout.names)
        if re.match(pattern, name) or (re.search(pattern, name) and k not in layout.text_columns)
    )
