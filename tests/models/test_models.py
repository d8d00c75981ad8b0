import numpy as np
import pytest

from edgebio import models, recipes
from edgebio.errors import EdgebioError
from edgebio.recipes import ModelSettings

SHAPE = (9, 32, 10)


def parameters(settings, channels, classes):
    """Weights, two parameters of each batch normalization and two of its statistics, classifier."""
    count, before = 0, channels
    for number, filters in enumerate(settings.filters):
        if settings.family == "cnn" or number == 0:
            count += 9 * before * filters
        else:
            count += 9 * before + 4 * before + before * filters
        count += 4 * filters
        before = filters
    return count + (before + 1) * classes


@pytest.mark.parametrize("family", ["cnn", "dscnn"])
@pytest.mark.parametrize("filters", [(4,), (4, 6, 8)])
def test_network_has_the_size_of_the_recipe(family, filters):
    settings = ModelSettings(family=family, filters=filters, pool_after=(0,))
    model = models.build(settings, SHAPE, 5)
    assert model.input_shape == (None, *SHAPE)
    assert model.output_shape == (None, 5)
    assert model.count_params() == parameters(settings, SHAPE[2], 5)
    probability = model(np.random.default_rng(1).normal(size=(3, *SHAPE)).astype("f")).numpy()
    np.testing.assert_allclose(probability.sum(axis=1), 1, rtol=1e-5)
    assert (probability >= 0).all()


def test_pools_halve_time_and_frequency():
    model = models.build(ModelSettings(filters=(4, 4, 4), pool_after=(0, 2)), SHAPE, 5)
    assert model.get_layer("pool0").output_shape == (None, 4, 16, 4)
    assert model.get_layer("pool2").output_shape == (None, 2, 8, 4)


def test_a_hidden_layer_and_all_places_of_the_map():
    settings = ModelSettings(filters=(4,), pool_after=(0,), flatten=True, dense=7)
    model = models.build(settings, SHAPE, 5)
    places = (SHAPE[0] // 2) * (SHAPE[1] // 2) * 4
    assert model.get_layer("dense").count_params() == (places + 1) * 7
    assert model.get_layer("classes").count_params() == (7 + 1) * 5


@pytest.mark.parametrize(
    ("pool_after", "message"),
    [((4,), "no block 4"), ((0, 1, 2, 3), "4 pools of 2x2 leave nothing")],
)
def test_unsuitable_pools_are_refused(pool_after, message):
    settings = ModelSettings(filters=(4, 4, 4, 4), pool_after=pool_after)
    with pytest.raises(EdgebioError, match=message):
        models.build(settings, SHAPE, 5)


@pytest.mark.parametrize(
    ("recipe", "electrodes", "gestures"),
    [
        ("emg-grips", 10, 11), ("emg-grips-long", 10, 11), ("emg-force", 8, 7),
        ("emg-transfer", 8, 10),
    ],
)  # fmt: skip
def test_the_recipes_for_muscle_stay_within_60_kb_and_4_million_multiply_accumulates(
    recipe, electrodes, gestures
):
    job = recipes.load(recipe)
    shape = (job.frontend.frames, job.frontend.bins[1] - job.frontend.bins[0], electrodes)
    model = models.build(job.model, shape, gestures)
    products = constants = 0
    for layer in model.layers:
        kernels = [w for w in layer.weights if "kernel" in w.name]
        places = np.prod(layer.output_shape[1:-1], dtype=int) if len(layer.output_shape) > 2 else 1
        for kernel in kernels:
            products += int(np.prod(kernel.shape)) * int(places)
            # int8 weights; of each output an int32 bias, multiplier and shift.
            constants += int(np.prod(kernel.shape)) + 12 * kernel.shape[-1]
    assert 1e6 < products <= 4e6
    assert 30_000 < constants <= 60 * 1024
    if recipe == "emg-grips":
        assert products == 2_724_032  # as README has it of the compiled network


@pytest.mark.parametrize("family", ["cnn", "dscnn"])
def test_kernels_without_padding_in_time(family):
    settings = ModelSettings(
        family=family, filters=(4, 4, 4), kernel_frames=(3, 3, 1), pool_after=(0, 2)
    )
    model = models.build(settings, SHAPE, 5)
    assert model.get_layer("pool0").output_shape == (None, 7, 16, 4)
    assert model.get_layer("pool2").output_shape == (None, 5, 8, 4)


@pytest.mark.parametrize(
    ("kernels", "problem"),
    [((3, 3), "2 kernels for 3 blocks"), ((5, 5, 2), "span 10 frames of an image of 9")],
)
def test_kernels_that_do_not_fit_are_refused(kernels, problem):
    settings = ModelSettings(filters=(4, 4, 4), kernel_frames=kernels, pool_after=())
    with pytest.raises(EdgebioError, match=problem):
        models.build(settings, SHAPE, 5)
