"""Variables: state from one inference to the next, and every fault of a file in one line."""

from collections.abc import Callable

import numpy as np
import pytest

from edgebio import compiler
from edgebio.compiler.host_model import HostModel
from edgebio.compiler.host_stream import HostStream
from edgebio.errors import EdgebioError
from edgebio.parity.reference_interpreter import ReferenceInterpreter
from tests.compiler.model_builder import load_schema
from tests.compiler.networks import Net
from tests.compiler.reference import random_inputs
from tests.compiler.several_edges import Variables, ring_model, ring_net, subgraph

pytestmark = pytest.mark.usefixtures("tflite_micro")


def assert_refused(net: Net, reason: str) -> None:
    with pytest.raises(EdgebioError) as error:
        compiler.compile_model(net.finish())
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_state_lasts_until_it_is_reset() -> None:
    data = ring_model()
    host, x = HostModel(data), random_inputs((2, 3, 4), count=20)
    whole = host.run(x)
    reference = ReferenceInterpreter(data)
    expected = reference.run_packed(host.inputs.pack(x), lasting=True)
    assert host.outputs.pack(whole).tobytes() == expected.tobytes()
    host.reset()
    parts = [host.run(x[:3]), host.run(x[3:4]), host.run(x[4:])]
    assert np.concatenate(parts).tobytes() == whole.tobytes()
    assert host.run(x).tobytes() != whole.tobytes()  # goes on from the last state
    reference.restart()
    again = reference.run_packed(host.inputs.pack(x[:2]), lasting=True)
    assert again.tobytes() == expected[:2].tobytes()


def test_ring_buffer_is_read_and_cut_without_a_copy() -> None:
    plan = HostModel(ring_model()).program.plan
    assert len(plan.parts) == 2
    assert plan.states == 4 * 3 * 4


def test_the_header_says_what_to_keep() -> None:
    header = compiler.c_files(compiler.compile_model(ring_model()))["model.h"]
    assert "void eb_model_reset(void *state);" in header
    assert "#define EB_MODEL_KEPT_BYTES 48\n" in header
    net = Net(np.random.default_rng(0), (1, 4))
    net.dense()
    header = compiler.c_files(compiler.compile_model(net.finish()))["model.h"]
    assert "eb_model_reset" not in header


def test_variable_that_is_assigned_in_every_inference_needs_no_first_value() -> None:
    net = Net(np.random.default_rng(0), (1, 4, 4, 2))
    state = Variables(net)
    name, source = state.add(net.at), net.at
    state.assign(name, source)
    net.binary("ADD", state.read(name))
    net.model.subgraphs[0].operators.pop(0)  # CALL_ONCE
    data = net.finish()
    host, x = HostModel(data), random_inputs((4, 4, 2))
    expected = ReferenceInterpreter(data).run_packed(host.inputs.pack(x), lasting=True)
    assert host.run_packed(host.inputs.pack(x)).tobytes() == expected.tobytes()


def test_variable_that_is_never_read_costs_nothing() -> None:
    net = Net(np.random.default_rng(0), (1, 4, 4, 2))
    state = Variables(net)
    state.assign(state.add(net.at), net.at)
    net.conv()
    state.finish()
    program = compiler.compile_model(net.finish())
    assert program.plan.states == 0
    assert len(program.calls) == 1


def test_values_of_a_variable_are_outputs() -> None:
    """Before and after an assignment, and what is assigned."""
    net = Net(np.random.default_rng(0), (1, 4, 4, 2))
    state = Variables(net)
    name, source = state.add(net.at), net.at
    before = state.read(name)
    net.binary("ADD", before)
    value = net.at
    state.assign(name, value)
    after = state.read(name)
    state.assign(name, source)
    state.finish()
    net.graph.outputs = [before, after, value, after]
    data = net.build()
    host = HostModel(data)
    rows = host.inputs.pack(random_inputs((4, 4, 2)))
    expected = ReferenceInterpreter(data).run_packed(rows, lasting=True)
    assert host.run_packed(rows).tobytes() == expected.tobytes()
    assert host.run_packed(rows[:1]).tobytes() != expected[:1].tobytes()


