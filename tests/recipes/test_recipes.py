import dataclasses
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from edgebio import recipes
from edgebio.cli import main
from edgebio.errors import EdgebioError
from edgebio.recipes import (
    ClusterSettings,
    DataSettings,
    FeatureImitationSettings,
    PretrainingSettings,
    QuantizeSettings,
    Recipe,
    TeacherSettings,
    TrainingSettings,
)
from tests import tiny


@pytest.mark.parametrize("name", recipes.names())
def test_recipe_files_load_and_have_the_name_of_their_file(name):
    assert recipes.load(name).name == name


def test_streaming_recipe_decides_with_every_frame_within_300_ms():
    """Segment, step x votes, and 10 ms of compute; see `edgebio.runtime.session.Delay`."""
    recipe = recipes.load("emg-grips-stream")
    front_end, rate = recipe.frontend, 1000
    assert front_end.step_frames == 1
    delay = front_end.segment_length + front_end.step * recipe.decision.votes
    assert 1000 * delay / rate + 10 <= 300
    assert len(recipe.model.kernel_frames) == len(recipe.model.filters)


@given(
    st.integers(1, 1000),
    st.floats(1e-6, 1.0),
    st.booleans(),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20),
)
def test_dumped_recipe_loads_as_the_same_recipe(tmp_path_factory, epochs, rate, weights, title):
    teacher = TeacherSettings(filters=(8, 12), temperature=1 + rate) if weights else None
    training = TrainingSettings(
        epochs=epochs, learning_rate=rate, class_weights=weights, teacher=teacher
    )
    data = DataSettings(
        classes={title: (title, "b"), "healthy, open": ("Z",)}, channel_numbers=(2, 1)
    )
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
        ("name = 'x'\n[training]\nepoch = 3", r"training: no key 'epoch' \(did you mean 'epochs'"),
        ("name = 'x'\n[frontend]\nhop_length = 300", "frontend: .*longer than the segment"),
        ("name = 'x'\n[data]\nband = [40.0, 0.5]", "data: .*lower one above 0 first"),
        ("name = 'x'\n[quantize]\nscheme = 'zip'", "quantize.scheme: Input should be 'ptq'"),
        ("name = 'x'\n[quantize.prune]\nsparsity = 1.0", "quantize.prune.sparsity: .*less than 1"),
        ("name = 'x'\n[training.teacher]\nshare = 0.5", "training.teacher.filters: Field required"),
        ("name = 'x'\n[training]\nnormalization = 'layers'", "training: .*set patience = 0"),
        ("name = 'x'\n[training]\nema_momentum = 0.9", "training: ema_momentum.* patience = 0"),
        ("name = 'x'\n[model]\nfamily = 'rnn'", "model.family: Input should be"),
        ("name = 'x'\ntask = 'regression'", "task: Input should be 'stft_classifier'"),
        (
            "name = 'x'\ntask = 'stft_classifier'\n[feature_imitation]",
            "feature_imitation: task 'stft_classifier' has no such section",
        ),
    ],
)
def test_impossible_recipe_is_refused_by_key(tmp_path, text, reason):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(EdgebioError, match=reason):
        recipes.load(path)


def test_teacher_needs_another_normalization_than_layers():
    grips = recipes.load("emg-grips").training.model_dump()
    training = TrainingSettings.model_validate({**grips, "teacher": {"filters": (32, 48)}})
    assert training.teacher is not None
    assert training.teacher.filters == (32, 48)
    assert training.for_new_subjects().normalization == "layers"
    assert training.for_new_subjects().teacher is None
    with pytest.raises(ValueError, match="without a teacher only"):
        TrainingSettings(normalization="layers", patience=0, teacher=training.teacher)


def test_settings_for_new_subjects_change_only_what_they_give(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        "name = 'mine'\n[training]\nepochs = 30\n[training.augment]\nnoise = 0.1\n"
        "[training.new_subjects]\nnormalization = 'session'\n"
        "[training.new_subjects.augment]\nrotate = 1\n"
    )
    training = recipes.load(path).training
    new = training.for_new_subjects()
    assert (training.normalization, training.augment.rotate) == ("training", 0)
    assert (new.epochs, new.normalization, new.augment.rotate) == (30, "session", 1)
    assert new.augment.noise == 0
    path.write_text(recipes.dump(recipes.load(path)))
    assert recipes.load(path).training.for_new_subjects() == new


