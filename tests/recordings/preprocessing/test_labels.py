"""Classes are merged, renumbered and unified by name."""

import numpy as np
import pytest

from edgebio.errors import EdgebioError
from edgebio.recordings.preprocessing import merge_classes, unify_classes

from ..files import recording as named
from .signals import recording


def test_classes_are_merged_and_the_rest_becomes_unlabeled() -> None:
    original = recording()
    (merged,) = merge_classes([original], {"ill": ("v", "s", "elsewhere"), "well": ("n",)})
    assert merged.classes == ("ill", "well")
    table = {-1: -1, 0: 1, 1: 0, 2: 0, 3: -1}
    assert merged.labels.tolist() == [table[label] for label in original.labels.tolist()]


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (
            {"a": ("n",), "b": ("x", "y")},
            "here: class 'b' needs one of 'x', 'y'; it has 'n', 's', 'v', 'q'",
        ),
        (
            {"a": ("n", "s"), "b": ("s",)},
            "class 'b' takes 's', one of which another",
        ),
    ],
)
def test_classes_that_cannot_be_merged_are_named(classes, message) -> None:
    with pytest.raises(EdgebioError, match=message):
        merge_classes([recording()], classes)


def test_a_misspelled_class_is_suggested() -> None:
    original = named(classes=("rest", "fist", "open hand"))
    with pytest.raises(EdgebioError, match=r"needs one of 'fits'; it has .* .did you mean 'fist'"):
        merge_classes([original], {"grip": ("fits",)})


def test_classes_of_several_recordings_become_one_list() -> None:
    first = named(2, labels=np.array([0, 1], np.int16), classes=("10", "rest"))
    second = named(2, labels=np.array([0, -1], np.int16), classes=("9",))
    a, b = unify_classes([first, second])
    assert a.classes == b.classes == ("9", "10", "rest")
    assert a.labels.tolist() == [1, 2]
    assert b.labels.tolist() == [0, -1]
