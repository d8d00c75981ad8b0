"""Chart of a search: scores of candidates over their cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from edgebio.report.chart import Chart, add_legend, styled, with_axes
from edgebio.report.style import BLUE, GRAY, MUTED, ORANGE, PAPER


@dataclass(frozen=True)
class ParetoPoint:
    """A candidate: its label, cost (above 0), score, role and tooltip."""

    label: str
    cost: float
    score: float
    role: Literal["front", "reference", "other"]
    tooltip: str


@styled
def pareto_front(
    title: str,
    points: Sequence[ParetoPoint],
    xlabel: str,
    ylabel: str,
    reference: str,
    limit: float | None = None,
) -> Chart:
    """Draw scores over costs, on a logarithmic axis of costs.

    Parameters
    ----------
    points
        Those of the front, and the reference, are labeled where there is room.
    reference
        Legend of the point with this role.
    limit
        Highest allowed cost; marked.
    """
    from matplotlib import ticker

    chart, axes = with_axes(title, 250)
    looks = {
        "other": ("other candidates", GRAY, 4.5), "reference": (reference, ORANGE, 7.0),
        "front": ("front", BLUE, 6.5),
    }  # fmt: skip
    front = sorted((p.cost, -p.score) for p in points if p.role == "front")
    if front:
        best = np.maximum.accumulate([-score for _, score in front])
        axes.step([cost for cost, _ in front], best, where="post", color=BLUE, lw=1, alpha=0.6)
    if limit is not None:
        axes.axvline(limit, color=MUTED, lw=1, ls="--", label="limit")
    for role, (label, color, size) in looks.items():
        for number, point in enumerate(p for p in points if p.role == role):
            (dot,) = axes.plot(
                point.cost, point.score, "o", color=color, ms=size, mec=PAPER, mew=0.8,
                label="" if number else label,
            )  # fmt: skip
            chart.add_tooltip(dot, point.tooltip)
    costs = [p.cost for p in points] + ([] if limit is None else [limit])
    axes.set(xscale="log", xlabel=xlabel, ylabel=ylabel)
    axes.set_xlim(0.85 * min(costs), 1.18 * max(costs))
    axes.margins(y=0.12)
    wide = max(costs) > 5 * min(costs)
    locator = ticker.LogLocator(subs=(1, 2, 5)) if wide else ticker.MaxNLocator(5)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    add_legend(chart)
    chart.figure.draw_without_rendering()  # the layout is fixed from here on
    labeled: list[Any] = []
    for point in sorted(points, key=lambda p: p.role):
        x, y = axes.transData.transform((point.cost, point.score))
        clear = all(abs(x - a) > 14 or abs(y - b) > 10 for a, b in labeled)
        if point.role != "other" and clear:
            labeled.append((x, y))
            axes.annotate(
                point.label, (point.cost, point.score), (0, 6), textcoords="offset points",
                ha="center",
            )  # fmt: skip
    return chart
