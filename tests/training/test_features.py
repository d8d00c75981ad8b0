import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from edgebio.training.features import BIN, IMITATED_FEATURES, imitated_features

windows = arrays.arrays(
    np.float64, st.tuples(st.integers(1, 3), st.integers(1, 40)), elements=st.floats(-64, 64)
)


@given(windows)
def test_imitated_features_follow_their_definitions(x):
    features, softmax = imitated_features(x), imitated_features(x, "softmax")
    assert features.shape == softmax.shape == (len(x), len(IMITATED_FEATURES))
    np.testing.assert_array_equal(features[:, 1:], softmax[:, 1:])
    for row, soft, part in zip(features, softmax[:, 0], x, strict=True):
        expected = {
            "entropy": stats.entropy(list(Counter(np.rint(part / BIN)).values())),
            "rms": math.sqrt(math.fsum(part * part) / len(part)),
            "variance": math.fsum((part - math.fsum(part) / len(part)) ** 2) / len(part),
            "ssi": math.fsum(part * part),
        }
        np.testing.assert_allclose(row, list(expected.values()), rtol=1e-9, atol=1e-9)
        assert soft == pytest.approx(stats.entropy(np.exp(part - part.max())), abs=1e-9)


@given(windows, st.floats(0.1, 10))
def test_all_but_entropy_scale_with_the_signal(x, gain):
    before, after = imitated_features(x), imitated_features(gain * x)
    np.testing.assert_allclose(
        after[:, 1:], before[:, 1:] * [gain, gain**2, gain**2], rtol=1e-9, atol=1e-9
    )


def test_entropies_of_silence_and_of_one_peak():
    silent, peak = np.zeros(300), np.zeros(300)
    peak[17] = 60
    assert imitated_features(silent)[0] == 0
    assert imitated_features(silent, "softmax")[0] == pytest.approx(math.log(300))
    assert imitated_features(peak, "softmax")[0] == pytest.approx(0, abs=1e-9)
    # More segments than are counted at a time, of any shape.
    many = np.random.default_rng(0).normal(size=(3, 401, 20))
    np.testing.assert_array_equal(imitated_features(many)[2, 400], imitated_features(many[2, 400]))
