"""Charts of recordings: traces and spectra of one segment of each class."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError, MissingToolError
from edgebio.recordings.recording import Recording
from edgebio.recordings.summary import Summary
from edgebio.report import chart, page
from edgebio.report.page import Figure, Page, Section, Table, Tile, join_words
from edgebio.report.signal_charts import Curve, Panel, curves_by_class

FORMATS: Final = (*chart.FORMATS, ".html")

_SECONDS = 2.0  # of a trace
_MOST_CLASSES = 12
_CHANNELS = 3
_DECIBELS = 60.0  # of the height of a row
_POINTS = 440  # of a trace: the lowest and the highest sample of each step
_SHORTEST = 32  # samples of a segment that has a spectrum


class Example(NamedTuple):
    """The longest segment of a class in a recording, from sample `begin` to `end`."""

    name: str
    recording: Recording | None
    begin: int = 0
    end: int = 0

    @property
    def samples(self) -> npt.NDArray[np.float64]:
        """Samples of the segment, shape (n, channels); none where no recording has the class."""
        if self.recording is None:
            return np.zeros((0, 1))
        return self.recording.samples[self.begin : self.end].astype(np.float64)

    def around_middle(self, seconds: float) -> npt.NDArray[np.float64]:
        """Samples around the middle, shape (n, channels); beyond the segment if that is short."""
        if self.recording is None:
            return np.zeros((0, 1))
        width = min(round(seconds * self.recording.rate), len(self.recording.samples))
        first = max((self.begin + self.end - width) // 2, 0)
        first = min(first, len(self.recording.samples) - width)
        return self.recording.samples[first : first + width].astype(np.float64)


def write_signal_report(
    path: Path, dataset: DataSet, recordings: Sequence[Recording], summary: Summary
) -> Path:
    """Draw a segment of each class, and its spectrum, as .svg, .png or .html.

    Parameters
    ----------
    path
        File to write; its suffix chooses the format.
    dataset, recordings, summary
        A data set, its recordings of one rate and class list, and their statistics.

    Raises
    ------
    EdgebioError
        For any other suffix, or where nothing is labeled.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise EdgebioError(f"{path}: cannot write a plot as {suffix}; use {', '.join(FORMATS)}")
    examples = choose_examples(recordings)
    if not any(example.recording for example in examples):
        raise EdgebioError(f"{dataset.name}: no sample has a class; there is nothing to draw")
    channels = strongest_channels(examples)
    rate = recordings[0].rate
    panels = [trace_panel(examples, channels, rate), spectrum_panel(examples, channels, rate)]
    labels = [f"channel {k + 1}" for k in channels]
    if suffix != ".html":
        title = f"Signals and spectra of {dataset.name}"
        return curves_by_class(title, panels, labels).save(path)
    traces, spectra = (
        curves_by_class(title, [panel], labels)
        for title, panel in zip(("Signals by class", "Spectra by class"), panels, strict=True)
    )
    figures = [
        Figure(traces, "Middle of a segment of each class, its median removed. The channels with "
                       "the most power, one below the other; all classes have one scale."),
        Figure(spectra, "Power spectral density (Welch), relative to the largest."),
    ]  # fmt: skip
    return page.write(_page(dataset, examples, figures, summary), path)


def choose_examples(recordings: Sequence[Recording]) -> list[Example]:
    """Choose a segment of each class, of the first `_MOST_CLASSES`.

    It is the longest one of the first recording that has `_SECONDS` of the class, or else of all.
    """
    enough = round(_SECONDS * recordings[0].rate)
    examples = []
    for label, name in enumerate(recordings[0].classes[:_MOST_CLASSES]):
        best = Example(name, None)
        for recording in recordings:
            begin, end = _longest_run(recording.labels == label)
            if end - begin > best.end - best.begin:
                best = Example(name, recording, begin, end)
            if best.end - best.begin >= enough:
                break
        examples.append(best)
    return examples


def strongest_channels(examples: Sequence[Example]) -> list[int]:
    """Up to three channels with the most power in the examples, in order of their numbers."""
    power = np.mean([e.samples.var(axis=0) for e in examples if e.recording], axis=0)
    return sorted(np.argsort(-power, kind="stable")[:_CHANNELS].tolist())


