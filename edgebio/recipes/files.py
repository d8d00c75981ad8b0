"""Recipe files: one TOML file per recipe, called by name or by path."""

import tomllib
from importlib import resources
from pathlib import Path

import tomli_w
from pydantic import ValidationError

from edgebio.errors import EdgebioError
from edgebio.recipes.recipe import Recipe
from edgebio.renamed import one_warning
from edgebio.section import first_problem
from edgebio.suggest import nearest

_FOLDER = resources.files("edgebio.recipes")


def names() -> list[str]:
    """Names of the recipes that come with edgebio."""
    return sorted(f.name[:-5] for f in _FOLDER.iterdir() if f.name.endswith(".toml"))


def load(name_or_path: str | Path) -> Recipe:
    """Read a recipe by name, or from a TOML file.

    Raises
    ------
    EdgebioError
        If there is no such recipe, or a key is unknown or its value impossible; names the key.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml":
        if not path.is_file():
            raise EdgebioError(f"{path}: no such recipe file")
        content = path.read_bytes()
    elif str(name_or_path) in names():
        content = (_FOLDER / f"{name_or_path}.toml").read_bytes()
    else:
        raise EdgebioError(
            f"no recipe {str(name_or_path)!r}{nearest(str(name_or_path), names())}; "
            f"there are {', '.join(names())}, or give a .toml file"
        )
    try:
        with one_warning(name_or_path):
            return Recipe.model_validate(tomllib.loads(content.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EdgebioError(f"{name_or_path}: not TOML: {error}") from None
    except ValidationError as error:
        raise EdgebioError(f"{name_or_path}: {first_problem(error)}") from None


def dump(recipe: Recipe) -> str:
    """Text of a recipe as TOML, with every default."""
    return tomli_w.dumps(recipe.model_dump(exclude_none=True))
