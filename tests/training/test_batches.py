import dataclasses

import numpy as np
import pytest

from edgebio.recipes import AugmentSettings
from edgebio.training.batches import ImageBatches
from edgebio.training.image_set import build_image_set
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


def test_epoch_draws_each_image_once_and_the_next_draws_others():
    images = build_image_set(tiny.RECIPE.frontend, *SETS)
    batches = batches_of(images, changed(batch=7))
    first = np.concatenate(batches.order)
    assert len(first) == len(set(first)) == len(images.train) // images.spec.step_frames // 7 * 7
    assert [len(batches[k][0]) for k in range(len(batches))] == [7] * len(batches)
    pixels, targets, weights = batches[0]
    np.testing.assert_array_equal(batches[0][0], pixels)  # the same at every call
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    assert weights.mean() == pytest.approx(1, abs=0.3)
    batches.on_epoch_end()
    assert set(np.concatenate(batches.order)) != set(first)
    other = batches_of(images, changed(batch=7, seed=2))
    assert (np.concatenate(other.order) != first).any()
    assert len(batches_of(images, changed(batch=10, epoch_images=50))) == 5
    few = batches_of(images, changed(batch=64, epoch_images=50))
    assert [len(part) for part in few.order] == [50]


def test_batch_by_layers_is_of_one_session_with_its_unlabeled_images():
    half = [
        dataclasses.replace(r, labels=np.where(np.arange(len(r.labels)) < 700, r.labels, -1))
        for r in (*tiny.recordings("1"), *tiny.recordings("2"))
    ]
    images = build_image_set(tiny.RECIPE.frontend, half, [], half[:1], normalization="layers")
    batches = batches_of(images, changed(batch=16, patience=0, normalization="layers"))
    seen = set()
    for number in range(len(batches)):
        pixels, targets, weights = batches[number]
        labeled = weights > 0
        assert labeled.sum() == 16
        assert not targets[~labeled].any()
        assert 0.3 < labeled.mean() < 0.7
        own = {images.train.sessions[k] for k in images.train.recordings[batches.order[number]]}
        assert len(own) == 1
        seen |= own
        np.testing.assert_array_equal(batches[number][0], pixels)  # the same at every call
    assert len(seen) == 4


def test_time_is_stretched_in_every_batch_and_labels_are_unchanged():
    images = build_image_set(tiny.RECIPE.frontend, SETS[0], [], SETS[2])
    plain, stretched = (
        batches_of(images, changed(augment=AugmentSettings(time_stretch=by))) for by in (0.0, 0.3)
    )
    before, after = plain[0], stretched[0]
    assert (before[0] != after[0]).mean() > 0.1
    np.testing.assert_array_equal(before[1], after[1])
    np.testing.assert_array_equal(stretched[0][0], after[0])
