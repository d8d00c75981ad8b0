"""Real recordings, reference models, and a folder that the workers of a session share."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests import tiny

# Speed is measured by benchmarks: a slow machine must not fail a property.
settings.register_profile("edgebio", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=400)  # `make test-all`
settings.load_profile("edgebio")

_SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_configure(config: pytest.Config) -> None:
    """Create the folder of the session; workers inherit its name."""
    if tiny.FOLDER not in os.environ:
        folder = tempfile.mkdtemp(prefix="edgebio-tests-")
        os.environ[tiny.FOLDER] = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.fixture
def in_this_process() -> Iterator[None]:
    """Make calls here that get a process of their own otherwise; see tiny."""
    with tiny.calls_in_this_process():
        yield


def _folder(variable: str, name: str, purpose: str) -> Path:
    folder = Path(os.environ.get(variable) or _SHARED / name)
    if not folder.is_dir():
        pytest.skip(f"no {purpose}: set {variable} to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of the real recordings, one folder a data set."""
    return _folder("EDGEBIO_DATA", "data", "real recordings")


@pytest.fixture(scope="session")
def models_folder() -> Path:
    """Folder of the reference .tflite models with their outputs."""
    return _folder("EDGEBIO_MODELS", "models", "reference models")
