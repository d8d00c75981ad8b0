"""Pages are readable on a phone and a screen, light and dark, and need nothing but themselves."""

import re

import pytest

from edgebio.report import page
from edgebio.report.page import Figure, Listing, Page, Section, Table, Tile

from .browser import assert_readable, executable, open_page
from .samples import all_charts


@pytest.fixture(scope="module")
def document() -> Page:
    table = Table(["<name>", *["a long heading"] * 12], [["<b>", *["1,000,000"] * 12]] * 2)
    return Page(
        "Title", "subtitle", [Tile("accuracy", "98.0\u00a0%", "int8")],
        [
            Section("Text", ["<i>escaped</i>", Listing("edgebio train\n" + 80 * "x ")]),
            Section("Empty"),
            Section("Charts", figures=[Figure(chart, chart.title) for chart in all_charts()]),
            Section("Tables", tables=[table]),
        ],
        "model 1234", ["a note"],
    )  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_page_is_readable(document, width, scheme, tmp_path) -> None:
    seen = assert_readable(page.render(document), width, tmp_path, scheme)
    assert seen["figures"] == len(document.sections[2].figures)


def test_the_browser_check_reports_each_fault(tmp_path) -> None:
    executable()
    faults = (
        '<html><body><div style="width:900px">wide</div><figure><svg aria-label="none" '
        'viewBox="0 0 340 100"></svg></figure><img src="data:image/png;base64,AAAA">'
        '<figure><svg aria-label="out" style="width:300px" viewBox="0 0 340 100"><rect x="300" '
        'width="200" height="50"/><text fill="#123456">a</text></svg></figure>'
        '<script>console.error("fault")</script></body></html>'
    )
    seen, console = open_page(faults, 390, tmp_path)
    assert seen["scroll"] > 390
    assert (seen["empty"], seen["broken"], seen["cut"]) == (["none"], 1, ["out"])
    assert seen["ink"] == ["rgb(18, 52, 86)"]
    assert any("fault" in line for line in console)


def test_page_is_one_file_without_scripts(document) -> None:
    text = page.render(document)
    assert "<script" not in text
    assert not re.search(r"(?:src|href)=\"(?!data:|#)", text)
    assert not re.search(r"url\((?!#)|@import", text)
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert "&lt;i&gt;escaped&lt;/i&gt;" in text
    assert "<h2>Empty" not in text
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_every_figure_is_written_as_svg_and_png(document, tmp_path) -> None:
    paths = page.write_charts(document, tmp_path)
    assert len(paths) == 2 * len(document.sections[2].figures)
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert paths[0].name == "01-loss-over-epochs.svg"
