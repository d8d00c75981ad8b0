"""Plots of recordings: a trace and a spectrum of each class, readable on a phone."""

import io
from dataclasses import replace
from xml.etree import ElementTree

import matplotlib.image
import numpy as np
import pytest

from edgebio import datasets
from edgebio.datasets import signal_report
from edgebio.datasets.signal_report import write_signal_report
from edgebio.errors import EdgebioError
from edgebio.recordings.recording import Recording
from edgebio.recordings.summary import summarize
from tests.report.browser import assert_readable, executable


def recordings(**changes):
    """Three classes at 1 kHz: a tone of 50 Hz, one of 200 Hz four times as strong, and none."""
    time = np.arange(3000) / 1000
    samples = np.zeros((3000, 5), np.int16)
    samples[:1500, 1] = 500 * np.sin(2 * np.pi * 50 * time[:1500])
    samples[1500:, 1] = 2000 * np.sin(2 * np.pi * 200 * time[1500:])
    samples[:, 3] = samples[:, 1] // 4
    labels = np.repeat([0, 1], 1500).astype(np.int16)
    fields = {"samples": samples, "rate": 1000.0, "units": "counts", "labels": labels,
              "classes": ("slow", "fast", "<never>"), "subject": "7", "session": "1",
              "repetition": 0, "source": "x"}  # fmt: skip
    return [Recording(**{**fields, **changes})]


def test_traces_of_all_classes_have_one_scale() -> None:
    examples = signal_report.choose_examples(recordings())
    assert [(e.begin, e.end) for e in examples] == [(0, 1500), (1500, 3000), (0, 0)]
    channels = signal_report.strongest_channels(examples)
    assert channels[-2:] == [1, 3]
    panel = signal_report.trace_panel(examples, channels, 1000.0)
    (_, slow), (_, fast), (name, none) = panel.rows
    assert (name, none) == ("<never>", [])
    middles = [y[len(y) // 2 - 60 : len(y) // 2 + 60] for _, y in (slow[1], fast[1])]
    assert np.ptp(middles[1]) / np.ptp(middles[0]) == pytest.approx(4, rel=0.1)


def test_tone_peaks_at_its_frequency() -> None:
    pytest.importorskip("scipy", reason="SciPy is not installed")
    panel = signal_report.spectrum_panel(signal_report.choose_examples(recordings()), [1], 1000.0)
    for (_, curves), hertz in zip(panel.rows, (50, 200), strict=False):
        ((frequency, level),) = curves
        assert frequency[level.argmax()] == pytest.approx(hertz, abs=4)
    assert panel.rows[2] == ("<never>", [])


@pytest.mark.parametrize("suffix", [".svg", ".png", ".html"])
def test_suffix_chooses_the_format(tmp_path, suffix) -> None:
    pytest.importorskip("scipy", reason="SciPy is not installed")
    chosen = recordings()
    dataset = replace(datasets.get("emg-synthetic"), name="mine", classes=chosen[0].classes)
    path = tmp_path / f"a{suffix}"
    assert write_signal_report(path, dataset, chosen, summarize(chosen)) == path
    if suffix == ".svg":
        root = ElementTree.fromstring(path.read_text())
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert float(root.attrib["width"]) <= 390
        assert "no signal of &lt;never&gt;" in path.read_text()
    elif suffix == ".png":
        assert matplotlib.image.imread(io.BytesIO(path.read_bytes())).shape[1] == 3 * 340
    else:
        executable()
        for width in (390, 1280):
            assert assert_readable(path.read_text(), width, tmp_path)["figures"] == 2


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("a.pdf", {}, r"a\.pdf: cannot write a plot as \.pdf; use \.svg, \.png, \.html"),
        ("a.svg", {"labels": np.full(3000, -1, np.int16)}, "no sample has a class"),
    ],
)
def test_errors_are_reported_in_one_line(tmp_path, name, changes, message) -> None:
    chosen = recordings(**changes)
    dataset = datasets.get("emg-synthetic")
    with pytest.raises(EdgebioError, match=message) as error:
        write_signal_report(tmp_path / name, dataset, chosen, summarize(chosen))
    assert "\n" not in str(error.value)
    assert not (tmp_path / name).exists()


def test_many_classes_short_segments_and_silence_are_drawn(tmp_path) -> None:
    pytest.importorskip("scipy", reason="SciPy is not installed")
    silent = recordings(samples=np.zeros((3000, 1), np.int16), classes=tuple("abcdefghijklmnop"),
                        labels=(np.arange(3000) // 20 % 16).astype(np.int16))  # fmt: skip
    assert len(signal_report.choose_examples(silent)) == 12
    dataset = replace(datasets.get("emg-synthetic"), classes=silent[0].classes)
    path = write_signal_report(tmp_path / "a.svg", dataset, silent, summarize(silent))
    assert "nan" not in path.read_text().lower().replace("dominan", "")
