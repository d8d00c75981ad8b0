"""Grad-CAM shows the places that support a class."""

import numpy as np
import pytest

from edgebio import models
from edgebio.errors import EdgebioError
from edgebio.recipes import ModelSettings
from edgebio.training import gradcam
from edgebio.training.images import Images

FRAMES, BINS = 12, 8


def two_signs(flatten=False):
    """A network whose class 0 rests on what is above the mean, and class 1 on what is below."""
    settings = ModelSettings(filters=(2,), pool_after=(), dropout=0, flatten=flatten)
    model = models.build(settings, (FRAMES, BINS, 1), 2)
    kernel = np.zeros((3, 3, 1, 2), np.float32)
    kernel[1, 1, 0] = [1, -1]
    model.get_layer("conv0").set_weights([kernel])
    places = FRAMES * BINS if flatten else 1
    dense = np.tile(np.eye(2, dtype=np.float32), (places, 1))
    model.get_layer("classes").set_weights([dense, np.zeros(2, np.float32)])
    return model


def images(n=3):
    """A bright patch early and low, a dark one late and high; the rest is the mean."""
    pixels = np.zeros((n, FRAMES, BINS, 1), np.int8)
    pixels[:, 1:4, 0:3] = 100
    pixels[:, 8:11, 5:8] = -100
    return pixels


@pytest.mark.parametrize("flatten", [False, True])
def test_map_of_a_class_is_where_its_support_is(flatten):
    model = two_signs(flatten)
    for label, where in ((0, np.s_[:, 1:4, 0:3]), (1, np.s_[:, 8:11, 5:8])):
        maps = gradcam.grad_cam(model, images(), np.full(3, label))
        assert maps is not None
        assert maps.shape == (3, FRAMES, BINS)
        assert maps.dtype == np.float32
        np.testing.assert_allclose(maps[where], 1, rtol=1e-6)
        elsewhere = maps.copy()
        elsewhere[where] = 0
        assert not elsewhere.any()


def test_maps_of_any_network_are_within_0_and_1():
    model = models.build(ModelSettings(filters=(4, 6), pool_after=(0, 1)), (FRAMES, BINS, 3), 4)
    rng = np.random.default_rng(0)
    some = rng.integers(-128, 128, (20, FRAMES, BINS, 3), np.int8)
    maps = gradcam.grad_cam(model, some, rng.integers(0, 4, 20))
    assert maps is not None
    assert maps.shape == (20, FRAMES, BINS)
    assert (maps >= 0).all()
    most = maps.max(axis=(1, 2))
    assert np.isin(most.round(5), [0.0, 1.0]).all()
    assert most.any()


def test_image_without_support_has_an_empty_map():
    bright = np.maximum(images(1), 0)
    maps = gradcam.grad_cam(two_signs(), bright, np.array([1]))
    assert maps is not None
    assert not maps.any()


def test_run_stores_a_typical_image_and_the_mean_of_each_class(tmp_path):
    pixels = np.concatenate(images(6))
    labels = np.array([0, 0, 0, 0, 2, 2], np.int16)
    test = Images(
        pixels,
        np.arange(6) * FRAMES,
        labels,
        np.zeros(6, np.int32),
        FRAMES,
        (("1", "1"),),
        np.array([6 * FRAMES]),
    )
    probability = np.array([[9, 0, 1], [5, 5, 0], [7, 2, 1], [1, 8, 1], [6, 0, 4], [8, 0, 2]]) / 10
    # A third class without any support.
    model = models.build(
        ModelSettings(filters=(2,), pool_after=(), dropout=0), (FRAMES, BINS, 1), 3
    )
    model.set_weights([*two_signs().get_weights()[:-2], np.eye(2, 3), np.zeros(3)])
    maps = gradcam.attention_maps(model, test, probability.astype(np.float32))
    assert maps is not None
    assert maps.examples.tolist() == [2, -1, 4]
    assert maps.counts.tolist() == [3, 0, 0]
    assert maps.maps[0, 2, 1] == maps.means[0, 2, 1] == 1
    assert not maps.maps[1:].any()
    gradcam.save(tmp_path, maps)
    again = gradcam.load(tmp_path)
    assert again is not None
    np.testing.assert_array_equal(again.means, maps.means)
    (tmp_path / gradcam.FILE).write_bytes(b"PK")
    with pytest.raises(EdgebioError, match=r"gradcam\.npz: damaged"):
        gradcam.load(tmp_path)
    (tmp_path / gradcam.FILE).unlink()
    assert gradcam.load(tmp_path) is None
