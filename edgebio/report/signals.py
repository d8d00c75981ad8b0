"""What recordings look like: a stretch of each class, and its spectrum."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from edgebio import storage
from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError, MissingToolError
from edgebio.recordings.recording import Recording
from edgebio.recordings.summary import Summary
from edgebio.report import plots, svg
from edgebio.report.page import Figure, Page, Section, Table, render

FORMATS = (".svg", ".png", ".html")

_SECONDS = 2.0
_MOST_CLASSES = 12
_CHANNELS = 3
_DECIBELS = 60.0
_COLUMNS = 220
"""Steps along a trace; each is drawn from its lowest to its highest sample."""
_LEAST = 32
"""Samples of the shortest stretch whose spectrum is shown."""


@dataclass(frozen=True, eq=False)
class Example:
    """A stretch of one class.

    Attributes
    ----------
    name
        The class.
    recording
        Where it is; None where no recording holds the class.
    begin, end
        The longest stretch of the class in it.
    """

    name: str
    recording: Recording | None
    begin: int = 0
    end: int = 0


def write(path: Path, described: DataSet, recordings: Sequence[Recording], held: Summary) -> Path:
    """Draw one recording of each class, and its spectrum, as the suffix says: .svg, .png or .html.

    Parameters
    ----------
    path
        File to write.
    described, recordings, held
        A data set, its recordings of one rate and class list, and their figures.

    Raises
    ------
    EdgebioError
        Where the suffix is another one, or nothing is labelled.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise EdgebioError(f"{path}: a plot is written as {', '.join(FORMATS)}")
    found = examples(recordings)
    if not any(example.recording for example in found):
        raise EdgebioError(f"{described.name}: no sample has a class; there is nothing to draw")
    channels = strongest(found)
    drawn = [signals(found, channels), spectra(found, channels)]
    if suffix != ".html":
        return plots.save(plots.stacked(f"Signals and spectra of {described.name}", drawn), path)
    storage.write_text(path, render(_page(described, found, drawn, held)))
    return path


def examples(recordings: Sequence[Recording]) -> list[Example]:
    """Choose a stretch of each class, of the first `_MOST_CLASSES`.

    It is the longest of the first recording that holds one of `_SECONDS`, or else of all.
    """
    wanted = round(_SECONDS * recordings[0].rate)
    chosen = []
    for label, name in enumerate(recordings[0].classes[:_MOST_CLASSES]):
        best = Example(name, None)
        for recording in recordings:
            begin, end = _longest(recording.labels == label)
            if end - begin > best.end - best.begin:
                best = Example(name, recording, begin, end)
            if best.end - best.begin >= wanted:
                break
        chosen.append(best)
    return chosen


def strongest(found: Sequence[Example]) -> list[int]:
    """Channels that move most in the examples, in order of their numbers."""
    power = np.mean(
        [e.recording.samples[e.begin : e.end].var(axis=0) for e in found if e.recording], axis=0
    )
    return sorted(np.argsort(-power, kind="stable")[:_CHANNELS].tolist())


def signals(found: Sequence[Example], channels: Sequence[int]) -> Markup:
    """Traces of the examples' middle, every class at the same scale."""
    windows = [_window(example, channels) for example in found]
    rate, longest = _rate(found), max(len(w) for w in windows)
    centred = [w - np.median(w, axis=0) if len(w) else w for w in windows]
    largest = np.concatenate([np.abs(w) for w in centred])
    scale = max(float(np.percentile(largest, 99.8)), 1.0)
    rows = [
        (
            example.name,
            [
                _envelope(values[:, k] / scale, longest, k, len(channels))
                for k in range(len(channels) if len(values) else 0)
            ],
        )
        for example, values in zip(found, centred, strict=True)
    ]
    seconds = longest / rate
    ticks = [(t / seconds, f"{t:g}") for t in svg.ticks(0.0, seconds)]
    return svg.traces(
        "Signals by class", rows, ticks, f"seconds; a trace is {2 * scale:.4g} counts high",
        [f"ch {k + 1}" for k in channels],
    )  # fmt: skip


