"""The base of every section of a recipe, a board file and a model's metadata, and their files."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from edgebio.errors import EdgebioError
from edgebio.renamed import one_warning, read_old_keys
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

    def document(self) -> dict[str, Any]:
        """Content to print as JSON, where no key ever disappears: under old keys too."""
        content = self.model_dump(mode="json")
        return content | {old: content[new] for old, new in self.old_keys.items()}


_SectionT = TypeVar("_SectionT", bound=Section)


def first_problem(error: ValidationError) -> str:
    """First problem of a file, with the key at fault: ``frontend.bins: ...``."""
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"]))
    text = first["msg"].removeprefix("Value error, ")
    return f"{key}: {text}" if key else text


def read_toml(
    section: type[_SectionT], kind: str, folder: Path, name_or_path: str | Path
) -> _SectionT:
    """Read a file of a `kind`, such as ``board``: by its name in `folder`, or by its path.

    Raises
    ------
    EdgebioError
        If there is no such file, or a key is missing, unknown or its value impossible; names the
        key.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml":
        if not path.is_file():
            raise EdgebioError(f"{path}: no such {kind} file")
    else:
        name, names = str(name_or_path), sorted(file.stem for file in folder.glob("*.toml"))
        if name not in names:
            raise EdgebioError(
                f"no {kind} {name!r}{nearest(name, names)}; there are {', '.join(names)}, or give "
                "a .toml file"
            )
        path = folder / f"{name}.toml"
    try:
        with one_warning(path):
            return section.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EdgebioError(f"{path}: not TOML: {error}") from None
    except ValidationError as error:
        raise EdgebioError(f"{path}: {first_problem(error)}") from None
