"""What a file does not say about its recordings, given by options or by a mapping file."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from edgebio.errors import EdgebioError
from edgebio.recordings.counts import Gaps

_ALTERNATIVES = {  # how else to give what a format cannot hold
    "samples": "name its channels by --columns, or by a list of samples in a mapping file",
    "columns": "name its array by samples in a mapping file",
    "labels": "its annotations become labels; otherwise use --label, or {label} in --name",
    "repetition": "use --repetition, or {repetition} in --name",
    "subject": "use --subject, or {subject} in --name",
    "session": "use --session, or {session} in --name",
    "rate": "the file states its rate",
    "rest_repetition": "remove it",
    "transposed": "remove it",
}

Repetitions = Literal["runs", "files", "column"]

METADATA = {"labels", "repetition", "subject", "session", "rate", "rest_repetition"}
"""Options of files that can hold metadata besides the samples."""


@dataclass(frozen=True)
class ImportOptions:
    """How to read a file.

    Attributes
    ----------
    rate
        Sampling rate in Hz; None where the file states it.
    lsb, units
        Units of one count, and their name, such as ``"mV"``; None where the numbers are counts, and
        where the file states it.
    columns
        Channels of a CSV, EDF, BDF or WFDB file, by name or by number from 1; if empty, all that
        nothing else uses.
    samples
        Array of a .mat or an NPZ that holds the samples; the only one of two dimensions if None.
    label_column, repetition_column, subject_column, session_column, rate_column
        Column of a CSV, or array of an NPZ or a .mat, that holds them.
    label, subject, session, repetition
        Of the whole file, where no column holds them.
    classes
        Class names by label; an empty name is no class. None: labels are their own names.
    rest_repetition
        Number in `repetition_column` that stands between repetitions; None: there is none.
    transposed
        Samples are channels x n.
    repetitions
        What a repetition is: each run of a label, a whole file, or a number in
        `repetition_column`. None: a column's numbers where one is named, otherwise the runs of a
        column of labels, otherwise files.
    gaps
        What becomes of missing numbers and lost samples: the recording is cut there, the last
        value is repeated, or the file refused. None: lost samples cut, missing numbers refuse.
    remove_offset
        Subtract each channel's offset, the median of its first 1,000 samples, so that the offset of
        electrodes does not use up 16 bits.
    """

    rate: float | None = None
    lsb: float | None = None
    units: str | None = None
    columns: tuple[str, ...] = ()
    samples: str | None = None
    label_column: str | None = None
    repetition_column: str | None = None
    subject_column: str | None = None
    session_column: str | None = None
    rate_column: str | None = None
    label: str | None = None
    subject: str = "1"
    session: str = "1"
    repetition: int = 0
    classes: Mapping[str, str] | None = None
    rest_repetition: int | None = None
    transposed: bool = False
    repetitions: Repetitions | None = None
    gaps: Gaps | None = None
    remove_offset: bool = False

    @property
    def metadata_columns(self) -> dict[str, str]:
        """Columns that hold something besides samples, by what that is."""
        columns = {
            "labels": self.label_column,
            "repetition": self.repetition_column,
            "subject": self.subject_column,
            "session": self.session_column,
            "rate": self.rate_column,
        }
        return {field: name for field, name in columns.items() if name is not None}

    def override(self, **values: Any) -> "ImportOptions":
        """Return options in which every value that is not None replaces the present one."""
        return replace(self, **{name: v for name, v in values.items() if v is not None})

    def check_supported(self, path: Path, kind: str, supported: Collection[str]) -> None:
        """Refuse the first option that a format cannot honor.

        `kind` names the format (``"an EDF or BDF file"``); `supported` is what such files can hold
        of the keys of ``_ALTERNATIVES``.
        """
        requested = {
            "samples": self.samples,
            "columns": ", ".join(self.columns) or None,
            **self.metadata_columns,
            "rest_repetition": self.rest_repetition,
            "transposed": self.transposed or None,
        }
        for field, name in requested.items():
            if name is not None and field not in supported:
                raise EdgebioError(f"{path}: {field} {name}: not in {kind}; {_ALTERNATIVES[field]}")
