"""Layouts of text lines: separators, labels, counters, damage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio.sources.text_lines import LineBuffer, recognize, round_rate


def lines(text: str, count: int = 100) -> list[str]:
    return [
        text.format(i=i, a=i * 37 % 101 - 50, b=i * 53 % 97 - 40, t=i * 2000) for i in range(count)
    ]


@pytest.mark.parametrize(
    ("text", "separator", "names"),
    [
        ("{a},{b}", ",", ("channel 1", "channel 2")),
        ("{a}, {b},", ",", ("channel 1", "channel 2")),
        ("{a};{b}", ";", ("channel 1", "channel 2")),
        ("{a}\t{b}", "\t", ("channel 1", "channel 2")),
        ("{a} {b}  {a}", "", ("channel 1", "channel 2", "channel 3")),
        ("emg:{a},ref:{b}", ",", ("emg", "ref")),
        ("EMG1={a} EMG2={b}", "", ("EMG1", "EMG2")),
        ("{a}", ",", ("channel 1",)),
        ("{a}.5;{b},25", ";", ("channel 1", "channel 2")),
    ],
)
def test_layouts_are_recognized(text: str, separator: str, names: tuple[str, ...]) -> None:
    layout = recognize(lines(text))
    assert layout is not None
    assert (layout.separator, layout.names) == (separator, names)
    row = layout.parse(lines(text)[3])
    assert row is not None
    assert int(row[0]) == 3 * 37 % 101 - 50 or row[0] == 61.5


def test_a_line_of_names_names_the_channels() -> None:
    layout = recognize(["Biceps,Triceps", *lines("{a},{b}")])
    assert layout is not None
    assert layout.names == ("Biceps", "Triceps")


@pytest.mark.parametrize(
    ("text", "counts", "step"), [("{i},{a},{b}", "samples", 1.0), ("{t},{a},{b}", "time", 2000.0)]
)
def test_counters_and_times_are_no_channels(text: str, counts: str, step: float) -> None:
    layout = recognize(lines(text))
    assert layout is not None
    assert (layout.counter, layout.counts, layout.step) == (0, counts, step)
    assert len(layout.names) == 2
    assert layout.channels(np.array([[1.0, 2.0, 3.0]])).tolist() == [[2.0, 3.0]]


def test_a_counter_that_starts_over_tells_where() -> None:
    layout = recognize([f"{i % 40},{i * 37 % 101}" for i in range(200)])
    assert layout is not None
    assert (layout.counter, layout.modulus) == (0, 40)


@pytest.mark.parametrize("line", ["", "1", "1,2,3", "1,nan", "1,inf", "1,x", "1_0,2", ",2", "1,,2"])
def test_damaged_lines_are_no_samples(line: str) -> None:
    layout = recognize(lines("{a},{b}"))
    assert layout is not None
    assert layout.parse(line) is None


def test_prose_is_no_signal() -> None:
    assert recognize(["Sensor ready", "waiting for electrodes"] * 20) is None


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_any_bytes_give_lines_or_damage(pieces: list[bytes]) -> None:
    buffer = LineBuffer()
    for piece in pieces:
        for line in buffer.feed(piece):
            assert "\n" not in line
    assert buffer.damaged >= 0


@given(st.data())
def test_lines_do_not_depend_on_how_they_arrive(data: st.DataObject) -> None:
    content = b"half\r\n1,2\r\n3,4\n5,6\r\n7,8\r\n"
    buffer, result = LineBuffer(), list[str]()
    while content:
        count = data.draw(st.integers(1, len(content)))
        result += buffer.feed(content[:count])
        content = content[count:]
    assert [line.strip() for line in result if line.strip()] == ["1,2", "3,4", "5,6", "7,8"]


@pytest.mark.parametrize(
    ("measured", "rate"), [(998.7, 1000), (501.9, 500), (254.5, 256), (176.3, 176), (2043.0, 2048)]
)
def test_measured_rates_become_usual_ones(measured: float, rate: float) -> None:
    assert round_rate(measured) == rate
