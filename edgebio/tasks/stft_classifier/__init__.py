"""Task: classify STFT images of segments by a compact CNN."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgebio.protocols import Fold
from edgebio.recipes import Recipe, Scheme
from edgebio.recordings.recording import Recording
from edgebio.tasks.task import Engine, QuantizeResult, Score, Task, TrainResult


class StftClassifier(Task):
    """A CNN over STFT images, whose pixels the firmware's own front end computes."""

    name = "stft_classifier"

    def train(self, recipe: Recipe, fold: Fold, folder: Path) -> TrainResult:  # noqa: D102
        from edgebio.tasks.stft_classifier.train import train_fold

        return TrainResult(folder, train_fold(recipe, fold, folder))

    def load_run(self, folder: Path) -> Any:  # noqa: D102
        from edgebio.tasks.stft_classifier import run

        return run.load(folder)

    def quantize(  # noqa: D102
        self,
        folder: Path,
        *,
        scheme: Scheme | None = None,
        recordings: Sequence[Recording] | None = None,
        data: Path | None = None,
        engine: Engine | None = None,
        compare_layers: bool = True,
    ) -> QuantizeResult:
        from edgebio.tasks.stft_classifier import quantize
        from edgebio.tasks import provenance

        def learned(run: Any) -> Sequence[Recording]:
            return provenance.load(run, data) if recordings is None else recordings

        return QuantizeResult(
            folder, quantize(folder, engine, scheme, learned, compare=compare_layers)
        )

    def score(self, folder: Path) -> Score:  # noqa: D102
        from edgebio.tasks.stft_classifier import score

        return Score(*score.by_person(folder), score.by_condition(folder))
