"""Every option of every operator has an effect, is refused, or is known to have none."""

import contextlib
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import numpy as np
import pytest
import tflite as schema

from edgebio import compiler
from edgebio.compiler.operators import OPERATORS
from edgebio.errors import EdgebioError
from edgebio.tflite.flatbuffer import SCHEMA
from edgebio.tflite.reader import options_table
from tests.compiler import layers_without_weights as layers
from tests.compiler import several_edges
from tests.compiler.networks import Net
from tests.compiler.svdf_layer import svdf
from tests.compiler.transpose_conv_layer import transpose_conv

pytestmark = pytest.mark.usefixtures("tflite_micro")

WINDOW: Final = {"size": [3, 2], "stride": [2, 1], "dilation": [1, 1], "same": True}
SHAPE: Final = (1, 8, 6, 4)

Build = Callable[[Net], Any]


BUILDS: Final[dict[str, tuple[Build, tuple[int, ...]]]] = {
    "ADD": (lambda net: net.binary("ADD"), SHAPE),
    "AVERAGE_POOL_2D": (lambda net: net.pool({**WINDOW}, "AVERAGE_POOL_2D"), SHAPE),
    "BATCH_MATMUL": (
        lambda net: layers.batch_matmul(net, layers.matrix(net, (1, 5, 5))),
        (1, 5, 5),
    ),
    "CONCATENATION": (lambda net: net.concatenation([net.at], 1), SHAPE),
    "CONV_2D": (lambda net: net.conv({**WINDOW}), SHAPE),
    "DEPTHWISE_CONV_2D": (lambda net: net.depthwise(1, {**WINDOW}), SHAPE),
    "DEPTH_TO_SPACE": (partial(layers.blocks, kind="DEPTH_TO_SPACE", block=2), SHAPE),
    "FULLY_CONNECTED": (lambda net: net.dense(), (1, 12)),
    "GATHER": (partial(layers.gather, axis=1, indices=[3, 0, 5]), SHAPE),
    "L2_NORMALIZATION": (layers.l2_normalization, SHAPE),
    "LEAKY_RELU": (lambda net: net.table("LEAKY_RELU"), SHAPE),
    "MAX_POOL_2D": (lambda net: net.pool({**WINDOW}, "MAX_POOL_2D"), SHAPE),
    "MEAN": (lambda net: net.mean([1, 2], keep=True), SHAPE),
    "MIRROR_PAD": (
        partial(layers.mirror_pad, mode="REFLECT", pads=[[0, 0], [2, 1], [0, 0], [0, 0]]),
        SHAPE,
    ),
    "MUL": (lambda net: net.binary("MUL"), SHAPE),
    "PACK": (partial(layers.pack, axis=1, count=2), (1, 5, 4)),
    "REDUCE_MAX": (lambda net: layers.reduction(net, "REDUCE_MAX", [1]), SHAPE),
    "RESIZE_BILINEAR": (partial(layers.resize_bilinear, size=(5, 9)), SHAPE),
    "RESIZE_NEAREST_NEIGHBOR": (partial(layers.resize, size=(5, 9)), SHAPE),
    "SOFTMAX": (lambda net: net.softmax(), (1, 6)),
    "SPACE_TO_DEPTH": (partial(layers.blocks, kind="SPACE_TO_DEPTH", block=2), SHAPE),
    "SPLIT": (partial(several_edges.split, axis=1, count=2), SHAPE),
    "SPLIT_V": (partial(several_edges.split_v, axis=1, sizes=[3, 5]), SHAPE),
    "STRIDED_SLICE": (
        lambda net: net.strided_slice([0, 1, 1, 0], [1, 5, 4, 2], [1, 2, 1, 1], (1, 2, 3, 2)),
        SHAPE,
    ),
    "SUB": (lambda net: net.binary("SUB"), SHAPE),
    "SUM": (lambda net: layers.reduction(net, "SUM", [1]), SHAPE),
    "SVDF": (partial(svdf, units=4, rank=2, memory=3), (1, 6)),
    "TRANSPOSE_CONV": (partial(transpose_conv, size=(5, 4), stride=(2, 2), same=True), SHAPE),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (partial(Net.lstm, units=3), (1, 5, 2)),
    "UNPACK": (partial(several_edges.unpack, axis=1), (1, 2, 4, 3)),
}
"""A network of one operator, for each with options."""

