"""A model that runs in the host process."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgebio.runtime.device import Device
from tests.link.models import on_host, segments


@pytest.fixture(scope="session")
def served(
    models_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    with on_host(models_folder, tmp_path_factory.mktemp("served")) as url_and_model:
        yield url_and_model


@pytest.fixture
def url(served: tuple[str, Path]) -> str:
    return served[0]


@pytest.fixture
def model(served: tuple[str, Path]) -> Path:
    return served[1]


@pytest.fixture(scope="session")
def samples() -> np.ndarray:
    return segments()


@pytest.fixture
def device(url: str, model: Path) -> Iterator[Device]:
    with Device(url, model) as opened:
        yield opened
