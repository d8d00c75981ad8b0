"""Models to build: the reference ones, and one that carries a front end."""

from pathlib import Path

import numpy as np
import pytest

from edgebio.decision.spec import DecisionSettings
from edgebio.frontend.spec import FrontendSpec
from tests.link.models import with_frontend


@pytest.fixture(scope="session")
def samples() -> np.ndarray:
    """Two channels too loud, two too quiet, four as they should be: int16 (500, 8)."""
    random = np.random.default_rng(3)
    loud = np.array([60_000, 40_000, 20, 2, 800, 900, 700, 600])
    return np.clip(random.normal(size=(500, 8)) * loud, -32768, 32767).astype(np.int16)


@pytest.fixture(scope="session")
def emg_model(
    models_folder: Path, tmp_path_factory: pytest.TempPathFactory, samples: np.ndarray
) -> Path:
    """ref_ds_cnn with a front end of 16 columns x 16 bins x 8 channels."""
    spec = FrontendSpec(
        rate=1000,
        channels=8,
        segment_length=64 + 15 * 10,
        hop_length=10,
        n_fft=64,
        step_frames=4,
        bins=(1, 17),
    )
    target = tmp_path_factory.mktemp("model") / "model.tflite"
    return with_frontend(
        models_folder / "ref_ds_cnn.tflite", target, spec, samples, DecisionSettings(votes=3)
    )