WITHOUT_EFFECT: Final = {
    ("FULLY_CONNECTED", "keep_num_dims"): "the output's shape says it",
    ("MEAN", "keep_dims"): "the output's shape says it",
    ("REDUCE_MAX", "keep_dims"): "the output's shape says it",
    ("SUM", "keep_dims"): "the output's shape says it",
    ("BATCH_MATMUL", "asymmetric_quantize_inputs"): "of float inputs",
    ("SVDF", "asymmetric_quantize_inputs"): "of float inputs",
    ("UNIDIRECTIONAL_SEQUENCE_LSTM", "asymmetric_quantize_inputs"): "of float inputs",
    ("UNIDIRECTIONAL_SEQUENCE_LSTM", "proj_clip"): "of a projection, which is refused",
    ("SVDF", "fused_activation_function"): "tflite-micro computes none of NONE and RELU",
}

NOT_READ: Final = {
    "pot_scale_int16": "of int16",
    "output_type": "the output's type says it",
    "quantized_bias_type": "the bias's type says it",
    "asymmetric_quantize_inputs": "of float inputs",
    "new_shape": "the output's shape says it",
    "squeeze_dims": "the output's shape says it",
}
"""Options that schema.fbs leaves out."""


def fields_of(table: str) -> Iterator[str]:
    """Names of the options of a table in the whole schema."""
    for name in vars(getattr(schema, table, object)):
        if name[0] != "_" and not re.search(
            "^GetRootAs|^Init$|AsNumpy$|Length$|IsNone$|Ident", name
        ):
            yield re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@pytest.mark.parametrize("kind", sorted(OPERATORS))
def test_all_options_are_read_or_known(kind: str) -> None:
    table = options_table(kind)
    missing = {*fields_of(table)} - {*SCHEMA.get(table, {})}
    assert missing <= {*NOT_READ}


def test_every_operator_with_options_is_tried() -> None:
    kinds = {kind for kind in OPERATORS if SCHEMA.get(options_table(kind))}
    assert kinds - {*BUILDS} == {"CALL_ONCE", "VAR_HANDLE"} & kinds


def changes(value: Any, enumeration: str, name: str) -> list[Any]:
    if name.endswith("_mask"):
        return [2, 4]  # of axes that are cut at both ends
    if enumeration:
        members = vars(getattr(schema, enumeration))
        return [v for name, v in members.items() if name[0] != "_" and v != value]
    if isinstance(value, bool | np.bool_):
        return [not value]
    if isinstance(value, float):
        return [value + 0.5, -1.0, float("nan")]
    return [int(value) + 1, int(value) + 2, -7]


@pytest.mark.parametrize("kind", sorted(BUILDS))
def test_an_option_is_honored_or_refused(kind: str) -> None:
    """Another value of any option gives other C, or a refusal."""
    build, shape = BUILDS[kind]
    table = SCHEMA[options_table(kind)]
    for name, field in table.items():
        if name in ("new_height", "new_width"):  # an input has replaced them
            continue
        attribute = re.sub(r"_(\w)", lambda match: match[1].upper(), name)
        original = c_of(build, shape, kind, attribute)
        for value in changes(original[1], field.enumeration, name):
            with contextlib.suppress(EdgebioError):
                changed, _ = c_of(build, shape, kind, attribute, value)
                known = (kind, name) in WITHOUT_EFFECT
                assert known or changed != original[0], f"{name} {value} for {original[1]}"


def c_of(
    build: Build, shape: tuple[int, ...], kind: str, attribute: str, value: Any = None
) -> tuple[str, Any]:
    """C of a network after a change of an option, without the checksum; and the option before."""
    net = Net(np.random.default_rng(5), shape)
    build(net)
    code = getattr(schema.BuiltinOperator, kind)
    operators = net.graph.operators
    codes = net.model.operatorCodes
    operator = next(op for op in operators if codes[op.opcodeIndex].builtinCode == code)
    before = getattr(operator.builtinOptions, attribute)
    if value is not None:
        setattr(operator.builtinOptions, attribute, value)
    text = compiler.c_files(compiler.compile_model(net.finish()))["model.c"]
    start = text.index("eb_model_sha256[32]")
    return text[:start] + text[text.index("};", start) :], before
