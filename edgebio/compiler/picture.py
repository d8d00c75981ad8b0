"""The memory plan as a picture: layers from left to right, addresses from below."""

from typing import Final
from xml.sax.saxutils import escape

from edgebio.compiler import emit
from edgebio.compiler.plan import Buffer, Plan
from edgebio.compiler.program import Program

_LEFT, _TOP, _RIGHT, _BOTTOM = 84, 72, 150, 150  # margins around the chart, pixels
_HEIGHT: Final = 380  # of the chart
_WIDTHS: Final = (36, 110)  # of one layer, least and most
_CHART: Final = 900  # width that layers share, where that leaves them within `_WIDTHS`

_STYLE: Final = """\
  svg { background: #ffffff; font: 12px system-ui, sans-serif; }
  text { fill: #1f2933; }
  .small { font-size: 10px; }
  .quiet { fill: #52606d; }
  .title { font-size: 15px; font-weight: 600; }
  .grid { stroke: #e4e7eb; }
  .axis { stroke: #7b8794; }
  .bound { stroke: #b44d12; stroke-dasharray: 5 4; }
  .activation { fill: #a8d1f0; stroke: #1f6fab; }
  .over { fill: #bfe3c6; stroke: #2f7d42; }
  .scratch { fill: #f6d9a8; stroke: #a8690a; }
  @media (prefers-color-scheme: dark) {
    svg { background: #14181d; }
    text { fill: #e4e7eb; }
    .quiet { fill: #9aa5b1; }
    .grid { stroke: #2b333c; }
    .axis { stroke: #7b8794; }
    .bound { stroke: #f0a06a; }
    .activation { fill: #174766; stroke: #6db3e8; }
    .over { fill: #1d4a2a; stroke: #79c78c; }
    .scratch { fill: #5a3f10; stroke: #e0ab55; }
  }
"""


def plan_svg(program: Program) -> str:
    """Draw when each buffer is in use, and where it lies.

    Parameters
    ----------
    program
        A compiled network.

    Returns
    -------
    str
        An SVG document that follows the viewer's light or dark scheme. A box is a buffer: from the
        layer that writes it to the last one that reads it, from its first byte to its last.
    """
    steps, plan = len(program.steps), program.plan
    least, most = _WIDTHS
    column = min(max(_CHART // steps, least), most)
    chart = _Chart(plan, column)
    width = _LEFT + max(column * steps, 420) + _RIGHT
    height = _TOP + _HEIGHT + _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="Memory plan">',
        f"<style>\n{_STYLE}</style>",
        f'<text class="title" x="{_LEFT}" y="24">Memory plan: {plan.total:,} bytes</text>',
        f'<text class="quiet" x="{_LEFT}" y="42">{plan.activations:,} of them activations; no plan '
        f"of these layers needs less than {plan.lower_bound:,}</text>",
        *_legend(),
        *_address_axis(plan, chart, column * steps),
        *(_box(buffer, chart, program) for buffer in plan.buffers),
        *(_size(buffer, chart) for buffer in plan.buffers),
        *_layer_axis(program, chart, column),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


class _Chart:
    """From layers and bytes to pixels."""

    def __init__(self, plan: Plan, column: int) -> None:
        self._per_byte = _HEIGHT / plan.total
        self._column = column

    def x(self, step: int) -> int:
        return _LEFT + step * self._column

    def y(self, address: float) -> float:
        return round(_TOP + _HEIGHT - address * self._per_byte, 1)


def _legend() -> list[str]:
    parts, x = [], _LEFT
    for kind, words in (
        ("activation", "output of a layer"),
        ("over", "written over an input"),
        ("scratch", "scratch"),
    ):
        parts.append(f'<rect class="{kind}" x="{x}" y="51" width="11" height="11"/>')
        parts.append(f'<text class="small" x="{x + 16}" y="60">{words}</text>')
        x += 130
    parts.append(f'<line class="bound" x1="{x}" x2="{x + 22}" y1="56.5" y2="56.5"/>')
    parts.append(f'<text class="small" x="{x + 27}" y="60">least possible</text>')
    return parts


def _address_axis(plan: Plan, chart: _Chart, width: int) -> list[str]:
    unit = max(16, 1 << (plan.total // 6).bit_length() - 1)
    ticks = [*range(0, plan.total - unit // 2, unit), plan.total]
    parts = []
    for tick in ticks:
        y = chart.y(tick)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + width}" y1="{y}" y2="{y}"/>')
        parts.append(
            f'<text class="small" x="{_LEFT - 8}" y="{y + 3.5}" text-anchor="end">{tick:,}</text>'
        )
    if plan.lower_bound < plan.total:
        y = chart.y(plan.lower_bound)
        parts.append(f'<line class="bound" x1="{_LEFT}" x2="{_LEFT + width}" y1="{y}" y2="{y}"/>')
    middle = _TOP + _HEIGHT // 2
    parts.append(
        f'<text class="quiet" transform="translate(18 {middle}) rotate(-90)" '
        'text-anchor="middle">address, bytes</text>'
    )
    return parts


def _box(buffer: Buffer, chart: _Chart, program: Program) -> str:
    kind = "scratch" if buffer.tensor is None else "over" if _lies_over(buffer, program) else ""
    x, y = chart.x(buffer.first), chart.y(buffer.offset + buffer.bytes)
    width = chart.x(buffer.last + 1) - x
    height = max(chart.y(buffer.offset) - y, 1.0)
    what = "scratch" if buffer.tensor is None else f"output of layer {buffer.first}"
    told = f"{what}: {buffer.bytes:,} bytes at {buffer.offset:,}"
    return (
        f'<g><title>{told}</title><rect class="{kind or "activation"}" x="{x + 1}" y="{y}" '
        f'width="{width - 2}" height="{height:.1f}"/></g>'
    )


def _size(buffer: Buffer, chart: _Chart) -> str:
    """Size of a buffer in its first layer, where nothing lies over it yet; none in a thin box."""
    top, bottom = chart.y(buffer.offset + buffer.bytes), chart.y(buffer.offset)
    if bottom - top < 13:
        return ""
    middle = (chart.x(buffer.first) + chart.x(buffer.first + 1)) / 2
    return (
        f'<text class="small" x="{middle:g}" y="{(top + bottom) / 2 + 3.5:.1f}" '
        f'text-anchor="middle">{buffer.bytes:,}</text>'
    )


def _lies_over(buffer: Buffer, program: Program) -> bool:
    """Whether it takes bytes of an input that is in use until then."""
    for other in program.plan.buffers:
        if other.tensor in buffer.over and other.last == buffer.first:
            return other.offset < buffer.offset + buffer.bytes and buffer.offset < other.end
    return False


def _layer_axis(program: Program, chart: _Chart, column: int) -> list[str]:
    base = _TOP + _HEIGHT
    parts = [
        f'<line class="axis" x1="{_LEFT}" x2="{chart.x(len(program.steps))}" y1="{base}" '
        f'y2="{base}"/>'
    ]
    for index, step in enumerate(program.steps):
        x = chart.x(index) + column // 2
        told = escape(emit.describe(program.network, step))
        parts.append(
            f"<g><title>{told}</title>"
            f'<text class="small" transform="translate({x} {base + 14}) rotate(35)">'
            f"{index} {escape(step.layer.kind)}</text></g>"
        )
    parts.append(
        f'<text class="quiet" x="{_LEFT}" y="{base + _BOTTOM - 10}">'
        "layers, in the order of execution; input and output of the model are the caller's</text>"
    )
    return parts
