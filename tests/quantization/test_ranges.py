from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio.quantization import ranges


def graph(*operators):
    return SimpleNamespace(
        inputs=[0],
        operators=[SimpleNamespace(inputs=[a], outputs=[b]) for a, b in operators],
    )


@given(st.floats(50.5, 100), st.integers(0, 99))
def test_range_is_that_of_the_percentiles_and_contains_zero(percentile, seed):
    values = np.random.default_rng(seed).normal(0.5, 1, 400).astype(np.float32)
    low, high = ranges.activation_ranges(graph((0, 1)), ["CONV_2D"], {1: values}, percentile)[1]
    assert low <= 0 <= high
    share = (100 - percentile) / 100
    assert (values > high).mean() <= share + 1 / len(values)
    assert (values < low).mean() <= share + 1 / len(values)


def test_outlier_widens_no_range_below_percentile_100():
    values = np.linspace(0, 1, 10_001, dtype=np.float32)
    values[-1] = 1000
    narrow = ranges.activation_ranges(graph((0, 1)), ["CONV_2D"], {1: values}, 99.9)[1]
    assert narrow == pytest.approx((0.0, 0.999), abs=1e-3)
    assert ranges.activation_ranges(graph((0, 1)), ["CONV_2D"], {1: values}, 100)[1] == (
        0.0,
        1000.0,
    )


def test_pool_has_the_range_of_its_output_and_softmax_has_headroom():
    activations = {
        1: np.array([0, 8], np.float32),
        2: np.array([0, 4], np.float32),
        3: np.array([-2, 4], np.float32),
        4: np.array([0, 1], np.float32),
    }
    activation_ranges = ranges.activation_ranges(
        graph((0, 1), (1, 2), (2, 3), (3, 4)),
        ["CONV_2D", "MAX_POOL_2D", "FULLY_CONNECTED", "SOFTMAX"],
        activations,
        100,
    )
    assert activation_ranges[1] == activation_ranges[2] == (0.0, 4.0)
    assert activation_ranges[3] == (-2.5, 5.0)


def test_the_image_has_the_pixels_range_whatever_was_seen():
    activation_ranges = ranges.activation_ranges(
        graph((0, 1)), ["CONV_2D"], {1: np.zeros(3, np.float32)}, 99
    )
    assert activation_ranges[0] == (-4.0, 3.96875)
