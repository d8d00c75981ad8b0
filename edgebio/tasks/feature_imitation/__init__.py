"""Task: imitate features of raw segments by an LSTM, and classify by them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgebio.protocols import Fold
from edgebio.recipes import Recipe, Scheme
from edgebio.recordings.recording import Recording
from edgebio.tasks.task import Engine, QuantizeResult, Score, Task, TrainResult
from edgebio.training.features import IMITATED


class FeatureImitation(Task):
    """An LSTM that predicts features of one channel, and a CNN that classifies by them."""

    name = "feature_imitation"
    own_metrics = (
        "accuracy_true", "accuracy_tuned",
        *(f"r2_{name}{suffix}" for suffix in ("", "_int8") for name in IMITATED),
    )  # fmt: skip

    def train(self, recipe: Recipe, fold: Fold, folder: Path) -> TrainResult:  # noqa: D102
        from edgebio.tasks.stft_classifier.train import train_fold

        return TrainResult(folder, train_fold(recipe, fold, folder))

    def load_run(self, folder: Path) -> Any:  # noqa: D102
        from edgebio.tasks.feature_imitation import run

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
        from edgebio.tasks.engines import generated_c

        return QuantizeResult(folder, quantize(folder, engine or generated_c, scheme))

    def score(self, folder: Path) -> Score:  # noqa: D102
        from edgebio.tasks.feature_imitation import score

        return Score(*run.by_person(folder), [])
