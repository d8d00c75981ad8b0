"""What a run was trained on, written down, so that it can be trained on."""

import json
from collections.abc import Sequence
from pathlib import Path

from edgebio import protocols, storage
from edgebio.errors import EdgebioError
from edgebio.recipes import TrainingSettings
from edgebio.recordings.recording import Recording
from edgebio.training.images import ImageSet, image_set
from edgebio.tasks.stft_classifier.run import SIDES, Run


def write(
    folder: Path,
    train: Sequence[Recording],
    validation: Sequence[Recording],
    tune: Sequence[Recording],
) -> None:
    """Write the digests of each side's recordings into a run."""
    sides = {"train": train, "validation": validation, "tune": tune}
    storage.write_json(
        folder / SIDES,
        {name: [protocols.digest(r).hex() for r in side] for name, side in sides.items()},
    )


def load(run: Run, root: Path | None = None) -> list[Recording]:
    """Load the recordings of the people that a run was trained on, by its recipe.

    Parameters
    ----------
    run
        Whose.
    root
        See `edgebio.datasets.load`.

    Raises
    ------
    EdgebioError
        Where they are not on this machine.
    """
    whose = [
        subject for name in ("train", "validation", "tune")
        for subject in run.metrics[name]["subjects"]
    ]  # fmt: skip
    try:
        return run.recipe.recordings(root, list(dict.fromkeys(whose)))
    except EdgebioError as error:
        raise EdgebioError(
            f"{run.folder}: only with what it was trained on can it be trained further: {error}"
        ) from None


def images(run: Run, recordings: Sequence[Recording]) -> tuple[ImageSet, TrainingSettings]:
    """Make a run's training images again, and tell the settings that they were trained with.

    Parameters
    ----------
    run
        A finished run.
    recordings
        Where its own are looked for, by what they hold.

    Returns
    -------
    images : ImageSet
        Without a test side; the front end is the run's, to the last bit.
    settings : TrainingSettings
        Those of the last fit.

    Raises
    ------
    EdgebioError
        Where a recording is not there, or not as it was.
    """
    sides = _found(run, recordings)
    # As in the training: what the network was tuned on comes after the others.
    others = run.training
    made = image_set(
        run.recipe.frontend, sides["train"], sides["validation"], (), run.recipe.data,
        others.normalise,
    )  # fmt: skip
    if (made.spec, made.standardization) != (
        run.frontend.frontend,
        run.frontend.standardization,
    ):
        raise EdgebioError(
            f"{run.folder}: the same recordings give another front end now than when it was "
            "trained: train again"
        )
    if sides["tune"]:
        return made.tuned_on(sides["tune"]), run.recipe.training
    return made, others


def _found(run: Run, recordings: Sequence[Recording]) -> dict[str, list[Recording]]:
    path = run.folder / SIDES
    try:
        wanted: dict[str, list[str]] = json.loads(path.read_text())
    except (OSError, ValueError):
        raise EdgebioError(
            f"{run.folder}: does not say what it was trained on (no {SIDES}): train again"
        ) from None
    there: dict[str, list[Recording]] = {}
    for recording in recordings:
        there.setdefault(protocols.digest(recording).hex(), []).append(recording)
    sides: dict[str, list[Recording]] = {}
    for name, digests in wanted.items():
        missing = sum(digest not in there for digest in digests)
        if missing:
            raise EdgebioError(
                f"{run.folder}: {missing} of the {len(digests)} recordings that it was trained on "
                f"are not in {run.recipe.data.dataset} as they were: train again"
            )
        # Two that hold the same follow one another as they did.
        sides[name] = [there[d].pop(0) if len(there[d]) > 1 else there[d][0] for d in digests]
    return sides
