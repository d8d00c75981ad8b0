"""Variables: a tensor of the state in the place of every handle.

A variable is an object behind a handle in the file, which VAR_HANDLE gives by name, READ_VARIABLE
and ASSIGN_VARIABLE take, and a subgraph that CALL_ONCE runs sets before the first inference. Here,
it is one more tensor that the reading operators take and the assigning ones write, with the values
from that subgraph to begin with.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NoReturn

from edgebio.errors import EdgebioError
from edgebio.tflite import Graph, Operator, Tensor

_CALL, _HANDLE, _READ, _ASSIGN = "CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"
_KINDS: Final = {_CALL, _HANDLE, _READ, _ASSIGN}
_MAX_VARIABLES: Final = 100

Name = tuple[str, str]
"""Container and name of a variable."""


def resolve_variables(graph: Graph) -> Graph:
    """The graph without VAR_HANDLE and CALL_ONCE; other operators keep their indices.

    Raises
    ------
    EdgebioError
        If a variable is read before it has a value, a subgraph is missing or computes anything, or
        what is assigned differs in type or size; names the operator.
    """
    operators = [each for each in graph.operators if each.kind in _KINDS]
    if not operators:
        return graph
    names = _handles(operators, "")
    initial = _initial_values(graph, operators)
    states: dict[Name, Tensor] = {}
    assigned = set(initial)
    resolved: dict[int, Operator] = {}
    for operator in operators:
        if operator.kind not in (_READ, _ASSIGN):
            continue
        name, value = _access(graph, operator, names, "")
        if operator.kind == _READ and name not in assigned:
            _refuse(operator, f"variable {name[1]!r} is read before it is assigned", "")
        assigned.add(name)
        if name not in states:
            if len(states) == _MAX_VARIABLES:
                _refuse(operator, f"more than {_MAX_VARIABLES} variables", "")
            states[name] = _state(value, len(graph.tensors) + len(states), name, initial.get(name))
        state = states[name]
        if not _alike(state, value):
            _refuse(operator, f"variable {name[1]!r} is {_text(state)}, not {_text(value)}", "")
        if operator.kind == _READ:
            resolved[operator.index] = replace(operator, inputs=(state.index,))
        else:
            inputs, outputs = operator.inputs[1:], (state.index,)
            resolved[operator.index] = replace(operator, inputs=inputs, outputs=outputs)
    for name, tensor in initial.items():
        if name in states and not _alike(states[name], tensor):
            raise EdgebioError(
                f"variable {name[1]!r} is {_text(states[name])}, but begins as {_text(tensor)}"
            )
    return replace(
        graph,
        tensors=(*graph.tensors, *states.values()),
        operators=tuple(
            resolved.get(each.index, each)
            for each in graph.operators
            if each.kind not in (_CALL, _HANDLE)
        ),
    )


def _refuse(operator: Operator, reason: str, where: str) -> NoReturn:
    raise EdgebioError(f"operator {operator.index} ({operator.kind}){where}: {reason}")


def _text(tensor: Tensor) -> str:
    return f"{tensor.dtype} {list(tensor.shape)}"


def _alike(first: Tensor, second: Tensor) -> bool:
    """Whether two tensors have the same bytes; the reference compares no more."""
    return first.dtype == second.dtype and first.elements == second.elements


def _state(value: Tensor, index: int, name: Name, initial: Tensor | None) -> Tensor:
    """The tensor of a variable that `value` is read from or assigned to."""
    data = initial.data if initial and _alike(initial, value) else None
    return replace(
        value,
        index=index,
        name=name[1],
        data=None,
        variable=True,
        initial=None if data is None else data.reshape(value.shape),
    )


def _handles(operators: list[Operator], where: str) -> Mapping[int, Name]:
    """Names of variables by the tensor of their handle."""
    handles: dict[int, Name] = {}
    for operator in operators:
        if operator.kind == _HANDLE:
            if len(operator.outputs) != 1:
                _refuse(operator, f"{len(operator.outputs)} outputs", where)
            options = operator.options
            handles[operator.outputs[0]] = str(options["container"]), str(options["shared_name"])
    return handles


def _access(
    graph: Graph, operator: Operator, names: Mapping[int, Name], where: str
) -> tuple[Name, Tensor]:
    """The variable that an operator reads or assigns, and the tensor on the other side."""
    counts = (1, 1) if operator.kind == _READ else (2, 0)
    if (len(operator.inputs), len(operator.outputs)) != counts:
        inputs, outputs = len(operator.inputs), len(operator.outputs)
        _refuse(operator, f"{inputs} inputs and {outputs} outputs", where)
    if operator.inputs[0] not in names:
        _refuse(operator, f"tensor {operator.inputs[0]} is no handle of a variable", where)
    value = operator.outputs[0] if operator.kind == _READ else operator.inputs[1]
    if value < 0:
        _refuse(operator, "its value is missing", where)
    return names[operator.inputs[0]], graph.tensors[value]


def _initial_values(graph: Graph, operators: list[Operator]) -> dict[Name, Tensor]:
    """Constants that the subgraphs of CALL_ONCE assign, by variable."""
    values: dict[Name, Tensor] = {}
    used = False
    for operator in operators:
        used |= operator.kind in (_READ, _ASSIGN)
        if operator.kind != _CALL:
            continue
        if used:
            _refuse(operator, "it comes after operators that use variables", "")
        number = int(operator.options["init_subgraph_index"])
        if not 1 <= number <= len(graph.subgraphs):
            _refuse(
                operator,
                "it calls its own subgraph" if number == 0 else f"no subgraph {number}",
                "",
            )
        values |= _assigned_constants(graph.subgraphs[number - 1], f" of subgraph {number}")
    return values


def _assigned_constants(graph: Graph, where: str) -> dict[Name, Tensor]:
    """What a subgraph assigns to variables, which must be all that it does."""
    values: dict[Name, Tensor] = {}
    names = _handles(list(graph.operators), where)
    for operator in graph.operators:
        if operator.kind not in (_HANDLE, _ASSIGN):
            _refuse(operator, "only constants are assigned before the first inference", where)
        if operator.kind == _ASSIGN:
            name, value = _access(graph, operator, names, where)
            if value.data is None or value.sparse:
                _refuse(operator, f"variable {name[1]!r} does not begin as a constant", where)
            values[name] = value
    return values
