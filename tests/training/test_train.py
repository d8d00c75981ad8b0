import dataclasses
import json

import numpy as np
import pytest

from edgebio import models, protocols, recipes
from edgebio.errors import EdgebioError
from edgebio.models.keras import tf
from edgebio.recipes import AugmentSettings, TeacherSettings
from edgebio.training import gradcam
from edgebio.tasks.stft_classifier import run as runs
from edgebio.training.fit import Batches, Distillation, adjust, fit, leaning, predict
from edgebio.training.image_set import build_image_set
from edgebio.training.metrics import decision_metrics
from edgebio.tasks.stft_classifier.train import train, train_fold
from tests import tiny

SIDES = (
    [r for r in tiny.recordings() if r.session == "1" and r.repetition < 2],
    [r for r in tiny.recordings() if r.session == "1" and r.repetition == 2],
    [r for r in tiny.recordings() if r.session == "2"],
)


def changed(**training):
    return tiny.RECIPE.training.model_copy(update=training)


def test_two_runs_of_one_recipe_are_the_same_bit_for_bit(tmp_path):
    again = tmp_path / "run"
    train(tiny.RECIPE, tiny.recordings(), again)
    for name in (runs.MODEL, runs.FRONTEND, runs.RECIPE, runs.IMAGES):
        assert (again / name).read_bytes() == (tiny.run() / name).read_bytes(), name
    first, second = (json.loads((f / runs.METRICS).read_text()) for f in (tiny.run(), again))
    assert first["history"] == second["history"]


def batches_of(images, settings):
    return Batches(images.train, len(images.classes), images.decisions, settings)


def test_an_epoch_draws_each_image_once_and_the_next_draws_others():
    images = build_image_set(tiny.RECIPE.frontend, *SIDES)
    batches = batches_of(images, changed(batch=7))
    first = np.concatenate(batches.order)
    assert len(first) == len(set(first)) == len(images.train) // images.spec.step_frames // 7 * 7
    assert [len(batches[k][0]) for k in range(len(batches))] == [7] * len(batches)
    pixels, targets, weights = batches[0]
    np.testing.assert_array_equal(batches[0][0], pixels)  # asked twice, it is the same
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    assert weights.mean() == pytest.approx(1, abs=0.3)
    batches.on_epoch_end()
    assert set(np.concatenate(batches.order)) != set(first)
    other = batches_of(images, changed(batch=7, seed=2))
    assert (np.concatenate(other.order) != first).any()
    assert len(batches_of(images, changed(batch=10, epoch_images=50))) == 5
    few = batches_of(images, changed(batch=64, epoch_images=50))
    assert [len(part) for part in few.order] == [50]


def test_averaged_weights_are_the_moving_average_of_every_steps():
    from edgebio.models.keras import keras
    from edgebio.training.fit import begin, learn

    images = build_image_set(tiny.RECIPE.frontend, SIDES[0], [], SIDES[2])
    settings = changed(epochs=2, patience=0, average=0.8)
    begin(settings.seed)
    network = models.build(tiny.RECIPE.model, images.train.shape, len(images.classes))
    seen = [[w.numpy() for w in network.trainable_variables]]
    keep = keras.callbacks.LambdaCallback(
        on_batch_end=lambda batch, logs: seen.append(
            [w.numpy() for w in network.trainable_variables]
        )
    )
    learn(network, images, settings, callbacks=[keep])
    average = seen[0]
    for step in seen[1:]:
        average = [0.8 * a + 0.2 * w for a, w in zip(average, step, strict=True)]
    for kept, expected, last in zip(network.trainable_variables, average, seen[-1], strict=True):
        np.testing.assert_allclose(kept.numpy(), expected, atol=2e-5)
        assert not np.allclose(last, expected, atol=2e-5)


