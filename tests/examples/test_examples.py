"""The examples run as their README says."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
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


def test_a_c_program_decides_as_the_host_twin(tmp_path: Path) -> None:
    from edgebio.compiler.host_model import HostModel

    tiny.quantized()
    model = tiny.run() / "model.tflite"
    edgebio = f"{sys.executable} -m edgebio"
    run("make", "-C", "host_program", f"BUILD={tmp_path}", f"MODEL={model}", f"EDGEBIO={edgebio}")
    twin = HostModel(model)
    images = np.random.default_rng(0).integers(-128, 128, (20, *twin.input_shape)).astype(np.int8)
    done = subprocess.run(
        [tmp_path / "decide"], input=images.tobytes(), capture_output=True, check=True
    )
    decided = [int(line.split()[0]) for line in done.stdout.splitlines()]
    assert decided == twin.run(images).argmax(axis=1).tolist()


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
