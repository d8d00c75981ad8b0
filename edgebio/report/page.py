"""A page: sections of text, figures and tables, rendered as one HTML file without scripts."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple, Self

import jinja2
from markupsafe import Markup

import edgebio
from edgebio import storage
from edgebio.report import style
from edgebio.report.chart import Chart

FILE = "report.html"

Columns = Mapping[str, str | Callable[[Any], str]]
"""Heading and cell of each column; a cell is a format string or a function of a document."""


@dataclass(frozen=True)
class Listing:
    """Text that is shown as it is typed: commands, or a picture of letters."""

    text: str


@dataclass(frozen=True)
class Figure:
    """A chart with its caption."""

    chart: Chart
    caption: str


@dataclass(frozen=True)
class Table:
    """Rows of text; all columns but the first are aligned to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    emphasize_last: bool = False

    @classmethod
    def tabulate(
        cls, documents: Iterable[Mapping[str, Any]], columns: Columns, caption: str = ""
    ) -> Self:
        """Table with a row for each document."""
        rows = [
            [
                cell.format_map(row) if isinstance(cell, str) else cell(row)
                for cell in columns.values()
            ]
            for row in documents
        ]
        return cls(list(columns), rows, caption)


@dataclass(frozen=True)
class Section:
    """A heading, paragraphs, figures and tables; one with nothing but its title is left out."""

    title: str
    text: Sequence[str | Listing] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()


class Tile(NamedTuple):
    """A key metric at the top of a page."""

    name: str
    value: str
    remark: str = ""


@dataclass(frozen=True)
class Page:
    """Content of the file.

    Attributes
    ----------
    title, subtitle
        What was done, and with which data.
    source
        What identifies the model or the result.
    notes
        Remarks at the foot.
    """

    title: str
    subtitle: str
    tiles: Sequence[Tile]
    sections: Sequence[Section]
    source: str = ""
    notes: Sequence[str] = ()


def render(page: Page) -> str:
    """Render a page as HTML."""
    folder = resources.files("edgebio.report") / "templates"
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("edgebio.report"), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    return environment.get_template("page.html").render(
        page=page, style=Markup(style.css() + (folder / "style.css").read_text("utf-8")),
        version=edgebio.__version__,
    )  # fmt: skip


def write(page: Page, path: Path) -> Path:
    """Write a page as HTML."""
    storage.write_text(path, render(page))
    return path


def write_charts(page: Page, folder: Path) -> list[Path]:
    """Write every chart of a page as .svg and .png, numbered in the page's order."""
    paths = []
    figures = [figure for section in page.sections for figure in section.figures]
    for number, figure in enumerate(figures, 1):
        name = re.sub(r"[^a-z0-9]+", "-", figure.chart.title.lower()).strip("-")[:60]
        for suffix in (".svg", ".png"):
            paths.append(figure.chart.save(folder / f"{number:02d}-{name}{suffix}"))
    return paths


def percent(value: float | None) -> str:
    """A share in percent, which stays on one line, or a dash."""
    return "–" if value is None else f"{100 * value:.1f}\u00a0%"


def decimal(value: float | None) -> str:
    """A metric within 0 to 1, or a dash."""
    return "–" if value is None else f"{value:.3f}"


def metric(name: str) -> Callable[[Mapping[str, Any]], str]:
    """Column of `Table.tabulate`: a metric within 0 to 1, or a dash."""
    return lambda row: decimal(row.get(name))


def join_words(words: Sequence[str]) -> str:
    """Join words with commas and a last "and"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
