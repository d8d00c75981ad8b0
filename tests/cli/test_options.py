"""Sizes and times as people write them, and wrong use of the command line in one line."""

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from edgebio.cli import main
from edgebio.cli.options import DURATION, SIZE


@given(st.integers(1, 1 << 30))
def test_a_number_is_bytes(size: int) -> None:
    assert SIZE.convert(str(size), None, None) == size


@pytest.mark.parametrize(
    ("text", "size"), [("64k", 65_536), ("64K", 65_536), ("24kB", 24_576), ("1M", 1 << 20)]
)
def test_units_of_a_size(text: str, size: int) -> None:
    assert SIZE.convert(text, None, None) == size


@pytest.mark.parametrize("text", ["", "k", "-1", "1.5k", "64g", "0", "many"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="not a size; give for example 65536 or 64k"):
        SIZE.convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "ms"), [("10", 10.0), ("10ms", 10.0), ("800us", 0.8), ("0.2s", 200.0), (".5 s", 500.0)]
)
def test_units_of_a_time(text: str, ms: float) -> None:
    assert DURATION.convert(text, None, None) == pytest.approx(ms)


@pytest.mark.parametrize("text", ["", "ms", "-1", "0", "10h", "1.2.3"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="not a time; give for example 10ms"):
        DURATION.convert(text, None, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("trian emg-grips", "no command 'trian' (did you mean 'train'?); see edgebio --help"),
        ("data fetc emg-3dc", "no command 'fetc' (did you mean 'fetch'?); see edgebio data --help"),
        (
            "train",
            "missing RECIPE; give it, or work in a project (edgebio init); see ",
        ),
        ("report run --plot x", "no such option"),
        ("search emg-grips --board x -o y --max-ram 1g", "'1g' is not a size; give for example"),
        ("evaluate emg-grips", "missing option '--protocol'"),
        ("bench run", "missing option '--board'"),
        ("train emg-grip -o run", "no recipe 'emg-grip'"),
        ("boards info mps2-an387", "did you mean 'mps2-an386'"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(arguments: str, message: str) -> None:
    done = CliRunner().invoke(main, arguments.split())
    assert (done.exit_code, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("edgebio: ")
    assert message in line


@pytest.mark.parametrize("arguments", [["--help"], ["data", "--help"], ["train", "-h"]])
def test_help_goes_to_stdout_with_exit_code_0(arguments: list[str]) -> None:
    done = CliRunner().invoke(main, arguments)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "Usage: edgebio" in done.stdout
