"""Recordings of a run: written down by their digests in training, found again later."""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

from edgebio import protocols, recipes, storage
from edgebio.errors import EdgebioError
from edgebio.recordings.recording import Recording
from edgebio.tasks.run_folder import METRICS, RECIPE, TRAINED, Run
from edgebio.tasks.split import Split


def write(folder: Path, split: Split) -> None:
    """Write the digests of all recordings that are trained on into a run."""
    sets = {"train": split.train, "validation": split.validation, "tune": split.tune}
    digests = {name: [protocols.digest(r).hex() for r in group] for name, group in sets.items()}
    storage.write_json(folder / TRAINED, digests)


def load_training_recordings(run: Run, root: Path | None = None) -> list[Recording]:
    """Load the recordings of all subjects that a run was trained on, by its recipe.

    `root` is that of `edgebio.datasets.load`, where it raises as well.
    """
    sets = [run.metrics[name]["subjects"] for name in ("train", "validation", "tune")]
    try:
        return run.recipe.recordings(root, list(dict.fromkeys(itertools.chain(*sets))))
    except EdgebioError as error:
        raise EdgebioError(
            f"{run.folder}: training further needs the recordings that it was trained on: {error}"
        ) from None


def load_test_recordings(folder: Path, root: Path | None = None) -> list[Recording]:
    """Load the recordings of a run's test set, prepared as its recipe says.

    None without metrics.json. `root` is that of `edgebio.datasets.load`.
    """
    if not (folder / METRICS).is_file():
        return []
    test = json.loads((folder / METRICS).read_text())["test"]
    return [
        r
        for r in recipes.load(folder / RECIPE).recordings(root, test["subjects"])
        if r.session in test["sessions"] and r.repetition in test["repetitions"]
    ]


def match(run: Run, recordings: Sequence[Recording]) -> dict[str, list[Recording]]:
    """Find a run's training, validation and tuning set among recordings, by their content.

    By ``train``, ``validation`` and ``tune``, in the order of training.

    Raises
    ------
    EdgebioError
        If a recording is missing or was changed.
    """
    try:
        digests: dict[str, list[str]] = json.loads((run.folder / TRAINED).read_text())
    except (OSError, ValueError):
        raise EdgebioError(
            f"{run.folder}: does not say what it was trained on (no {TRAINED}): train again"
        ) from None
    by_digest: dict[str, list[Recording]] = {}
    for recording in recordings:
        by_digest.setdefault(protocols.digest(recording).hex(), []).append(recording)
    sets: dict[str, list[Recording]] = {}
    for name, wanted in digests.items():
        missing = sum(digest not in by_digest for digest in wanted)
        if missing:
            raise EdgebioError(
                f"{run.folder}: {missing} of the {len(wanted)} recordings that it was trained on "
                f"are missing from {run.recipe.data.dataset} or have changed: train again"
            )
        # Two of the same content keep their order.
        sets[name] = [
            by_digest[d].pop(0) if len(by_digest[d]) > 1 else by_digest[d][0] for d in wanted
        ]
    return sets
