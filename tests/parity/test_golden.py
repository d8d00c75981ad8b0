import hashlib
import json

import numpy as np

from edgebio import tflite
from edgebio.compiler.host import HostModel
from edgebio.frontend import reference
from edgebio.parity import golden
from edgebio.parity.stimuli import generated
from edgebio.tflite.metadata import require_metadata


def test_vectors_can_be_recomputed_from_the_files_alone(model, tmp_path):
    """As somebody else would: golden.json, raw files, and the chain in NumPy."""
    about = require_metadata(tflite.read(model), "the test")
    golden.write(model, generated(about.frontend)[:3], tmp_path)
    document = json.loads((tmp_path / "golden.json").read_text())
    assert document["model_sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    for signal in document["signals"]:
        found = {
            file["stage"]: np.fromfile(tmp_path / file["file"], file["type"]).reshape(file["shape"])
            for file in signal["files"]
        }
        again = reference.compute_stages(about.frontend, found["samples"], about.standardization)
        for stage in ("window", "scale", "exponent", "fft", "power", "log", "image"):
            assert (again[stage] == found[stage]).all()
        assert (HostModel(model).run(found["images"]) == found["outputs"]).all()
    assert "samples" in (tmp_path / "README.md").read_text()
