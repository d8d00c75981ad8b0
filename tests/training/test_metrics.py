import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgebio.training.metrics import (
    class_metrics,
    confusion_counts,
    decision_metrics,
    instability,
    r2_scores,
    roc_areas,
    roc_auc,
    roc_curves,
)


def test_metrics_of_a_small_case_by_hand():
    labels = np.array([0, 0, 0, 0, 1, 1])
    decided = np.array([0, 0, 0, 1, 1, 2])
    computed = decision_metrics(labels, decided)
    assert computed["accuracy"] == pytest.approx(4 / 6)
    assert computed["balanced_accuracy"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert computed["macro_f1"] == pytest.approx((6 / 7 + 1 / 2) / 2)
    assert confusion_counts(labels, decided, 3) == [[3, 1, 0], [0, 1, 1], [0, 0, 0]]


def test_undefined_recall_and_precision_are_none():
    labels = np.array([0, 0, 0, 0, 1, 1])
    first, second, third, fourth = class_metrics(
        confusion_counts(labels, np.array([0, 0, 0, 1, 1, 2]), 4)
    )
    assert first == {"precision": 1.0, "recall": 0.75, "f1": pytest.approx(6 / 7), "windows": 4}
    assert (second["precision"], second["recall"]) == (0.5, 0.5)
    assert third == {"precision": 0.0, "recall": None, "f1": None, "windows": 0}
    assert fourth == {"precision": None, "recall": None, "f1": None, "windows": 0}


def test_roc_area_is_the_share_of_ordered_pairs():
    labels = np.array([0, 0, 1, 1])
    values = np.array([[9, 1], [4, 6], [5, 5], [2, 8]], np.int8)
    assert roc_areas(labels, values) == {0: 0.75, 1: 0.75}
    assert roc_auc(labels, values) == 0.75
    assert roc_auc(np.zeros(4, int), values) is None


@given(
    arrays(np.int64, 300, elements=st.integers(0, 3)),
    arrays(np.int8, (300, 4), elements=st.integers(-128, 127)),
)
def test_roc_curves_rise_from_corner_to_corner_and_have_their_area(labels, values):
    areas, curves = roc_areas(labels, values), roc_curves(labels, values)
    assert areas.keys() == curves.keys()
    for k, (false, true) in curves.items():
        assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
        assert (np.diff(false) >= 0).all()
        assert (np.diff(true) >= 0).all()
        assert np.trapezoid(true, false) == pytest.approx(areas[k], abs=0.02)


def test_change_is_unstable_only_within_a_class_and_a_recording():
    decided = np.array([0, 1, 1, 0, 0, 1])
    assert instability(np.zeros(6, int), decided, np.zeros(6, int)) == 3 / 6
    assert instability(np.array([0, 1, 1, 1, 1, 1]), decided, np.zeros(6, int)) == 2 / 6
    assert instability(np.zeros(6, int), decided, np.array([0, 0, 0, 1, 1, 2])) == 1 / 6
    assert instability(np.zeros(0, int), decided[:0], decided[:0]) == 0


def test_r2_is_1_for_exact_predictions_and_0_for_the_mean():
    expected = np.array([[1.0, 5.0], [2.0, 6.0], [3.0, 10.0]])
    computed = np.stack([expected[:, 0], np.full(3, 7.0)], axis=1)
    assert r2_scores(expected, computed) == pytest.approx([1.0, 0.0])
