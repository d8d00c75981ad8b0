"""Charts are to scale, deterministic, and follow the reader's scheme."""

import io
import re
from xml.etree import ElementTree

import matplotlib.image
import matplotlib.pyplot
import numpy as np
import pytest

from edgebio.errors import EdgebioError
from edgebio.report import charts, pareto, signal_charts, style

from .samples import all_charts


def test_every_chart_is_a_valid_deterministic_svg() -> None:
    ids: list[str] = []
    for number, (first, second) in enumerate(zip(all_charts(), all_charts(), strict=True)):
        text = first.svg()
        assert text == second.svg(), first.title
        root = ElementTree.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert float(root.attrib["width"]) == first.width
        assert not re.search(r"nan|<metadata|\d{4}-\d\d-\d\d", text), first.title
        inline = first.inline(str(number))
        own = set(re.findall(r' id="([^"]+)"', inline))
        assert own == set(re.findall(r'(?:="|\()#(\w+)', inline))
        ids += own
    assert len(ids) == len(set(ids))


def test_charts_use_only_colors_of_the_palette() -> None:
    """Any other color would not change with the reader's scheme."""
    known = {light for light, _ in style.PALETTE.values()}
    for chart in all_charts():
        colors = set(re.findall(r"(?:fill|stroke): (#\w+)", chart.inline("")))
        assert colors <= known, chart.title


def test_charts_leave_no_global_state() -> None:
    before = dict(matplotlib.rcParams)
    all_charts()
    assert dict(matplotlib.rcParams) == before
    assert matplotlib.pyplot.get_fignums() == []


def test_png_has_three_pixels_a_point(tmp_path) -> None:
    chart = charts.bars("Bars", [("conv", 1.0, "1")], "value")
    path = chart.save(tmp_path / "bars.png")
    image = matplotlib.image.imread(io.BytesIO(path.read_bytes()), format="png")
    assert image.shape[:2] == (round(3 * chart.height), round(3 * chart.width))
    blue = [int(style.BLUE[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    assert np.isclose(image[..., :3], blue, atol=0.01).all(axis=-1).mean() > 0.05
    assert path.read_bytes() == chart.png()


def test_unknown_suffix_is_refused(tmp_path) -> None:
    chart = charts.bars("Bars", [("conv", 1.0, "1")], "value")
    with pytest.raises(EdgebioError, match=r"a\.pdf: cannot write a chart as \.pdf; use \.svg"):
        chart.save(tmp_path / "a.pdf")


def test_confusion_matrix_shades_shares_of_each_row() -> None:
    chart = charts.confusion_matrix("x", [[9, 1], [0, 0]], ["<rest>", "fist"])
    (axes,) = chart.figure.axes
    assert [(box.get_x(), box.get_y()) for box in axes.patches] == [(0, 0), (1, 0)]
    assert axes.patches[0].get_alpha() > 5 * axes.patches[1].get_alpha()
    assert [text.get_text() for text in axes.texts] == ["90", "10"]
    assert "<title>&lt;rest&gt; decided as fist: 1 of 10</title>" in chart.svg()


def test_scatter_lifts_values_that_have_no_logarithm() -> None:
    chart = charts.predicted_over_true("x", [0.1, 1.0], [-5.0, 1.0], "sd", logarithmic=True)
    points = chart.figure.axes[0].lines[-1]
    np.testing.assert_allclose(points.get_ydata(), [0.01, 1.0])


def test_pareto_front_is_a_rising_staircase() -> None:
    points = [
        pareto.ParetoPoint(str(k), cost, score, "front", "")
        for k, (cost, score) in enumerate([(4.0, 0.9), (1.0, 0.5), (2.0, 0.7)])
    ]
    chart = pareto.pareto_front("x", points, "ms", "accuracy", "recipe")
    steps = chart.figure.axes[0].lines[0]
    np.testing.assert_array_equal(steps.get_xdata(), [1, 2, 4])
    np.testing.assert_array_equal(steps.get_ydata(), [0.5, 0.7, 0.9])
    assert sorted(text.get_text() for text in chart.figure.axes[0].texts) == ["0", "1", "2"]


def test_stft_image_has_frames_to_the_right_and_bins_upwards() -> None:
    image = np.full((3, 4, 2), -128, np.int8)
    image[2, 3, 1] = 127
    chart = signal_charts.stft_images("x", [("rest", image)], 200, (0, 500))
    pixels = chart.figure.axes[0].images[0].get_array()
    assert pixels.shape == (4, 2 * 3 + 1)
    assert pixels[3, 6] == 127
    assert np.ma.getmaskarray(pixels)[:, 3].all()  # the gap between two channels