def spectra(found: Sequence[Example], channels: Sequence[int]) -> Markup:
    """Spectra of the examples by Welch's method, over one range of decibels."""
    try:
        from scipy.signal import welch
    except ImportError:
        raise MissingToolError("spectra need: pip install 'edgebio[data]'") from None
    rate = _rate(found)
    powers: list[tuple[Any, Any] | None] = []
    for e in found:
        values = e.recording.samples[e.begin : e.end, channels] if e.recording else np.zeros((0, 1))
        if len(values) < _LEAST:
            powers.append(None)
            continue
        segment = min(len(values), max(64, round(rate / 4)))
        f, p = welch(values.astype(np.float64), rate, nperseg=segment, axis=0)
        powers.append((f[1:], 10 * np.log10(np.maximum(p[1:], 1e-12))))
    known = [p for p in powers if p is not None]
    top = max((float(p.max()) for _, p in known), default=0.0)
    rows = []
    for example, power in zip(found, powers, strict=True):
        curves = []
        if power is not None:
            f, p = power
            heights = np.clip(1 + (p - top) / _DECIBELS, 0, 1)
            curves = [
                list(zip((2 * f / rate).tolist(), heights[:, k].tolist(), strict=True))
                for k in range(len(channels))
            ]
        rows.append((example.name, curves))
    ticks = [(2 * t / rate, f"{t:g}") for t in svg.ticks(0.0, rate / 2)]
    return svg.traces(
        "Spectra by class", rows, ticks, f"Hz; a row is {_DECIBELS:g} dB high",
        [f"ch {k + 1}" for k in channels],
    )  # fmt: skip


def _page(
    described: DataSet, found: Sequence[Example], drawn: Sequence[Markup], held: Summary
) -> Page:
    sources = {e.recording.subject for e in found if e.recording}
    many, unlabelled = len(described.classes), held.unlabelled_seconds
    some = f", the first {len(found)} of {many} classes" if many > len(found) else ""
    words = f"One recording of each class{some}, of {_people(sorted(sources))}, its mean removed."
    about = [
        f"{described.title}. {described.rate:g} Hz, {described.channels} channels, "
        f"in units of {described.units}.",
        *([f"To cite: {described.citation}."] if described.citation else []),
        f"Licence: {described.licence}.",
    ]
    shares = [[s.name, str(s.recordings), f"{s.seconds:,.1f}"] for s in held.classes]
    return Page(
        title=described.name,
        subtitle=described.title,
        tiles=[
            ("people", str(len(held.people)), ""),
            ("recordings", f"{held.recordings:,}", ""),
            ("length", f"{held.seconds / 60:,.1f} min", f"{unlabelled:,.0f} s of it no class"),
            ("range", f"{held.lowest:,} to {held.highest:,}", "counts"),
        ],
        sections=[
            Section("The set", about),
            Section("Signals and spectra", [words], [
                Figure(drawn[0], "The middle of a stretch of each class; the channels that move "
                                 "most, one below the other, all classes at one scale."),
                Figure(drawn[1], "Power by frequency (Welch), relative to the largest."),
            ]),
            Section("Classes", tables=[Table(["class", "recordings", "seconds"], shares)]),
        ],
        made_from=described.name,
    )  # fmt: skip


def _people(names: Sequence[str]) -> str:
    return f"person {names[0]}" if len(names) == 1 else f"people {', '.join(names)}"


def _longest(mask: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Begin and end of the longest run of what is true; an empty one where nothing is."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    runs = edges.reshape(-1, 2)
    if not len(runs):
        return 0, 0
    begin, end = runs[np.argmax(runs[:, 1] - runs[:, 0])].tolist()
    return begin, end


def _window(example: Example, channels: Sequence[int]) -> npt.NDArray[np.float64]:
    """Samples around the middle of an example; more than its class, where that is brief."""
    recording = example.recording
    if recording is None:
        return np.zeros((0, len(channels)))
    width = min(round(_SECONDS * recording.rate), len(recording.samples))
    first = (example.begin + example.end - width) // 2
    first = min(max(first, 0), len(recording.samples) - width)
    return recording.samples[first : first + width][:, list(channels)].astype(np.float64)


def _envelope(
    values: npt.NDArray[np.float64], longest: int, band: int, bands: int
) -> list[tuple[float, float]]:
    """Points of a trace in its band of a row, of as many as a screen can show."""
    middle, half = 1 - (band + 0.5) / bands, 0.5 / bands
    steps = np.array_split(np.arange(len(values)), min(_COLUMNS, max(1, len(values) // 2)))
    points = []
    for step in steps:
        x = (step[0] + step[-1]) / 2 / max(longest - 1, 1)
        for place in sorted({int(values[step].argmin()), int(values[step].argmax())}):
            points.append((x, middle + half * float(np.clip(values[step][place], -1, 1))))
    return points


def _rate(found: Sequence[Example]) -> float:
    return next(e.recording.rate for e in found if e.recording)
