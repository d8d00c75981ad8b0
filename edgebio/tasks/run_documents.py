"""Documents that ``edgebio validate``, ``bench`` and ``hil`` write into a run for its report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgebio import storage
from edgebio.tasks.run_folder import METRICS, MODEL

VALIDATE, BENCH, HIL = "validate.json", "bench.json", "hil.json"


def write_document(model: Path, name: str, document: Mapping[str, Any]) -> None:
    """Write a document beside a model, with its digest, if it is the model of a run."""
    if model.name == MODEL and model.with_name(METRICS).is_file():
        content = {**document, "model_sha256": storage.sha256(model)}
        storage.write_json(model.with_name(name), content)
