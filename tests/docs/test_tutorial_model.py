"""The tutorial "Your own model": Keras always, PyTorch and ONNX where their converters are."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgebio.compiler.host_model import HostModel
from tests.docs.markdown import blocks, commands
from tests.docs.overlay import run_python, write_blocks
from tests.test_house import ROOT

PAGE = ROOT / "docs" / "tutorials" / "model.md"


def differing_bytes(model: Path) -> int:
    """Bytes that differ between the generated C and tflite-micro, over eight inputs."""
    runtime = pytest.importorskip("tflite_micro").runtime
    twin = HostModel(model)
    random = np.random.default_rng(0)
    inputs = random.integers(-128, 128, (8, *twin.input_shape)).astype(np.int8)
    interpreter = runtime.Interpreter.from_file(str(model))
    differing = 0
    for image, output in zip(inputs, twin.run(inputs), strict=True):
        interpreter.set_input(image[None], 0)
        interpreter.invoke()
        differing += int((interpreter.get_output(0)[0] != output).sum())
    return differing


@pytest.mark.slow
def test_a_keras_model_goes_to_an_emulated_board(tmp_path: Path) -> None:
    if shutil.which("qemu-system-arm") is None or shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("no QEMU or cross-compiler: make setup installs them")
    write_blocks(tmp_path, list(blocks(PAGE)))
    run_python(ROOT, tmp_path, "keras_model.py")
    for words in commands(PAGE):
        document = json.loads(run_python(ROOT, tmp_path, "-m", "edgebio", *words, "--json"))
        assert document
    assert differing_bytes(tmp_path / "model.tflite") == 0


@pytest.mark.slow
def test_a_pytorch_model_compiles(tmp_path: Path) -> None:
    if importlib.util.find_spec("litert_torch") is None:
        pytest.skip("no litert-torch: pip install litert-torch")
    write_blocks(tmp_path, list(blocks(PAGE)))
    run_python(ROOT, tmp_path, "torch_model.py")
    assert differing_bytes(tmp_path / "model.tflite") == 0


@pytest.mark.slow
def test_an_onnx_model_compiles(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="no PyTorch to make an ONNX model with")
    if shutil.which("onnx2tf", path=str(Path(sys.executable).parent)) is None:
        pytest.skip("no onnx2tf: pip install onnx2tf")
    network = torch.nn.Sequential(torch.nn.Conv2d(4, 8, 3), torch.nn.ReLU(), torch.nn.Flatten())
    torch.onnx.export(
        network, (torch.zeros(1, 4, 12, 16),), str(tmp_path / "model.onnx"),
        input_names=["image"], dynamo=False,
    )  # fmt: skip
    inputs = np.random.default_rng(0).normal(size=(100, 12, 16, 4)).astype(np.float32)
    np.save(tmp_path / "calibration.npy", inputs)
    [convert] = [
        line.removeprefix("$ ")
        for block in blocks(PAGE)
        for line in block.text.splitlines()
        if line.startswith("$ onnx2tf")
    ]
    subprocess.run(
        f"{Path(sys.executable).parent}/{convert}", shell=True, cwd=tmp_path, check=True,
        capture_output=True,
    )  # fmt: skip
    assert differing_bytes(tmp_path / "converted" / "model_full_integer_quant.tflite") == 0