def test_constant_that_is_assigned_is_refused() -> None:
    net = Net(np.random.default_rng(0), (1, 4, 4, 2))
    state = Variables(net)
    name = state.add(net.at)
    scale, zero_point = net.scale_of(net.at), net.zero_of(net.at)
    values = np.ones((1, 4, 4, 2), np.int8)
    net.binary("ADD", state.read(name))
    state.assign(name, net.tensor(values.shape, "INT8", scale, zero_point, data=values))
    state.finish()
    assert_refused(net, "(ASSIGN_VARIABLE): tensor")


def test_read_before_assigned() -> None:
    net, _ = ring_net()
    with subgraph(net):
        pass
    assert_refused(net, "(READ_VARIABLE): variable 'v0' is read before it is assigned")


def without_operator(kind: str) -> Callable[[Net], None]:
    def change(net: Net) -> None:
        number = getattr(load_schema().BuiltinOperator, kind)
        codes = net.model.operatorCodes
        operators = net.model.subgraphs[0].operators
        operators.remove(
            next(each for each in operators if codes[each.opcodeIndex].builtinCode == number)
        )

    return change


def calls(number: int) -> Callable[[Net], None]:
    def change(net: Net) -> None:
        net.model.subgraphs[0].operators[0].builtinOptions.initSubgraphIndex = number

    return change


def computes(net: Net) -> None:
    """Let the subgraph of CALL_ONCE call itself, or compute anything."""
    with_call = net.model.subgraphs[1].operators
    with_call.insert(0, net.model.subgraphs[0].operators[0])


def not_constant(net: Net) -> None:
    for tensor in net.model.subgraphs[1].tensors:
        tensor.buffer = 0


def other_size(net: Net) -> None:
    begin = next(each for each in net.model.subgraphs[1].tensors if each.buffer)
    begin.shape = [1, 4, 3, 2]
    net.model.buffers[begin.buffer].data = np.zeros(24, np.uint8)


def late(net: Net) -> None:
    operators = net.model.subgraphs[0].operators
    operators.append(operators.pop(0))


def many_inputs(net: Net) -> None:
    operators = net.model.subgraphs[0].operators
    operators[2].inputs = [operators[2].inputs[0], 0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without_operator("CALL_ONCE"), "variable 'v0' is read before it is assigned"),
        (without_operator("VAR_HANDLE"), "is no handle of a variable"),
        (calls(0), "operator 0 (CALL_ONCE): it calls its own subgraph"),
        (calls(2), "operator 0 (CALL_ONCE): no subgraph 2"),
        (calls(-1), "operator 0 (CALL_ONCE): no subgraph -1"),
        (computes, "(CALL_ONCE) of subgraph 1: only constants are assigned before"),
        (not_constant, "of subgraph 1: variable 'v0' does not begin as a constant"),
        (other_size, "variable 'v0' is int8 [1, 4, 3, 4], but begins as int8 [1, 4, 3, 2]"),
        (late, "(CALL_ONCE): it comes after operators that use variables"),
        (many_inputs, "(READ_VARIABLE): 2 inputs and 1 outputs"),
    ],
)
def test_faults_of_a_file(change: Callable[[Net], None], reason: str) -> None:
    net, state = ring_net()
    state.finish()
    change(net)
    assert_refused(net, reason)


def test_assigned_value_of_another_size() -> None:
    net = Net(np.random.default_rng(0), (1, 4, 4, 2))
    state = Variables(net)
    name = state.add(net.at, (1, 2, 4, 2))
    state.read(name)
    state.assign(name, net.at)
    net.conv()
    state.finish()
    assert_refused(net, "variable 'v0' is int8 [1, 2, 4, 2], not int8 [1, 4, 4, 2]")


def test_lstm_beside_a_state_is_refused() -> None:
    net = Net(np.random.default_rng(0), (1, 6, 4))
    state = Variables(net)
    state.ring(1, 2)
    net.lstm(3)
    state.finish()
    assert_refused(net, "its state begins anew with every inference, that of other operators lasts")


def test_push_form_is_refused() -> None:
    with pytest.raises(EdgebioError, match="no stream: the network has a state of its own"):
        HostStream(ring_model(), 1)
