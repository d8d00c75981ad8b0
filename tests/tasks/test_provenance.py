import dataclasses
import json
import shutil

import numpy as np
import pytest

from edgebio import protocols
from edgebio.errors import EdgebioError
from edgebio.tasks.stft_classifier import run as runs
from edgebio.tasks import provenance
from edgebio.training.image_set import build_image_set
from edgebio.tasks.stft_classifier.train import train_fold
from tests import tiny


def test_the_images_of_a_run_are_made_again():
    run = runs.load(tiny.run())
    others = tiny.recordings("2")  # lie about; who was trained on is known by what was recorded
    images, settings = provenance.images(run, [*others, *tiny.recordings()])
    assert settings == tiny.RECIPE.training
    assert images.classes == run.frontend.classes
    mine = [r for r in tiny.recordings() if r.session == "1"]
    kept, validation = protocols.hold_out(mine, 1)
    expected = build_image_set(tiny.RECIPE.frontend, kept, validation, (), tiny.RECIPE.data)
    np.testing.assert_array_equal(images.train.all(), expected.train.all())
    np.testing.assert_array_equal(images.train.labels, expected.train.labels)
    np.testing.assert_array_equal(images.validation.all(), expected.validation.all())
    drawn = np.sort(np.random.default_rng(settings.seed).choice(len(images.train), 100, False))
    np.testing.assert_array_equal(images.train.take(drawn), run.calibration())


def test_those_of_a_tuned_run_are_what_it_was_tuned_on(tmp_path):
    quick = tiny.RECIPE.training.model_copy(update={"epochs": 1, "tune_epochs": 1})
    quick = quick.model_copy(
        update={"new_subjects": quick.new_subjects.model_copy(update={"normalization": "session"})}
    )
    recipe = tiny.RECIPE.model_copy(update={"training": quick})
    everybody = [*tiny.recordings("1"), *tiny.recordings("2")]
    fold = protocols.split("transfer", everybody)[0]
    train_fold(recipe, fold, tmp_path)
    run = runs.load(tmp_path)
    images, settings = provenance.images(run, everybody[::-1])
    assert settings == quick
    assert images.normalise == "session"
    assert len(images.train.left_out) == len(fold.tune)
    drawn = np.sort(np.random.default_rng(1).choice(len(images.train), 100, False))
    np.testing.assert_array_equal(images.train.take(drawn), run.calibration())


def test_recordings_that_are_missing_or_changed_are_said():
    run = runs.load(tiny.run())
    with pytest.raises(EdgebioError, match=r"14 of the 14 recordings .* train again"):
        provenance.images(run, tiny.recordings("2"))
    first, *rest = tiny.recordings()
    changed = dataclasses.replace(first, samples=first.samples + np.int16(1))
    with pytest.raises(EdgebioError, match=r"1 of the 14 recordings .* as they were"):
        provenance.images(run, [changed, *rest])


def test_a_run_that_does_not_say_what_it_was_trained_on_is_refused(tmp_path):
    shutil.copytree(tiny.run(), tmp_path / "run")
    (tmp_path / "run" / runs.SIDES).unlink()
    with pytest.raises(EdgebioError, match=r"does not say .* \(no trained\.json\): train again"):
        provenance.images(runs.load(tmp_path / "run"), tiny.recordings())


def test_a_front_end_that_has_become_another_is_said(tmp_path):
    shutil.copytree(tiny.run(), tmp_path / "run")
    path = tmp_path / "run" / runs.FRONTEND
    content = json.loads(path.read_text())
    content["standardization"]["offset"][0][0] += 1
    path.write_text(json.dumps(content))
    with pytest.raises(EdgebioError, match="give another front end now"):
        provenance.images(runs.load(tmp_path / "run"), tiny.recordings())
