import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from edgebio.training.features import IMITATED, imitated

windows = arrays.arrays(
    np.float64, st.tuples(st.integers(1, 3), st.integers(1, 40)), elements=st.floats(-64, 64)
)


@given(windows)
def test_imitated_features_follow_their_definitions(x):
    found = imitated(x)
    assert found.shape == (len(x), len(IMITATED))
    for row, part in zip(found, x, strict=True):
        expected = {
            "entropy": stats.entropy(np.exp(part - part.max())),
            "rms": math.sqrt(math.fsum(part * part) / len(part)),
            "variance": math.fsum((part - math.fsum(part) / len(part)) ** 2) / len(part),
            "ssi": math.fsum(part * part),
        }
        np.testing.assert_allclose(row, [expected[name] for name in IMITATED], rtol=1e-9, atol=1e-9)


@given(windows, st.floats(0.1, 10))
def test_all_but_entropy_scale_with_the_signal(x, gain):
    before, after = imitated(x), imitated(gain * x)
    np.testing.assert_allclose(
        after[:, 1:], before[:, 1:] * [gain, gain**2, gain**2], rtol=1e-9, atol=1e-9
    )


def test_entropy_goes_from_one_peak_to_silence():
    silent, peak = np.zeros(300), np.zeros(300)
    peak[17] = 60
    assert imitated(silent)[0] == pytest.approx(math.log(300))
    assert imitated(peak)[0] == pytest.approx(0, abs=1e-9)
