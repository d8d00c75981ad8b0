"""Plots of recordings: a trace and a spectrum of each class, readable on a phone."""

import io
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from edgebio import datasets
from edgebio.datasets import synthetic
from edgebio.errors import EdgebioError
from edgebio.recordings import Recording, summary
from edgebio.report import plots, signals, svg

from .test_report import browser, opened


def recordings(**changes):
    """Three classes at 1 kHz: a tone of 50 Hz, one of 200 Hz four times as strong, and none."""
    time = np.arange(3000) / 1000
    samples = np.zeros((3000, 5), np.int16)
    samples[:1500, 1] = 500 * np.sin(2 * np.pi * 50 * time[:1500])
    samples[1500:, 1] = 2000 * np.sin(2 * np.pi * 200 * time[1500:])
    samples[:, 3] = samples[:, 1] // 4
    labels = np.repeat([0, 1], 1500).astype(np.int16)
    told = {"samples": samples, "rate": 1000.0, "units": "counts", "labels": labels,
            "classes": ("slow", "fast", "<never>"), "subject": "7", "session": "1",
            "repetition": 0, "source": "x"}  # fmt: skip
    return [Recording(**{**told, **changes})]


def points(drawn, kind):
    found = re.findall(rf'<polyline class="trace {kind}" points="([^"]*)"', drawn)
    return [np.array([p.split(",") for p in one.split()], float) for one in found]


def test_the_channels_that_move_are_drawn_at_one_scale() -> None:
    found = signals.examples(recordings())
    assert [(e.begin, e.end) for e in found] == [(0, 1500), (1500, 3000), (0, 0)]
    channels = signals.strongest(found)
    assert channels[-2:] == [1, 3]
    drawn = signals.signals(found, channels)
    key, slow, fast = points(drawn, "second")
    assert len(key) == 2
    middle = len(slow) // 2
    heights = [np.ptp(curve[middle - 60 : middle + 60, 1]) for curve in (slow, fast)]
    assert heights[1] / heights[0] == pytest.approx(4, rel=0.1)
    assert "&lt;never&gt;" in drawn


def test_a_tone_peaks_where_it_is_in_the_spectrum() -> None:
    pytest.importorskip("scipy", reason="SciPy is not installed")
    found = signals.examples(recordings())
    drawn = signals.spectra(found, [1])
    _, slow, fast = points(drawn, "first")
    width = slow[-1, 0] - (svg._NAME - 12)
    for curve, hertz in ((slow, 50), (fast, 200)):
        peak = curve[curve[:, 1].argmin(), 0] - (svg._NAME - 12)
        assert peak / width * 500 == pytest.approx(hertz, abs=4)
    assert len(points(drawn, "first")) == 3  # the key, two classes; the empty one is a dash
    assert ">–</text>" in drawn


@pytest.mark.parametrize("suffix", [".svg", ".png", ".html"])
def test_a_plot_is_written_as_its_suffix_says(tmp_path, suffix) -> None:
    pytest.importorskip("scipy", reason="SciPy is not installed")
    if suffix == ".png":
        pytest.importorskip("resvg_py", reason="the package resvg-py is not installed")
    held = recordings()
    described = replace(datasets.get("emg-synthetic"), name="mine", classes=held[0].classes)
    path = signals.write(tmp_path / f"a{suffix}", described, held, summary.summarise(held))
    if suffix == ".svg":
        root = ElementTree.fromstring(path.read_text())
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert float(root.get("width")) <= 390
    elif suffix == ".html":
        browser()
        for width in (390, 1280):
            seen, console = opened(path.read_text(), width, tmp_path)
            assert (seen["empty"], seen["cut"], seen["figures"]) == ([], [], 2)
            assert seen["scroll"] <= seen["inner"] == width
            assert not console
    else:
        from PIL import Image

        with Image.open(io.BytesIO(path.read_bytes())) as image:
            assert image.width == 3 * 360
            colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 24)}
        assert {(255, 255, 255), (11, 110, 143), (194, 97, 12)} <= colours


def test_letters_are_drawn_whatever_the_machine_has() -> None:
    pytest.importorskip("resvg_py", reason="the package resvg-py is not installed")
    empty = svg.bars("x", [("", 0.5, "")], 1.0)
    assert plots.png(svg.bars("x", [("conv", 0.5, "")], 1.0)) != plots.png(empty)
    assert plots.png(empty) == plots.png(empty)


def test_colours_are_resolved_and_conditions_gone_for_png() -> None:
    style = plots._light(plots.sheet("chart.css"))
    assert "var(" not in style
    assert "@media" not in style
    assert ".curve { fill: none; stroke: #0b6e8f" in style


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("a.pdf", {}, "a.pdf: a plot is written as .svg, .png, .html"),
        ("a.svg", {"labels": np.full(3000, -1, np.int16)}, "no sample has a class"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(tmp_path, name, changes, message) -> None:
    held = recordings(**changes)
    described = datasets.get("emg-synthetic")
    with pytest.raises(EdgebioError, match=message):
        signals.write(tmp_path / name, described, held, summary.summarise(held))
    assert not (tmp_path / name).exists()


def test_many_classes_brief_stretches_and_silence_are_drawn() -> None:
    pytest.importorskip("scipy", reason="SciPy is not installed")
    silent = recordings(samples=np.zeros((3000, 1), np.int16), classes=tuple("abcdefghijklmnop"),
                        labels=(np.arange(3000) // 20 % 16).astype(np.int16))  # fmt: skip
    found = signals.examples(silent)
    assert len(found) == 12
    for drawn in (signals.signals(found, [0]), signals.spectra(found, [0])):
        assert "nan" not in drawn.lower()
    assert synthetic.DATASET.name == "emg-synthetic"
