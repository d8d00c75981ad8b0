"""Mapping files: the import options of a laboratory's files, in TOML.

Every part may be missing::

    [variables]             # names in the files: columns of a CSV, arrays of a .mat or an NPZ
    samples = "emg"         # n x channels; of a CSV: a list of columns
    labels = "restimulus"   # a class per sample; of a WFDB record: its annotations, such as "atr"
    repetition = "rerepetition"
    subject = "subject"     # a value per sample, or one for the file
    session = "day"
    rate = "fs"

    [values]                # what the files do not state
    rate = 2000
    units = "V"
    lsb = 1e-6              # units of one count
    label = "rest"          # class of the whole file
    subject = "7"
    session = "b"
    repetition = 0
    rest_repetition = 0     # number in the repetition variable between two repetitions
    transposed = true       # samples are channels x n

    [classes]               # names of labels; "" for no class
    0 = "rest"
    1 = "fist"
"""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from edgebio.errors import EdgebioError
from edgebio.recordings.import_options import ImportOptions

_MAX_BYTES = 1 << 20


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Variables(_Section):
    samples: _Name | tuple[_Name, ...] | None = None
    labels: _Name | None = None
    repetition: _Name | None = None
    subject: _Name | None = None
    session: _Name | None = None
    rate: _Name | None = None


class _Values(_Section):
    rate: _Positive | None = None
    units: _Name | None = None
    lsb: _Positive | None = None
    label: _Name | None = None
    subject: _Name | None = None
    session: _Name | None = None
    repetition: Annotated[int, Field(ge=0)] | None = None
    rest_repetition: int | None = Field(  # "between" is its former name
        default=None, validation_alias=AliasChoices("rest_repetition", "between")
    )
    transposed: bool | None = None


class _Mapping(_Section):
    variables: _Variables = _Variables()
    values: _Values = _Values()
    classes: dict[str, Annotated[str, Field(max_length=200)]] | None = None


def read_mapping(path: Path) -> ImportOptions:
    """Read a mapping file; refuse one that is not TOML, or has an unknown entry."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise EdgebioError(f"{path}: {path.stat().st_size:,} bytes; not a mapping file")
        mapping = _Mapping.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise EdgebioError(f"{path}: {error.strerror or error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise EdgebioError(f"{path}: {field}: {first['msg']}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EdgebioError(f"{path}: not TOML: {error}") from None
    names = mapping.variables
    return ImportOptions(
        samples=names.samples if isinstance(names.samples, str) else None,
        columns=names.samples if isinstance(names.samples, tuple) else (),
        label_column=names.labels,
        repetition_column=names.repetition,
        subject_column=names.subject,
        session_column=names.session,
        rate_column=names.rate,
        classes=mapping.classes,
    ).override(**mapping.values.model_dump())
