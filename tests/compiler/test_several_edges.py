"""Several inputs and outputs, splits and variables: every byte equals tflite-micro's."""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgebio import compiler, tflite
from edgebio.compiler.host_model import HostModel
from edgebio.errors import EdgebioError
from edgebio.parity.reference_interpreter import ReferenceInterpreter
from edgebio.tflite.edges import inputs_of
from tests.compiler.batch_of_networks import run_sanitized
from tests.compiler.model_builder import load_schema
from tests.compiler.networks import Net
from tests.compiler.reference import KERNEL_SETS, Run, emulated, sanitized
from tests.compiler.several_edges import random_edges, split

pytestmark = pytest.mark.usefixtures("tflite_micro")


def random_rows(data: bytes, seed: int, count: int = 8) -> NDArray[np.uint8]:
    """Random inputs, in the form of bytes."""
    rng = np.random.default_rng(seed)
    edges = inputs_of(tflite.read(data))
    values = {
        edge.name: rng.integers(-128, 128, (count, *edge.shape)).astype(np.int8)
        for edge in edges.tensors
    }
    return edges.pack(values)


def expected_rows(data: bytes, rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    lasting = bool(compiler.compile_model(data).plan.states)
    return ReferenceInterpreter(data).run_packed(rows, lasting=lasting)


def check_host(data: bytes, seed: int = 0) -> HostModel:
    """Compare all outputs in every kernel set; give the last model."""
    rows = random_rows(data, seed)
    want = expected_rows(data, rows)
    for isa in KERNEL_SETS:
        model = HostModel(data, isa)
        assert (model.run_packed(rows) == want).all(), f"seed {seed}, {isa}"
        model.reset()
        assert (model.run_packed(rows) == want).all()
    return model


def check(seeds: range, run: Run) -> None:
    models = [random_edges(seed) for seed in seeds]
    rows = [random_rows(data, seed) for data, seed in zip(models, seeds, strict=True)]
    for seed, data, x, y in zip(seeds, models, rows, run(models, rows), strict=True):
        assert (expected_rows(data, x) == y).all(), f"seed {seed}"


def test_random_networks_equal_tflite_micro() -> None:
    for seed in range(24):
        rows = random_rows(data := random_edges(seed), seed)
        assert (HostModel(data).run_packed(rows) == expected_rows(data, rows)).all(), seed


@pytest.mark.parametrize("isa", KERNEL_SETS)
def test_sanitizers_report_nothing(isa: compiler.KernelSet) -> None:
    check(range(100, 110), sanitized(isa))


@pytest.mark.parametrize("board", ["mps2-an386", "mps3-an547"])
def test_emulated_boards_equal_tflite_micro(board: str) -> None:
    check(range(200, 212), emulated(board))


@pytest.mark.slow
@pytest.mark.parametrize("isa", KERNEL_SETS)
@pytest.mark.parametrize("start", range(1000, 1400, 50))
def test_sanitizers_report_nothing_in_four_hundred_more(
    start: int, isa: compiler.KernelSet
) -> None:
    check(range(start, start + 50), sanitized(isa))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("board", "start"),
    [
        *(("mps2-an386", start) for start in range(1000, 1400, 50)),
        *(("mps3-an547", start) for start in range(1000, 1200, 50)),
    ],
)
def test_emulated_boards_equal_tflite_micro_on_fifty_networks(board: str, start: int) -> None:
    check(range(start, start + 50), emulated(board))


def edges_model(outputs: Callable[[Net], list[int]]) -> bytes:
    net = Net(np.random.default_rng(2), (1, 4, 4, 3))
    net.conv()
    net.graph.outputs = outputs(net)
    return net.build()


def read_later(net: Net) -> list[int]:
    first = net.at
    net.unary()
    return [net.at, first]


def another_shape(net: Net) -> list[int]:
    first = net.at
    net.reshape((1, math.prod(net.shape_of(first))))
    return [first, net.at, first]


def input_and_layer(net: Net) -> list[int]:
    return [0, net.at, 0]


def part_of_a_split(net: Net) -> list[int]:
    whole = net.at
    return [*split(net, 1, net.shape_of(whole)[1]), whole]


@pytest.mark.parametrize("outputs", [read_later, another_shape, input_and_layer, part_of_a_split])
def test_outputs_that_are_something_else_as_well(outputs: Callable[[Net], list[int]]) -> None:
    check_host(edges_model(outputs))


