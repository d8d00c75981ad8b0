"""What each column of a table is used for: signals, times, labels, or nothing."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.readers.table import find_columns
from edgebio.recordings.readers.text_exports import TextExport
from edgebio.recordings.readers.text_layout import MISSING
from edgebio.recordings.readers.time_columns import TimeColumn, find_time_columns
from edgebio.recordings.readers.time_stamps import are_time_stamps

KNOWN_NAMES = {
    "labels": ("restimulus", "stimulus", "label", "labels", "class", "classes", "class_label",
               "gesture", "gestures", "gesture_label", "gesture_name", "target", "y", "activity",
               "movement"),
    "subject": ("subject", "subject_id", "participant", "participant_id"),
    "session": ("session", "session_id"),
}  # fmt: skip
"""Names, in lower case, of columns and arrays that hold metadata where no option names one."""

_TIDY_NAMES = {"channel", "sensor", "electrode", "variable", "signal"}
_EVENT_NAMES = ({"onset", "duration"}, {"name", "x", "y", "z"}, {"participant_id"})
_SIGNAL_NAME = re.compile(r"s?emg|exg|ecg|ekg|eeg|eog", re.IGNORECASE)
_MUSCLE_NAME = re.compile(r"s?emg|exg", re.IGNORECASE)
_OTHER_NAME = re.compile(
    r"rep|(re)?repetitions?|trials?|epochs?|blocks?|exercise|.*marker.*|.*trigger.*|.*status.*|"
    r"conditions?|.*battery.*",
    re.IGNORECASE,
)
_MIN_LINES = 50  # that show whether a column holds labels
_FEW = 64  # different numbers of a column of labels, and lines for each change


@dataclass(frozen=True)
class Roles:
    """What each column is used for.

    Attributes
    ----------
    channels
        Columns of the signals.
    metadata
        Column of ``labels``, ``subject``, ``session``, ``repetition`` and ``rate``.
    one_hot
        Columns of one class each.
    time
        Columns that time or count the samples.
    notes
        What was decided without an option, to show to the user.
    """

    channels: list[int]
    metadata: dict[str, int]
    one_hot: list[int]
    time: list[TimeColumn]
    notes: list[str]


def assign_roles(path: Path, options: ImportOptions, export: TextExport) -> Roles:
    """Decide by the options, then by names and by the first lines.

    Raises
    ------
    EdgebioError
        If a column is missing, none is left for the signals, or one looks like labels.
    """
    layout = export.layout
    names, width = layout.names, layout.width
    plain = [name.strip().lower() for name in names]
    _refuse_other_tables(path, plain)
    first = np.array(
        [[_number(value, layout.decimal) for value in row] for row in layout.rows], np.float64
    ).reshape(len(layout.rows), width)
    chosen = find_columns(path, options.columns, names, width)
    metadata, hot = _requested(path, options, names, width)
    used = {*metadata.values(), *hot, *chosen}
    notes = [f"{export.program} file"] if export.program else []

    def titles(columns: Iterable[int]) -> str:
        named = (names[k] if names and names[k] else f"column {k + 1}" for k in columns)
        return ", ".join(named)

    time = [
        column
        for column in find_time_columns(names, layout.units, first)
        if column.index not in used and column.index not in layout.text_columns
    ]
    texts = sorted(layout.text_columns - used)
    if not any(column.kind == "time" for column in time):
        stamps = [k for k in texts if are_time_stamps([row[k] for row in layout.rows])]
        time += [TimeColumn(k, "time", is_text=True) for k in stamps[:1]]
    used |= {column.index for column in time}
    for field, known in () if options.transposed else KNOWN_NAMES.items():
        column = next((plain.index(name) for name in known if name in plain), None)
        if field in metadata or column is None or column in used or hot:
            continue
        if column in layout.text_columns or _are_few(first[:, column]):
            metadata[field] = column
            used.add(column)
            notes.append(f"{field}: column {names[column]}")
    free = [k for k in range(width) if k not in used and k not in layout.text_columns]
    if export.rates:
        own = [k for k in chosen or export.channels if k not in used or k in chosen]
        rates = sorted({export.rates[k] for k in own if k in export.rates}, key=float)
        if len(rates) > 1:
            raise EdgebioError(
                f"{path}: channels of several rates ({', '.join(rates)} Hz); choose ones of one "
                "rate by --columns"
            )
        time = [column for column in time if column.index + 1 in own]
    if not chosen:
        chosen = _choose_channels(export, plain, free)
        if not options.transposed:
            _refuse_labels(path, first, chosen, names, has_labels="labels" in metadata)
    if not chosen:
        raise EdgebioError(f"{path}: no column besides the labels, times and texts")
    if time and not options.columns:
        titled = titles(c.index for c in time)
        notes.append(f"not channels, as they time or count the samples: {titled}")
    if not options.columns:
        if left := [k for k in texts if k not in used]:
            notes.append(f"left out, as they hold text or nothing: {titles(left)}")
        if extra := [k for k in free if k not in chosen]:
            notes.append(
                f"left out, as they are not its signals: {titles(extra)}; name them by --columns"
            )
        if len(chosen) <= 2 and _TIDY_NAMES & {*plain} and "value" in plain:
            column_name = next(name for name in names if name.strip().lower() in _TIDY_NAMES)
            raise EdgebioError(
                f"{path}: one number per line, of the {column_name} that the line names; make a "
                f"column of each {column_name} first, such as by pandas' DataFrame.pivot"
            )
    return Roles(chosen, metadata, hot, time, notes)


def _requested(
    path: Path, options: ImportOptions, names: Sequence[str], width: int
) -> tuple[dict[str, int], list[int]]:
    """Columns of metadata that the options name, and columns of one class each."""
    requested = dict(options.metadata_columns)
    hot: list[int] = []
    label_names = requested.get("labels", "").split(",")
    if len(label_names) > 1 and requested["labels"] not in names:
        hot = find_columns(path, [name.strip() for name in label_names], names, width)
        del requested["labels"]
    metadata = {
        name: find_columns(path, [column], names, width)[0] for name, column in requested.items()
    }
    return metadata, hot


def _choose_channels(export: TextExport, names: Sequence[str], free: Sequence[int]) -> list[int]:
    """Choose the columns of the program's signals, or of muscles where names say so; or all."""
    known = [k for k in export.channels if k in free]
    if known:
        return known
    if not names:
        return list(free)
    signals = [k for k in free if not _OTHER_NAME.fullmatch(names[k])]
    if any(_MUSCLE_NAME.search(names[k]) for k in signals):
        return [k for k in signals if _SIGNAL_NAME.search(names[k])]
    return signals


