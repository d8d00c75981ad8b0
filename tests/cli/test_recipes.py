"""`edgebio recipes` as a user calls it."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from edgebio import recipes
from edgebio.cli import main


def edgebio(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["recipes", *map(str, arguments)], catch_exceptions=False)


def test_every_recipe_is_listed() -> None:
    document = json.loads(edgebio("list", "--json").stdout)
    assert [entry["name"] for entry in document["recipes"]] == recipes.names()


def test_a_recipe_is_shown_as_it_stands_in_its_file() -> None:
    assert "# The default recipe" in edgebio("show", "emg-grips").stdout
    document = json.loads(edgebio("show", "emg-grips", "--json").stdout)
    assert document["recipe"]["frontend"]["segment_length"] == 200


def test_a_copy_is_a_recipe(tmp_path: Path) -> None:
    copy = tmp_path / "mine.toml"
    assert edgebio("show", "emg-grips", "-o", copy).exit_code == 0
    assert recipes.load(copy) == recipes.load("emg-grips")
    assert edgebio("show", "emg-grips", "-o", copy).exit_code == 2  # nothing is replaced


def test_a_misspelled_recipe_is_suggested() -> None:
    done = edgebio("show", "emg-gripz")
    assert done.exit_code == 2
    assert "did you mean 'emg-grips'" in done.stderr