def trace_panel(examples: Sequence[Example], channels: Sequence[int], rate: float) -> Panel:
    """Traces of the examples' middle; every class has the same scale."""
    traces = [e.around_middle(_SECONDS)[:, channels] if e.recording else None for e in examples]
    centered = [None if trace is None else trace - np.median(trace, axis=0) for trace in traces]
    magnitude = np.concatenate([np.abs(trace) for trace in centered if trace is not None])
    scale = max(float(np.percentile(magnitude, 99.8)), 1.0)

    def curve(trace: npt.NDArray[np.float64], k: int) -> Curve:
        x, y = _envelope(trace[:, k])
        return x / rate, 1 - (k + 0.5 - np.clip(y / scale, -1, 1) / 2) / len(channels)

    rows = [
        (e.name, [] if trace is None else [curve(trace, k) for k in range(len(channels))])
        for e, trace in zip(examples, centered, strict=True)
    ]
    return Panel(rows, "time, s", f"amplitude ({2 * scale:,.0f} counts a channel)")


def spectrum_panel(examples: Sequence[Example], channels: Sequence[int], rate: float) -> Panel:
    """Spectra of the examples by Welch's method, over one range of decibels."""
    try:
        from scipy.signal import welch
    except ImportError:
        raise MissingToolError("spectra need: pip install 'edgebio[data]'") from None

    def spectrum(samples: npt.NDArray[np.float64]) -> list[Curve]:
        if len(samples) < _SHORTEST:
            return []
        length = min(len(samples), max(64, round(rate / 4)))
        frequency, power = welch(samples[:, channels], rate, nperseg=length, axis=0)
        return [(frequency[1:], 10 * np.log10(np.maximum(each[1:], 1e-12))) for each in power.T]

    spectra = [(e.name, spectrum(e.samples)) for e in examples]
    top = max((float(y.max()) for _, curves in spectra for _, y in curves), default=0.0)
    rows = [
        (name, [(x, np.clip(1 + (y - top) / _DECIBELS, 0, 1)) for x, y in curves])
        for name, curves in spectra
    ]
    return Panel(rows, "frequency, Hz", f"power ({_DECIBELS:g} dB a row)")


def _page(
    dataset: DataSet, examples: Sequence[Example], figures: Sequence[Figure], summary: Summary
) -> Page:
    subjects = sorted({e.recording.subject for e in examples if e.recording})
    total = len(dataset.classes)
    first = f"; the first {len(examples)} of {total} classes" if total > len(examples) else ""
    description = [
        f"{dataset.title}. {dataset.rate:g} Hz, {dataset.channels} channels, in units of "
        f"{dataset.units}.",
        *([f"Citation: {dataset.citation}."] if dataset.citation else []),
        f"License: {dataset.license}.",
    ]
    text = (
        f"One recording of each class{first}, of subject{'s' if len(subjects) > 1 else ''} "
        f"{join_words(subjects)}."
    )
    rows = [[each.name, str(each.recordings), f"{each.seconds:,.1f}"] for each in summary.classes]
    return Page(
        title=dataset.name,
        subtitle=dataset.title,
        tiles=[
            Tile("subjects", str(len(summary.subjects))),
            Tile("recordings", f"{summary.recordings:,}"),
            Tile("duration", f"{summary.seconds / 60:,.1f} min",
                 f"{summary.unlabeled_seconds:,.0f} s of it unlabeled"),
            Tile("range", f"{summary.lowest:,} to {summary.highest:,}", "counts"),
        ],
        sections=[
            Section("Data set", description),
            Section("Signals and spectra", [text], figures),
            Section("Classes", tables=[Table(["class", "recordings", "seconds"], rows)]),
        ],
        source=dataset.name,
    )  # fmt: skip


def _longest_run(mask: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Begin and end of the longest run of true values; an empty run if there is none."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    runs = edges.reshape(-1, 2)
    if not len(runs):
        return 0, 0
    begin, end = runs[np.argmax(runs[:, 1] - runs[:, 0])].tolist()
    return begin, end


def _envelope(trace: npt.NDArray[np.float64]) -> Curve:
    """Sample numbers and values of the extremes of each step, shape (points,)."""
    steps = np.array_split(np.arange(len(trace)), min(_POINTS // 2, max(1, len(trace) // 2)))
    places = [
        place
        for step in steps
        for place in sorted({step[trace[step].argmin()], step[trace[step].argmax()]})
    ]
    return np.array(places, np.float64), trace[places]
