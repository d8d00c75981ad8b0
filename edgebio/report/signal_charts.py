"""Charts of signals: traces and spectra by class, STFT images, Grad-CAM."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.report.chart import WIDTH, Chart, add_legend, blank, styled
from edgebio.report.style import INK, MUTED, SERIES

Floats = npt.NDArray[np.float64]
Curve = tuple[Floats, Floats]
"""x in units of the axis, and y within 0 to 1 of a row; of one shape (points,)."""

_ROW = 46.0  # points of a row of traces
_PICTURE = 50.0  # height of an STFT image
_COLUMN = 300.0  # width of one


@dataclass(frozen=True, eq=False)
class Panel:
    """Rows of curves over one axis.

    Attributes
    ----------
    rows
        Name, and up to three curves; a row without any says so.
    xlabel, ylabel
        Quantity and unit; `ylabel` tells the height of a row.
    """

    rows: Sequence[tuple[str, Sequence[Curve]]]
    xlabel: str
    ylabel: str


@styled
def curves_by_class(title: str, panels: Sequence[Panel], labels: Sequence[str]) -> Chart:
    """Draw traces or spectra, a row for each class, in panels below each other.

    Parameters
    ----------
    labels
        Names of a row's curves.
    """
    count = sum(len(panel.rows) for panel in panels)
    chart = blank(title, _ROW * count + 34 + 40 * len(panels), layout="constrained")
    grid = chart.figure.subplots(
        len(panels), squeeze=False, height_ratios=[len(panel.rows) for panel in panels]
    )
    for panel, axes in zip(panels, grid[:, 0], strict=True):
        n = len(panel.rows)
        for row, (name, curves) in enumerate(panel.rows):
            for (x, y), color, label in zip(curves, SERIES, labels, strict=False):
                axes.plot(x, n - 1 - row + 0.04 + 0.92 * y, color=color, lw=0.8, label=label)
            if not curves:
                place = {"xycoords": ("axes fraction", "data"), "ha": "center", "va": "center"}
                axes.annotate(f"no signal of {name}", (0.5, n - row - 0.5), color=MUTED, **place)
        axes.set_yticks(
            np.arange(n) + 0.5, [_two_lines(name) for name, _ in reversed(panel.rows)], color=INK
        )
        axes.set_yticks(range(n + 1), minor=True)
        axes.grid(visible=False, axis="y")
        axes.grid(which="minor", axis="y")
        axes.margins(x=0.01)
        axes.set(ylim=(0, n), xlabel=panel.xlabel, ylabel=panel.ylabel)
        axes.spines["left"].set_visible(False)
    add_legend(chart)
    return chart


@styled
def stft_images(
    title: str,
    images: Sequence[tuple[str, npt.NDArray[np.int8]]],
    duration: float,
    frequencies: tuple[float, float],
) -> Chart:
    """Draw STFT images, each with its channels side by side.

    Parameters
    ----------
    images
        Caption, and int8 image of shape (frames, bins, channels).
    duration
        Of an image, in milliseconds.
    frequencies
        Of the first and the last bin, in Hz.
    """
    columns = min(3, math.ceil(len(images) / 14))
    rows = math.ceil(len(images) / columns)
    height = _PICTURE + 22
    chart = blank(title, height * rows + 56, (_COLUMN + 40) * columns)
    for number, (caption, image) in enumerate(images):
        column, row = divmod(number, rows)
        frames, bins, channels = image.shape
        # A missing value between two channels leaves the page visible.
        pixels = np.full((bins, channels, frames + 1), np.nan)
        pixels[:, :, :frames] = image.transpose(1, 2, 0)
        left = 34 + column * (_COLUMN + 40)
        axes = _picture(chart, left, 20 + row * height, _COLUMN, _PICTURE)
        shades = axes.imshow(
            pixels.reshape(bins, -1)[:, :-1], cmap="viridis", vmin=-128, vmax=127,
            aspect="auto", origin="lower",
        )  # fmt: skip
        axes.set_title(caption)
        axes.set_yticks((0, bins - 1), [f"{hertz:.0f}" for hertz in frequencies], size=8)
        if row == rows - 1 or number == len(images) - 1:
            shown = range(0, channels, math.ceil(channels / 20))
            middles = [frames / 2 - 0.5 + k * (frames + 1) for k in shown]
            axes.set_xticks(middles, [str(k + 1) for k in shown], size=8)
            axes.set_xlabel(f"channel; each is {duration:.0f} ms wide", size=9)
    chart.figure.text(4 / chart.width, 1 - 2 / chart.height, "Hz", size=8, color=MUTED, va="top")
    place = _picture(chart, 34, chart.height - 22, 120, 6)
    bar = chart.figure.colorbar(shades, cax=place, orientation="horizontal")
    bar.set_ticks((-128, 0, 127), labels=("-128", "0", "127   int8, base-2 logarithm"))
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)
    bar.ax.get_xticklabels()[-1].set_horizontalalignment("left")
    return chart


@dataclass(frozen=True, eq=False)
class Attention:
    """Grad-CAM of a class.

    Attributes
    ----------
    name
        The class.
    image
        One example, mean over channels, shape (frames, bins), within -128 to 127.
    heat, mean
        Grad-CAM of the example, and its mean over `count` examples; shape (frames, bins), 0 to 1.
    """

    name: str
    image: npt.NDArray[Any]
    heat: npt.NDArray[Any]
    mean: npt.NDArray[Any]
    count: int


@styled
def gradcam(title: str, classes: Sequence[Attention]) -> Chart:
    """Draw Grad-CAM over one image of each class (left), and its mean over the class (right)."""
    from matplotlib import colormaps

    pairs = 2 * min(3, math.ceil(len(classes) / 28))
    side, height = 74.0, 74.0 + 34
    chart = blank(title, height * math.ceil(len(classes) / pairs) + 4, WIDTH * pairs / 2)
    for number, one in enumerate(classes):
        row, column = divmod(number, pairs)
        pictures = [("one image", one.image, one.heat)]
        if one.count:
            pictures.append((f"mean of {one.count}", np.full_like(one.image, -128), one.mean))
        for k, (caption, image, heat) in enumerate(pictures):
            left = column * (2 * side + 22) + k * (side + 4) + 2
            axes = _picture(chart, left, row * height + 18, side, side)
            axes.imshow(image.T, cmap="gray", vmin=-128, vmax=160, aspect="auto", origin="lower")
            colors = colormaps["inferno"](heat.T)
            colors[..., 3] = 0.85 * heat.T
            axes.imshow(colors, aspect="auto", origin="lower")
            axes.set_yticks(())
            axes.set_xlabel(caption, size=8, labelpad=1)
            if not k:
                axes.set_title(one.name)
    return chart


def _picture(chart: Chart, left: float, top: float, width: float, height: float) -> Any:
    """Axes without grid and frame at a place in points from the upper left corner."""
    place = (left, chart.height - top - height, width, height)
    size = (chart.width, chart.height) * 2
    axes = chart.figure.add_axes(tuple(a / b for a, b in zip(place, size, strict=True)))
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_xticks(())
    axes.tick_params(pad=2)
    return axes


def _two_lines(name: str) -> str:
    return "\n".join(textwrap.wrap(name, 16)[:2])
