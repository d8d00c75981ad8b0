"""What a file of anybody's does not say of itself: told by options, or by a mapping file.

A mapping file is TOML, and every part of it may be missing::

    [variables]             # names in the files: columns of a CSV, arrays of a .mat or an NPZ
    samples = "emg"         # n x channels; of a CSV: a list of columns
    labels = "restimulus"   # a class a sample; of a WFDB record: its annotations, such as "atr"
    repetition = "rerepetition"
    subject = "subject"     # a number a sample, or one for the file
    session = "day"
    rate = "fs"

    [values]                # what the files do not say
    rate = 2000
    units = "V"
    lsb = 1e-6              # units of one count
    label = "rest"          # class of the whole file
    subject = "7"
    session = "b"
    repetition = 0
    between = 0             # the repetition's number where there is none, between two of them
    transposed = true       # samples are channels x n

    [classes]               # labels to names; "" for no class
    0 = "rest"
    1 = "fist"
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgebio.errors import EdgebioError

_MOST_BYTES = 1 << 20
_OTHERWISE = {  # how else to say what a layout names and a format does not hold
    "samples": "name its channels: --columns, or a list of samples in a mapping file",
    "columns": "name its array: samples in a mapping file",
    "labels": "its annotations are labels by themselves; or say --label, or {label} in --name",
    "repetition": "say --repetition, or {repetition} in --name",
    "subject": "say --subject, or {subject} in --name",
    "session": "say --session, or {session} in --name",
    "rate": "it says its own; for another say --rate",
    "between": "leave it out",
    "transposed": "leave it out",
}


@dataclass(frozen=True)
class Layout:
    """How a file is read.

    Attributes
    ----------
    rate
        Samples a second; None where the file says so.
    lsb
        Units of one count; None takes whole numbers, or the converter's own counts.
    units
        What the numbers are: ``"mV"``; a count is then ``lsb`` of them. None: what the file says.
    columns
        Channels of a CSV, EDF, BDF or WFDB file, by name or by number from 1; all that are not
        named otherwise if empty.
    samples
        Array of a .mat or an NPZ that holds the samples; the only one of two dimensions if None.
    label_column, repetition_column, subject_column, session_column, rate_column
        Column of a CSV, or array of an NPZ or a .mat, that holds them.
    label
        Class of the whole file.
    subject, session, repetition
        Who, which sitting, which trial, where no column tells.
    classes
        Names of labels; empty for no class. None: labels are their own names.
    between
        Number of `repetition_column` where there is no repetition; None: there is one everywhere.
    transposed
        Samples are channels x n.
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
    between: int | None = None
    transposed: bool = False

    @property
    def told(self) -> dict[str, str]:
        """Columns that hold no samples, by what they tell."""
        named = {
            "labels": self.label_column,
            "repetition": self.repetition_column,
            "subject": self.subject_column,
            "session": self.session_column,
        }
        return {what: name for what, name in named.items() if name is not None}


def check_held(path: Path, layout: Layout, kind: str, held: Collection[str]) -> None:
    """Refuse a layout that names what files of a format do not hold.

    Parameters
    ----------
    path
        The file.
    layout
        How it is to be read.
    kind
        What it is: ``"an EDF or BDF file"``.
    held
        What such files can hold of ``samples``, ``columns``, ``labels``, ``repetition``,
        ``subject``, ``session``, ``rate``, ``between`` and ``transposed``.

    Raises
    ------
    EdgebioError
        Naming the first that they do not.
    """
    named = {
        "samples": layout.samples,
        "columns": ", ".join(layout.columns) or None,
        **layout.told,
        "rate": layout.rate_column,
        "between": layout.between,
        "transposed": layout.transposed or None,
    }
    for what, name in named.items():
        if name is not None and what not in held:
            raise EdgebioError(f"{path}: {what} {name}: {kind} has none; {_OTHERWISE[what]}")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Above0 = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Variables(_Section):
    samples: _Name | tuple[_Name, ...] | None = None
    labels: _Name | None = None
    repetition: _Name | None = None
    subject: _Name | None = None
    session: _Name | None = None
    rate: _Name | None = None


class _Values(_Section):
    rate: _Above0 | None = None
    units: _Name | None = None
    lsb: _Above0 | None = None
    label: _Name | None = None
    subject: _Name | None = None
    session: _Name | None = None
    repetition: Annotated[int, Field(ge=0)] | None = None
    between: int | None = None
    transposed: bool | None = None


class _Mapping(_Section):
    variables: _Variables = _Variables()
    values: _Values = _Values()
    classes: dict[str, Annotated[str, Field(max_length=200)]] | None = None


def read(path: Path) -> Layout:
    """Read a mapping file.

    Raises
    ------
    EdgebioError
        Where it is missing, not TOML, or says what no mapping says.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise EdgebioError(f"{path}: {path.stat().st_size:,} bytes; not a mapping file")
        told = _Mapping.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise EdgebioError(f"{path}: {error.strerror or error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise EdgebioError(f"{path}: {field}: {first['msg']}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EdgebioError(f"{path}: not TOML: {error}") from None
    names = told.variables
    one = isinstance(names.samples, str)
    layout = Layout(
        samples=names.samples if isinstance(names.samples, str) else None,
        columns=() if one or names.samples is None else tuple(names.samples),
        label_column=names.labels,
        repetition_column=names.repetition,
        subject_column=names.subject,
        session_column=names.session,
        rate_column=names.rate,
        classes=told.classes,
    )
    return given(layout, **told.values.model_dump())


def given(layout: Layout, **values: Any) -> Layout:
    """Return a layout in which whatever is not None replaces what it was."""
    return replace(layout, **{name: value for name, value in values.items() if value is not None})
