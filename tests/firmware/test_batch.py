"""What an emulated board computes, against the outputs that are right and against the host."""

from pathlib import Path

import numpy as np
import pytest

from edgebio import boards
from edgebio.boards.board import Emulation
from edgebio.compiler.host import HostModel
from edgebio.errors import DeviceError, EdgebioError, MissingToolError
from edgebio.firmware import batch
from edgebio.frontend.twin import STAGES, Twin
from edgebio.tflite import read
from edgebio.tflite.metadata import require

MODELS = (
    "ecg_cnn", "emg_cnn", "emg_dscnn", "kws_dscnn", "ref_ds_cnn", "ref_ds_cnn_ptq",
    "ref_plain_cnn", "ref_plain_cnn_qat", "ref_res_cnn", "ref_res_cnn_qat",
)  # fmt: skip


# Semihosting is QEMU's.
EMULATED = [
    name for name in boards.names()
    if (played := boards.load(name).emulator) and played.program == "qemu"
]  # fmt: skip


def differing(board: str, model: Path, count: int | None) -> int:
    """Output bytes of the board that are not those of TensorFlow Lite Micro."""
    with np.load(model.with_suffix(".npz")) as known:
        x, y = known["x"][:count], known["y_tflm"][:count]
    return int((batch.run_network(boards.load(board), model, x) != y).sum())


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_right_on_m4(models_folder: Path, name: str) -> None:
    assert differing("mps2-an386", models_folder / f"{name}.tflite", 3) == 0


@pytest.mark.parametrize("board", EMULATED)
def test_every_board_is_right(models_folder: Path, board: str) -> None:
    assert differing(board, models_folder / "ref_res_cnn_qat.tflite", 2) == 0


@pytest.mark.slow
@pytest.mark.parametrize("board", EMULATED)
@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_right_on_every_board(models_folder: Path, name: str, board: str) -> None:
    assert differing(board, models_folder / f"{name}.tflite", None) == 0


@pytest.mark.parametrize("board", ["mps2-an386", "netduinoplus2"])
def test_every_layer_is_the_hosts(models_folder: Path, board: str) -> None:
    model = models_folder / "ref_res_cnn.tflite"
    x = np.load(model.with_suffix(".npz"))["x"][:2]
    wanted = HostModel(model).layers(x)
    made = batch.run_layers(boards.load(board), model, x)
    assert len(made) == len(wanted)
    for want, got in zip(wanted, made, strict=True):
        assert got.tobytes() == np.ascontiguousarray(want).tobytes()


@pytest.mark.parametrize("board", ["mps2-an385", "mps2-an386", "mps3-an547", "netduinoplus2"])
def test_the_front_end_is_the_twins(emg_model: Path, samples: np.ndarray, board: str) -> None:
    about = require(read(emg_model), "the test")
    twin = Twin(about.frontend, about.standardisation).stages(samples)
    with batch.prepare(boards.load(board), emg_model) as prepared:
        run = prepared.frontend(samples, network=True)
        assert run.images.shape == twin.images.shape
        assert len(run.images) > 5
        np.testing.assert_array_equal(run.images, twin.images)
        assert run.outputs is not None
        np.testing.assert_array_equal(run.outputs, HostModel(emg_model).run(twin.images))
        assert prepared.frontend(samples).outputs is None
        assert 0 < prepared.stack_used <= prepared.manifest.ram.stack


def test_every_stage_is_the_twins(emg_model: Path, samples: np.ndarray) -> None:
    about = require(read(emg_model), "the test")
    twin = Twin(about.frontend, about.standardisation).stages(samples)
    with batch.prepare(boards.load("mps2-an386"), emg_model, traced=True) as prepared:
        records = prepared.stages(samples)
    for name, (number, dtype) in STAGES.items():
        for channel, wanted in enumerate(twin.values[name]):
            raw = b"".join(r.data for r in records if (r.stage, r.channel) == (number, channel))
            assert np.frombuffer(raw, dtype).tobytes() == np.ascontiguousarray(wanted).tobytes()


def test_no_input_gives_no_output(models_folder: Path) -> None:
    x = np.empty((0, 16, 16, 8), np.int8)
    y = batch.run_network(boards.load("mps2-an386"), models_folder / "emg_cnn.tflite", x)
    assert y.shape == (0, 6)


@pytest.mark.parametrize(
    "x",
    [np.zeros((2, 16, 16, 7), np.int8), np.zeros((2, 16, 16, 8), np.uint8), np.zeros(5, np.int8)],
)
def test_inputs_of_another_model(models_folder: Path, x: np.ndarray) -> None:
    with (
        batch.prepare(boards.load("mps2-an386"), models_folder / "emg_cnn.tflite") as prepared,
        pytest.raises(EdgebioError, match=r"takes int8 inputs of shape \(n, 16, 16, 8\), not"),
    ):
        prepared.network(x)


def test_samples_of_another_model(emg_model: Path, models_folder: Path) -> None:
    board = boards.load("mps2-an386")
    with (
        batch.prepare(board, emg_model) as prepared,
        pytest.raises(EdgebioError, match="takes int16 samples of 8 channels, not int16"),
    ):
        prepared.frontend(np.zeros((100, 7), np.int16))
    with (
        batch.prepare(board, models_folder / "emg_cnn.tflite") as prepared,
        pytest.raises(EdgebioError, match="carries no front end"),
    ):
        prepared.frontend(np.zeros((100, 8), np.int16))


def test_no_qemu(models_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="sudo apt-get install qemu-system-arm"):
        differing("mps2-an386", models_folder / "emg_cnn.tflite", 1)


def test_an_image_for_another_core_says_where_it_faults(emg_model: Path) -> None:
    """The front end's SIMD instructions, which Cortex-M3 has not."""
    board = boards.load("mps2-an386")
    wrong = board.model_copy(update={"emulator": Emulation(machine="mps2-an385")})
    with (
        pytest.raises(
            DeviceError,
            match=r"mps2-an386 \(emulated\) failed: "
            r"fault 0x00010000 at 0x[0-9a-f]{8}, address 0x0{8}$",
        ),
        batch.prepare(wrong, emg_model) as prepared,
    ):
        prepared.frontend(np.ones((300, 8), np.int16))


def test_an_image_without_memory_to_run_in(models_folder: Path) -> None:
    board = boards.load("mps2-an386")
    nowhere = board.memory.ram.model_copy(update={"origin": 0x3000_0000})
    wrong = board.model_copy(update={"memory": board.memory.model_copy(update={"ram": nowhere})})
    model = models_folder / "emg_cnn.tflite"
    with (
        pytest.raises(
            DeviceError, match=r"mps2-an386 \(emulated\) crashed, SIGABRT: .*Lockup"
        ) as caught,
        batch.prepare(wrong, model) as prepared,
    ):
        prepared.network(np.load(model.with_suffix(".npz"))["x"][:1])
    assert "\n" not in str(caught.value)
