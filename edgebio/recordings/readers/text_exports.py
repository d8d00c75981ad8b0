"""Text files of recording programs, recognized by their first lines: rate, names and channels.

OpenBCI GUI, OpenSignals (Biosignalsplux), BioSPPy, Vicon Nexus and Delsys. What other programs
(Noraxon, Shimmer, BrainFlow) write is described by its names and times alone, as `text_layout` and
`time_columns` read them.
"""

import json
import re
from dataclasses import dataclass, replace

from edgebio.recordings.readers.text_layout import TextLayout

_VICON_SECTIONS = ("Devices", "Analog EMG", "Analog")


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
    """

    program: str
    layout: TextLayout
    rate: float | None
    channels: tuple[int, ...] = ()


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
        return TextExport("Delsys", layout, layout.rate, muscles)
    return TextExport("", layout, layout.rate)


def _openbci(layout: TextLayout, header: str) -> TextExport:
    channels = _columns(layout, r"\s*EXG Channel")
    if not channels and (count := re.search(r"Number of channels = (\d+)", header)):
        channels = tuple(range(1, min(1 + int(count[1]), layout.width)))
    return TextExport("OpenBCI", layout, layout.rate, channels)


def _opensignals(layout: TextLayout, header: str) -> TextExport:
    text = next((line for line in layout.header if line.startswith("{")), "{}")
    try:
        device = next(iter(json.loads(text).values()))
        names, labels = map(str, device["column"]), {*map(str, device["label"])}
        rate = float(device["sampling rate"])
        layout = _named(layout, tuple(names))
    except (ValueError, TypeError, KeyError, AttributeError, StopIteration, RecursionError):
        return TextExport("OpenSignals", layout, layout.rate)
    channels = tuple(k for k, name in enumerate(layout.names) if name in labels)
    return TextExport("OpenSignals", layout, rate if rate > 0 else None, channels)


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
