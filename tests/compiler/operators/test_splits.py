"""SPLIT, SPLIT_V, UNPACK: every byte equals tflite-micro's; neighbors are not copied."""

from collections.abc import Callable

import numpy as np
import pytest

from edgebio import compiler
from edgebio.compiler.host_model import HostModel
from edgebio.errors import EdgebioError
from edgebio.parity.reference_interpreter import ReferenceInterpreter
from tests.compiler.networks import Net
from tests.compiler.several_edges import split, split_v, unpack

pytestmark = pytest.mark.usefixtures("tflite_micro")

Cut = Callable[[Net], list[int]]
SHAPE = (1, 6, 4, 8)


def parts_net(cut: Cut) -> Net:
    """An image whose parts are rescaled, each to an output."""
    net = Net(np.random.default_rng(1), SHAPE)
    net.unary()
    outputs = []
    for part in cut(net):
        net.at = part
        if len(net.shape_of(part)) == len(SHAPE) - 1:
            net.expand(0)
        net.unary()
        outputs.append(net.at)
    net.graph.outputs = outputs
    return net


@pytest.mark.parametrize("axis", [1, 2, 3, -1, -3])
@pytest.mark.parametrize("kind", ["SPLIT", "SPLIT_V", "UNPACK"])
def test_every_axis(kind: str, axis: int) -> None:
    def cut(net: Net) -> list[int]:
        if kind == "UNPACK":
            return unpack(net, axis)
        return split(net, axis, 2) if kind == "SPLIT" else split_v(net, axis, [1, -1, 2])

    data = parts_net(cut).build()
    host = HostModel(data)
    rng = np.random.default_rng(0)
    rows = host.inputs.pack(rng.integers(-128, 128, (5, *SHAPE[1:])).astype(np.int8))
    expected = ReferenceInterpreter(data).run_packed(rows, lasting=False)
    assert host.run_packed(rows).tobytes() == expected.tobytes()
    # Rows of the image are neighbors, which need no copy; pixels and channels are not.
    plan, whole = host.program.plan, axis in (1, -3)
    assert bool(plan.parts) == whole


def test_part_at_an_odd_place_is_a_copy() -> None:
    net = Net(np.random.default_rng(1), (1, 10))
    net.unary()
    outputs = []
    for part in split_v(net, 1, [3, 4, 3]):
        net.at = part
        net.unary()
        outputs.append(net.at)
    net.graph.outputs = outputs
    program = compiler.compile_model(net.build())
    assert [part.offset for part in program.plan.parts] == [0]  # not 3 and 7


def test_constants_of_a_split_are_checked() -> None:
    def refused(cut: Cut, reason: str, change: Callable[[Net], None] = lambda net: None) -> None:
        net = parts_net(cut)
        change(net)
        with pytest.raises(EdgebioError) as error:
            compiler.compile_model(net.build())
        assert reason in str(error.value)

    def set_constant(index: int, values: list[int]) -> Callable[[Net], None]:
        def change(net: Net) -> None:
            constants = [each for each in net.graph.tensors if each.type == 2]  # int32
            buffer = net.model.buffers[constants[index].buffer]
            buffer.data = np.frombuffer(np.array(values, "<i4").tobytes(), np.uint8)

        return change

    def set_scale(net: Net) -> None:
        net.graph.tensors[net.graph.operators[1].outputs[1]].quantization.scale = [1.5]

    def halve(net: Net) -> list[int]:
        return split(net, 1, 2)

    def cut_in_two(net: Net) -> list[int]:
        return split_v(net, 1, [2, 4])

    refused(halve, "(SPLIT): axis [4] of 4", set_constant(0, [4]))
    refused(halve, "(SPLIT): output has shape [1, 3, 4, 8], [1, 6, 2, 8]", set_constant(0, [2]))
    refused(halve, "(SPLIT): tensors 1 and 4 differ in scale or zero point", set_scale)
    for sizes in ([2, 5], [-1, -1], [0, 6], [7, -1]):
        refused(cut_in_two, "(SPLIT_V): parts of", set_constant(0, sizes))
    refused(lambda net: unpack(net, 1)[:1] * 2, "is already written", duplicate_output)


def duplicate_output(net: Net) -> None:
    outputs = net.graph.operators[1].outputs
    outputs[1] = outputs[0]
