"""`Device`: a model on a port and on an emulated board, and what it refuses."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgebio import boards, tflite
from edgebio.boards import emulator, qemu
from edgebio.compiler.host_model import HostModel
from edgebio.decision.spec import DecisionSettings
from edgebio.errors import DeviceError, EdgebioError
from edgebio.frontend.twin import Twin
from edgebio.recordings import Recording
from edgebio.runtime.device import Device
from edgebio.tflite.metadata import require_metadata
from tests.link.models import SEGMENTS, with_frontend
from tests.link.models import SLOW_SPEC as SPEC


def expected_outputs(model: Path, samples: np.ndarray) -> np.ndarray:
    metadata = require_metadata(tflite.read(model), "the test")
    images = Twin(metadata.frontend, metadata.standardization).images(samples)
    return HostModel(model).run(images)


def test_decisions_of_an_array_are_those_of_the_host(
    device: Device, model: Path, samples: np.ndarray
) -> None:
    decisions = device.classify(samples, rate=SPEC.rate)
    outputs = np.array([decision.outputs for decision in decisions])
    assert outputs.dtype == np.int8
    assert np.array_equal(outputs, expected_outputs(model, samples))
    ends = (SPEC.segment_length + SPEC.step * np.arange(SEGMENTS)) / SPEC.rate
    assert [decision.time_s for decision in decisions] == ends.tolist()
    assert all(0 < (decision.probability or 0) <= 1 for decision in decisions)
    recording = Recording.from_array(samples, SPEC.rate)
    names = [decision.name for decision in decisions]
    assert [decision.name for decision in device.classify(recording)] == names


def test_settings_of_the_decision_are_replaced(device: Device, samples: np.ndarray) -> None:
    strict = device.classify(samples, settings=DecisionSettings(confidence=0.99))
    assert {decision.name for decision in strict} == {"rejected"}


def test_inputs_of_the_network(device: Device, url: str, model: Path) -> None:
    x = np.random.default_rng(1).integers(-128, 128, (3, 16, 16, 8), np.int8)
    expected = HostModel(model).run(x)
    assert np.array_equal(device.run_inputs(x), expected)
    device.close()
    with Device(url) as other:
        assert np.array_equal(other.run_inputs(x.reshape(3, -1)), expected)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (5, "samples are a int; expected int16 of shape (n, 8)"),
        ([[1, 2]], "samples are a list; expected int16 of shape (n, 8)"),
        (np.zeros((500, 8)), "samples are float64 of shape (500, 8); expected int16"),
        (np.zeros((500, 3), np.int16), "samples have 3 channels; expected int16 of shape (n, 8)"),
        (np.zeros(500, np.int16), "of shape (500,); expected int16 of shape (n, 8)"),
        (np.zeros((100, 8), np.int16), "samples are shorter than one segment of 182 samples"),
        (Recording.from_array(np.ones((500, 8), int), 1000.0), "8 channels at 1000 Hz; the model"),
    ],
)
def test_wrong_samples_are_refused(device: Device, samples: Any, message: str) -> None:
    with pytest.raises(EdgebioError) as error:
        device.classify(samples)
    assert message in str(error.value)


def test_wrong_rate_is_refused(device: Device, samples: np.ndarray) -> None:
    with pytest.raises(EdgebioError, match="samples are at 1000 Hz; expected 200 Hz"):
        device.classify(samples, rate=1000)


@pytest.mark.parametrize("inputs", [[1], np.zeros((2, 16, 16, 8)), np.zeros((2, 5), np.int8)])
def test_wrong_inputs_are_refused(device: Device, inputs: Any) -> None:
    with pytest.raises(EdgebioError, match=r"inputs are .*; expected"):
        device.run_inputs(inputs)


def test_wrong_arguments_are_refused(model: Path) -> None:
    for board, file, message in (
        (3, model, "board is a int; expected a name or a Board"),
        ("mps2-an387", model, "no board 'mps2-an387'"),
        ("nucleo-f446re", model, "nucleo-f446re has no emulator; mps2-an386 runs the same code"),
        ("mps2-an386", 3, "model is a int; expected the path of a .tflite"),
        ("mps2-an386", "nothing.tflite", "nothing.tflite: no such model"),
    ):
        with pytest.raises(EdgebioError, match=message):
            Device.emulate(board, file)  # type: ignore[arg-type]
    with pytest.raises(EdgebioError, match="url is a int; expected the URL of a serial port"):
        Device(3)  # type: ignore[arg-type]


def test_device_that_runs_another_model_is_refused_and_closed(
    url: str, model: Path, models_folder: Path, samples: np.ndarray, tmp_path: Path
) -> None:
    other = with_frontend(
        models_folder / "ref_plain_cnn.tflite", tmp_path / "other.tflite", SPEC, samples,
        DecisionSettings(),
    )  # fmt: skip
    with pytest.raises(DeviceError, match=r"the board runs model .*; flash it"):
        Device(url, other)
    with Device(url, model) as device:
        assert device.identify().board == "host"


def test_emulated_board_leaves_no_process_and_no_files(
    model: Path, samples: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    qemu.program()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    board = boards.load("mps2-an386")
    with Device.emulate(board, str(model)) as device:
        assert device.identify().board == "mps2-an386"
        assert any(tmp_path.iterdir())
        outputs = [decision.outputs for decision in device.classify(samples)]
    assert np.array_equal(outputs, expected_outputs(model, samples))
    assert not any(tmp_path.iterdir())
    with pytest.raises(EdgebioError):
        device.identify()
    monkeypatch.setattr(emulator, "start", None)  # a failure after the build
    with pytest.raises(TypeError):
        Device.emulate(board, model)
    assert not any(tmp_path.iterdir())
