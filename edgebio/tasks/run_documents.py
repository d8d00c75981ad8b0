"""Documents that ``edgebio validate``, ``bench`` and ``hil`` write into a run for its report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgebio import storage

VALIDATE, BENCH, HIL = "validate.json", "bench.json", "hil.json"


def write_document(folder: Path, name: str, document: Mapping[str, Any], model: Path) -> None:
    """Write a document into `folder` if that is a run, with the digest of its model."""
    if (folder / "metrics.json").is_file():
        storage.write_json(folder / name, {**document, "model_sha256": storage.sha256(model)})
