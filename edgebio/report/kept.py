"""What ``edgebio validate``, ``bench`` and ``hil`` leave in a run, for its page to show."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgebio import storage

VALIDATED, BENCHED, ON_BOARD = "validate.json", "bench.json", "hil.json"


def keep(folder: Path, name: str, document: Mapping[str, Any], model: Path) -> None:
    """Write a document into `folder` if that is a run, with the digest of the model it is of."""
    if (folder / "metrics.json").is_file():
        storage.write_json(folder / name, {**document, "model_sha256": storage.sha256(model)})
