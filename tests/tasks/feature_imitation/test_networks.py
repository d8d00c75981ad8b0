import numpy as np

from edgebio.tasks.feature_imitation import networks
from tests import tiny


def test_joined_networks_compute_the_two_in_sequence():
    settings = tiny.IMITATION.feature_imitation
    assert settings
    imitator = networks.imitator(settings, 300, unroll=True)
    classifier = networks.classifier(settings, 5, 3, 0.1)
    segments = np.random.default_rng(0).normal(size=(2, 5, 3, 100, 1)).astype(np.float32)
    predicted = imitator(segments.reshape(-1, 3, 100, 1)).numpy().reshape(2, 5, 1, 4)
    joined = networks.joined(imitator, classifier)
    np.testing.assert_allclose(joined(segments), classifier(predicted), atol=1e-6)
    rolled = networks.imitator(settings, 300)
    rolled.set_weights(imitator.get_weights())
    np.testing.assert_allclose(
        rolled(segments.reshape(-1, 3, 100, 1)).numpy(), predicted.reshape(-1, 4), atol=1e-5
    )