def test_by_layers_a_batch_is_of_one_sitting_with_its_unlabelled_windows():
    half = [
        dataclasses.replace(r, labels=np.where(np.arange(len(r.labels)) < 700, r.labels, -1))
        for r in (*tiny.recordings("1"), *tiny.recordings("2"))
    ]
    images = build_image_set(tiny.RECIPE.frontend, half, [], half[:1], normalise="layers")
    batches = batches_of(images, changed(batch=16, patience=0, normalise="layers"))
    seen = set()
    for number in range(len(batches)):
        pixels, targets, weights = batches[number]
        labelled = weights > 0
        assert labelled.sum() == 16
        assert not targets[~labelled].any()
        assert 0.3 < labelled.mean() < 0.7
        own = {images.train.sessions[k] for k in images.train.recordings[batches.order[number]]}
        assert len(own) == 1
        seen |= own
        np.testing.assert_array_equal(batches[number][0], pixels)  # asked twice, it is the same
    assert len(seen) == 4


def test_time_is_stretched_anew_in_every_batch_and_the_labels_stay():
    images = build_image_set(tiny.RECIPE.frontend, SIDES[0], [], SIDES[2])
    plain, stretched = (
        batches_of(images, changed(augment=AugmentSettings(time_stretch=by))) for by in (0.0, 0.3)
    )
    before, after = plain[0], stretched[0]
    assert (before[0] != after[0]).mean() > 0.1
    np.testing.assert_array_equal(before[1], after[1])
    np.testing.assert_array_equal(stretched[0][0], after[0])


def test_class_weights_make_every_class_count_alike():
    images = build_image_set(tiny.RECIPE.frontend, [*SIDES[0], SIDES[0][0]], [], SIDES[2])
    batches = batches_of(images, changed())
    counts = np.bincount(images.train.labels)
    assert counts[0] > counts[1]
    np.testing.assert_allclose(counts * batches.weights, len(images.train) / 7, rtol=1e-5)
    assert (batches_of(images, changed(class_weights=0)).weights == 1).all()
    half = batches_of(images, changed(class_weights=0.5)).weights
    np.testing.assert_allclose(half**2, batches.weights, rtol=1e-5)


def test_probabilities_are_divided_by_a_power_of_the_frequencies_and_multiplied_by_costs():
    images = build_image_set(tiny.RECIPE.frontend, [*SIDES[0], SIDES[0][0]], [], SIDES[2])
    costly = images.classes[2]
    shift = leaning(changed(prior=0.5, costs={costly: 3.0}), images)
    model = models.build(tiny.RECIPE.model, images.train.shape, len(images.classes))
    before = predict(model, images.test)
    adjust(model, shift)
    wanted = before / np.sqrt(np.bincount(images.train.labels) / len(images.train))
    wanted[:, 2] *= 3
    wanted /= wanted.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(predict(model, images.test), wanted, rtol=1e-4)
    adjust(model, -shift)
    np.testing.assert_allclose(predict(model, images.test), before, rtol=1e-4)


def test_a_class_that_a_person_is_not_tuned_on_leaves_the_network_finite():
    images = build_image_set(tiny.RECIPE.frontend, SIDES[0], [], SIDES[2])
    some = images.with_training_set([r for r in SIDES[0] if r.labels[0] != 2])
    assert 2 not in some.train.labels
    assert not leaning(changed(), some).any()
    assert np.isfinite(leaning(changed(prior=0.5), some)).all()
    assert np.isfinite(batches_of(some, changed())[0][2]).all()


def test_a_cost_of_a_class_that_there_is_not_is_refused_before_training(tmp_path):
    asked = tiny.RECIPE.model_copy(update={"training": changed(costs={"fist": 2.0})})
    with pytest.raises(EdgebioError, match=r"training\.costs: no class 'fist'; there are "):
        train(asked, [*SIDES[0], *SIDES[1], *SIDES[2]], tmp_path / "run")


def test_metrics_are_those_of_the_model_that_is_kept():
    run = runs.load(tiny.run())
    test = run.test()
    metrics = run.metrics
    decided = predict(run.network(), test).argmax(axis=1)
    assert {k: metrics[k] for k in ("accuracy", "balanced_accuracy", "macro_f1")} == decision_metrics(
        test.labels, decided
    )
    assert np.trace(metrics["confusion"]) == (decided == test.labels).sum()
    assert np.sum(metrics["confusion"]) == len(test) == metrics["test"]["windows"]
    assert metrics["accuracy"] > 0.35  # of seven classes; a network that learned nothing has 0.14
    assert metrics["train"]["repetitions"] == [0, 1]
    assert metrics["validation"]["repetitions"] == [2]
    assert metrics["test"]["sessions"] == ["2"]
    assert metrics["parameters"] == run.network().count_params()
    assert run.recipe == tiny.RECIPE
    assert run.calibration().shape == (100, *run.frontend.frontend.image_shape)
    logged = list((tiny.run() / runs.LOGS).rglob("events.out.tfevents.*"))
    assert logged


