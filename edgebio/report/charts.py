"""Charts of results: training, classification, regression, subjects.

Every function takes plain values and returns a `Chart`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.report.chart import WIDTH, Chart, add_legend, blank, styled, with_axes
from edgebio.report.style import BLUE, GRAY, GREEN, INK, MUTED, ORANGE, PAPER, SERIES

_LETTERS = 20  # of the longest name that is not cut


@styled
def curves(
    title: str,
    series: Mapping[str, Sequence[Sequence[float]]],
    xlabel: str,
    ylabel: str,
    x: Sequence[float] | None = None,
    marks: Mapping[str, float] | None = None,
) -> Chart:
    """Draw curves, such as metrics over epochs.

    Parameters
    ----------
    series
        By name: curves, each of shape (points,). Several curves of a name are drawn thin.
    x
        Shape (points,); the numbers from 1 if None.
    marks
        Places on the axis of `x` that are marked, by name.
    """
    chart, axes = with_axes(title, 195)
    for (name, lines), color in zip(series.items(), SERIES, strict=False):
        look = {"lw": 1.0, "alpha": 0.6} if len(lines) > 1 else {"ms": 5}
        for y in lines:
            places = range(1, len(y) + 1) if x is None else x
            marker = "o" if len(y) == 1 or (x is not None and len(lines) == 1) else ""
            axes.plot(places, y, color=color, label=name, marker=marker, **look)
    for name, place in (marks or {}).items():
        axes.axvline(place, color=MUTED, lw=1, ls="--", label=name)
    axes.xaxis.get_major_locator().set_params(integer=True, nbins=7)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    add_legend(chart)
    return chart


@styled
def confusion_matrix(title: str, counts: Sequence[Sequence[int]], classes: Sequence[str]) -> Chart:
    """Draw a confusion matrix in percent of each true class; right decisions are blue.

    Parameters
    ----------
    counts
        Segments by true class (row) and decided class (column), shape (classes, classes).
    classes
        Their names.
    """
    from matplotlib.patches import Rectangle

    n = len(classes)
    names = [_short(name) for name in classes]
    size = 10.0 if n <= 9 else 8.5
    labels = 0.6 * size * max(map(len, names)) + 24
    cell = min(max((WIDTH - labels - 6) / n, 15.0 if n > 12 else 0.0), 40.0)
    chart = blank(title, labels + cell * n + 6, labels + cell * n + 6)
    width, height = chart.width, chart.height
    axes = chart.figure.add_axes(
        (labels / width, 4 / height, cell * n / width, cell * n / height), xlim=(0, n), ylim=(n, 0)
    )
    for row, total in enumerate(map(sum, counts)):
        for column, count in enumerate(counts[row]):
            if not count:
                continue
            part = count / total
            box = Rectangle(
                (column, row), 1, 1, color=BLUE if row == column else ORANGE,
                alpha=0.08 + 0.92 * part, lw=0,
            )  # fmt: skip
            chart.add_tooltip(
                axes.add_patch(box),
                f"{classes[row]} decided as {classes[column]}: {count:,} of {total:,}",
            )
            if part >= 0.005:
                axes.text(
                    column + 0.5, row + 0.5, f"{100 * part:.0f}", ha="center", va="center",
                    size=size, color=PAPER if part > 0.55 else INK,
                )  # fmt: skip
    axes.set_xticks(np.arange(n) + 0.5, names, rotation=90, color=INK, size=size)
    axes.set_yticks(np.arange(n) + 0.5, names, color=INK, size=size)
    axes.set_xticks(range(n + 1), minor=True)
    axes.set_yticks(range(n + 1), minor=True)
    axes.grid(visible=False)
    axes.grid(which="minor")
    axes.tick_params(which="both", length=0, top=True, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("decided class", loc="left")
    axes.xaxis.set_label_position("top")
    axes.set_ylabel("true class", loc="top")
    return chart


@styled
def roc_curves(
    title: str,
    curves: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]],
    highlighted: Sequence[str],
) -> Chart:
    """Draw ROC curves, each class against the rest.

    Parameters
    ----------
    curves
        By class: false positive and true positive rates, of one shape (points,).
    highlighted
        Up to three classes that are named; all others are gray.
    """
    chart, axes = with_axes(title, 320)
    _diagonal(axes, 0, 1)
    colors = dict(zip(highlighted, (ORANGE, BLUE, GREEN), strict=False))
    rest = [name for name in curves if name not in colors]
    for number, name in enumerate([*rest, *reversed(highlighted)]):
        label = _short(name) if name in colors else "" if number else "other classes"
        line = axes.plot(*curves[name], color=colors.get(name, GRAY), label=label)[0]
        line.set_linewidth(1.8 if name in colors else 1.0)
        chart.add_tooltip(line, name)
    axes.set(xlabel="false positive rate", ylabel="true positive rate", aspect="equal")
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="lower right")
    return chart


@styled
def predicted_over_true(
    title: str, true: npt.ArrayLike, predicted: npt.ArrayLike, unit: str, *, logarithmic: bool
) -> Chart:
    """Draw predicted values (upwards) over true ones, with the diagonal.

    Parameters
    ----------
    true, predicted
        Shape (points,). On logarithmic axes, values of 0 and below are drawn at a tenth of the
        least positive true one.
    """
    x, y = np.asarray(true, np.float64), np.asarray(predicted, np.float64)
    chart, axes = with_axes(title, 320)
    if logarithmic:
        least = x[x > 0].min() / 10
        x, y = np.maximum(x, least), np.maximum(y, least)
        axes.set(xscale="log", yscale="log")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: f"{value:g}")
    _diagonal(axes, float(min(x.min(), y.min())), float(max(x.max(), y.max())))
    axes.plot(x, y, "o", color=BLUE, alpha=0.4, ms=3.2, mew=0, rasterized=len(x) > 2000)
    axes.set(xlabel=f"true, {unit}", ylabel=f"predicted, {unit}", aspect="equal")
    return chart


@styled
def subject_dots(
    title: str,
    series: Mapping[str, Mapping[str, float | None]],
    xlabel: str,
    mean: float,
    interval: Sequence[float] | None,
) -> Chart:
    """Draw one row of dots a subject, over the mean and its confidence interval.

    Parameters
    ----------
    series
        By series (up to three, the first one filled, the second hollow, the third gray): value by
        subject. All have the same subjects; a value may be None.
    mean, interval
        Of the first series.
    """
    subjects = list(next(iter(series.values())))
    chart, axes = with_axes(title, 80 + 18 * len(subjects))
    if interval:
        axes.axvspan(*interval, color=BLUE, alpha=0.14, lw=0, label="95 % interval")
    axes.axvline(mean, color=BLUE, lw=1, ls="--", label="mean")
    looks = (
        {"color": BLUE, "ms": 7, "mec": PAPER, "zorder": 4},
        {"color": "none", "ms": 8.5, "mec": ORANGE, "mew": 1.4, "zorder": 3},
        {"color": GRAY, "ms": 6, "mec": PAPER, "marker": "D", "zorder": 2},
    )
    for (name, values), look in zip(series.items(), looks, strict=False):
        for row, (subject, value) in enumerate(values.items()):
            if value is None:
                continue
            (dot,) = axes.plot(value, row, **{"marker": "o", "ls": "", "label": name, **look})
            chart.add_tooltip(dot, f"{subject}: {name} {value:.3f}")
    axes.set_yticks(range(len(subjects)), map(_short, subjects), color=INK)
    axes.set_ylim(len(subjects) - 0.5, -0.5)
    axes.set_xlabel(xlabel)
    axes.grid(visible=False, axis="y")
    add_legend(chart)
    return chart


@styled
def bars(title: str, rows: Sequence[tuple[str, float | None, str]], xlabel: str) -> Chart:
    """Draw horizontal bars: name, value (None: no bar) and the text at its end."""
    chart, axes = with_axes(title, 40 + 17 * len(rows))
    values = [max(value or 0.0, 0.0) for _, value, _ in rows]
    drawn = axes.barh(range(len(rows)), values, height=0.66, color=BLUE)
    axes.bar_label(drawn, [text for *_, text in rows], padding=4, size=9)
    axes.set_yticks(range(len(rows)), [_short(name) for name, *_ in rows], color=INK)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    room = 1 + 0.034 * max(len(text) for *_, text in rows)
    axes.set_xlim(0, room * (max(values) or 1.0))
    axes.set_xlabel(xlabel)
    axes.xaxis.get_major_locator().set_params(nbins=5)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.12g}")
    axes.grid(visible=False, axis="y")
    return chart


def _diagonal(axes: Any, low: float, high: float) -> None:
    axes.plot((low, high), (low, high), color=MUTED, lw=1, ls=":", zorder=4)


def _short(name: str) -> str:
    return str(name) if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
