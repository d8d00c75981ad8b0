"""The public API: what is exported, what it imports, and how wrong arguments are refused."""

import inspect
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgebio
import edgebio.api
from edgebio.errors import EdgebioError
from tests import tiny

EXPORTED = {
    "Budget", "CheckFailedError", "Decision", "Device", "DeviceError", "EdgebioError", "Evaluation",
    "HostModel", "Limits", "MissingToolError", "ProtocolSplitter", "QuantizeResult", "Recipe",
    "Recording", "Session", "TrainResult", "VerifyResult", "bench", "build", "calibrate",
    "compile_model", "converted_recording", "evaluate", "flash", "infer", "infer_named",
    "load_board", "load_dataset", "load_recipe", "load_recordings", "quantize", "quantize_model",
    "search_networks", "train", "verify", "write_golden_vectors", "write_report",
}  # fmt: skip


def test_the_exported_names_are_these() -> None:
    assert set(edgebio.__all__) == EXPORTED
    assert set(dir(edgebio)) >= EXPORTED


@pytest.mark.parametrize("name", sorted(EXPORTED))
def test_an_exported_name_is_documented(name: str) -> None:
    assert inspect.getdoc(getattr(edgebio, name))


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="trian"):
        edgebio.trian  # noqa: B018


def test_the_package_is_typed() -> None:
    assert (Path(edgebio.__file__).parent / "py.typed").is_file()


def test_importing_edgebio_takes_little_more_than_python() -> None:
    def seconds(code: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    python = min(seconds("pass") for _ in range(3))
    assert min(seconds("import edgebio") for _ in range(3)) < python + 0.1


def test_only_training_imports_tensorflow() -> None:
    code = (
        "import sys, edgebio; [getattr(edgebio, name) for name in edgebio.__all__]; "
        "sys.exit('tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_functions_and_their_parameters_are_typed() -> None:
    for name in edgebio.api.__all__:
        signature = inspect.signature(getattr(edgebio.api, name))
        assert signature.return_annotation is not inspect.Signature.empty, name
        kinds = {parameter.kind for parameter in signature.parameters.values()}
        assert inspect.Parameter.VAR_KEYWORD not in kinds, name


RECORDING = edgebio.Recording.from_array(np.zeros((400, 4), np.int16), 1000.0)


def quantized_model() -> Path:
    tiny.quantized()
    return tiny.run() / "model.tflite"


UNTYPED: Any = edgebio
"""The API for calls that a type checker refuses."""

WRONG: dict[str, tuple[Callable[..., object], str]] = {
    "recipe of a wrong type": (lambda: UNTYPED.train(3), "recipe is a int"),
    "unknown recipe": (lambda: edgebio.load_recipe("emg-grip"), "did you mean 'emg-grips'"),
    "recordings of a wrong type": (
        lambda: UNTYPED.train("emg-grips", [np.zeros(3)]), r"recordings\[0\] is a ndarray"),
    "no recordings": (lambda: edgebio.train("emg-grips", []), "recordings is empty"),
    "unknown data set": (lambda: edgebio.load_dataset("emg-3d"), "did you mean 'emg-3dc'"),
    "subjects as one string": (
        lambda: edgebio.load_dataset("emg-synthetic", subjects="1"), r"expected a sequence"),
    "subjects and recordings": (
        lambda: edgebio.train("emg-grips", RECORDING, subjects=["1"]), "expected no recordings"),
    "search for an unknown board": (
        lambda: edgebio.search_networks("emg-grips", "mps2-an387"), "did you mean"),
    "inputs of a wrong shape": (
        lambda: edgebio.infer(quantized_model(), np.zeros((1, 2), np.int8)), "this model takes"),
    "a board and a port": (
        lambda: edgebio.infer("x", np.zeros((1, 2), np.int8), board="mps2-an386", port="COM3"),
        "not both"),
    "golden vectors of nothing": (
        lambda: edgebio.write_golden_vectors("none.tflite", "golden"), "no such model"),
    "unknown board": (lambda: edgebio.load_board("mps2-an387"), "did you mean"),
    "run of a wrong type": (lambda: UNTYPED.quantize(b"run"), "run is a bytes"),
    "folder without a run": (lambda: edgebio.quantize("no-run"), "edgebio train"),
    "model of a wrong type": (lambda: UNTYPED.build(1, "mps2-an386", "x"), "model is a int"),
    "missing model": (lambda: edgebio.verify("none.tflite"), "no such model"),
    "unknown protocol": (
        lambda: edgebio.evaluate("emg-grips", "one-to-on", [RECORDING]), "did you mean"),
    "samples of a wrong shape": (
        lambda: edgebio.Recording.from_array(np.zeros(4, np.int16), 1000.0), "shape"),
    "samples with NaN": (
        lambda: edgebio.Recording.from_array(np.full((4, 2), np.nan), 1000.0, lsb=1.0), "finite"),
    "a rate of zero": (
        lambda: edgebio.Recording.from_array(np.zeros((4, 2), np.int16), 0.0), "rate"),
    "recording of another shape": (
        lambda: edgebio.calibrate(quantized_model(), RECORDING, "x.tflite"), "channels"),
    "image folder that is none": (lambda: edgebio.flash("no-image"), "no-image"),
    "page of nothing": (lambda: edgebio.write_report("nothing"), "nothing"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_argument_says_what_is_expected(case: str) -> None:
    call, text = WRONG[case]
    with pytest.raises(EdgebioError, match=text) as error:
        call()
    assert "\n" not in str(error.value)
