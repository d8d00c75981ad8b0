"""The explanation of a program: what each pass of the compiler decided."""

from collections import Counter
from collections.abc import Sequence

from edgebio.compiler.emit.describe import describe_call
from edgebio.compiler.ir.memory_plan import MemoryPlan
from edgebio.compiler.ir.program import Program
from edgebio.compiler.ir.stream import Stream
from edgebio.tflite import Graph, Tensor


def explain(program: Program) -> str:
    """Explain a program, pass by pass.

    Gives the operators of the graph; a table of the layers with their kernels; why no faster kernel
    was chosen; and the memory plan, one line per buffer with the calls during which it is in use.
    """
    graph = program.graph
    kinds = Counter(operator.kind for operator in graph.operators)
    notes = [
        f"layer {index}: {note}" for index, call in enumerate(program.calls) for note in call.notes
    ]
    sections = {
        f"read: .tflite with SHA-256 {graph.sha256}": _operators(graph),
        "verified: all operators are supported": [
            ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        ],
        "fused": program.network.notes or ["nothing to drop or fuse"],
        "scheduled": [*_layers(program), *notes],
        "memory": _memory(program.plan, len(program.calls)),
    }
    if program.stream:
        stream = program.stream
        sections[f"streamed: {stream.hop} new of {stream.window} frames"] = _stream(stream)
        sections["memory of the stream"] = _memory(stream.plan, len(program.calls))
    return "\n\n".join(
        "\n".join([title, *(f"  {line}" for line in lines)]) for title, lines in sections.items()
    )


def _operators(graph: Graph) -> list[str]:
    """One line per operator: its inputs, its outputs and its options."""
    return [
        f"{operator.index} {operator.kind}: "
        + ", ".join(_tensor(graph.tensors[i]) if i >= 0 else "none" for i in operator.inputs)
        + f" -> {', '.join(_tensor(graph.tensors[i]) for i in operator.outputs) or 'none'}"
        + "".join(f"; {key} {value}" for key, value in operator.options.items())
        for operator in graph.operators
    ]


def _tensor(tensor: Tensor) -> str:
    text = f"{tensor.dtype}{list(tensor.shape)}"
    if len(tensor.scale) == 1:
        text += f" scale {tensor.scale[0]:.6g} zero {int(tensor.zero_point[0])}"
    elif len(tensor.scale):
        text += f" scales {tensor.scale.min():.6g} to {tensor.scale.max():.6g}"
    return f"{text} (constant)" if tensor.data is not None else text


def _layers(program: Program) -> list[str]:
    rows: list[Sequence[str]] = [
        ("layer", "", "kernel", "MACs", "constants", "scratch", "operators")
    ]
    for index, call in enumerate(program.calls):
        kernel = f"{call.function.removeprefix('eb_run_')} ({call.isa})"
        sizes = (f"{n:,}" for n in (call.layer.macs, call.constant_bytes, call.scratch))
        operators = ", ".join(map(str, call.layer.operators))
        rows.append((str(index), describe_call(program, call), kernel, *sizes, operators))
    title = f"{len(program.calls)} layers of {program.operators} operators"
    sizes = (f"{n:,}" for n in (program.macs, program.constant_bytes, program.plan.scratch))
    rows.append(("total", title, "", *sizes, ""))
    return _aligned(rows, numbers={0, 3, 4, 5})


def _aligned(rows: Sequence[Sequence[str]], numbers: set[int]) -> list[str]:
    """Rows as lines with aligned columns, those of numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _stream(stream: Stream) -> list[str]:
    """One line per layer: rows along time, what it keeps, and why nothing can be reused."""
    rows: list[Sequence[str]] = [("layer", "reused", "recomputed", "MACs", "state", "because")]
    rows += [
        (
            str(index),
            *(f"{n:,}" for n in (layer.reused, layer.recomputed, layer.macs, layer.state)),
            layer.reason,
        )
        for index, layer in enumerate(stream.layers)
    ]
    rows.append(("total", "", "", f"{stream.macs:,}", f"{stream.state:,}", ""))
    return _aligned(rows, numbers={0, 1, 2, 3, 4})


def _memory(plan: MemoryPlan, layers: int) -> list[str]:
    calls = range(layers)
    lines = [
        f"memory: {plan.total:,} bytes, {plan.activations:,} of them activations; "
        f"no plan of these layers takes less than {plan.lower_bound:,}"
        + (f"; the first {plan.states:,} last between inferences" if plan.states else "")
    ]
    for buffer in plan.buffers:
        life = "".join("#" if buffer.first <= call <= buffer.last else "." for call in calls)
        name = "scratch" if buffer.tensor is None else f"tensor {buffer.tensor}"
        over = ", over " + " and ".join(f"tensor {t}" for t in buffer.over) if buffer.over else ""
        place = f"{buffer.offset:>9,} .. {buffer.offset + buffer.bytes:<9,}"
        lines.append(f"{place} {life}  {name}{over}")
    lines += [
        f"tensor {part.tensor} is part of tensor {part.source}, from byte {part.offset:,} on: its "
        "layer does not run"
        for part in plan.parts
    ]
    return lines
