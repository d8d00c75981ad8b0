"""Outputs of emulated boards against TensorFlow Lite Micro, the host and the twin."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgebio import boards
from edgebio.boards.board import Emulation
from edgebio.compiler.host_model import HostModel
from edgebio.errors import DeviceError, EdgebioError, MissingToolError
from edgebio.firmware import batch
from edgebio.frontend.stages import STAGE_NUMBERS, STAGES
from edgebio.frontend.twin import Twin
from edgebio.tflite import read
from edgebio.tflite.metadata import require_metadata

MODELS = (
    "ecg_cnn", "emg_cnn", "emg_dscnn", "kws_dscnn", "ref_ds_cnn", "ref_ds_cnn_ptq",
    "ref_plain_cnn", "ref_plain_cnn_qat", "ref_res_cnn", "ref_res_cnn_qat",
)  # fmt: skip


EMULATED = [
    name for name in boards.names()
    if (emulation := boards.load(name).emulator) and emulation.program == "qemu"  # semihosting
]  # fmt: skip
M4 = "mps2-an386"


@pytest.fixture(scope="module")
def emulated(emg_model: Path) -> Iterator[batch.EmulatedModel]:
    with batch.prepare(boards.load(M4), emg_model, traced=True) as target:
        yield target


@pytest.fixture(scope="module")
def without_frontend(models_folder: Path) -> Iterator[batch.EmulatedModel]:
    with batch.prepare(boards.load(M4), models_folder / "emg_cnn.tflite") as target:
        yield target


def differing(board: str, model: Path, count: int | None) -> int:
    """Output bytes of the board that differ from those of TensorFlow Lite Micro."""
    with np.load(model.with_suffix(".npz")) as reference:
        x, y = reference["x"][:count], reference["y_tflm"][:count]
    return int((batch.run_network(boards.load(board), model, x) != y).sum())


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_exact_on_m4(models_folder: Path, name: str) -> None:
    assert differing(M4, models_folder / f"{name}.tflite", 3) == 0


@pytest.mark.parametrize("board", [name for name in EMULATED if name != M4])
def test_every_board_is_exact(models_folder: Path, board: str) -> None:
    assert differing(board, models_folder / "ref_res_cnn_qat.tflite", 2) == 0


@pytest.mark.slow
@pytest.mark.parametrize("board", EMULATED)
@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_exact_on_every_board(models_folder: Path, name: str, board: str) -> None:
    assert differing(board, models_folder / f"{name}.tflite", None) == 0


@pytest.mark.parametrize("board", [M4, pytest.param("netduinoplus2", marks=pytest.mark.slow)])
def test_every_layer_is_exact(models_folder: Path, board: str) -> None:
    model = models_folder / "ref_res_cnn.tflite"
    x = np.load(model.with_suffix(".npz"))["x"][:2]
    expected = HostModel(model).layers(x)
    with batch.prepare(boards.load(board), model, traced=True) as target:
        measured = target.layers(x)
    assert len(measured) == len(expected)
    for want, layer in zip(expected, measured, strict=True):
        assert layer.tobytes() == np.ascontiguousarray(want).tobytes()


@pytest.mark.parametrize(
    "board", ["mps2-an385", M4, "mps3-an547", pytest.param("netduinoplus2", marks=pytest.mark.slow)]
)
def test_front_end_equals_the_twin(emg_model: Path, samples: np.ndarray, board: str) -> None:
    metadata = require_metadata(read(emg_model), "the test")
    twin = Twin(metadata.frontend, metadata.standardization).stages(samples)
    with batch.prepare(boards.load(board), emg_model) as target:
        images, outputs = target.images_and_outputs(samples)
        assert len(images) > 5
        np.testing.assert_array_equal(images, twin.images)
        np.testing.assert_array_equal(outputs, HostModel(emg_model).run(twin.images))
        np.testing.assert_array_equal(target.images(samples), twin.images)
        assert 0 < target.stack_used <= target.manifest.ram.stack


def test_every_stage_equals_the_twin(
    emg_model: Path, emulated: batch.EmulatedModel, samples: np.ndarray
) -> None:
    metadata = require_metadata(read(emg_model), "the test")
    twin = Twin(metadata.frontend, metadata.standardization).stages(samples)
    records = emulated.stages(samples)
    for name, dtype in STAGES.items():
        number = STAGE_NUMBERS[name]
        for channel, expected in enumerate(twin.values[name]):
            raw = b"".join(r.data for r in records if (r.stage, r.channel) == (number, channel))
            assert np.frombuffer(raw, dtype).tobytes() == np.ascontiguousarray(expected).tobytes()


def test_no_inputs_have_no_outputs(without_frontend: batch.EmulatedModel) -> None:
    assert without_frontend.network(np.empty((0, 16, 16, 8), np.int8)).shape == (0, 6)


@pytest.mark.parametrize(
    "x",
    [np.zeros((2, 16, 16, 7), np.int8), np.zeros((2, 16, 16, 8), np.uint8), np.zeros(5, np.int8)],
)
def test_inputs_of_another_shape_are_refused(
    without_frontend: batch.EmulatedModel, x: np.ndarray
) -> None:
    with pytest.raises(EdgebioError, match=r"this model takes int8 of shape \(n, 16, 16, 8\)"):
        without_frontend.network(x)


def test_samples_that_do_not_fit_the_model_are_refused(
    emulated: batch.EmulatedModel, without_frontend: batch.EmulatedModel
) -> None:
    with pytest.raises(EdgebioError, match="takes int16 samples of 8 channels, not int16"):
        emulated.images(np.zeros((100, 7), np.int16))
    with pytest.raises(EdgebioError, match="the model has no front end"):
        without_frontend.images(np.zeros((100, 8), np.int16))


def test_missing_qemu_is_reported(
    models_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="sudo apt-get install qemu-system-arm"):
        differing(M4, models_folder / "emg_cnn.tflite", 1)


def test_image_for_another_cpu_reports_its_fault(emg_model: Path) -> None:
    """The front end's SIMD instructions, which a Cortex-M3 lacks."""
    board = boards.load(M4)
    wrong = board.model_copy(update={"emulator": Emulation(machine="mps2-an385")})
    with (
        pytest.raises(
            DeviceError,
            match=r"mps2-an386 \(emulated\) failed: "
            r"fault 0x00010000 at 0x[0-9a-f]{8}, address 0x0{8}$",
        ),
        batch.prepare(wrong, emg_model) as target,
    ):
        target.images(np.ones((300, 8), np.int16))


def test_image_in_missing_memory_crashes(models_folder: Path) -> None:
    board = boards.load(M4)
    nowhere = board.memory.ram.model_copy(update={"origin": 0x3000_0000})
    wrong = board.model_copy(update={"memory": board.memory.model_copy(update={"ram": nowhere})})
    model = models_folder / "emg_cnn.tflite"
    with (
        pytest.raises(
            DeviceError, match=r"mps2-an386 \(emulated\) crashed, SIGABRT: .*Lockup"
        ) as caught,
        batch.prepare(wrong, model) as target,
    ):
        target.network(np.load(model.with_suffix(".npz"))["x"][:1])
    assert "\n" not in str(caught.value)
