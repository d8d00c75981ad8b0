"""Habits of all commands: Ctrl-C, nearest names, and refusals before TensorFlow is imported."""

import contextlib
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from edgebio.cli import common, main
from tests.test_house import ROOT


def commands(group: click.Group = main, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Words of every command."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


def example(words: tuple[str, ...]) -> list[str]:
    """Words of the first example that the help of a command shows."""
    command: click.Command = main
    for word in words:
        assert isinstance(command, click.Group)
        inner = command.get_command(click.Context(command), word)
        assert inner is not None
        command = inner
    start = f"edgebio {' '.join(words)}"
    lines = (line.strip() for line in (command.epilog or "").splitlines())
    line = next(line for line in lines if line.startswith(start))
    return shlex.split(line.replace("~/recordings", "run"))[1:]


@pytest.mark.parametrize("words", sorted(commands()), ids=" ".join)
def test_ctrl_c_ends_every_command_with_130_and_one_line(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    @contextlib.contextmanager
    def interrupt(*arguments: object) -> Iterator[None]:
        raise KeyboardInterrupt
        yield

    monkeypatch.chdir(tmp_path)
    for name in ("run", "image"):  # folders that examples name
        Path(name).mkdir()
    monkeypatch.setattr(common, "print_warnings", interrupt)
    done = CliRunner().invoke(main, example(words))
    assert done.exit_code == 130, done.output
    assert done.stdout == ""
    assert done.stderr.strip() == "edgebio: interrupted"


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["recipes", "show", "emg-grip"], "emg-grips"),
        (["train", "emg-grip", "-o", "x"], "emg-grips"),
        (["train", "emg-grips", "--dataset", "emg-3d", "-o", "x"], "emg-3dc"),
        (["train", "emg-grips", "--protocol", "one-to-on", "-o", "x"], "one-to-one"),
        (["train", "key.toml", "-o", "x"], "learning_rate"),
        (["train", "section.toml", "-o", "x"], "frontend"),
        (["train", "protocol.toml", "-o", "x"], "one-to-one"),
        (["evaluate", "emg-grip", "--protocol", "one-to-one"], "emg-grips"),
        (["evaluate", "emg-grips", "--protocol", "cross-subjec"], "cross-subject"),
        (["search", "emg-grips", "--board", "mps2-an38", "-o", "x"], "mps2-an386"),
        (["search", "emg-grip", "--board", "mps2-an386", "-o", "x"], "emg-grips"),
        (["boards", "info", "nucleo-f446r"], "nucleo-f446re"),
        (["build", "m.tflite", "--board", "pic", "-o", "x"], "pico"),
        (["bench", "m.tflite", "--board", "pic"], "pico"),
        (["bench", "--frontend", "--board", "pic"], "pico"),
        (["validate", "m.tflite", "--board", "pic"], "pico"),
        (["data", "info", "emg-3d"], "emg-3dc"),
        (["data", "fetch", "emg-3d"], "emg-3dc"),
        (["data", "lst"], "list"),
        (["trian", "emg-grips"], "train"),
        (["train", "emg-grips", "--epoch", "3"], "--epochs"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_nearest_name_is_suggested(
    words: list[str], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.tflite").write_bytes(b"")
    Path("key.toml").write_text('name = "x"\n[training]\nlearning_rat = 1e-3\n')
    Path("protocol.toml").write_text('name = "x"\n[data]\nprotocol = "one-to-on"\n')
    Path("section.toml").write_text('name = "x"\n[fronted]\nn_fft = 64\n')
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2
    assert f"id you mean {name!r}?" in done.stderr or f"Did you mean {name}?" in done.stderr
    assert len(done.stderr.splitlines()) == 1


MISTAKES = """
train emg-grip -o x
train emg-grips --dataset emg-3d -o x
train emg-grips --dataset emg-synthetic --subject 99 -o x
train emg-grips --dataset missing.npz -o x
train key.toml -o x
train emg-grips --dataset emg-synthetic --subject 1 --protocol cross-subject -o x
evaluate emg-grips --dataset emg-synthetic --subject 1 --protocol cross-subject
evaluate emg-grips --protocol one-to-on
search emg-grips --dataset emg-synthetic --subject 1 --board mps2-an38 -o x
quantize missing
quantize missing.keras --calibration x.npy -o y.tflite
quantize key.toml
build missing.tflite --board pico -o x
bench missing.tflite --board mps2-an386
infer missing.tflite --inputs x.npy -o y.npy
validate missing --board mps2-an386
report missing
calibrate missing.tflite day.npz -o x.tflite
golden missing.tflite -o x
classify emg-3d:1 --board mps2-an386 --model missing
hil missing
"""


def test_mistakes_are_refused_before_tensorflow_is_imported(tmp_path: Path) -> None:
    """All in one process, which would import TensorFlow once."""
    (tmp_path / "key.toml").write_text('name = "x"\n[training]\nlearning_rat = 1e-3\n')
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from edgebio.cli import main\n"
        f"for line in {MISTAKES.strip().splitlines()!r}:\n"
        "    done = CliRunner().invoke(main, line.split())\n"
        "    assert done.exit_code == 2, (line, done.output)\n"
        "    assert len(done.stderr.splitlines()) == 1, (line, done.stderr)\n"
        "    assert 'tensorflow' not in sys.modules, line\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "HOME": "/tmp"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
