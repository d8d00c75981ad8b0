import dataclasses
import json

import numpy as np
import pytest

from edgebio import models, protocols, tasks
from edgebio.errors import EdgebioError
from edgebio.models.keras import tf
from edgebio.protocols import Fold
from edgebio.recipes import PretrainingSettings
from edgebio.training.batches import ImageBatches
from edgebio.training.image_set import build_image_set
from edgebio.training.pretraining import MixedBatches, OwnOutputs, pretrained_weights
from tests import tiny

OWN = [r for r in tiny.recordings() if r.session == "1"]
TESTED = [r for r in tiny.recordings() if r.session == "2"]


def recipe(**training):
    pretraining = PretrainingSettings(datasets=("elsewhere",), epochs=3)
    update = {"patience": 0, "validation_repetitions": 0, "pretraining": pretraining, **training}
    return tiny.RECIPE.model_copy(
        update={"training": tiny.RECIPE.training.model_copy(update=update)}
    )


def elsewhere(classes=("near", "far")):
    """The same two kinds of signal, of other subjects and with other class names."""
    return [
        dataclasses.replace(
            r,
            samples=np.clip(r.samples.astype(np.int32) * 2 + 1, -32768, 32767).astype(np.int16),
            labels=np.where(r.labels < len(classes), r.labels, -1).astype(np.int16),
            classes=classes,
            subject=f"elsewhere {r.subject}",
        )
        for r in tiny.recordings()
    ]


def test_loss_of_a_segment_is_among_the_outputs_of_its_own_set():
    rng = np.random.default_rng(0)
    logits = tf.Variable(rng.normal(size=(6, 5)).astype(np.float32))
    own = np.array([[1, 1, 1, 0, 0]] * 3 + [[0, 0, 0, 1, 1]] * 3, np.float32)
    wanted = own * rng.random((6, 5)).astype(np.float32)
    wanted /= wanted.sum(axis=1, keepdims=True)
    own_outputs = OwnOutputs(5)
    targets = np.concatenate([wanted, own], axis=1)
    with tf.GradientTape() as tape:
        loss = own_outputs.call(targets, logits)
    values = logits.numpy().astype(np.float64)
    share = np.exp(values) * own
    expected = -(wanted * np.log(np.where(own > 0, share, 1) / share.sum(1)[:, None])).sum(1)
    np.testing.assert_allclose(loss.numpy(), expected, rtol=1e-5)
    gradient = tape.gradient(loss, logits).numpy()
    assert not gradient[own == 0].any()
    assert gradient[own == 1].any()
    # The largest logit of all is of another set, and does not count.
    decided = np.where(own > 0, values, -np.inf).argmax(axis=1)
    assert (
        own_outputs.accuracy(targets, logits).numpy().tolist()
        == (decided == wanted.argmax(axis=1)).tolist()
    )


def test_batches_are_of_one_set_each():
    settings = recipe(batch=8).training
    images = [build_image_set(tiny.RECIPE.frontend, r, [], []) for r in (OWN, elsewhere())]
    outputs = [len(i.classes) for i in images]
    mixed = MixedBatches(
        [ImageBatches(i.train, len(i.classes), i.decisions, settings) for i in images], outputs, 1
    )
    seen = []
    for number in range(len(mixed)):
        pixels, targets, weights = mixed[number]
        assert len(pixels) == len(targets) == len(weights) == 8
        wanted, own = np.split(targets, 2, axis=1)
        (group,) = {tuple(row) for row in own}
        assert not wanted[own == 0].any()
        np.testing.assert_allclose(wanted.sum(axis=1), 1, rtol=1e-6)
        seen.append(group)
    assert set(seen) == {
        (1,) * outputs[0] + (0,) * outputs[1], (0,) * outputs[0] + (1,) * outputs[1]
    }  # fmt: skip
    before = mixed.order
    mixed.on_epoch_end()
    assert sorted(before) == sorted(mixed.order)
    assert before != mixed.order


@pytest.mark.parametrize("normalization", ["training", "layers"])
def test_network_starts_with_what_it_learned_from_all_sets(normalization):
    job = recipe(normalization=normalization)
    images = build_image_set(job.frontend, OWN, [], TESTED, normalization=normalization)
    weights = pretrained_weights(images, elsewhere(), job, job.training)
    network = models.build(job.model, images.train.shape, len(images.classes))
    network.set_weights(weights)  # of the own classes only
    again = pretrained_weights(images, elsewhere(), job, job.training)
    for one, other in zip(weights, again, strict=True):
        np.testing.assert_array_equal(one, other)
    fewer = pretrained_weights(images, elsewhere()[:4], job, job.training)
    assert any((one != other).any() for one, other in zip(weights, fewer, strict=True))


def test_run_describes_what_it_was_pretrained_on(tmp_path):
    metrics = tasks.train(recipe(), tiny.recordings(), tmp_path / "run", elsewhere()).document()
    assert metrics["others"]["recordings"] == len(tiny.recordings())
    assert all(name.startswith("elsewhere ") for name in metrics["others"]["subjects"])
    plain = tasks.train(recipe(pretraining=None), tiny.recordings(), tmp_path / "plain").document()
    assert "others" not in plain
    assert plain["history"]["loss"][0] > metrics["history"]["loss"][0]
    from edgebio.tasks.description import describe_training

    text = describe_training(recipe(), json.loads((tmp_path / "run" / "metrics.json").read_text()))
    assert "it was pretrained on" in text
    assert "recordings of elsewhere." in text


def test_unsuitable_pretraining_recordings_are_named(tmp_path):
    fold = protocols.split_for_training(tiny.RECIPE.data, tiny.recordings())

    def train_fold(fold, folder):
        return tasks.task_of(recipe()).train(recipe(), fold, folder)

    with pytest.raises(EdgebioError, match="no recordings of elsewhere"):
        train_fold(fold, tmp_path / "run")
    narrow = dataclasses.replace(
        elsewhere()[0], samples=np.ascontiguousarray(elsewhere()[0].samples[:, :1])
    )
    with pytest.raises(EdgebioError, match="1 channels, and the job's own recordings have"):
        train_fold(dataclasses.replace(fold, pretraining=(narrow,)), tmp_path / "run")


def test_test_recording_in_a_pretraining_set_is_refused():
    with pytest.raises(EdgebioError, match="hold the same samples"):
        Fold("x", tuple(OWN), tuple(TESTED), "session", pretraining=(TESTED[0],))
