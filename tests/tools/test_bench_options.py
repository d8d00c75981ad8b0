"""`tools/bench_options.py`: its changes, its table, and a wrong --on."""

import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edgebio import protocols
from edgebio.errors import EdgebioError
from edgebio.recipes import AugmentSettings, NewSubjectsSettings, Recipe
from edgebio.recordings.recording import Recording
from tests import tiny

TOOL = Path(__file__).resolve().parents[2] / "tools" / "bench_options.py"
RECORDINGS = [
    Recording(
        samples=np.random.default_rng([*subject.encode(), *session.encode()])
        .integers(-99, 99, (20, 2)).astype(np.int16),
        rate=1000.0, units="counts", labels=np.zeros(20, np.int16), classes=("rest",),
        subject=subject, session=session, repetition=0, source=f"{subject}/{session}",
    )
    for subject in "abcdefgh" for session in "12"
]  # fmt: skip


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("bench_options", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_variant_changes_one_option(tool):
    own = tiny.RECIPE.training.model_dump()
    variants = tool.variants(tiny.RECIPE, [])
    assert len(variants) == 1 + len(tool.TRAINING) + len(tool.AUGMENT)
    for variant, recipe in variants.items():
        other = recipe.training.model_dump()
        changed = [k for k in own if k != "augment" and own[k] != other[k]]
        changed += [k for k in own["augment"] if own["augment"][k] != other["augment"][k]]
        assert changed == [] if variant == "as it is" else len(changed) == 1
        for name in changed:
            old = own["augment"].get(name, own.get(name))
            new = other["augment"].get(name, other.get(name))
            assert bool(old) != bool(new)
            assert variant == (f"without {name}" if old else f"{name} = {new:g}")
            assert type(old) is type(new)


def test_only_the_named_options_are_changed(tool):
    assert list(tool.variants(tiny.RECIPE, ["force", "mixup"])) == [
        "as it is", "without mixup", "force = 0.5",
    ]  # fmt: skip


def test_pretraining_uses_the_other_data_sets(tool):
    variants = tool.variants(tiny.RECIPE, ["pretraining"], ["emg-synthetic", "a", "b"])
    assert list(variants) == ["as it is", "pretraining"]
    assert variants["pretraining"].training.pretraining.datasets == ("a", "b")
    assert list(tool.variants(tiny.RECIPE, ["pretraining"], ["emg-synthetic"])) == ["as it is"]
    assert list(tool.variants(variants["pretraining"], ["pretraining"])) == [
        "as it is", "without pretraining",
    ]  # fmt: skip


def test_table_has_differences_for_known_and_for_new_subjects(tool, tmp_path, monkeypatch):
    def simulated(recipe, recordings, protocol, folder, *, subjects, seeds, jobs, pretraining):
        assert not pretraining
        assert (seeds, jobs) == (2, 1)
        assert subjects == (("1", "2") if protocol == "one-to-one" else ())
        augment = recipe.training.augment
        accuracy = 0.5 + augment.force - augment.rotate / 10 + (protocol == "one-to-one") / 10
        rows = [{"accuracy_int8": accuracy - 0.1}, {"accuracy_int8": accuracy + 0.1}]
        return SimpleNamespace(subjects=rows)

    monkeypatch.setattr(tool, "evaluate", simulated)
    cases = [
        tool.Case.parse(text) for text in
        ("emg-synthetic:one-to-one:1,2", "emg-synthetic:cross-subject")
    ]  # fmt: skip
    new = NewSubjectsSettings(augment=AugmentSettings(rotate=1))
    training = tiny.RECIPE.training.model_copy(update={"new_subjects": new})
    recipe = tiny.RECIPE.model_copy(update={"training": training})
    rows = tool.run(recipe, cases, ["force", "rotate"], tmp_path, seeds=2, jobs=1)
    assert json.loads((tmp_path / "options.json").read_text())["rows"] == rows
    assert (tmp_path / "options.md").read_text().splitlines() == [
        "| | emg-synthetic, one-to-one | emg-synthetic, cross-subject |",
        "| --- | --- | --- |",
        "| as it is | 0.6000 | 0.4000 |",
        "| force = 0.5 | +0.5000 | +0.5000 |",
        "| rotate = 1 | -0.1000 |  |",
        "| without rotate |  | +0.1000 |",
    ]


def test_inside_uses_no_subject_that_the_protocol_tests(tool, tmp_path, monkeypatch):
    fold = protocols.split("patient-wise", RECORDINGS)[0]
    seen = []

    def simulated(recipe, recordings, protocol, folder, **options):
        seen.append((recipe, {r.subject for r in recordings}, protocol))
        return SimpleNamespace(subjects=[{"accuracy_int8": 0.5}])

    monkeypatch.setattr(tool, "evaluate", simulated)
    monkeypatch.setattr(Recipe, "recordings", lambda self, root: RECORDINGS)
    case = tool.Case.parse("emg-synthetic:patient-wise")
    training = tiny.RECIPE.training.model_copy(
        update={"new_subjects": NewSubjectsSettings(epochs=7)}
    )
    recipe = tiny.RECIPE.model_copy(update={"training": training})
    rows = tool.run(recipe, [case], ["force"], tmp_path, inside=True)
    assert list(rows["as it is"]) == ["emg-synthetic, patient-wise, inside"]
    assert len(seen) == 2
    for changed, subjects, protocol in seen:
        assert subjects == {r.subject for r in (*fold.train, *fold.validation)}
        assert protocol == "cross-subject"
        assert changed.training.epochs == 7  # as for new subjects


def test_inside_needs_a_protocol_that_divides_subjects_once(tool):
    for protocol in ("one-to-one", "cross-subject"):
        with pytest.raises(EdgebioError, match=f"--inside: {protocol} tests people that it trains"):
            tool.trained_recordings(protocol, RECORDINGS)


@pytest.mark.parametrize("text", ["emg-3dc", "emg-3dc::1", "a:b:", "a:b:c:d"])
def test_wrong_case_is_refused_in_one_line(tool, text, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["x", "emg-grips", "--on", text, "-o", "x"])
    assert tool.main() == 2
    assert capsys.readouterr().err.splitlines() == [
        f"bench_options: --on {text}: expected SET:PROTOCOL:PERSON,PERSON or SET:PROTOCOL"
    ]
