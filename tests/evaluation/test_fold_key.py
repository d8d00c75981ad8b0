import dataclasses
import json
import sys
import threading
from pathlib import Path

import pytest

import edgebio
from edgebio import protocols, storage
from edgebio.decision.spec import DecisionSettings
from edgebio.evaluation import fold_key as module
from edgebio.evaluation.fold_key import code_digest, code_files, fold_key
from edgebio.evaluation.fold_run import run_fold
from edgebio.processes import host_compiler, subprocess_call
from tests import tiny

PACKAGE = Path(edgebio.__file__).parent
ASSETS = storage.assets("firmware_assets")


def two_folds():
    return protocols.split("one-to-one", [*tiny.recordings("1"), *tiny.recordings("2")])


def test_key_depends_on_fold_and_settings_but_not_on_names():
    one, two = two_folds()
    assert fold_key(tiny.RECIPE, one) == fold_key(tiny.RECIPE, one)
    assert fold_key(tiny.RECIPE, one) != fold_key(tiny.RECIPE, two)
    for changes in (
        {"training": tiny.RECIPE.training.model_copy(update={"seed": 2})},
        {"decision": DecisionSettings(votes=9)},
        {"task": "feature_imitation"},
        {"data": tiny.RECIPE.data.model_copy(update={"artifacts": 9.0})},
    ):
        changed = tiny.RECIPE.model_copy(update=changes)
        assert fold_key(tiny.RECIPE, one) != fold_key(changed, one)
    renamed = tiny.RECIPE.model_copy(update={"name": "other", "title": "something else"})
    assert fold_key(tiny.RECIPE, one) == fold_key(renamed, one)
    shorter = dataclasses.replace(one, train=one.train[:-1])
    assert fold_key(tiny.RECIPE, one) != fold_key(tiny.RECIPE, shorter)
    first = dataclasses.replace(one.test[0], condition="loud")
    other = dataclasses.replace(one, test=(first, *one.test[1:]))
    assert fold_key(tiny.RECIPE, one) != fold_key(tiny.RECIPE, other)


@pytest.mark.parametrize(
    "changed",
    [
        "edgebio/recipes/__init__.py",
        "edgebio/tasks/task.py",
        "edgebio/renamed.py",
        "firmware_assets/kernels/eb_kernels.h",
    ],
)
def test_key_changes_with_the_code_of_a_fold(monkeypatch, tmp_path, changed):
    files = dict(code_files())
    assert changed in files
    before = code_digest()
    (tmp_path / "changed").write_bytes(files[changed].read_bytes() + b"\n")
    files[changed] = tmp_path / "changed"
    monkeypatch.setattr(module, "code_files", lambda: files.items())
    assert code_digest.__wrapped__() != before


def test_code_that_a_fold_does_not_run_can_be_included():
    names = {name for name, _ in code_files()}
    more = {name for name, _ in code_files("search", "link")} - names
    assert {name.rsplit("/", 1)[0] for name in more} >= {
        "edgebio/search", "edgebio/link", "firmware_assets/link",
    }  # fmt: skip
    assert not [name for name in more if name.split("/")[1] not in ("search", "link")]


def traced_fold(recipe, fold, folder):
    """Run a fold, and write down the files whose functions it calls, and the C that it builds."""
    executed: set[str] = set()
    sources: set[Path] = set()
    compile_cached = host_compiler._compile

    def traced(name, flags, files, include):
        sources.update(files, *(path.rglob("*.h") for path in include))
        return compile_cached(name, flags, files, include)

    def profile(frame, event, argument):
        name = frame.f_code.co_filename
        if event == "call" and name not in executed and name.startswith(str(PACKAGE)):
            caller = frame
            while caller and "importlib" not in caller.f_code.co_filename:
                caller = caller.f_back
            if not caller:  # what runs while a module is imported does not count
                executed.add(name)

    host_compiler._compile = traced
    sys.setprofile(profile)
    threading.setprofile(profile)
    run_fold(recipe, fold, folder)
    sys.setprofile(None)
    storage.write_json(folder / "executed.json", [*executed, *map(str, sources)])


@pytest.mark.parametrize(
    "recipe",
    [tiny.RECIPE, pytest.param(tiny.IMITATION, marks=pytest.mark.slow)],
    ids=["stft_classifier", "feature_imitation"],
)
def test_all_code_that_a_fold_executes_is_in_its_key(tmp_path, recipe):
    training = recipe.training.model_copy(update={"epochs": 1})
    recipe = recipe.model_copy(update={"training": training})
    subprocess_call.call(traced_fold, recipe, two_folds()[0], tmp_path)
    executed = map(Path, json.loads((tmp_path / "executed.json").read_text()))
    own = {p for p in executed if p.is_relative_to(PACKAGE) or p.is_relative_to(ASSETS)}
    assert {path.suffix for path in own} == {".py", ".c", ".h"}
    assert len({path.relative_to(PACKAGE).parts[0] for path in own if path.suffix == ".py"}) > 10
    assert not own - {path for _, path in code_files()}
