"""Fixtures of the compiler's tests: a cache of their own, and tflite-micro as reference."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import tiny
from tests.compiler import model_builder


@pytest.fixture(scope="session")
def session_cache() -> Path:
    """Cache of the session: kernels are compiled once, and models do not fill the user's cache."""
    folder = tiny.folder() / "compiler-cache"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(autouse=True, scope="module")
def own_cache(session_cache: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBIO_CACHE", str(session_cache))
        yield


@pytest.fixture(scope="session")
def tflite_micro() -> None:
    """Skip if the reference is not installed."""
    pytest.importorskip("tflite_micro", reason="tflite-micro, the reference, is not installed")
    model_builder.load_schema()
