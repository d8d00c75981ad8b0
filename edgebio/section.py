"""The base of every section of a recipe, a board file and a model's metadata."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from edgebio.renamed import read_old_keys
from edgebio.suggest import nearest


class Section(BaseModel):
    """A read-only section: it reads old keys, and refuses unknown ones with the nearest name.

    Attributes
    ----------
    old_keys
        New name of each key that was renamed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    old_keys: ClassVar[Mapping[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _check_keys(cls, content: Any) -> Any:
        content = read_old_keys(content, cls.old_keys)
        if isinstance(content, Mapping):
            for key in content:
                if key not in cls.model_fields:
                    raise ValueError(f"no key {key!r}{nearest(str(key), cls.model_fields)}")
        return content


def first_problem(error: ValidationError) -> str:
    """First problem of a file, with the key at fault: ``frontend.bins: ...``."""
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"]))
    text = first["msg"].removeprefix("Value error, ")
    return f"{key}: {text}" if key else text
