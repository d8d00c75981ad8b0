"""A recording checks what it is made of; an array becomes one, or the reason why not."""

import numpy as np
import pytest

from edgebio.errors import EdgebioError
from edgebio.recordings import UNLABELED, Recording

from .files import recording


def test_counts_of_an_array_are_kept() -> None:
    counts = np.array([[1, -2], [32767, -32768]])
    result = Recording.from_array(counts, 200, subject="p", session="s", repetition=3)
    assert result.samples.dtype == np.int16
    assert result.samples.tolist() == counts.tolist()
    assert result.labels.tolist() == [UNLABELED, UNLABELED]
    assert (result.rate, result.units, result.classes) == (200, "counts", ())
    assert (result.subject, result.session, result.repetition) == ("p", "s", 3)


def test_floats_are_scaled_by_the_lsb() -> None:
    result = Recording.from_array([[0.5, -0.25], [1.0, 0.13]], 100.0, lsb=0.25, units="mV")
    assert result.samples.tolist() == [[2, -1], [4, 1]]
    assert result.units == "0.25 mV"
    assert Recording.from_array(np.ones((2, 2), np.float32), 9).samples.tolist() == [[1, 1]] * 2


def test_labels_are_names_or_indices_for_all_or_for_each() -> None:
    samples = np.zeros((3, 1), np.int16)
    result = Recording.from_array(samples, 9, labels=["rest", "fist", "rest"])
    assert (result.classes, result.labels.tolist()) == (("fist", "rest"), [1, 0, 1])
    result = Recording.from_array(samples, 9, labels="rest", classes=("fist", "rest"))
    assert (result.classes, result.labels.tolist()) == (("fist", "rest"), [1, 1, 1])
    result = Recording.from_array(samples, 9, labels=[0, UNLABELED, 1], classes=["a", "b"])
    assert (result.classes, result.labels.tolist()) == (("a", "b"), [0, -1, 1])


@pytest.mark.parametrize(
    ("samples", "arguments", "message"),
    [
        ([1, 2, 3], {}, r"samples of shape \(3,\); expected \(n, channels\)"),
        (np.zeros((0, 2)), {}, r"samples of shape \(0, 2\); .* not empty"),
        ([["a"]], {}, "samples of dtype <U1; expected int16 counts or floats"),
        ([[1j]], {}, "samples of dtype complex128"),
        (np.array([[{}]]), {}, "samples of dtype object"),
        ([[1.0, np.nan]], {"lsb": 1.0}, "sample 0, channel 2: nan; expected a finite number"),
        ([[np.inf]], {}, "sample 0, channel 1: inf; expected a finite number"),
        ([[0.5]], {}, "samples: decimal numbers; give the units of one count: lsb"),
        ([[1], [40000]], {}, "sample 1, channel 1: 40000 does not fit a 16-bit sample"),
        ([[1.0]], {"lsb": 1e-9}, r"1e\+09 does not fit"),
        ([[1.0]], {"lsb": 0.0}, "lsb 0.0; expected the units of one count, above 0"),
        ([[1.0]], {"lsb": "1"}, "lsb '1'; expected the units of one count, above 0"),
        ([[1, 2], [3]], {}, "samples or labels: .* inhomogeneous shape"),
        ([[1]], {"labels": [65536], "classes": ("a",)}, "labels 32767 to 32767 do not index 1"),
        ([[1]], {"rate": 0}, "rate 0; expected Hz above 0"),
        ([[1]], {"rate": -5.0}, "rate -5.0; expected Hz above 0"),
        ([[1]], {"rate": float("nan")}, "rate nan; expected Hz above 0"),
        ([[1]], {"rate": float("inf")}, "rate inf; expected Hz above 0"),
        ([[1]], {"rate": "200"}, "rate '200'; expected Hz above 0"),
        ([[1]], {"labels": [0, 1]}, r"labels of dtype int64 and shape \(2,\); expected .* \(1,\)"),
        ([[1]], {"labels": [0.5]}, "labels of dtype float64"),
        ([[1]], {"labels": [3], "classes": ("a",)}, "labels 3 to 3 do not index 1 classes"),
        ([[1]], {"labels": ["c"], "classes": ("a", "b")}, "label 'c' is not in classes a, b"),
    ],
)
def test_bad_arrays_are_one_line(samples, arguments, message) -> None:
    with pytest.raises(EdgebioError, match=message) as caught:
        Recording.from_array(samples, **{"rate": 100.0, **arguments})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("beats", [[3, 3], [9, 3], [-1, 3], [3, 50]])
def test_beats_must_increase_within_the_recording(beats: list[int]) -> None:
    with pytest.raises(EdgebioError, match="beats must be int64 and increase within the 50 sam"):
        recording(50, beats=np.array(beats, np.int64))


def test_samples_must_be_int16_of_two_dimensions() -> None:
    with pytest.raises(EdgebioError, match=r"samples are float64 of shape .50, 3.; expected int16"):
        recording(samples=np.zeros((50, 3)))
    with pytest.raises(EdgebioError, match="9 labels for 50 samples"):
        recording(labels=np.zeros(9, np.int16))
