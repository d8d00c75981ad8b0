import numpy as np
import pytest

from edgebio.training.scores import confusion, scores


def test_figures_of_a_small_case_by_hand():
    labels = np.array([0, 0, 0, 0, 1, 1])
    decided = np.array([0, 0, 0, 1, 1, 2])
    found = scores(labels, decided)
    assert found["accuracy"] == pytest.approx(4 / 6)
    assert found["balanced_accuracy"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert found["macro_f1"] == pytest.approx((6 / 7 + 1 / 2) / 2)
    assert confusion(labels, decided, 3) == [[3, 1, 0], [0, 1, 1], [0, 0, 0]]
