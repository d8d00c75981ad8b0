import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio import recipes
from edgebio.errors import EdgebioError
from edgebio.recipes import (
    ClusterSettings,
    DataSettings,
    PretrainingSettings,
    QuantizeSettings,
    Recipe,
    TeacherSettings,
    TrainingSettings,
)
from tests import tiny


@pytest.mark.parametrize("name", recipes.names())
def test_recipes_that_travel_with_edgebio_load_and_know_their_name(name):
    assert recipes.load(name).name == name


@given(
    st.integers(1, 1000),
    st.floats(1e-6, 1.0),
    st.booleans(),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20),
)
def test_a_dumped_recipe_is_the_same_recipe(tmp_path_factory, epochs, rate, weights, title):
    teacher = TeacherSettings(filters=(8, 12), temperature=1 + rate) if weights else None
    training = TrainingSettings(
        epochs=epochs, learning_rate=rate, class_weights=weights, teacher=teacher
    )
    data = DataSettings(classes={title: (title, "b"), "healthy, open": ("Z",)}, channels=(1, 0))
    quantize = QuantizeSettings(scheme="qat", cluster=ClusterSettings(clusters=7))
    recipe = Recipe(name="mine", title=title, data=data, training=training, quantize=quantize)
    path = tmp_path_factory.mktemp("recipe") / "mine.toml"
    path.write_text(recipes.dump(recipe), encoding="utf-8")
    assert recipes.load(path) == recipe


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name = ", "not TOML"),
        ("title = 'x'", "name: Field required"),
        ("name = 'x'\n[training]\nepoch = 3", "training.epoch: Extra inputs"),
        ("name = 'x'\n[frontend]\nhop = 300", "frontend: .*longer than the window"),
        ("name = 'x'\n[data]\nband = [40.0, 0.5]", "data: .*lower one above 0 first"),
        ("name = 'x'\n[quantize]\nscheme = 'zip'", "quantize.scheme: Input should be 'ptq'"),
        ("name = 'x'\n[quantize.prune]\nsparsity = 1.0", "quantize.prune.sparsity: .*less than 1"),
        ("name = 'x'\n[training.teacher]\nshare = 0.5", "training.teacher.filters: Field required"),
        ("name = 'x'\n[training]\nnormalise = 'layers'", "training: .*set patience = 0"),
        ("name = 'x'\n[training]\naverage = 0.9", "training: .*average.* set patience = 0"),
        ("name = 'x'\n[model]\nfamily = 'rnn'", "model.family: Input should be"),
    ],
)
def test_a_recipe_that_cannot_work_is_refused_by_field(tmp_path, text, reason):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(EdgebioError, match=reason):
        recipes.load(path)


def test_a_teacher_teaches_where_layers_are_not_normalised_by_the_sitting():
    grips = recipes.load("emg-grips").training.model_dump()
    taught = TrainingSettings.model_validate({**grips, "teacher": {"filters": (32, 48)}})
    assert taught.teacher.filters == (32, 48)
    assert taught.for_new_subjects().normalization == "layers"
    assert taught.for_new_subjects().teacher is None
    with pytest.raises(ValueError, match="nobody teaches"):
        TrainingSettings(normalization="layers", patience=0, teacher=taught.teacher)


def test_new_people_change_only_what_is_said_of_them(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        "name = 'mine'\n[training]\nepochs = 30\n[training.augment]\nnoise = 0.1\n"
        "[training.new_people]\nnormalise = 'session'\n[training.new_people.augment]\nrotate = 1\n"
    )
    training = recipes.load(path).training
    new = training.for_new_subjects()
    assert (training.normalization, training.augment.rotate) == ("training", 0)
    assert (new.epochs, new.normalization, new.augment.rotate, new.augment.noise) == (
        30,
        "session",
        1,
        0,
    )
    path.write_text(recipes.dump(recipes.load(path)))
    assert recipes.load(path).training.for_new_subjects() == new


def test_an_unknown_recipe_is_answered_with_those_that_exist(tmp_path):
    with pytest.raises(EdgebioError, match=r"no recipe 'nope'; there are .*emg-grips"):
        recipes.load("nope")
    with pytest.raises(EdgebioError, match="no such recipe file"):
        recipes.load(tmp_path / "nope.toml")


def test_other_sets_come_at_the_jobs_rate_under_their_own_names(monkeypatch):
    asked = []

    def load(name, root=None, subjects=None):
        asked.append((name, root, subjects))
        return list(tiny.recordings())

    monkeypatch.setattr("edgebio.datasets.load", load)
    training = tiny.RECIPE.training.model_copy(
        update={"pretraining": PretrainingSettings(datasets=("a", "emg-synthetic", "b"))}
    )
    recipe = tiny.RECIPE.model_copy(update={"training": training})
    own = [dataclasses.replace(tiny.recordings()[0], rate=500.0)]
    others = recipe.others(own, "data")
    assert asked == [("a", "data", None), ("b", "data", None)]  # not the own one
    assert {r.subject for r in others} == {"a 1", "b 1"}
    assert {r.rate for r in others} == {500.0}
    assert len(others[0].samples) == len(tiny.recordings()[0].samples) // 2
    assert recipe.with_data("a").other_datasets == ("emg-synthetic", "b")
    assert tiny.RECIPE.others(own) == ()


def test_imitations_learn_nothing_before(tmp_path):
    path = tmp_path / "fin.toml"
    path.write_text('name = "fin"\n[imitation]\n[training.pretraining]\ndatasets = ["emg-3dc"]\n')
    with pytest.raises(EdgebioError, match="leave pretraining out"):
        recipes.load(path)


@pytest.mark.parametrize("name", recipes.names())
def test_where_nothing_is_stopped_early_nothing_is_held_out_for_it(name):
    """Records of a heart are one repetition each: none could be, of a person who is trained on."""
    how = recipes.load(name).training
    assert how.patience or not how.validation_repetitions
