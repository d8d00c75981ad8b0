"""HostModel: shapes, types and errors."""

from pathlib import Path

import numpy as np
import pytest

from edgebio import tflite
from edgebio.compiler.host_model import HostModel
from edgebio.errors import EdgebioError


@pytest.fixture
def model(models_folder: Path) -> HostModel:
    return HostModel(models_folder / "emg_cnn.tflite")


def test_shapes_types_and_scales(model: HostModel) -> None:
    assert model.input_shape == (16, 16, 8)
    assert model.output_shape == (6,)
    assert model.input_dtype == model.output_dtype == np.int8
    assert model.output_scale == 1 / 256
    assert model.output_zero_point == -128


def test_graph_is_accepted(models_folder: Path, model: HostModel) -> None:
    other = HostModel(tflite.read(models_folder / "emg_cnn.tflite"))
    x = np.zeros((2, 16, 16, 8), np.int8)
    np.testing.assert_array_equal(model.run(x), other.run(x))


def test_inputs_need_not_be_contiguous(model: HostModel) -> None:
    x = np.random.default_rng(0).integers(-128, 128, (6, 16, 16, 8)).astype(np.int8)
    np.testing.assert_array_equal(model.run(x[::2]), model.run(x)[::2])
    np.testing.assert_array_equal(model.run(np.asfortranarray(x)), model.run(x))


def test_last_layer_is_the_output(model: HostModel) -> None:
    x = np.random.default_rng(0).integers(-128, 128, (3, 16, 16, 8)).astype(np.int8)
    layers = model.layers(x)
    assert len(layers) == len(model.describe()) == len(model.program.calls)
    assert layers[0].shape == (3, 8, 8, 16)  # pooled
    np.testing.assert_array_equal(layers[-1], model.run(x))


@pytest.mark.parametrize(
    "x",
    [
        np.zeros((2, 16, 16, 8), np.float32),
        np.zeros((2, 16, 16, 8), np.uint8),
        np.zeros((16, 16, 8), np.int8),
        np.zeros((2, 16, 16, 7), np.int8),
        np.zeros((), np.int8),
        np.zeros(0, np.int8),
    ],
)
def test_wrong_inputs_are_refused(model: HostModel, x: np.ndarray) -> None:  # type: ignore[type-arg]
    for call in (model.run, model.layers):
        with pytest.raises(EdgebioError, match=r"takes int8 of shape \(n, 16, 16, 8\)"):
            call(x)


def test_nan_is_refused(models_folder: Path) -> None:
    model = HostModel(models_folder / "res_float32io.tflite")
    x = np.zeros((1, *model.input_shape), np.float32)
    assert model.run(x).dtype == np.float32
    x[0, 3, 2, 1] = np.nan
    with pytest.raises(EdgebioError, match="NaN"):
        model.run(x)


def test_thousands_of_images_in_one_call(model: HostModel) -> None:
    x = np.zeros((3000, 16, 16, 8), np.int8)
    y = model.run(x)
    assert (y == y[0]).all()
