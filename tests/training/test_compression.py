import numpy as np
import pytest

from edgebio.models import compression_wrappers
from edgebio.recipes import ClusterSettings, PruneSettings, QatSettings, QuantizeSettings
from edgebio.tasks.stft_classifier.run import ImageRun
from edgebio.training.compression import compress
from tests import tiny

QUICK = QuantizeSettings(
    samples=100,
    qat=QatSettings(epochs=1),
    prune=PruneSettings(epochs=2, sparsity=0.6),
    cluster=ClusterSettings(epochs=1, clusters=5),
)


def compressed(scheme, **training):
    run = ImageRun.load(tiny.run())
    images, settings = run.training_images(tiny.recordings())
    recipe = run.recipe.model_copy(update={"quantize": QUICK})
    network = run.network()
    before = network.get_weights()
    result = compress(
        network, scheme, recipe, images, settings.model_copy(update=training), run.calibration()
    )
    for one, other in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    return before, result


def kernels(network):
    return [w.numpy() for w in network.weights if "kernel" in w.name]


@pytest.mark.parametrize("momentum", [0.0, 0.99])
def test_pruned_layers_have_the_sparsity_of_the_recipe(momentum):
    _, result = compressed("prune", ema_momentum=momentum)
    for kernel in kernels(result.network):
        assert (kernel == 0).mean() == pytest.approx(0.6, abs=1 / kernel.size + 1e-6)
    assert len(result.history["loss"]) == 2
    assert result.aware is None


def test_clustered_layers_have_few_values():
    _, result = compressed("cluster")
    for kernel in kernels(result.network):
        assert 2 < len(np.unique(kernel)) <= 5


def test_roundings_start_at_the_activations_ranges_and_pixels_are_the_firmwares():
    before, result = compressed("qat", prior=0.5)
    assert any((a != b).any() for a, b in zip(before, result.network.get_weights(), strict=True))
    shared = {w.name: w.numpy() for w in result.aware.weights}
    for weight in result.network.weights:
        np.testing.assert_array_equal(weight.numpy(), shared[weight.name])
    for name, (low, high) in compression_wrappers.output_ranges(result.aware).items():
        if name != "classes":
            assert low.numpy() == 0, name  # what a ReLU made
        assert 0.2 < high.numpy() < 20, name
    # Images between two pixels, and beyond the last one, give what the nearest gives.
    steps = np.random.default_rng(0).integers(-128, 128, (4, 9, 32, 10)).astype(np.float32)
    steps[0] = 127
    near = steps + np.float32(0.3)
    near[0] = 500
    one, other = (result.aware(x / np.float32(32), training=False).numpy() for x in (steps, near))
    np.testing.assert_array_equal(one, other)


def test_scheme_gives_the_same_weights_twice():
    one, other = (compressed("prune")[1].network.get_weights() for _ in range(2))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)
