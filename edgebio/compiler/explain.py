"""Tell what the compiler decided, for people to read."""

from collections import Counter

from edgebio.compiler import emit
from edgebio.compiler.plan import Plan
from edgebio.compiler.program import Program
from edgebio.tflite import Graph, Tensor


def describe_program(program: Program) -> str:
    """Describe the layers, their kernels and the memory plan.

    Parameters
    ----------
    program
        A compiled network.

    Returns
    -------
    str
        A table of the layers (what was fused, which kernel, multiply-accumulates, constants), and
        the memory plan, one line a buffer with the steps during which it is in use.
    """
    return "\n".join([*_layers(program), "", *_memory(program.plan, len(program.steps))])


def describe_stages(graph: Graph, program: Program) -> str:
    """Describe what each stage of the compiler made of a model, in their order.

    Parameters
    ----------
    graph
        What was read.
    program
        What it became.
    """
    kinds = Counter(operator.kind for operator in graph.operators)
    notes = program.network.notes
    chosen = [
        f"layer {index}: {note}" for index, step in enumerate(program.steps) for note in step.notes
    ]
    stages = {
        f"read: .tflite of SHA-256 {graph.sha256}": _read(graph),
        "verified: nothing else is in it than these kinds": [
            ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        ],
        "simplified": notes or ["nothing to be dropped or fused"],
        "kernels": [*_layers(program), *chosen],
        "memory": _memory(program.plan, len(program.steps)),
    }
    return "\n\n".join(
        "\n".join([title, *(f"  {line}" for line in lines)]) for title, lines in stages.items()
    )


def _read(graph: Graph) -> list[str]:
    """One line an operator: its inputs, its options and its output."""
    return [
        f"{operator.index} {operator.kind}: "
        + ", ".join(_tensor(graph.tensors[i]) if i >= 0 else "none" for i in operator.inputs)
        + f" -> {_tensor(graph.tensors[operator.outputs[0]])}"
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
    rows = [("layer", "", "kernel", "MACs", "constants", "scratch", "operators")]
    for index, step in enumerate(program.steps):
        rows.append(
            (
                str(index),
                emit.describe(program.network, step),
                f"{step.function.removeprefix('eb_run_')} ({step.core})",
                f"{step.layer.macs:,}",
                f"{step.constant_bytes:,}",
                f"{step.scratch:,}",
                ", ".join(map(str, step.layer.operators)),
            )
        )
    rows.append(
        (
            "total",
            f"{len(program.steps)} layers of {program.operators} operators",
            "",
            f"{program.macs:,}",
            f"{program.constant_bytes:,}",
            f"{program.plan.scratch:,}",
            "",
        )
    )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    numbers = {0, 3, 4, 5}
    return [
        "  ".join(
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _memory(plan: Plan, steps: int) -> list[str]:
    lines = [
        f"memory: {plan.total:,} bytes, {plan.activations:,} of them activations; "
        f"no plan of these layers needs less than {plan.lower_bound:,}"
    ]
    for buffer in plan.buffers:
        life = "".join("#" if buffer.first <= s <= buffer.last else "." for s in range(steps))
        what = "scratch" if buffer.tensor is None else f"tensor {buffer.tensor}"
        over = ", over " + " and ".join(f"tensor {t}" for t in buffer.over) if buffer.over else ""
        lines.append(
            f"{buffer.offset:>9,} .. {buffer.offset + buffer.bytes:<9,} {life}  {what}{over}"
        )
    return lines
