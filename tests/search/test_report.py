from dataclasses import asdict

import pytest

from edgebio.report import page
from edgebio.search import search
from edgebio.search.report import search_page
from tests.report.browser import assert_readable
from tests.search import stand_in


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Document and HTML page of a search."""
    folder = tmp_path_factory.mktemp("search")
    with pytest.MonkeyPatch.context() as patch:
        stand_in.install(patch.setattr, stand_in.Trainings())
        document = search(stand_in.request(9), stand_in.subjects(2), folder, jobs=1)
    path = page.write(search_page(folder), folder / page.FILE)
    return document, path.read_text("utf-8")


def test_page_shows_the_front_and_every_candidate(searched):
    document, text = searched
    for row in document["front"]:
        assert f'<th scope="row">{row["name"]}</th>' in text
        assert f"{row['accuracy']:.4f}" in text
    for row in document["candidates"]:
        assert f'<th scope="row">{row["number"]}</th>' in text
    assert "Held out from all candidates: session 2 of subjects 1 and 2." in text
    assert "30,000 bytes of flash" in text
    assert "NaN" not in text
    assert asdict(stand_in.LIMITS) == document["limits"]


@pytest.mark.parametrize("width", [390, 1280])
def test_page_is_readable(searched, width, tmp_path):
    assert assert_readable(searched[1], width, tmp_path)["figures"] == 2
