"""Live sources through the commands: sources, init, record, live, and the road by a script."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgebio.acquisition.journal import journal_path, read_journal
from edgebio.cli import main
from edgebio.project import Project
from tests import tiny
from tests.test_house import ROOT

REPLAY = "replay://emg-synthetic:1:2"


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, list(arguments))
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def model() -> str:
    tiny.quantized()
    return str(tiny.run())


def test_sources_are_listed_with_what_is_missing() -> None:
    entries = json.loads(run("sources", "--json"))["sources"]
    assert {"url", "name", "available", "hint"} == entries[0].keys()
    schemes = {entry["url"].partition("://")[0] for entry in entries}
    assert schemes >= {"serial", "lsl", "brainflow", "replay", "synthetic"}


def test_a_recording_has_what_was_asked(tmp_path: Path) -> None:
    output = tmp_path / "try.npz"
    arguments = ["synthetic://?channels=4", "--classes", "rest,fist", "--repetitions", "1",
                 "--seconds", "1.2", "--rest-seconds", "0.2", "--transition-seconds", "0.2",
                 "--unattended", "-o", str(output)]  # fmt: skip
    document = json.loads(CliRunner().invoke(main, ["record", *arguments, "--json", "-q"]).stdout)
    assert document["recordings"] == 2
    assert (document["lost"], document["gaps"]) == (0, [])
    assert document["seconds"] == document["samples"] / 1000
    assert "already" in run("record", *arguments, code=2)
    info = json.loads(run("data", "info", str(output), "--json", "-q"))
    assert info["channels"] == 4


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path: Path) -> None:
    """A process that may write 60,000 bytes only: what it wrote before is whole."""
    output = tmp_path / "full.npz"
    arguments = ["record", "synthetic://", "--classes", "a,b", "--unattended", "-o", str(output)]
    done = subprocess.run(
        [sys.executable, "-m", "edgebio", *arguments], capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)),
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("edgebio: full.npz.part: file too large; what was recorded before")
    chunks = [content for kind, content in read_journal(journal_path(output)) if kind == "S"]
    assert sum(len(chunk.samples) for chunk in chunks) > 1000


def test_live_decides_on_the_host_and_tells_the_delay(model: str) -> None:
    document = json.loads(
        CliRunner().invoke(main, ["live", model, REPLAY, "--seconds", "3", "--json", "-q"]).stdout
    )
    assert document["decisions"] > 30
    assert (document["lost"], document["differing"]) == (0, 0)
    delay = document["delay_ms"]
    assert 0 < delay["median"] <= delay["p99"]
    assert delay["stages"].keys() == {"arrival", "decision"}


def test_live_on_an_emulated_board_differs_in_nothing(model: str) -> None:
    done = CliRunner().invoke(
        main,
        ["live", model, REPLAY, "--board", "mps2-an386", "--seconds", "4", "--json", "-q"],
    )
    document = json.loads(done.stdout)
    assert document["decisions"] > 10
    assert document["differing"] == 0
    assert document["board"] == "mps2-an386"


def test_a_wearer_who_follows_is_scored(model: str) -> None:
    """The replay follows each target; ten targets of seven classes, most of them reached."""
    done = CliRunner().invoke(main, ["live", model, REPLAY, "--test", "targets", "--json", "-q"])
    score = json.loads(done.stdout)["test"]
    assert score["attempts"] == 10
    assert score["completion_rate"] >= 0.3
    assert score["seconds"] is not None
    refused = run("live", model, REPLAY, "--test", "cursor", "--directions", "a,b", code=2)
    assert "a cursor needs four classes of the model" in refused


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["MODEL", "synthetic://"], "8 channels, fewer than the model's 10"),
        (["MODEL", "synthetic://?channels=12"], "12 channels, more than the model's 10"),
        (["MODEL", "synthetic://?channels=10&rate=500"], "500 Hz; the model takes 1000 Hz"),
        (["MODEL", "synthetik://"], "no scheme"),
        (["MODEL"], "missing SOURCE"),
        (["MODEL", REPLAY, "--send", "ocs"], "no way to send decisions by 'ocs'"),
        (["MODEL", REPLAY, "--send", "udp://127.0.0.1:99999"], "expected a number from 1 to 65535"),
        (["MODEL", REPLAY, "--send", "keyboard"], "needs the key of each class"),
        (["MODEL", REPLAY, "--send", "keyboard", "--key", "fist"], "expected CLASS=KEY"),
        (["MODEL", REPLAY, "--board", "pico", "--port", "x"], "choose one of"),
    ],
)
def test_live_refuses_in_one_line(model: str, arguments: list[str], text: str) -> None:
    given = [model if each == "MODEL" else each for each in arguments]
    output = run("live", *given, code=2)
    assert text in output.splitlines()[-1]


def test_a_project_is_made_once_and_gives_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "hand"
    run("init", str(folder), "--classes", "rest,fist")
    project = Project(folder)
    assert project.settings.classes == ("rest", "fist")
    assert "not empty" in run("init", str(folder), code=2)
    assert "no board 'pickle'" in run("init", str(tmp_path / "b"), "--board", "pickle", code=2)
    monkeypatch.chdir(folder)
    assert "no run yet: edgebio train" in run("live", code=2)
    assert project.next_run() == folder / "runs" / "1"
    (folder / "runs" / "9").mkdir()
    (folder / "runs" / "10").mkdir()
    assert project.latest_run().name == "10"
    assert project.next_run().name == "11"


def test_a_command_outside_a_project_names_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "missing MODEL; give it, or work in a project" in run("quantize", code=2)
    assert "missing RECIPE" in run("train", code=2)
    assert "missing SOURCE" in run("record", code=2)


@pytest.mark.slow
def test_from_an_arm_to_a_board_by_a_script(tmp_path: Path) -> None:
    """Record, train, quantize, build, and let an emulated board decide about the live signal."""
    environment = {
        **os.environ, "REPETITIONS": "3", "EPOCHS": "6",
        "CLASSES": "neutral,power grip,wrist flexion",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }  # fmt: skip
    done = subprocess.run(
        [ROOT / "examples" / "from_arm_to_board.sh", "hand", "replay://emg-synthetic:1"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert ", 0 differ; 0 samples lost" in done.stdout
