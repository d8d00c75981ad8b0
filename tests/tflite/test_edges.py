"""Edges: names, and arrays as bytes and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio.errors import EdgebioError
from edgebio.tflite import Tensor
from edgebio.tflite.edges import ALIGNMENT, Edge, Edges, plain_name, unique_names


def edges(*tensors: tuple[str, tuple[int, ...]]) -> Edges:
    scale, zero = np.zeros(0, np.float32), np.zeros(0, np.int64)
    at, result = 0, []
    for index, (dtype, shape) in enumerate(tensors):
        tensor = Tensor(
            index, f"serving_default_{index}:0", (1, *shape), dtype, scale, zero, 0, None
        )
        result.append(Edge(f"x{index}", tensor, at))
        at = -(-result[-1].bytes // ALIGNMENT) * ALIGNMENT + at
    return Edges("input", tuple(result))


TENSORS = st.tuples(
    st.sampled_from(["int8", "uint8", "int32", "float32"]),
    st.lists(st.integers(1, 5), max_size=3).map(tuple),
)


@given(st.lists(TENSORS, min_size=1, max_size=4), st.integers(0, 3))
def test_bytes_and_back(tensors: list[tuple[str, tuple[int, ...]]], count: int) -> None:
    each = edges(*tensors)
    arrays = each.random(count)
    rows = each.pack(arrays)
    assert rows.shape == (count, each.bytes)
    for name, values in each.unpack(rows).items():
        np.testing.assert_array_equal(values, arrays[name])
    for edge in each.tensors:
        assert edge.offset % ALIGNMENT == 0


def test_other_axes_order_is_copied() -> None:
    each = edges(("int8", (2, 3)))
    x = np.arange(12, dtype=np.int8).reshape(3, 2, 2).transpose(2, 1, 0)
    np.testing.assert_array_equal(each.unpack_only(each.pack(x)), x)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"x0": np.zeros((2, 3), np.int8)}, "input x1 is missing"),
        ({"x0": np.zeros((2, 3), np.int8), "y": 1}, "the model has no input 'y'"),
        ({"x0": np.zeros((2, 3), np.int8), "x1": np.zeros(2, np.int8)},
         r"x1 is int8 of shape \(2,\); this model takes float32 of shape \(n\)"),
        ({"x0": np.zeros((2, 3), np.int8), "x1": np.zeros(3, np.float32)},
         "inputs differ in number: 2 of x0, 3 of x1"),
        ({"x0": np.zeros((2, 3), np.int8), "x1": np.full(2, np.nan, np.float32)},
         "inputs of x1 contain NaN"),
        (np.zeros((2, 3), np.int8), "the model has 2 inputs: x0, x1; name each of them"),
    ],
)  # fmt: skip
def test_wrong_values_are_one_line(values: object, reason: str) -> None:
    with pytest.raises(EdgebioError, match=reason):
        edges(("int8", (3,)), ("float32", ())).pack(values)  # type: ignore[arg-type]


def test_names() -> None:
    assert plain_name("serving_default_audio:0") == "audio"
    assert plain_name("StatefulPartitionedCall:1") == "StatefulPartitionedCall"
    assert unique_names(["a", "a", "", "a_2", "b\n"]) == ("a", "a_3", "tensor", "a_2", "b")
