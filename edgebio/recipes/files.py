"""Recipe files: one TOML file per recipe, called by name or by path."""

from pathlib import Path

import tomli_w

from edgebio.recipes.recipe import Recipe
from edgebio.section import read_toml

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Names of the recipes that come with edgebio."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load(name_or_path: str | Path) -> Recipe:
    """Read a recipe by name, or from a TOML file.

    Raises
    ------
    EdgebioError
        If there is no such recipe, or a key is unknown or its value impossible; names the key.
    """
    return read_toml(Recipe, "recipe", _FOLDER, name_or_path)


def path_of(name_or_path: str | Path) -> Path:
    """File of a recipe that `load` reads."""
    path = Path(name_or_path)
    return path if path.suffix == ".toml" else _FOLDER / f"{name_or_path}.toml"


def dump(recipe: Recipe) -> str:
    """Text of a recipe as TOML, with every default."""
    return tomli_w.dumps(recipe.model_dump(exclude_none=True))
