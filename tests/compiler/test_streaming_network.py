"""A streaming network from TensorFlow's converter, as microWakeWord makes them: every byte."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgebio import boards
from edgebio.boards import emulator
from edgebio.compiler.host_model import HostModel
from edgebio.errors import MissingToolError
from edgebio.firmware import batch, toolchain
from edgebio.parity.reference_interpreter import ReferenceInterpreter
from tests.compiler.reference import KERNEL_SETS

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tflite_micro")]
STEPS = 200


@pytest.fixture(scope="module", params=["int8", "uint8"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Converted in a process of its own; the output has the type of the parameter."""
    pytest.importorskip("tensorflow", reason="TensorFlow converts the network")
    path = tmp_path_factory.mktemp("streaming") / "model.tflite"
    script = [sys.executable, "-m", "tests.compiler.streaming_network", str(path), request.param]
    subprocess.run(script, check=True, capture_output=True, timeout=300)
    return path


def test_sequence_equals_tflite_micro(model: Path) -> None:
    hosts = [HostModel(model, isa) for isa in KERNEL_SETS]
    rows = hosts[0].inputs.pack(hosts[0].inputs.random(STEPS))
    expected = ReferenceInterpreter(model).run_packed(rows, lasting=True)
    assert len(np.unique(expected)) > 20
    for host in hosts:
        assert host.program.plan.states == 10 * 2 + 8 * (4 + 10 + 4)
        assert host.run_packed(rows).tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", ["mps2-an386", "mps3-an547"])
def test_sequence_equals_tflite_micro_on_a_board(model: Path, name: str) -> None:
    try:
        emulator.check_installed(boards.load(name))
        toolchain.tool("gcc")
    except MissingToolError as error:
        pytest.skip(str(error))
    host = HostModel(model)
    x = host.inputs.random(STEPS)
    with batch.prepare(boards.load(name), model) as target:
        outputs = target.network_named(x)
    expected = ReferenceInterpreter(model).run_packed(host.inputs.pack(x), lasting=True)
    assert host.outputs.pack(outputs).tobytes() == expected.tobytes()