def test_early_stopping_keeps_the_weights_of_the_best_epoch():
    images = build_image_set(tiny.RECIPE.frontend, *SIDES)
    # A learning rate this high makes the validation loss go up and down.
    fitted = fit(images, tiny.RECIPE.model, changed(epochs=6, patience=2, learning_rate=0.1))
    losses = fitted.history["val_loss"]
    assert fitted.best_epoch == 1 + int(np.argmin(losses))
    assert len(losses) == min(6, fitted.best_epoch + 2)
    probability = predict(fitted.model, images.validation)
    accuracy = np.average(
        probability.argmax(axis=1) == images.validation.labels,
        weights=np.bincount(images.train.labels).astype(float)[images.validation.labels] ** -1,
    )
    assert accuracy == pytest.approx(
        fitted.history["val_accuracy"][fitted.best_epoch - 1], abs=1e-3
    )


def test_a_loss_that_is_not_finite_is_said():
    images = build_image_set(tiny.RECIPE.frontend, *SIDES)
    with pytest.raises(EdgebioError, match=r"not finite in epoch \d.*lower training.learning_rate"):
        fit(images, tiny.RECIPE.model, changed(epochs=2, learning_rate=1e30))


def test_a_new_run_takes_away_what_was_made_of_the_old_one(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / runs.RECIPE).write_text(recipes.dump(tiny.RECIPE))
    (folder / "model.tflite").write_bytes(b"old")
    recipe = tiny.RECIPE.model_copy(update={"training": changed(epochs=1)})
    train(recipe, tiny.recordings(), folder)
    assert not (folder / "model.tflite").exists()
    assert runs.load(folder).recipe == recipe


def test_other_peoples_files_are_left_alone(tmp_path):
    (tmp_path / "thesis.docx").write_text("dear")
    with pytest.raises(EdgebioError, match=r"holds files and no recipe\.toml"):
        train(tiny.RECIPE, tiny.recordings(), tmp_path)
    with pytest.raises(EdgebioError, match="is a file"):
        train(tiny.RECIPE, tiny.recordings(), tmp_path / "thesis.docx")
    assert [f.name for f in tmp_path.iterdir()] == ["thesis.docx"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (runs.METRICS, None, "not a finished run"),
        (runs.METRICS, "{", "damaged run"),
        (runs.FRONTEND, '{"classes": []}', r"frontend\.json: frontend: Field required"),
        (runs.MODEL, "not hdf5", r"model\.h5: not the weights"),
        (runs.IMAGES, "not npz", r"images\.npz: damaged"),
    ],
)
def test_a_damaged_run_is_said_in_one_line(tmp_path, name, content, said):
    for file in tiny.run().iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(content)

    def use():
        run = runs.load(tmp_path)
        run.network()
        run.test()

    with pytest.raises(EdgebioError, match=said) as error:
        use()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("patience", [0, 1])
def test_a_recipe_names_its_protocol_and_who_would_stop_a_fixed_schedule_is_learned_from(
    tmp_path, patience
):
    everybody = [r for k in "123" for r in tiny.recordings(k) if r.session == "1"]
    recipe = tiny.RECIPE.model_copy(
        update={
            "data": tiny.RECIPE.data.model_copy(update={"protocol": "patient-wise"}),
            "training": changed(epochs=1, patience=patience),
        }
    )
    fold = protocols.split("patient-wise", everybody)[0]
    metrics = train(recipe, everybody, tmp_path / "run")
    learned, asked, tested = (
        {r.subject for r in side} for side in (fold.train, fold.validation, fold.test)
    )
    assert set(metrics["test"]["subjects"]) == tested
    assert set(metrics["train"]["subjects"]) == (learned if patience else learned | asked)
    assert set(metrics["validation"]["subjects"]) == (asked if patience else set())
    explained = gradcam.load(tmp_path / "run")
    assert explained.maps.shape[1:] == runs.load(tmp_path / "run").test().shape[:2]


