import numpy as np
import pytest

from edgebio import models
from edgebio.errors import EdgebioError
from edgebio.training.batches import ImageBatches
from edgebio.training.class_balance import ClassTargets, logit_shift, shift_logits
from edgebio.training.image_set import build_image_set
from edgebio.training.image_training import predict
from tests import tiny

SETS = (
    [r for r in tiny.recordings() if r.session == "1" and r.repetition < 2],
    [r for r in tiny.recordings() if r.session == "1" and r.repetition == 2],
    [r for r in tiny.recordings() if r.session == "2"],
)


def changed(**training):
    return tiny.RECIPE.training.model_copy(update=training)


def batches_of(images, settings):
    return ImageBatches(images.train, len(images.classes), images.decisions, settings)


def test_class_weights_are_a_power_of_the_inverse_frequencies():
    labels = np.repeat([0, 1, 2], [8, 2, 2])
    balanced = ClassTargets(labels, 3, changed()).weights
    np.testing.assert_allclose(np.bincount(labels) * balanced, 4, rtol=1e-5)
    assert (ClassTargets(labels, 3, changed(class_weights=0)).weights == 1).all()
    half = ClassTargets(labels, 3, changed(class_weights=0.5)).weights
    np.testing.assert_allclose(half**2, balanced, rtol=1e-5)


def test_prior_and_costs_scale_the_probabilities():
    images = build_image_set(tiny.RECIPE.frontend, [*SETS[0], SETS[0][0]], [], SETS[2])
    costly = images.classes[2]
    shift = logit_shift(
        changed(prior=0.5, costs={costly: 3.0}), images.train.labels, images.classes
    )
    model = models.build(tiny.RECIPE.model, images.train.shape, len(images.classes))
    before = predict(model, images.test)
    shift_logits(model, shift)
    wanted = before / np.sqrt(np.bincount(images.train.labels) / len(images.train))
    wanted[:, 2] *= 3
    wanted /= wanted.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(predict(model, images.test), wanted, rtol=1e-4)
    shift_logits(model, -shift)
    np.testing.assert_allclose(predict(model, images.test), before, rtol=1e-4)


def test_class_missing_from_the_tuning_set_leaves_weights_and_shift_finite():
    images = build_image_set(tiny.RECIPE.frontend, SETS[0], [], SETS[2])
    tuning = images.with_training_set([r for r in SETS[0] if r.labels[0] != 2])
    assert 2 not in tuning.train.labels
    assert not logit_shift(changed(), tuning.train.labels, tuning.classes).any()
    assert np.isfinite(logit_shift(changed(prior=0.5), tuning.train.labels, tuning.classes)).all()
    assert np.isfinite(batches_of(tuning, changed())[0][2]).all()


def test_cost_of_an_unknown_class_is_refused():
    with pytest.raises(
        EdgebioError, match=r"training\.costs: no class 'fist'; there are rest, open"
    ):
        logit_shift(changed(costs={"fist": 2.0}), np.array([0, 1]), ("rest", "open"))
