import numpy as np
import pytest

from edgebio.models import compression_wrappers
from edgebio.recipes import ClusterSettings, PruneSettings, QatSettings, QuantizeSettings
from edgebio.tasks.stft_classifier import run as runs
from edgebio.tasks import provenance
from edgebio.training.compression import compress
from tests import tiny

QUICK = QuantizeSettings(
    samples=100,
    qat=QatSettings(epochs=1),
    prune=PruneSettings(epochs=2, sparsity=0.6),
    cluster=ClusterSettings(epochs=1, clusters=5),
)


def compressed(scheme, **training):
    run = runs.load(tiny.run())
    images, settings = provenance.images(run, tiny.recordings())
    recipe = run.recipe.model_copy(update={"quantize": QUICK})
    network = run.network()
    before = network.get_weights()
    found = compress(
        network, scheme, recipe, images, settings.model_copy(update=training), run.calibration()
    )
    for one, other in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    return before, found


def kernels(network):
    return [w.numpy() for w in network.weights if "kernel" in w.name]


@pytest.mark.parametrize("average", [0.0, 0.99])
def test_the_asked_share_of_every_layers_weights_becomes_zero(average):
    _, found = compressed("prune", average=average)
    for kernel in kernels(found.network):
        assert (kernel == 0).mean() == pytest.approx(0.6, abs=1 / kernel.size + 1e-6)
    assert len(found.history["loss"]) == 2
    assert found.aware is None


def test_every_layers_weights_have_so_many_values():
    _, found = compressed("cluster")
    for kernel in kernels(found.network):
        assert 2 < len(np.unique(kernel)) <= 5


def test_rounding_begins_where_activations_lie_and_the_image_is_the_firmwares():
    before, found = compressed("qat", prior=0.5)
    assert any((a != b).any() for a, b in zip(before, found.network.get_weights(), strict=True))
    shared = {w.name: w.numpy() for w in found.aware.weights}
    for weight in found.network.weights:
        np.testing.assert_array_equal(weight.numpy(), shared[weight.name])
    for name, (low, high) in compression_wrappers.ranged(found.aware).items():
        if name != "classes":
            assert low.numpy() == 0, name  # what a ReLU made
        assert 0.2 < high.numpy() < 20, name
    # Images between two pixels, and beyond the last one, give what the nearest gives.
    steps = np.random.default_rng(0).integers(-128, 128, (4, 9, 32, 10)).astype(np.float32)
    steps[0] = 127
    near = steps + np.float32(0.3)
    near[0] = 500
    one, other = (found.aware(x / np.float32(32), training=False).numpy() for x in (steps, near))
    np.testing.assert_array_equal(one, other)


def test_a_scheme_gives_the_same_twice():
    one, other = (compressed("prune")[1].network.get_weights() for _ in range(2))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)
