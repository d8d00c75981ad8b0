"""Numbers and settings that make no sense: refused, or reported before any training."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edgebio import tasks
from edgebio.cli import main
from edgebio.errors import EdgebioError

STOP = "reached the training"


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def line_of(result: Result) -> str:
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return str(result.stderr.splitlines()[-1])


@pytest.fixture
def recordings(tmp_path: Path) -> Callable[..., Path]:
    """Make a recordings file by the command, of so many classes and such a rate."""

    def make(rate: object = 1000, classes: int = 2, scale: float = 300.0, **extra: Any) -> Path:
        random = np.random.default_rng(0)
        lines = ["one,two,label"]
        for repetition in range(4 * classes):
            values = random.normal(0, scale, (900, 2))
            label = "abcdef"[repetition % classes]
            lines += [f"{one:.6f},{two:.6f},{label}" for one, two in values]
        (tmp_path / "signal.csv").write_text("\n".join(lines))
        options = {"lsb": 1, "units": "uV", **extra}
        words = [f"--{name}={value}" for name, value in options.items()]
        output = tmp_path / f"{rate}-{classes}.npz"
        make.result = run(  # type: ignore[attr-defined]
            "data", "import", tmp_path / "signal.csv", f"--rate={rate}", "--label-column=label",
            *words, "-o", output,
        )  # fmt: skip
        return output

    return make


def result_of(make: Any) -> Result:
    result: Result = make.result
    return result


@pytest.fixture(autouse=True)
def _no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*arguments: object) -> None:
        raise EdgebioError(STOP)

    monkeypatch.setattr(tasks, "train", stop)


@pytest.mark.parametrize("rate", ["inf", "nan", "1e12"])
def test_impossible_rate_is_refused(recordings: Any, rate: str) -> None:
    output = recordings(rate)
    line = line_of(result_of(recordings))
    assert f"rate {float(rate)}; expected Hz above 0, at most 1e+06" in line
    assert not output.exists()


@pytest.mark.parametrize("rate", ["0", "-5"])
def test_rate_that_is_no_rate_is_refused(recordings: Any, rate: str) -> None:
    recordings(rate)
    assert "is not in the range" in line_of(result_of(recordings))


def test_step_that_rounds_everything_away_is_refused(recordings: Any) -> None:
    output = recordings(scale=1e-3)
    line = line_of(result_of(recordings))
    assert "every channel is one count throughout" in line
    assert "--lsb X" in line
    assert not output.exists()


def test_coarse_step_is_reported(recordings: Any) -> None:
    recordings(scale=1e-3, lsb=5e-4)
    result = result_of(recordings)
    assert result.exit_code == 0
    assert "different counts only: is the step too coarse?" in result.stderr


@pytest.mark.parametrize("lsb", ["inf", "nan"])
def test_impossible_step_is_refused(recordings: Any, lsb: str) -> None:
    recordings(lsb=lsb)
    assert f"lsb {lsb}; expected the units of one count, above 0" in line_of(result_of(recordings))


@pytest.mark.parametrize("command", ["train", "evaluate", "search"])
def test_one_class_is_refused(recordings: Any, tmp_path: Path, command: str) -> None:
    options = {
        "train": [],
        "evaluate": ["--protocol", "within-session"],
        "search": ["--board", "mps2-an386"],
    }
    words = ["emg-grips", "--dataset", recordings(classes=1), "-o", tmp_path / "out"]
    line = line_of(run(command, *words, *options[command]))
    assert "one class, 'a' in all recordings; a network needs two or more" in line


def test_recipe_for_another_rate_tells_how_long_its_segments_last(
    recordings: Any, tmp_path: Path
) -> None:
    words = ["train", "emg-grips", "--dataset", recordings(200), "-o", tmp_path / "out"]
    other = run(*words)
    assert line_of(other) == f"edgebio: {STOP}"
    (note,) = [line for line in other.stderr.splitlines() if "is made for" in line]
    assert "emg-grips is made for 1000 Hz, " in note
    assert "has 200 Hz: a segment of 200 samples lasts 1000 ms, not 200 ms" in note
    assert "set data.rate = 1000 to resample, or frontend.segment_length" in note
    words[3] = recordings(1000)
    assert "is made for" not in run(*words).stderr


def recipe_at(rate: float, dataset: Path, tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(f'name = "own"\n[data]\ndataset = "{dataset}"\nrate = {rate}\n')
    return path


def test_upsampling_is_reported_and_beyond_ten_times_refused(
    recordings: Any, tmp_path: Path
) -> None:
    dataset, folder = recordings(200), tmp_path / "out"
    result = run("train", recipe_at(1000, dataset, tmp_path), "-o", folder)
    assert line_of(result) == f"edgebio: {STOP}"
    assert (
        "200 Hz are resampled to 1000 Hz (data.rate); 5 times as many, with nothing new above 100"
    ) in result.stderr
    refused = line_of(run("train", recipe_at(2500, dataset, tmp_path), "-o", folder))
    assert "data.rate asks for 2500 Hz, 12.5 times its own 200 Hz; at most 10 times" in refused
    quiet = run("train", recipe_at(250, dataset, tmp_path), "-o", folder)
    assert "resampled" not in quiet.stderr


def test_recipe_that_resamples_reports_it_of_another_data_set(
    recordings: Any, tmp_path: Path
) -> None:
    words = ["--dataset", recordings(2000), "-o", tmp_path / "out"]
    result = run("train", "emg-fin", *words)
    assert "2000 Hz are resampled to 1000 Hz (data.rate)" in result.stderr
