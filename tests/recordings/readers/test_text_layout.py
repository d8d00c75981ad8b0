"""The layout of text is detected, whatever separates, marks and surrounds the numbers."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio.errors import EdgebioError
from edgebio.recordings import ImportOptions, load_recording
from edgebio.recordings.readers.text_layout import detect_layout

separators = st.sampled_from([",", ";", "\t", "|", "  "])
headers = st.lists(
    st.sampled_from(["# made by hand", "Sampling frequency: 250 Hz", "% subject 7"]), max_size=3
)


@given(separators, st.sampled_from(".,"), headers, st.booleans(), st.booleans(),
       st.integers(2, 5), st.integers(0, 999), st.sampled_from(["utf-8", "utf-16"]))  # fmt: skip
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, separator: str, decimal: str, header: list[str],
    named: bool, trailing: bool, channels: int, seed: int, encoding: str,
) -> None:  # fmt: skip
    if separator == "," and decimal == ",":
        decimal = "."
    counts = np.random.default_rng(seed).integers(-999, 999, (30, channels))
    end = separator if trailing and separator != "  " else ""
    lines = [*header]
    if named:
        lines.append(separator.join(f"c{k}" for k in range(channels)) + end)
    for row in counts:
        lines.append(separator.join(f"{v / 4:.2f}".replace(".", decimal) for v in row) + end)
    path = tmp_path_factory.mktemp("text") / "x.txt"
    path.write_text("\n".join(lines), encoding=encoding)
    result = load_recording(path, options=ImportOptions(rate=100, lsb=0.25))
    np.testing.assert_array_equal(result.samples, counts)


def test_a_rate_in_the_header_is_read() -> None:
    for line in ("# Sampling frequency: 1925.926 Hz", "Sample Rate = 1925.926", "fs: 1.925926 kHz"):
        layout = detect_layout(Path("x"), f"{line}\na,b\n1,2\n3,4\n", True)
        assert layout.rate == pytest.approx(1925.926)


def test_names_above_units_are_names() -> None:
    layout = detect_layout(Path("x"), "time,left,right\ns,mV,mV\n0,1,2\n1,3,4\n", True)
    assert layout.names == ("time", "left", "right")
    assert layout.units == ("s", "mV", "mV")
    assert layout.first_line == 3


def test_text_without_numbers_is_refused() -> None:
    with pytest.raises(EdgebioError, match="no line of numbers"):
        detect_layout(Path("x"), "a,b\nc,d\n", True)
