"""A chart: a matplotlib figure that a page shows inline and a file holds as SVG or PNG.

matplotlib is imported when the first chart is drawn. `pyplot` and its global state are not used;
the settings of `style.RC` hold only while a chart is drawn or rendered.
"""

import functools
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Final, Literal, ParamSpec

from markupsafe import Markup

from edgebio import storage
from edgebio.errors import EdgebioError
from edgebio.report import style

WIDTH: Final = 340
"""Width of a chart in points; a phone shows it at its natural size."""

FORMATS: Final = (".svg", ".png")

_PNG_SCALE = 3  # pixels for a point
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_Draw = ParamSpec("_Draw")


@dataclass(frozen=True, eq=False)
class Chart:
    """A drawn figure.

    Attributes
    ----------
    title
        Text for readers who cannot see it, and the base of its file name.
    width, height
        In points.
    figure
        The matplotlib figure.
    """

    title: str
    width: float
    height: float
    figure: Any
    _tooltips: list[str] = field(default_factory=list)

    @property
    def wide(self) -> bool:
        """Whether it takes the whole width of a page, and is scrolled on a phone."""
        return self.width > WIDTH + 1

    def add_tooltip(self, artist: Any, text: str) -> None:
        """Show `text` where the pointer rests on an artist of the figure."""
        artist.set_gid(f"tooltip{len(self._tooltips)}")
        self._tooltips.append(text)

    def inline(self, salt: str) -> Markup:
        """SVG element for an HTML page, whose style sheet includes `style.css`.

        Parameters
        ----------
        salt
            Unlike that of every other chart of the page, so that no two ids are the same.
        """
        size = f"max-width: {1.3 * self.width:.0f}px"
        if self.wide:
            size += f"; min-width: {self.width:.0f}px"
        return Markup(f'<svg style="{size}" {self._attributes()}>{self._elements(salt)}</svg>')

    def svg(self) -> str:
        """SVG document that follows the reader's light or dark scheme."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'width="{self.width:g}" height="{self.height:g}" {self._attributes()}>'
            f"<style>\n{style.css()}</style>{self._elements('edgebio')}</svg>\n"
        )

    def png(self) -> bytes:
        """PNG image in the light colors, three pixels for a point."""
        return self._render("png", metadata={"Software": None}, dpi=72 * _PNG_SCALE)

    def save(self, path: Path) -> Path:
        """Write the chart as .svg or .png, as the suffix says.

        Raises
        ------
        EdgebioError
            For any other suffix.
        """
        if path.suffix.lower() not in FORMATS:
            raise EdgebioError(f"{path}: cannot write a chart as {path.suffix}; use .svg or .png")
        data = self.png() if path.suffix.lower() == ".png" else self.svg().encode()
        storage.write_bytes(path, data)
        return path

    def _attributes(self) -> str:
        view = f"0 0 {self.width:g} {self.height:g}"
        return f'viewBox="{view}" role="img" aria-label="{escape(self.title)}"'

    def _elements(self, salt: str) -> str:
        """What is inside matplotlib's root element: no metadata, no style sheet, no unused ids."""
        text = self._render("svg", salt, metadata=_NO_METADATA).decode()
        text = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
        text = re.sub(r"<metadata>.*?</metadata>|<defs>\s*<style.*?</defs>", "", text, flags=re.S)
        for number, tip in enumerate(self._tooltips):
            text = text.replace(f' id="tooltip{number}">', f"><title>{escape(tip)}</title>", 1)
        text = re.sub(r' d="[^"]*"', lambda d: re.sub(r"(\.\d\d)\d+", r"\1", d[0]), text)
        used = set(re.findall(r'(?:="|\()#(\w+)', text))
        text = re.sub(r' id="([^"]*)"', lambda id_: id_[0] if id_[1] in used else "", text)
        return re.sub(r"\n\s*", "\n", text)

    def _render(self, suffix: str, salt: str = "", **options: Any) -> bytes:
        import matplotlib

        buffer = io.BytesIO()
        with matplotlib.rc_context({**style.RC, "svg.hashsalt": salt}):
            self.figure.savefig(buffer, format=suffix, **options)
        return buffer.getvalue()


def styled(draw: Callable[_Draw, Chart]) -> Callable[_Draw, Chart]:
    """Decorate a function that draws a chart: matplotlib's settings are those of `style.RC`."""

    @functools.wraps(draw)
    def wrapper(*args: _Draw.args, **kwargs: _Draw.kwargs) -> Chart:
        import matplotlib

        with matplotlib.rc_context(style.RC):
            return draw(*args, **kwargs)

    return wrapper


def blank(
    title: str,
    height: float,
    width: float = WIDTH,
    layout: Literal["constrained"] | None = None,
) -> Chart:
    """Make an empty chart; call it from a function that is decorated with `styled`."""
    from matplotlib.figure import Figure

    return Chart(title, width, height, Figure((width / 72, height / 72), layout=layout))


def with_axes(title: str, height: float, width: float = WIDTH) -> tuple[Chart, Any]:
    """Make a chart of one pair of axes that fill it."""
    chart = blank(title, height, width, layout="constrained")
    return chart, chart.figure.subplots()


def add_legend(chart: Chart) -> None:
    """Write the legend above all axes of a chart, each label once."""
    entries: dict[str, Any] = {}
    for axes in chart.figure.axes:
        handles, labels = axes.get_legend_handles_labels()
        entries |= dict(zip(labels, handles, strict=True))
    if entries:
        chart.figure.legend(
            list(entries.values()), list(entries), loc="outside upper left", ncols=4,
            columnspacing=1.2, borderaxespad=0.2,
        )  # fmt: skip
