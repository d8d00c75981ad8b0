"""Libraries of a model with a front end and of a network alone."""

from pathlib import Path

import pytest

from edgebio.firmware import library
from edgebio.firmware.library import Library


@pytest.fixture(scope="session")
def whole(emg_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    return library.write(emg_model, tmp_path_factory.mktemp("whole"), "cmake", "hand", "dsp")


@pytest.fixture(scope="session")
def network_only(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """With float32 at its edges."""
    folder = tmp_path_factory.mktemp("network_only")
    return library.write(models_folder / "res_float32io.tflite", folder, "cmake", "net", "dsp")
