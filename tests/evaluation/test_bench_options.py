"""`tools/bench_options.py`: what it changes, its table, and what it says of a wrong --on."""

import importlib.util
import json
from pathlib import Path

import pytest

from edgebio.errors import EdgebioError
from edgebio.recipes import AugmentSettings, NewPeopleSettings
from tests import tiny

TOOL = Path(__file__).resolve().parents[2] / "tools" / "bench_options.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("bench_options", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_change_is_of_one_option(tool):
    own = tiny.RECIPE.training.model_dump()
    made = tool.variants(tiny.RECIPE, [])
    assert len(made) == 1 + len(tool.TRAINING) + len(tool.AUGMENT)
    for what, recipe in made.items():
        other = recipe.training.model_dump()
        changed = [k for k in own if k != "augment" and own[k] != other[k]]
        changed += [k for k in own["augment"] if own["augment"][k] != other["augment"][k]]
        assert changed == [] if what == "as it is" else len(changed) == 1
        for name in changed:
            had = own["augment"].get(name, own.get(name))
            now = other["augment"].get(name, other.get(name))
            assert bool(had) != bool(now)
            assert what == (f"without {name}" if had else f"{name} = {now:g}")
            assert type(had) is type(now)


def test_only_what_is_asked_for_is_changed(tool):
    assert list(tool.variants(tiny.RECIPE, ["force", "mixup"])) == [
        "as it is", "without mixup", "force = 0.5",
    ]  # fmt: skip


def test_the_table_tells_differences(tool, tmp_path, monkeypatch):
    def scored(recipe, recordings, protocol, folder, jobs):
        accuracy = 0.5 + recipe.training.augment.force + (protocol == "one-to-one") / 10
        return {"people": [{"accuracy_int8": accuracy - 0.1}, {"accuracy_int8": accuracy + 0.1}]}

    monkeypatch.setattr(tool, "evaluate", scored)
    places = [
        tool.Where.parse(f"emg-synthetic:{name}:1,2") for name in ("one-to-one", "all-to-one")
    ]
    found = tool.run(tiny.RECIPE, places, ["force"], tmp_path, 1, None)
    assert json.loads((tmp_path / "options.json").read_text())["rows"] == found
    assert (tmp_path / "options.md").read_text().splitlines() == [
        "| | emg-synthetic, one-to-one | emg-synthetic, all-to-one |",
        "| --- | --- | --- |",
        "| as it is | 0.6000 | 0.5000 |",
        "| force = 0.5 | +0.5000 | +0.5000 |",
    ]


@pytest.mark.parametrize("text", ["emg-3dc", "emg-3dc::1", "a:b:c:d"])
def test_a_wrong_place_is_one_line(tool, text, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["x", "emg-grips", "--on", text, "-o", "x"])
    assert tool.main() == 2
    assert capsys.readouterr().err.splitlines() == [
        f"bench_options: --on {text}: expected SET:PROTOCOL:PERSON,PERSON"
    ]


def test_new_people_are_not_taken_for_known_ones(tool, tmp_path):
    new = NewPeopleSettings(augment=AugmentSettings(rotate=1))
    training = tiny.RECIPE.training.model_copy(update={"new_people": new})
    recipe = tiny.RECIPE.model_copy(update={"training": training})
    place = tool.Where.parse("emg-synthetic:cross-subject:1,2")
    with pytest.raises(EdgebioError, match=r"give a recipe that says it in \[training\]"):
        tool.run(recipe, [place], ["rotate"], tmp_path, 1, None)
    assert not list(tmp_path.iterdir())
