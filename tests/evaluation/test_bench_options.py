"""`tools/bench_options.py`: what it changes, its table, and what it says of a wrong --on."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from edgebio import protocols
from edgebio.errors import EdgebioError
from edgebio.recipes import AugmentSettings, NewSubjectsSettings, Recipe
from edgebio.recordings.recording import Recording
from tests import tiny

TOOL = Path(__file__).resolve().parents[2] / "tools" / "bench_options.py"
PEOPLE = [
    Recording(
        samples=np.random.default_rng([*person.encode(), *session.encode()])
        .integers(-99, 99, (20, 2)).astype(np.int16),
        rate=1000.0, units="counts", labels=np.zeros(20, np.int16), classes=("rest",),
        subject=person, session=session, repetition=0, source=f"{person}/{session}",
    )
    for person in "abcdefgh" for session in "12"
]  # fmt: skip


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


def test_other_sets_are_learned_from_before_where_there_are_some(tool):
    made = tool.variants(tiny.RECIPE, ["pretraining"], ["emg-synthetic", "a", "b"])
    assert list(made) == ["as it is", "pretraining"]
    assert made["pretraining"].training.pretraining.datasets == ("a", "b")
    assert list(tool.variants(tiny.RECIPE, ["pretraining"], ["emg-synthetic"])) == ["as it is"]
    assert list(tool.variants(made["pretraining"], ["pretraining"])) == [
        "as it is", "without pretraining",
    ]  # fmt: skip


def test_the_table_tells_differences_of_known_and_of_new_people(tool, tmp_path, monkeypatch):
    def scored(recipe, recordings, protocol, folder, *, tested, seeds, jobs, others):
        assert not others
        assert (seeds, jobs) == (2, 1)
        assert tested == (("1", "2") if protocol == "one-to-one" else ())
        augment = recipe.training.augment
        accuracy = 0.5 + augment.force - augment.rotate / 10 + (protocol == "one-to-one") / 10
        return {"people": [{"accuracy_int8": accuracy - 0.1}, {"accuracy_int8": accuracy + 0.1}]}

    monkeypatch.setattr(tool, "evaluate", scored)
    places = [
        tool.Where.parse(text) for text in
        ("emg-synthetic:one-to-one:1,2", "emg-synthetic:cross-subject")
    ]  # fmt: skip
    new = NewSubjectsSettings(augment=AugmentSettings(rotate=1))
    training = tiny.RECIPE.training.model_copy(update={"new_subjects": new})
    recipe = tiny.RECIPE.model_copy(update={"training": training})
    found = tool.run(recipe, places, ["force", "rotate"], tmp_path, seeds=2, jobs=1)
    assert json.loads((tmp_path / "options.json").read_text())["rows"] == found
    assert (tmp_path / "options.md").read_text().splitlines() == [
        "| | emg-synthetic, one-to-one | emg-synthetic, cross-subject |",
        "| --- | --- | --- |",
        "| as it is | 0.6000 | 0.4000 |",
        "| force = 0.5 | +0.5000 | +0.5000 |",
        "| rotate = 1 | -0.1000 |  |",
        "| without rotate |  | +0.1000 |",
    ]


def test_inside_nobody_is_looked_at_whom_the_protocol_tests(tool, tmp_path, monkeypatch):
    fold = protocols.split("patient-wise", PEOPLE)[0]
    seen = []

    def scored(recipe, recordings, protocol, folder, **how):
        seen.append((recipe, {r.subject for r in recordings}, protocol))
        return {"people": [{"accuracy_int8": 0.5}]}

    monkeypatch.setattr(tool, "evaluate", scored)
    monkeypatch.setattr(Recipe, "recordings", lambda self, root: PEOPLE)
    place = tool.Where.parse("emg-synthetic:patient-wise")
    training = tiny.RECIPE.training.model_copy(
        update={"new_subjects": NewSubjectsSettings(epochs=7)}
    )
    recipe = tiny.RECIPE.model_copy(update={"training": training})
    found = tool.run(recipe, [place], ["force"], tmp_path, inside=True)
    assert list(found["as it is"]) == ["emg-synthetic, patient-wise, inside"]
    assert len(seen) == 2
    for changed, people, protocol in seen:
        assert people == {r.subject for r in (*fold.train, *fold.validation)}
        assert protocol == "cross-subject"
        assert changed.training.epochs == 7  # as for new people


def test_inside_is_for_people_who_are_divided_once(tool):
    for protocol in ("one-to-one", "cross-subject"):
        with pytest.raises(EdgebioError, match=f"--inside: {protocol} tests people that it trains"):
            tool.trained_on(protocol, PEOPLE)


@pytest.mark.parametrize("text", ["emg-3dc", "emg-3dc::1", "a:b:", "a:b:c:d"])
def test_a_wrong_place_is_one_line(tool, text, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["x", "emg-grips", "--on", text, "-o", "x"])
    assert tool.main() == 2
    assert capsys.readouterr().err.splitlines() == [
        f"bench_options: --on {text}: expected SET:PROTOCOL:PERSON,PERSON or SET:PROTOCOL"
    ]
