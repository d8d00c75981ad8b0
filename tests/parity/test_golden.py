import hashlib
import json

import numpy as np

from edgebio import tflite
from edgebio.compiler.host_model import HostModel
from edgebio.frontend import reference
from edgebio.parity import golden
from edgebio.parity.stimuli import generated
from edgebio.tflite.metadata import require_metadata


def test_vectors_can_be_recomputed_from_the_files(model, tmp_path):
    """From golden.json, the raw files, and the chain in NumPy."""
    metadata = require_metadata(tflite.read(model), "the test")
    golden.write(model, generated(metadata.frontend)[:3], tmp_path)
    document = json.loads((tmp_path / "golden.json").read_text())
    assert document["model_sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    for signal in document["signals"]:
        arrays = {
            file["stage"]: np.fromfile(tmp_path / file["file"], file["type"]).reshape(file["shape"])
            for file in signal["files"]
        }
        expected = reference.compute_stages(
            metadata.frontend, arrays["samples"], metadata.standardization
        )
        for stage in ("window", "scale", "exponent", "fft", "power", "log", "image"):
            assert (expected[stage] == arrays[stage]).all()
        assert (HostModel(model).run(arrays["images"]) == arrays["outputs"]).all()
    assert "samples" in (tmp_path / "README.md").read_text()
