"""Networks of Keras with an open batch: no byte differs from TensorFlow Lite on the file itself."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgebio.compiler.host_model import HostModel
from edgebio.parity.reference_interpreter import ReferenceInterpreter
from tests.compiler.keras_networks import NETWORKS
from tests.test_house import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tflite_micro")]

DIFFERENT_KERNELS = {"eegnet", "reshapes_fixed"}
"""Where TensorFlow Lite's kernels round otherwise than tflite-micro's, or are float."""


@pytest.fixture(scope="module", params=["keras", "tf_keras"])
def networks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("tensorflow", reason="TensorFlow, which converts the networks, is missing")
    folder = tmp_path_factory.mktemp("networks")
    arguments = ["-m", "tests.compiler.keras_networks", str(folder), request.param]
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.mark.parametrize("batch", ["open", "fixed"])
@pytest.mark.parametrize("name", [build.__name__ for build in NETWORKS])
def test_network(networks: Path, name: str, batch: str) -> None:
    (path,) = networks.glob(f"*keras_{name}_{batch}.tflite")
    model = HostModel(path)
    with np.load(path.with_suffix(".npz")) as file:
        x, expected = file["x"], file.get("y")
    y = model.run(x)
    assert len(np.unique(y)) > 3
    assert ReferenceInterpreter(path).run(x).tobytes() == y.tobytes()
    if not DIFFERENT_KERNELS & {name, f"{name}_{batch}"}:
        assert expected is not None
        assert expected.tobytes() == y.tobytes()
    dilations = [
        call.layer.window.dilation  # type: ignore[attr-defined]
        for call in model.program.calls
        if hasattr(call.layer, "window")
    ]
    if name == "tcn":
        assert [d[1] for d in dilations] == [1, 1, 2, 4, 8]
