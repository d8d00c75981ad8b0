"""Charts as files of their own: SVG that follows the reader's light or dark, PNG on white.

PNG is drawn by resvg, in the letters that matplotlib brings: the same on every machine.
"""

import base64
import html.parser
import io
import re
from importlib.util import find_spec
from pathlib import Path

from markupsafe import Markup

from edgebio import storage
from edgebio.errors import EdgebioError, MissingToolError
from edgebio.report import svg
from edgebio.report.page import Figure, of, sheet

_BORDER = 10
_ZOOM = 3.0
"""Pixels of a PNG for one unit of a chart."""


def write(folder: Path, target: Path) -> list[Path]:
    """Write every figure of a run's or an evaluation's page as .svg and .png.

    Parameters
    ----------
    folder
        What ``edgebio train`` or ``edgebio evaluate`` has left behind.
    target
        Folder to write to; made where missing.

    Returns
    -------
    list of Path
        The files, in the page's order.

    Raises
    ------
    EdgebioError
        Where the folder is neither, or a file of it is damaged.
    """
    written = []
    figures = [figure for section in of(folder).sections for figure in section.figures]
    for number, figure in enumerate(figures, 1):
        drawn = chart(figure)
        name = re.sub(r"[^a-z0-9]+", "-", _title(drawn).lower()).strip("-")[:60]
        for suffix in (".svg", ".png"):
            written.append(save(drawn, target / f"{number:02d}-{name}{suffix}"))
    return written


def save(drawn: Markup, path: Path) -> Path:
    """Write a chart as the suffix says, .svg or .png.

    Raises
    ------
    EdgebioError
        Where the suffix is another one.
    """
    if path.suffix.lower() == ".svg":
        storage.write_text(path, alone(drawn))
    elif path.suffix.lower() == ".png":
        storage.write_bytes(path, png(drawn))
    else:
        raise EdgebioError(f"{path}: a chart is written as .svg or .png")
    return path


def chart(figure: Figure) -> Markup:
    """SVG of a figure; pictures in HTML are set under each other."""
    if figure.picture.lstrip().startswith("<svg"):
        return figure.picture
    found = _Pictures()
    found.feed(figure.picture)
    strips = [(name, address, _part(address)) for name, address in found.pictures]
    return svg.pictures(figure.caption.partition(",")[0].partition(".")[0], strips)


def alone(drawn: Markup) -> str:
    """Make a chart that was drawn for the page an SVG file, with a border and its own style."""
    return _document(drawn, sheet("chart.css"))


def png(drawn: Markup) -> bytes:
    """Draw a chart in light colours.

    Raises
    ------
    MissingToolError
        Where resvg or matplotlib is not installed.
    """
    try:
        import resvg_py
    except ImportError:
        raise MissingToolError("PNG needs: pip install 'edgebio[train]'") from None
    drawing = find_spec("matplotlib")  # for its letters alone, so it is not imported
    if drawing is None or drawing.origin is None:
        raise MissingToolError("letters in PNG need: pip install 'edgebio[train]'")
    letters = Path(drawing.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
    source = _document(drawn, _light(sheet("chart.css")))
    image: bytes = resvg_py.svg_to_bytes(
        svg_string=source, zoom=_ZOOM, skip_system_fonts=True, font_files=[str(letters)],
        font_family="DejaVu Sans", sans_serif_family="DejaVu Sans",
    )  # fmt: skip
    return bytes(image)


def stacked(title: str, charts: list[Markup]) -> Markup:
    """Set charts under each other, in one."""
    parts, y = [], 0.0
    for drawn in charts:
        width, height = _size(drawn)
        inner = drawn[drawn.index(">") + 1 : drawn.rindex("</svg>")]
        parts.append(Markup('<g transform="translate(0 {:.0f})">{}</g>').format(y, Markup(inner)))
        y += height + 16
    return Markup('<svg viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}</svg>').format(
        width, y - 16, title, Markup("").join(parts)
    )


def _document(drawn: Markup, style: str) -> str:
    width, height = (size + 2 * _BORDER for size in _size(drawn))
    inner = drawn[drawn.index(">") + 1 : drawn.rindex("</svg>")]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-_BORDER} {-_BORDER} {width:.0f} '
        f'{height:.0f}" width="{width:.0f}" height="{height:.0f}" role="img" '
        f'aria-label="{Markup.escape(_title(drawn))}"><style>{style}</style>'
        f'<rect class="paper" x="{-_BORDER}" y="{-_BORDER}" width="{width:.0f}" '
        f'height="{height:.0f}"/>{inner}</svg>\n'
    )


def _light(style: str) -> str:
    """Style sheet with the colours of its first block in place of their names.

    resvg knows neither names of colours nor conditions.
    """
    first, _, rest = style.partition("}")
    colours = dict(re.findall(r"(--[a-z]+):\s*([^;]+);", first))
    rules = re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", rest)
    return re.sub(r"var\((--[a-z]+)\)", lambda found: colours[found[1]], rules)


def _size(drawn: Markup) -> tuple[float, float]:
    found = re.match(r'\s*<svg viewBox="0 0 ([0-9.]+) ([0-9.]+)"', drawn)
    if not found:
        raise ValueError("not a chart")
    return float(found[1]), float(found[2])


def _title(drawn: Markup) -> str:
    found = re.search(r'aria-label="([^"]*)"', drawn)
    return Markup(found[1]).unescape() if found else "figure"


def _part(address: str) -> float:
    """Height of a picture as a part of its width."""
    from PIL import Image

    with Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as image:
        width, height = image.size
    return float(height / width)


class _Pictures(html.parser.HTMLParser):
    """Pictures of an HTML figure, each with the text before it."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[tuple[str, str]] = []
        self._text = ""

    def handle_data(self, data: str) -> None:
        self._text = data.strip() or self._text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("src")
        if tag == "img" and address:
            self.pictures.append((self._text, address))
            self._text = ""
