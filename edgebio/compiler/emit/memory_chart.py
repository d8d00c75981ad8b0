"""Chart of the memory plan: when each buffer is in use, and its place."""

from typing import Final

from edgebio.compiler.emit.describe import describe_call
from edgebio.compiler.ir.memory_plan import Buffer
from edgebio.compiler.ir.program import Program
from edgebio.report.chart import Chart, add_legend, styled, with_axes
from edgebio.report.style import BLUE, GREEN, MUTED, ORANGE

_COLORS: Final = {
    "output of a layer": BLUE, "written over an input": GREEN, "scratch": ORANGE,
    "state between inferences": MUTED,
}  # fmt: skip


@styled
def plan_chart(program: Program) -> Chart:
    """Draw the memory plan: layers to the right, addresses upwards.

    A box is a buffer, from the layer that writes it to the last layer that reads it. The model's
    input and output are the caller's memory.
    """
    from matplotlib.patches import Rectangle

    plan, layers = program.plan, len(program.calls)
    title = f"Memory plan: {plan.total:,} bytes, {plan.activations:,} of them activations"
    chart, axes = with_axes(title, 470, min(max(900, 26 * layers), 60 * layers + 300))
    order = list(_COLORS)
    for buffer in sorted(plan.buffers, key=lambda each: order.index(_kind(each, program))):
        kind = _kind(buffer, program)
        box = Rectangle(
            (buffer.first - 0.47, buffer.offset), buffer.last - buffer.first + 0.94, buffer.bytes,
            facecolor=(_COLORS[kind], 0.25), edgecolor=_COLORS[kind], lw=0.8, label=kind,
        )  # fmt: skip
        layer_output = kind in ("output of a layer", "written over an input")
        name = f"output of layer {buffer.first}" if layer_output else kind
        tooltip = f"{name}: {buffer.bytes:,} bytes at {buffer.offset:,}"
        chart.add_tooltip(axes.add_patch(box), tooltip)
        if buffer.bytes > 0.035 * plan.total:
            middle = buffer.offset + buffer.bytes / 2
            axes.text(buffer.first, middle, f"{buffer.bytes:,}", size=8, ha="center", va="center")
    axes.axhline(plan.lower_bound, color=MUTED, lw=1, ls="--", label="lower bound")
    names = [f"{index} {call.layer.kind.lower()}" for index, call in enumerate(program.calls)]
    axes.set_xticks(range(layers), names, rotation=60, ha="right", rotation_mode="anchor", size=8)
    for label, call in zip(axes.get_xticklabels(), program.calls, strict=True):
        chart.add_tooltip(label, describe_call(program, call))
    axes.set(xlim=(-0.5, layers - 0.5), ylim=(0, plan.total * 1.01), ylabel="address, bytes")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.grid(visible=False, axis="x")
    add_legend(chart)
    return chart


def _kind(buffer: Buffer, program: Program) -> str:
    if buffer.tensor is None:
        return "scratch"
    if buffer.tensor in program.network.states:
        return "state between inferences"
    # It takes bytes of an input that is in use until that call.
    over = any(
        other.tensor in buffer.over
        and other.last == buffer.first
        and other.offset < buffer.offset + buffer.bytes
        and buffer.offset < other.end
        for other in program.plan.buffers
    )
    return "written over an input" if over else "output of a layer"
