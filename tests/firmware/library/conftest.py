"""Libraries of a model with a front end and of a network alone."""

from pathlib import Path

import pytest

from edgebio.firmware import library
from edgebio.firmware.library import Library


@pytest.fixture(scope="session")
def whole(emg_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("whole")
    return library.write(emg_model, folder, "cmake", "hand", "dsp", stream=True)


@pytest.fixture(scope="session")
def whole_windows(emg_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Without the stream that computes only what is new."""
    folder = tmp_path_factory.mktemp("whole_windows")
    return library.write(emg_model, folder, "cmake", "hand", "dsp", stream=False)


@pytest.fixture(scope="session")
def network_only(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """With float32 at its edges."""
    folder = tmp_path_factory.mktemp("network_only")
    return library.write(models_folder / "res_float32io.tflite", folder, "cmake", "net", "dsp")
