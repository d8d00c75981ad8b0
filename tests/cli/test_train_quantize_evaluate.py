import json
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

from edgebio.cli import main
from tests import tiny


def invoke(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "emg-nothing", "-o", "run"], "no recipe 'emg-nothing' (did you mean 'emg-"),
        (["train", "emg-grips", "--dataset", "nowhere", "-o", "run"], "no data set 'nowhere'"),
        (
            ["train", "emg-grips", "--dataset", "emg-synthetic", "--subject", "99", "-o", "run"],
            "no subject '99'",
        ),
        (["quantize", "nowhere"], "nowhere: not a finished run"),
        (["evaluate", "emg-grips", "--protocol", "luck"], "no 'luck'; there are one-to-one"),
    ],
)
def test_wrong_use_is_reported_in_one_line_with_exit_code_2(arguments, message):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("name", ["train", "quantize", "evaluate"])
def test_help_shows_an_example_and_imports_no_tensorflow(name):
    code = (
        "import sys; from click.testing import CliRunner; from edgebio.cli import main;"
        f"r = CliRunner().invoke(main, ['{name}', '--help']); print(r.output);"
        "assert r.exit_code == 0; assert 'tensorflow' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"edgebio {name}" in done.stdout.partition("Example:")[2]


@pytest.mark.parametrize("scheme", ["qat", "cluster"])
def test_a_scheme_that_cannot_train_prints_one_line_and_keeps_the_model(tmp_path, scheme):
    """The tiny run's recordings are shorter than those of emg-synthetic."""
    tiny.quantized()
    before = (tiny.run() / "model.tflite").read_bytes()
    changed = invoke("quantize", tiny.run(), "--scheme", scheme)
    assert changed.exit_code == 2
    assert "14 of the 14 recordings that it was trained on are missing from emg-synthetic" in (
        changed.output
    )
    run = tmp_path / "run"
    shutil.copytree(tiny.run(), run)
    recipe = (run / "recipe.toml").read_text().replace("emg-synthetic", "emg-3dc")
    (run / "recipe.toml").write_text(recipe)
    missing = invoke("quantize", run, "--scheme", scheme, "--data", tmp_path)
    assert missing.exit_code == 2
    assert f"{run}: training further needs the recordings" in missing.output
    assert "edgebio data fetch emg-3dc" in missing.output
    assert len(missing.output.strip().splitlines()) == 1
    assert (tiny.run() / "model.tflite").read_bytes() == before


RECIPE = """\
name = "tiny"
[data]
dataset = "emg-synthetic"
train_sessions = ["1"]
test_sessions = ["2"]
[model]
filters = [6]
pool_after = [0]
[training]
epochs = 1
[quantize]
samples = 50
"""


@pytest.mark.slow
def test_train_and_quantize_print_their_documents(tmp_path):
    (tmp_path / "tiny.toml").write_text(RECIPE)
    run = tmp_path / "run"
    trained = invoke("train", tmp_path / "tiny.toml", "--subject", "1", "-o", run, "--json", "-q")
    assert trained.exit_code == 0, trained.output
    metrics = json.loads(trained.stdout)
    assert metrics["test"]["subjects"] == ["1"]
    quantized = invoke("quantize", run, "--json", "-q")
    assert quantized.exit_code == 0, quantized.output
    assert json.loads(quantized.stdout)["accuracy_float"] == metrics["accuracy"]
    table = invoke("quantize", run)
    assert "CONV_2D" in table.output
    assert "tflite-micro" in table.output


@pytest.mark.slow
def test_every_class_has_its_recall_and_its_range_over_seeds(tmp_path):
    (tmp_path / "tiny.toml").write_text(RECIPE)
    command = [sys.executable, "-m", "edgebio", "evaluate", str(tmp_path / "tiny.toml")]
    command += ["--protocol", "one-to-one", "--subject", "1", "--subject", "2", "--seeds", "2"]
    command += ["-o", str(tmp_path / "evaluation")]
    shown, printed = (
        subprocess.run([*command, *options], capture_output=True, text=True, check=True).stdout
        for options in ([], ["--json", "-q"])
    )
    document = json.loads(printed)
    assert [row["seed"] for row in document["seeds"]] == [1, 2]
    for classes in zip(*(row["classes"] for row in document["seeds"]), strict=True):
        least, most = sorted(row["recall"] for row in classes)
        (line,) = (line for line in shown.splitlines() if f" {classes[0]['class']} " in line)
        assert f"{(least + most) / 2:.4f} ({least:.3f} to {most:.3f})" in line
        assert f" {classes[0]['windows']:,} " in line
    assert "By seed" in shown
    low, high = document["interval"]["accuracy_int8"]
    assert f"95 % interval {low:.4f} to {high:.4f}" in shown


def test_a_table_in_a_pipe_is_not_truncated():
    code = (
        "from edgebio.cli.common import Output; Output(False, False, False).table("
        "'', ['tested on', *['a long heading'] * 9], [['everybody ' * 6, *['0.12345'] * 9]])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count("0.12345") == 9
    assert "…" not in done.stdout