def test_unread_input_and_float_edges() -> None:
    net = Net(np.random.default_rng(2), (1, 4, 4, 3))
    floats, unread = net.tensor((1, 5), "FLOAT32"), net.activation((1, 3))
    net.graph.inputs = [floats, unread, net.at]
    net.conv()
    first, net.at = net.at, net.activation((1, 5))
    net.operator("QUANTIZE", [floats], [net.at])
    net.unary()
    second = net.tensor((1, 5), "FLOAT32")
    net.operator("DEQUANTIZE", [net.at], [second])
    net.graph.outputs = [first, second]
    data = net.build()
    host = HostModel(data)
    rng = np.random.default_rng(0)
    x: dict[str, NDArray[Any]] = {
        "t1": rng.normal(size=(4, 5)).astype(np.float32),
        "t2": np.zeros((4, 3), np.int8),
        "t0": rng.integers(-128, 128, (4, 4, 4, 3)).astype(np.int8),
    }
    y = host.run_named(x)
    assert list(y) == [f"t{first}", f"t{second}"]
    expected = ReferenceInterpreter(data).run_packed(host.inputs.pack(x), lasting=False)
    assert host.outputs.pack(y).tobytes() == expected.tobytes()
    with pytest.raises(EdgebioError, match="inputs of t1 contain NaN"):
        host.run_named(x | {"t1": np.full((4, 5), np.nan, np.float32)})
    with pytest.raises(EdgebioError, match="the model has 3 inputs: t1, t2, t0; name each"):
        host.run(x["t0"])


def test_refused_edges() -> None:
    def constant(net: Net) -> list[int]:
        return [net.at, 1]

    def floats(net: Net) -> list[int]:
        output = net.tensor(net.shape_of(net.at), "FLOAT32")
        net.operator("DEQUANTIZE", [net.at], [output])
        return [output, output]

    for outputs, reason in (
        (constant, "tensor 1: the model's output is a constant"),
        (floats, "as an output, it is an input or another output, too, and float32"),
    ):
        with pytest.raises(EdgebioError, match=re.escape(reason)):
            compiler.compile_model(edges_model(outputs))


def test_names_are_those_of_the_signature_or_of_the_tensors() -> None:
    net = Net(np.random.default_rng(2), (1, 4))
    other = net.activation((1, 4))
    net.graph.inputs = [net.at, other]
    net.binary("ADD", other)
    names = ("serving_default_int:0", "serving_default_int:0", "StatefulPartitionedCall:1")
    for index, name in zip((0, 1, net.at), names, strict=True):
        net.graph.tensors[index].name = name
    data = net.finish()
    graph = tflite.read(data)
    assert graph.input_names == ("int", "int_2")
    assert graph.output_names == ("StatefulPartitionedCall",)
    header = compiler.c_files(compiler.compile_model(data))["model.h"]
    assert "const int8_t *tensor_int; /* [4] */" in header
    schema = load_schema()
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = "serving_default", 0
    signature.inputs, signature.outputs = [], []
    for name, index, side in (
        ("gyro", other, signature.inputs),
        ("accelerometer", 0, signature.inputs),
        ("class", net.at, signature.outputs),
    ):
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, index
        side.append(entry)
    net.model.signatureDefs = [signature]
    graph = tflite.read(net.finish())
    assert graph.input_names == ("accelerometer", "gyro")
    assert graph.output_names == ("class",)
    edges = inputs_of(graph)
    x = np.zeros((2, 4), np.int8)
    assert list(edges.named({"accelerometer": x, names[1]: x})) == ["accelerometer", "gyro"]


def test_one_input_and_several_outputs_have_a_simple_form_each() -> None:
    header = compiler.c_files(compiler.compile_model(edges_model(read_later)))["model.h"]
    assert "void eb_model_invoke(void *state, const void *input, const eb_model_outputs" in header
    assert "eb_model_inputs" not in header


@pytest.mark.slow
def test_accepted_damaged_files_stay_in_their_memory() -> None:
    """C of any file that passes the checks compiles, and the sanitizers report nothing."""
    rng = np.random.default_rng(8)
    runs = 0
    for seed in range(600):
        damaged = bytearray(random_edges(3000 + seed % 30))
        damaged[rng.integers(len(damaged))] = rng.integers(256)
        try:
            graph = tflite.read(bytes(damaged))
            program = compiler.compile_model(graph)
        except EdgebioError:
            continue
        if program.plan.total > 1 << 20 or program.macs > 1 << 26:
            continue
        rows = rng.integers(0, 256, (2, inputs_of(graph).bytes)).astype(np.uint8)
        run_sanitized([graph], [rows], "dsp")
        runs += 1
        if runs == 60:
            break
    assert runs == 60
