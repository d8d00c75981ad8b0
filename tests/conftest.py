"""Where tests find real recordings and reference models."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Speed is measured by benchmarks: a slow machine must not fail a property.
settings.register_profile("edgebio", deadline=None)
settings.load_profile("edgebio")

_SHARED = Path(__file__).resolve().parents[2] / "shared"


def _folder(variable: str, name: str, what: str) -> Path:
    folder = Path(os.environ.get(variable) or _SHARED / name)
    if not folder.is_dir():
        pytest.skip(f"no {what}: set {variable} to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of the real recordings, one folder a data set."""
    return _folder("EDGEBIO_DATA", "data", "real recordings")


@pytest.fixture(scope="session")
def models_folder() -> Path:
    """Folder of the reference .tflite models with their outputs."""
    return _folder("EDGEBIO_MODELS", "models", "reference models")
