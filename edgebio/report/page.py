"""The page: sections of pictures and tables, put into one HTML file."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

import edgebio
from edgebio import storage
from edgebio.errors import EdgebioError

FILE = "report.html"


@dataclass(frozen=True)
class Figure:
    """A chart or picture with its caption; `wide` ones take the whole width of a screen."""

    picture: Markup
    caption: str
    wide: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of text; all columns but the first are aligned to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    last_stands_out: bool = False


@dataclass(frozen=True)
class Section:
    """A heading, what is to be said, and what is to be seen."""

    title: str
    words: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()


@dataclass(frozen=True)
class Page:
    """Everything that is in the file.

    Attributes
    ----------
    title, subtitle
        What was done, and on what.
    tiles
        Key figures: name, value, and a remark.
    sections
        In order; empty ones are left out.
    made_from
        What identifies the model or the result.
    """

    title: str
    subtitle: str
    tiles: Sequence[tuple[str, str, str]]
    sections: Sequence[Section]
    made_from: str = ""
    notes: Sequence[str] = field(default=())


def write(folder: Path) -> Path:
    """Write ``report.html`` into the folder of a run, an evaluation or a search.

    Parameters
    ----------
    folder
        What ``edgebio train``, ``edgebio evaluate`` or ``edgebio search`` has left behind.

    Returns
    -------
    Path
        The file: HTML with everything inside it, without scripts.

    Raises
    ------
    EdgebioError
        Where the folder is neither, or a file of it is damaged.
    """
    path = folder / FILE
    storage.write_text(path, render(of(folder)))
    return path


def of(folder: Path) -> Page:
    """Tell what is known of a run, an evaluation or a search; see `write`."""
    from edgebio.evaluation.evaluate import DOCUMENT
    from edgebio.report import evaluation, imitation, run, search
    from edgebio.search import DOCUMENT as SEARCHED
    from edgebio.training.imitation import is_one

    if (folder / SEARCHED).is_file():
        return search.page(read(folder / SEARCHED))
    if (folder / DOCUMENT).is_file():
        return evaluation.page(folder, read(folder / DOCUMENT))
    return imitation.page(folder) if is_one(folder) else run.page(folder)


def render(page: Page) -> str:
    """Render a page as HTML."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("edgebio.report"), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    style = sheet("chart.css") + sheet("style.css")
    return environment.get_template("page.html").render(
        page=page, style=Markup(style), version=edgebio.__version__
    )


def sheet(name: str) -> str:
    """A style sheet: ``chart.css`` has the colours and the charts, ``style.css`` the rest."""
    return (resources.files("edgebio.report") / "templates" / name).read_text("utf-8")


def read(path: Path) -> dict[str, Any]:
    """Read a JSON document of ours.

    Raises
    ------
    EdgebioError
        Where it is damaged.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise EdgebioError(f"{path}: damaged ({error}); make it again") from None
    if not isinstance(found, dict):
        raise EdgebioError(f"{path}: damaged (not an object); make it again")
    return found


def share(value: float | None) -> str:
    """A share in per cent, which stays on one line, or a dash."""
    return "–" if value is None else f"{100 * value:.1f}\u00a0%"


def figure(value: float | None) -> str:
    """A figure within 0 to 1, or a dash."""
    return "–" if value is None else f"{value:.3f}"