def _refuse_labels(
    path: Path,
    first: npt.NDArray[np.float64],
    channels: Sequence[int],
    names: Sequence[str],
    has_labels: bool,
) -> None:
    """Refuse a first or last column of labels, and one of each class, that would be channels."""
    if len(first) < _MIN_LINES or len(channels) < 2 or has_labels:
        return

    def title(column: int) -> str:
        return names[column] if names and names[column] else str(column + 1)

    hot = [k for k in channels if np.isin(first[:, k], (0, 1)).all()]
    others = [name for name in map(title, channels) if name not in [title(k) for k in hot]]
    if len(hot) > 1 and others and (first[:, hot].sum(axis=1) == 1).all():
        classes = ",".join(map(title, hot))
        raise EdgebioError(
            f"{path}: columns {classes} hold a single 1 in each line, as classes do: add "
            f"--label-column '{classes}'; or name the channels: --columns"
        )
    steady = [k for k in channels if (np.diff(first[:, k]) != 0).sum() * _FEW <= len(first)]
    for place, column in (("last", channels[-1]), ("first", channels[0])):
        is_one_of_several = names and list(map(_stem, names)).count(_stem(names[column])) > 1
        if is_one_of_several or column not in steady or len(steady) == len(channels):
            continue  # a dead channel, or a file of them
        if _are_few(first[:, column]) and first[:, column].min() >= 0:
            raise EdgebioError(
                f"{path}: its {place} column, {title(column)}, hardly ever changes, as labels do: "
                f"add --label-column {_quoted(title(column))}; or name the channels: --columns"
            )


def _are_few(values: npt.NDArray[np.float64]) -> bool:
    """Return whether values are few different whole numbers, missing ones aside."""
    own = values[np.isfinite(values)]
    return bool(len(own)) and bool((own == np.rint(own)).all()) and len(np.unique(own)) <= _FEW


def _stem(name: str) -> str:
    return re.sub(r"\d+", "", name)


def _refuse_other_tables(path: Path, names: Sequence[str]) -> None:
    """Refuse tables about recordings, as BIDS has them."""
    for known in _EVENT_NAMES:
        if known <= {*names}:
            raise EdgebioError(
                f"{path}: columns {', '.join(names)}: a table about recordings, not signals; give "
                "the signal file, beside which it is read if its name ends in _events.tsv"
            )


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[\w.-]+", name) else f"'{name}'"


def _number(value: str, decimal: str) -> float:
    if value.lower() in MISSING:
        return np.nan
    try:
        return float(value.replace(decimal, "."))
    except ValueError:
        return np.nan
