"""Open sizes and computed shapes are resolved, for a batch of 1."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edgebio import compiler, tflite
from edgebio.errors import EdgebioError
from edgebio.tflite.constants import with_shapes
from tests.compiler.model_builder import load_schema
from tests.compiler.networks import Net
from tests.compiler.random_networks import random_network


@pytest.fixture(autouse=True, scope="module")
def schema() -> None:
    pytest.importorskip("tflite_micro", reason="tflite-micro's schema makes the small networks")
    load_schema()


Compute = Callable[[Net, int], int]
"""Adds operators on a shape, and gives the tensor of the result."""


def opened(data: bytes) -> bytes:
    """The same network with an open batch, as converters write it: 1 where the size is open."""
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    net = Net(np.random.default_rng(0), (1,))
    net.model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    for tensor in net.model.subgraphs[0].tensors:
        constant = net.model.buffers[tensor.buffer].data is not None
        if not constant and not tensor.isVariable and tensor.type != schema.TensorType.INT32:
            tensor.shapeSignature = [-1, *tensor.shape[1:]]
            tensor.shape = [1, *tensor.shape[1:]]
    return net.build()


def c_of(data: bytes) -> str:
    program = compiler.compile_model(data)
    text = compiler.c_files(program)["model.c"]
    digest = text[text.index("eb_model_sha256[32]") :]
    return text.replace(digest[: digest.index("};")], "")


def test_random_networks_with_an_open_batch_are_the_same_networks() -> None:
    for seed in range(30):
        data = random_network(seed)
        assert c_of(opened(data)) == c_of(data), f"seed {seed}"


def integers(net: Net, values: Any) -> int:
    data = np.array(values, np.int32)
    return net.tensor(data.shape, "INT32", data=data)


def operator(net: Net, kind: str, inputs: list[int], rank: int, options: str, **values: Any) -> int:
    output = net.tensor((1,) * rank, "INT32")
    net.operator(kind, inputs, [output], options, **values)
    return output


def shape_of(net: Net) -> int:
    return operator(net, "SHAPE", [net.at], 1, "ShapeOptions", outType=2)


def from_stride(net: Net, shape: int) -> int:
    limits = [integers(net, [n]) for n in (1, 4, 1)]
    return operator(net, "STRIDED_SLICE", [shape, *limits], 1, "StridedSliceOptions")


def reversed_stride(net: Net, shape: int) -> int:
    limits = [integers(net, [n]) for n in (0, 0, -1)]
    masks = {"beginMask": 1, "endMask": 1}
    return operator(net, "STRIDED_SLICE", [shape, *limits], 1, "StridedSliceOptions", **masks)


def arithmetic(kind: str, other: Any) -> Compute:
    options = {"FLOOR_DIV": "FloorDivOptions", "MAXIMUM": "MaximumMinimumOptions"}
    options["MINIMUM"] = options["MAXIMUM"]

    def compute(net: Net, shape: int) -> int:
        name = options.get(kind, f"{kind.title()}Options")
        return operator(net, kind, [shape, integers(net, other)], 1, name)

    return compute


def reduced(kind: str, *, keep: bool) -> Compute:
    def compute(net: Net, shape: int) -> int:
        inputs = [shape, integers(net, [0])]
        return operator(net, kind, inputs, int(keep), "ReducerOptions", keepDims=keep)

    return compute


def chain(*steps: Compute) -> Compute:
    def compute(net: Net, shape: int) -> int:
        for step in steps:
            shape = step(net, shape)
        return shape

    return compute


def one(kind: str, rank: int, options: str, *constants: Any, **values: Any) -> Compute:
    def compute(net: Net, shape: int) -> int:
        inputs = [shape, *(integers(net, each) for each in constants)]
        return operator(net, kind, inputs, rank, options, **values)

    return compute


def resolved(compute: Compute) -> tflite.Tensor:
    net = Net(np.random.default_rng(0), (1, 6, 4, 2))
    result = compute(net, shape_of(net))
    net.unary()
    return tflite.read(net.finish()).tensors[result]


@pytest.mark.parametrize(
    ("compute", "values"),
    [
        (lambda net, shape: shape, [1, 6, 4, 2]),
        (from_stride, [6, 4, 2]),
        (reversed_stride, [2, 4, 6, 1]),
        (arithmetic("ADD", [0, 1, 2, 3]), [1, 7, 6, 5]),
        (arithmetic("SUB", 1), [0, 5, 3, 1]),
        (arithmetic("MUL", [2]), [2, 12, 8, 4]),
        (arithmetic("FLOOR_DIV", [1, 4, 4, 4]), [1, 1, 1, 0]),
        (arithmetic("MAXIMUM", 3), [3, 6, 4, 3]),
        (arithmetic("MINIMUM", 3), [1, 3, 3, 2]),
        (reduced("REDUCE_PROD", keep=False), 48),
        (reduced("REDUCE_PROD", keep=True), [48]),
        (reduced("REDUCE_MAX", keep=True), [6]),
        (reduced("SUM", keep=False), 13),
        (one("GATHER", 1, "GatherOptions", [1, 0], axis=0), [6, 1]),
        (one("GATHER", 0, "GatherOptions", 2, axis=0), 4),
        (one("CONCATENATION", 1, "ConcatenationOptions", [9], axis=0), [1, 6, 4, 2, 9]),
        (one("CAST", 1, "CastOptions"), [1, 6, 4, 2]),
        (one("RESHAPE", 2, "ReshapeOptions", [2, -1]), [[1, 6], [4, 2]]),
        (one("EXPAND_DIMS", 2, "ExpandDimsOptions", 0), [[1, 6, 4, 2]]),
        (one("PACK", 2, "PackOptions", [7, 7, 7, 7], axis=0), [[1, 6, 4, 2], [7, 7, 7, 7]]),
        (
            chain(reduced("REDUCE_PROD", keep=True), one("SQUEEZE", 0, "SqueezeOptions")),
            48,
        ),
    ],
)
def test_computed_shapes(compute: Compute, values: Any) -> None:
    tensor = resolved(compute)
    assert tensor.data is not None
    np.testing.assert_array_equal(tensor.data, values)
    assert tensor.shape == np.shape(values)


@pytest.mark.parametrize(
    ("compute", "reason"),
    [
        (arithmetic("ADD", [1, 2]), "(ADD): its shape cannot be computed"),
        (arithmetic("FLOOR_DIV", [1, 0, 1, 1]), "(FLOOR_DIV): its shape cannot be computed"),
        (
            chain(*[arithmetic("MUL", [60_000])] * 3),
            "(MUL): sizes [3600000000, 21600000000, 14400000000, 7200000000] exceed 32 bits",
        ),
        (one("GATHER", 1, "GatherOptions", [4], axis=0), "(GATHER): its shape cannot be"),
        (one("GATHER", 1, "GatherOptions", [0], axis=2), "(GATHER): its shape cannot be"),
        (one("GATHER", 1, "GatherOptions", [0], batchDims=1), "batch axes are not supported"),
        (
            one("CONCATENATION", 1, "ConcatenationOptions", [9], fusedActivationFunction=1),
            "(CONCATENATION): of a shape, a fused activation is not supported",
        ),
        (
            one("ADD", 1, "AddOptions", [9], fusedActivationFunction=1),
            "(ADD): of a shape, a fused activation is not supported",
        ),
        (one("CONCATENATION", 1, "ConcatenationOptions", [9], axis=1), "its shape cannot be"),
        (one("PACK", 2, "PackOptions", [7], axis=0), "(PACK): its shape cannot be computed"),
        (one("RESHAPE", 2, "ReshapeOptions", [3, -1]), "(RESHAPE): its shape cannot be computed"),
        (
            one("STRIDED_SLICE", 1, "StridedSliceOptions", [0], [2], [1], newAxisMask=1),
            "an ellipsis, a new axis or an offset is not supported",
        ),
        (one("STRIDED_SLICE", 1, "StridedSliceOptions", [0], [2], [0]), "its shape cannot be"),
        (
            one("ADD", 1, "AddOptions", np.ones((1000, 1))),
            "(ADD): more than 1,024 sizes",
        ),
    ],
)
def test_invalid_computations_are_refused(compute: Compute, reason: str) -> None:
    with pytest.raises(EdgebioError) as caught:
        resolved(compute)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_shape_of_another_number_of_axes_is_refused() -> None:
    data = random_network(3)
    with pytest.raises(EdgebioError, match="shape of tensor 0: "):
        with_shapes(data, {0: (1, 2, 3, 4, 5, 6)})
    shape = tflite.read(data).tensors[0].shape
    assert with_shapes(data, {0: shape}) == data


def test_an_open_size_that_is_no_batch_is_refused() -> None:
    net = Net(np.random.default_rng(0), (1, 6, 4))
    net.graph.tensors[0].shapeSignature = [-1, -1, 4]
    net.unary()
    with pytest.raises(EdgebioError, match="tensor 0 has a dynamic shape"):
        compiler.compile_model(net.finish())
