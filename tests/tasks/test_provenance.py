import dataclasses
import json
import shutil

import numpy as np
import pytest

from edgebio import protocols, tasks
from edgebio.errors import EdgebioError
from edgebio.tasks.run_folder import FRONTEND, TRAINED
from edgebio.tasks.stft_classifier.run import ImageRun
from edgebio.training.image_set import build_image_set
from tests import tiny


def test_training_images_of_a_run_are_cut_again():
    run = ImageRun.load(tiny.run())
    others = tiny.recordings("2")  # recordings are found by their content
    images, settings = run.training_images([*others, *tiny.recordings()])
    assert settings == tiny.RECIPE.training
    assert images.classes == run.frontend.classes
    mine = [r for r in tiny.recordings() if r.session == "1"]
    train, validation = protocols.hold_out(mine, 1)
    expected = build_image_set(tiny.RECIPE.frontend, train, validation, (), tiny.RECIPE.data)
    np.testing.assert_array_equal(images.train.all(), expected.train.all())
    np.testing.assert_array_equal(images.train.labels, expected.train.labels)
    np.testing.assert_array_equal(images.validation.all(), expected.validation.all())
    drawn = np.sort(np.random.default_rng(settings.seed).choice(len(images.train), 100, False))
    np.testing.assert_array_equal(images.train.take(drawn), run.calibration())


def test_training_images_of_a_tuned_run_are_what_it_was_tuned_on(tmp_path):
    quick = tiny.RECIPE.training.model_copy(update={"epochs": 1, "tune_epochs": 1})
    quick = quick.model_copy(
        update={"new_subjects": quick.new_subjects.model_copy(update={"normalization": "session"})}
    )
    recipe = tiny.RECIPE.model_copy(update={"training": quick})
    everybody = [*tiny.recordings("1"), *tiny.recordings("2")]
    fold = protocols.split("transfer", everybody)[0]
    tasks.task_of(recipe).train(recipe, fold, tmp_path)
    run = ImageRun.load(tmp_path)
    images, settings = run.training_images(everybody[::-1])
    assert settings == quick
    assert images.normalization == "session"
    assert len(images.train.exclusions) == len(fold.tune)
    drawn = np.sort(np.random.default_rng(1).choice(len(images.train), 100, False))
    np.testing.assert_array_equal(images.train.take(drawn), run.calibration())


def test_missing_or_changed_recordings_are_refused():
    run = ImageRun.load(tiny.run())
    with pytest.raises(EdgebioError, match=r"14 of the 14 recordings .* train again"):
        run.training_images(tiny.recordings("2"))
    first, *rest = tiny.recordings()
    changed = dataclasses.replace(first, samples=first.samples + np.int16(1))
    with pytest.raises(EdgebioError, match=r"1 of the 14 recordings .* have changed"):
        run.training_images([changed, *rest])


def test_run_without_digests_is_refused(tmp_path):
    shutil.copytree(tiny.run(), tmp_path / "run")
    (tmp_path / "run" / TRAINED).unlink()
    with pytest.raises(EdgebioError, match=r"does not say .* \(no trained\.json\): train again"):
        ImageRun.load(tmp_path / "run").training_images(tiny.recordings())


def test_front_end_that_has_changed_is_refused(tmp_path):
    shutil.copytree(tiny.run(), tmp_path / "run")
    path = tmp_path / "run" / FRONTEND
    content = json.loads(path.read_text())
    content["standardization"]["offset"][0][0] += 1
    path.write_text(json.dumps(content))
    with pytest.raises(EdgebioError, match="give another front end now"):
        ImageRun.load(tmp_path / "run").training_images(tiny.recordings())
