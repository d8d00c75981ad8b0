"""A small model that carries its own front end."""

from pathlib import Path

import numpy as np
import pytest

from edgebio import storage
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.frontend.twin import Twin
from edgebio.tflite.metadata import ENTRY, ModelMetadata


@pytest.fixture(scope="session", params=["dsp", "scalar"])
def model(request, models_folder, tmp_path_factory) -> Path:
    """A reference network (16 x 16 x 8) with a front end of either numerics as metadata."""
    return with_frontend(request.param, models_folder, tmp_path_factory)


@pytest.fixture(scope="session")
def helium_model(models_folder, tmp_path_factory) -> Path:
    """The same with a front end that allows Helium's FFT."""
    return with_frontend("mve", models_folder, tmp_path_factory)


def with_frontend(fft_numerics, models_folder, tmp_path_factory) -> Path:
    pytest.importorskip("tensorflow", reason='needs pip install "edgebio[train]"')
    from edgebio.quantization import flatbuffer

    spec = FrontendSpec(
        rate=1000, channels=8, n_fft=32, hop_length=16, segment_length=32 + 15 * 16, bins=(1, 17),
        step_frames=2, fft_numerics=fft_numerics,
    )  # fmt: skip
    noise = (np.random.default_rng(0).normal(size=(4000, 8)) * 200).astype(np.int16)
    known = ModelMetadata(
        name="test",
        classes=tuple("abcdef"),
        frontend=spec,
        standardization=Standardization.learn(spec, [Twin(spec).log_magnitudes(noise)]),
    )
    plain = (models_folder / "emg_cnn.tflite").read_bytes()
    path = tmp_path_factory.mktemp("model") / "model.tflite"
    content = known.model_dump_json().encode()
    storage.write_bytes(path, flatbuffer.with_metadata(plain, ENTRY, content))
    return path