def test_a_network_is_tuned_to_a_person_after_the_others(tmp_path):
    """Transfer: the front end stays the others', the weights become the wearer's."""
    quick = changed(epochs=1, tune_epochs=2)
    recipe = tiny.RECIPE.model_copy(update={"training": quick})
    everybody = [*tiny.recordings("1"), *tiny.recordings("2")]
    others, tuned = (
        protocols.split(name, everybody)[0] for name in ("all-to-one", "transfer")
    )  # fmt: skip
    before = train_fold(recipe, others, tmp_path / "others")
    after = train_fold(recipe, tuned, tmp_path / "tuned")
    assert (before["epochs"], after["epochs"]) == (1, 3)
    assert after["history"]["loss"][0] == before["history"]["loss"][0]
    assert (after["tune"]["subjects"], after["tune"]["sessions"]) == (["1"], ["1"])
    assert (after["test"]["subjects"], after["test"]["sessions"]) == (["1"], ["2"])
    assert after["train"]["subjects"] == ["2"]
    fronts = [(tmp_path / name / "frontend.json").read_text() for name in ("others", "tuned")]
    assert fronts[0] == fronts[1]
    assert after["accuracy"] > before["accuracy"]


def test_the_loss_of_a_taught_network_is_that_of_the_labels_and_of_the_teacher():
    settings = TeacherSettings(filters=(8,), temperature=2.0, share=0.3)
    rng = np.random.default_rng(0)
    wanted, heard, said = (rng.dirichlet(np.ones(5), 6).astype("f") for _ in range(3))
    loss = Distillation(5, settings)
    found = loss.call(np.concatenate([wanted, heard], axis=1), said).numpy()

    def softened(p):
        p = np.sqrt(p)
        return p / p.sum(axis=1, keepdims=True)

    by_labels = -(wanted * np.log(said)).sum(axis=1)
    by_teacher = -(softened(heard) * np.log(softened(said))).sum(axis=1)
    np.testing.assert_allclose(found, 0.7 * by_labels + 0.3 * 4 * by_teacher, rtol=1e-4)
    right = loss.accuracy(np.concatenate([wanted, heard], axis=1), said).numpy()
    np.testing.assert_array_equal(right, wanted.argmax(axis=1) == said.argmax(axis=1))


def test_a_network_learns_from_its_teacher_whatever_the_labels_are():
    """A teacher who sees nothing but one class, and to whom all of the loss belongs."""
    images = build_image_set(tiny.RECIPE.frontend, *SIDES)

    def teacher(x, training):
        assert not training
        return tf.one_hot([3] * len(x), 7)

    taught = TeacherSettings(filters=(8,), share=1.0, temperature=1.0)
    settings = changed(epochs=2, learning_rate=0.05, teacher=taught)
    fitted = fit(images, tiny.RECIPE.model, settings, teacher=teacher)
    assert (predict(fitted.model, images.test).argmax(axis=1) == 3).mean() > 0.95
    assert fitted.history["accuracy"][-1] < 0.3  # is that of the labels
    assert len(fitted.history["val_loss"]) == 2


def test_a_teacher_is_trained_first_and_told_of(tmp_path):
    teacher = TeacherSettings(filters=(16, 16), epochs=2)
    recipe = tiny.RECIPE.model_copy(update={"training": changed(epochs=1, teacher=teacher)})
    found = train(recipe, tiny.recordings(), tmp_path / "run")
    assert runs.load(tmp_path / "run").recipe == recipe
    assert found["teacher"]["epochs"] == 2
    assert found["teacher"]["parameters"] > 2 * found["parameters"]
    assert 0 < found["teacher"]["accuracy"] < 1
    alone = recipe.model_copy(update={"training": changed(epochs=1)})
    without = train(alone, tiny.recordings(), tmp_path / "alone")
    assert without["teacher"] is None
    assert without["parameters"] == found["parameters"]
    assert without["history"]["loss"] != found["history"]["loss"]
