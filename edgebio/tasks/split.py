"""The recordings of a fold as training uses them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from edgebio import protocols
from edgebio.protocols import Fold
from edgebio.recipes import Recipe, TrainingSettings
from edgebio.recordings.recording import Recording

_VALIDATION_SHARE = 0.1  # of the repetitions, if that is more than the recipe's number of them


@dataclass(frozen=True, eq=False)
class Split:
    """The recordings of a fold, and the training settings for them."""

    settings: TrainingSettings
    train: tuple[Recording, ...]
    validation: tuple[Recording, ...]
    tune: tuple[Recording, ...]
    test: tuple[Recording, ...]
    pretraining: tuple[Recording, ...]

    @classmethod
    def of(cls, recipe: Recipe, fold: Fold) -> Self:
        """Apply ``[training.new_subjects]``, and hold a validation set out of the training set."""
        settings = recipe.training
        if fold.new_subjects:
            settings = settings.for_new_subjects()
        train, validation = fold.train, fold.validation
        if not validation:
            train, validation = protocols.hold_out(
                train, settings.validation_repetitions, _VALIDATION_SHARE
            )
        elif not settings.patience:
            # Training of fixed length has no use for a validation set.
            train, validation = (*train, *validation), ()
        return cls(settings, train, validation, fold.tune, fold.test, fold.pretraining)

    @property
    def labeled(self) -> tuple[Recording, ...]:
        """Recordings whose labels are learned from last."""
        return self.tune or self.train


def describe_recordings(recordings: Sequence[Recording]) -> dict[str, Any]:
    """Describe the recordings of a set as metrics.json does."""
    return {
        "subjects": list(dict.fromkeys(r.subject for r in recordings)),
        "sessions": list(dict.fromkeys(r.session for r in recordings)),
        "conditions": list(dict.fromkeys(r.condition for r in recordings if r.condition)),
        "repetitions": sorted({r.repetition for r in recordings}),
        "recordings": len(recordings),
    }


def describe_exclusions(
    exclusions: Sequence[dict[str, int]], recordings: Sequence[Recording]
) -> list[dict[str, Any]]:
    """Describe the artifacts of each recording that has any, as metrics.json does."""
    return [
        {"subject": r.subject, "session": r.session, "repetition": r.repetition, **counts}
        for r, counts in zip(recordings, exclusions, strict=True)
        if sum(counts.values()) > counts["of"]
    ]
