"""The examples run as their README says."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiny
from tests.test_house import ROOT

EXAMPLES = ROOT / "examples"


def run(*command: object, cwd: Path = EXAMPLES) -> str:
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_scikit_learn_scores_a_baseline_with_a_protocol() -> None:
    text = run(sys.executable, "sklearn_baseline.py")
    assert 0.2 < float(text.split("accuracy ")[1].split()[0]) <= 1


def test_a_c_program_decides_as_the_host_twins(tmp_path: Path) -> None:
    from edgebio import tflite
    from edgebio.compiler.host_model import HostModel
    from edgebio.decision.outputs import Outputs
    from edgebio.decision.twin import Decider, activity
    from edgebio.frontend.twin import Twin
    from edgebio.tflite.metadata import require_metadata

    tiny.quantized()
    model = tiny.run() / "model.tflite"
    edgebio = f"{sys.executable} -m edgebio"
    run("make", "-C", "host_program", f"BUILD={tmp_path}", f"MODEL={model}", f"EDGEBIO={edgebio}")
    samples = tiny.recordings()[0].samples
    done = subprocess.run(
        [tmp_path / "decide"], input=samples.tobytes(), capture_output=True, check=True
    )
    graph = tflite.read(model)
    known = require_metadata(graph, "this test")
    spec = known.frontend
    outputs = HostModel(graph).run(Twin(spec, known.standardization).images(samples))
    decisions = Decider(known.decision, Outputs.from_graph(graph)).decide(
        outputs, activity(samples, spec.segment_length, spec.step)
    )
    names = {254: "rest", 255: "rejected"} | dict(enumerate(known.classes))
    assert done.stdout.decode().splitlines() == [
        f"{spec.segment_length + number * spec.step} {names[decision]}"
        for number, decision in enumerate(decisions.decisions.tolist())
    ]


def test_custom_firmware_answers_over_the_link(tmp_path: Path) -> None:
    run("make", "-C", "link_in_firmware", f"BUILD={tmp_path}")
    text = run(sys.executable, "talk.py", tmp_path / "device", cwd=EXAMPLES / "link_in_firmware")
    assert text.startswith("my-own-board on ")


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("qemu-system-arm") is None, reason="no QEMU: make setup installs it"
)
def test_the_notebook_runs_from_data_to_board(tmp_path: Path) -> None:
    text = run(sys.executable, EXAMPLES / "notebook.py", cwd=tmp_path)
    assert "does not hold" not in text
    assert "instructions" in text
