"""XDF, as LabRecorder writes it: one stream of signals, and streams of markers as moments."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from edgebio.errors import EdgebioError
from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.readers.channel_scale import select_channels
from edgebio.recordings.readers.damage import check_file, refuse_damage
from edgebio.recordings.readers.events import Event, label_samples
from edgebio.recordings.readers.table import Table, common_unit
from edgebio.recordings.readers.time_columns import TimeColumn, measure_timing
from edgebio.suggest import nearest

_MAX_BYTES = 1 << 30


def read_xdf_table(path: Path, options: ImportOptions) -> Table:
    """Read the stream that the options name (``samples``), or the only one of signals.

    A marker labels the samples until the next one of its stream, if the options say so by
    ``label_column``: the name of that stream.
    """
    options.check_supported(path, "an XDF file", {"columns", "samples", "labels"})
    check_file(path, _MAX_BYTES, "XDF file")
    with refuse_damage(path, "cut or not an XDF file"):
        import pyxdf

        with _errors_of("pyxdf") as errors:
            streams, _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
        if errors:  # the package skips what is damaged
            raise ValueError(errors[0])
        described = [(_text(s, "name"), float(_text(s, "nominal_srate") or 0), s) for s in streams]
    signals = {name: s for name, rate, s in described if rate > 0 and len(s["time_series"])}
    stream = _choose(path, options.samples, signals)
    channels = _channels(stream)
    values = np.asarray(stream["time_series"], np.float64)
    names = [name for name, _ in channels] or [f"channel {k + 1}" for k in range(values.shape[1])]
    indices = select_channels(path, options, names)
    stamps = np.asarray(stream["time_stamps"], np.float64)
    nominal = float(_text(stream, "nominal_srate"))
    timing = measure_timing(path, [TimeColumn(0, "time")], [stamps])
    labels = None
    notes: tuple[str, ...] = ()
    if options.label is None:
        markers = {name: s for name, rate, s in described if rate == 0}
        events = _events(path, options.label_column, markers, stamps)
        labels, notes = label_samples(path, events, len(values), nominal)
    units = [channels[k][1] for k in indices] if channels else []
    return Table(
        path=path,
        values=values[:, indices],
        locate=lambda row, column: f"{path}: sample {row}, channel {names[indices[column]]}",
        metadata={} if labels is None else {"labels": labels},
        rate=nominal,
        units=common_unit(units) if units else None,
        timing=timing if timing.is_regular else None,
        notes=notes,
    )


@contextmanager
def _errors_of(package: str) -> Iterator[list[str]]:
    """Collect the errors that a package logs, instead of printing them."""
    errors: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            errors.append(record.getMessage())

    logger, collector = logging.getLogger(package), Collector(logging.ERROR)
    propagates, level = logger.propagate, logger.level
    logger.addHandler(collector)
    logger.propagate = False
    logger.setLevel(logging.ERROR)
    try:
        yield errors
    finally:
        logger.removeHandler(collector)
        logger.propagate = propagates
        logger.setLevel(level)


def _events(path: Path, stream: str | None, markers: dict[str, Any], stamps: Any) -> list[Event]:
    """Markers as events from the first sample on, each until the next where a stream is named."""
    if stream is None:
        chosen = list(markers.values())
    elif stream in markers:
        chosen = [markers[stream]]
    else:
        present = ", ".join(markers) or "none"
        raise EdgebioError(
            f"{path}: no stream of markers {stream!r}; it has {present}{nearest(stream, markers)}"
        )
    events = []
    for entry in chosen:
        times = [float(t) - float(stamps[0]) for t in entry["time_stamps"]]
        ends = [*times[1:], float(stamps[-1] - stamps[0]) + 1] if stream else times
        for begin, end, texts in zip(times, ends, entry["time_series"], strict=True):
            events.append(Event(begin, end - begin, str(texts[0]).strip()))
    return events


def _choose(path: Path, name: str | None, signals: dict[str, Any]) -> Any:
    present = ", ".join(signals) or "none"
    if name is not None:
        if name not in signals:
            raise EdgebioError(
                f"{path}: no stream {name!r}; it has {present}{nearest(name, signals)}"
            )
        return signals[name]
    if len(signals) != 1:
        raise EdgebioError(
            f"{path}: {len(signals)} streams of signals ({present}); name one by samples in a "
            "mapping file"
        )
    return next(iter(signals.values()))


def _text(stream: Any, field: str) -> str:
    return str((stream["info"].get(field) or [""])[0] or "")


def _channels(stream: Any) -> list[tuple[str, str]]:
    """Names and units of the channels; empty where the stream does not describe them."""
    try:
        entries = stream["info"]["desc"][0]["channels"][0]["channel"]
        return [(str(e["label"][0]), str((e.get("unit") or [""])[0] or "")) for e in entries]
    except (KeyError, IndexError, TypeError):
        return []