def test_unknown_recipe_is_refused_with_the_nearest_name(tmp_path):
    with pytest.raises(
        EdgebioError, match=r"no recipe 'emg-grip' \(did you mean 'emg-grips'.*emg-fin"
    ):
        recipes.load("emg-grip")
    with pytest.raises(EdgebioError, match="no such recipe file"):
        recipes.load(tmp_path / "nope.toml")


def test_pretraining_recordings_have_the_own_rate_and_the_name_of_their_set(monkeypatch):
    loaded = []

    def load(name, root=None, subjects=None):
        loaded.append((name, root, subjects))
        return list(tiny.recordings())

    monkeypatch.setattr("edgebio.datasets.load", load)
    training = tiny.RECIPE.training.model_copy(
        update={"pretraining": PretrainingSettings(datasets=("a", "emg-synthetic", "b"))}
    )
    recipe = tiny.RECIPE.model_copy(update={"training": training})
    own = [dataclasses.replace(tiny.recordings()[0], rate=500.0)]
    pretraining = recipe.pretraining_recordings(own, Path("data"))
    assert loaded == [("a", Path("data"), None), ("b", Path("data"), None)]  # not the own one
    assert {r.subject for r in pretraining} == {"a 1", "b 1"}
    assert {r.rate for r in pretraining} == {500.0}
    assert len(pretraining[0].samples) == len(tiny.recordings()[0].samples) // 2
    assert recipe.with_data("a").other_datasets == ("emg-synthetic", "b")
    assert tiny.RECIPE.pretraining_recordings(own) == ()


def test_old_recipe_with_its_section_has_the_task_of_the_section(tmp_path):
    path = tmp_path / "old.toml"
    path.write_text('name = "old"\n[feature_imitation]\nunits = 12\n')
    recipe = recipes.load(path)
    assert recipe.feature_imitation is not None
    assert (recipe.task, recipe.feature_imitation.units) == ("feature_imitation", 12)
    path.write_text('name = "new"\ntask = "feature_imitation"\n')
    assert recipes.load(path).feature_imitation == FeatureImitationSettings()
    further = recipe.with_horizon(3).feature_imitation
    assert further is not None
    assert further.horizon == 3
    with pytest.raises(EdgebioError, match="'stft_classifier' has no feature_imit"):
        recipes.load("emg-grips").with_horizon(3)


@pytest.mark.parametrize(
    ("text", "unused", "key"),
    [
        ("[model]\ndense = 8", "model", "model.dense"),
        (
            "[training.pretraining]\ndatasets = ['a']",
            "training.pretraining",
            "training.pretraining",
        ),
        ("[training]\nprior = 0.5", "training.prior", "training.prior"),
        (
            "[training.new_subjects.augment]\nnoise = 0.5",
            "training.new_subjects.augment",
            "training.new_subjects.augment",
        ),
    ],
)
def test_setting_that_a_task_does_not_use_is_refused_by_name(tmp_path, text, unused, key):
    path = tmp_path / "mine.toml"
    path.write_text(f"name = 'mine'\n{text}\n")
    recipe = recipes.load(path)
    with pytest.raises(EdgebioError, match=f"mine: task 'stft_classifier' does not use {key}"):
        recipes.refuse_unused(recipe, ["frontend.notch", unused])
    path.write_text(recipes.dump(Recipe(name="defaults")))  # every key, with its default
    recipes.refuse_unused(recipes.load(path), ["frontend.notch", unused])


@pytest.mark.parametrize("name", recipes.names())
def test_recipe_without_early_stopping_holds_out_no_validation_set(name):
    """An ECG record is one repetition, so none of a training subject could be held out."""
    training = recipes.load(name).training
    assert training.patience or not training.validation_repetitions


def test_channels_count_from_1_and_old_ones_from_0_are_read(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\n[data]\nchannel_numbers = [1, 4]\n')
    assert recipes.load(path).data.channel_numbers == (1, 4)
    path.write_text('name = "mine"\n[data]\nchannels = [0, 3]\n')
    with pytest.warns(FutureWarning, match="channels is now channel_numbers"):
        assert recipes.load(path).data.channel_numbers == (1, 4)
    path.write_text('name = "mine"\n[data]\nchannel_numbers = [0]\n')
    with pytest.raises(EdgebioError, match=r"data\.channel_numbers.*greater than or equal to 1"):
        recipes.load(path)
    result = CliRunner().invoke(main, ["recipes", "show", "emg-grips-pico"])
    assert "channel_numbers" in result.stdout
