"""Task: predict features of raw segments by an LSTM, and classify by them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from edgebio.boards import Board
from edgebio.recipes import Recipe, Scheme
from edgebio.recordings.recording import Recording
from edgebio.report.page import Section, Tile
from edgebio.tasks.engines import Engine
from edgebio.tasks.feature_imitation import quantize, report, score, verify
from edgebio.tasks.feature_imitation.run import ImitationRun
from edgebio.tasks.results import Quantized, Trained, VerifyResult
from edgebio.tasks.scoring import SegmentMetrics
from edgebio.tasks.split import Split
from edgebio.tasks.task import Document, Task, TextTable
from edgebio.training.features import IMITATED_FEATURES


class FeatureImitation(Task[ImitationRun]):
    """An LSTM that predicts features of one channel, and a CNN that classifies by them."""

    name = "feature_imitation"
    run_type = ImitationRun
    metadata_entry = quantize.ENTRY
    schemes = ("ptq",)
    # Of [frontend], `n_fft` and `bins` are not used either, but they must suit the segment.
    unused_settings = (
        "frontend.window_function", "frontend.floor", "frontend.standardization",
        "frontend.fft_numerics", "model.family", "model.filters", "model.pool_after",
        "model.flatten", "model.dense", "training.normalization", "training.augment",
        "training.pretraining", "training.teacher", "training.new_subjects.normalization",
        "training.new_subjects.augment", "quantize.scheme", "quantize.percentile", "quantize.qat",
        "quantize.prune", "quantize.cluster", "decision",
    )  # fmt: skip
    own_metrics = (
        "accuracy_true", "accuracy_tuned",
        *(f"r2_{name}{suffix}" for suffix in ("", "_int8") for name in IMITATED_FEATURES),
    )  # fmt: skip

    def _train(self, recipe: Recipe, split: Split, folder: Path) -> Trained:
        from edgebio.tasks.feature_imitation.train import train_imitation

        return train_imitation(recipe, split, folder)

    def _quantize(
        self,
        run: ImitationRun,
        scheme: Scheme,
        recordings: Sequence[Recording],
        engine: Engine | None,
        compare_layers: bool,
    ) -> Quantized:
        return quantize.quantize_imitation(run, engine, compare_layers)

    def _segment_metrics(self, run: ImitationRun) -> SegmentMetrics:
        return score.segment_metrics(run)

    def _pooled_metrics(self, run: ImitationRun) -> Mapping[str, float | None]:
        return score.pooled_metrics(run)

    def verify(  # noqa: D102
        self,
        model: Path,
        board: Board | None = None,
        *,
        segments: int = 300,
        recordings: Sequence[Recording] | None = None,
        data: Path | None = None,
    ) -> VerifyResult:
        return verify.verify_imitation(model, board, segments)

    def describe(self, run: ImitationRun) -> list[str]:  # noqa: D102
        return report.describe_imitation(run)

    def fold_section(  # noqa: D102
        self, run: ImitationRun, folds: Sequence[Document], mean: Document
    ) -> Section:
        return report.fold_section(self.own_metrics, folds, mean)

    def _tiles(self, run: ImitationRun, quantized: Document | None) -> list[Tile]:
        return report.metric_tiles(run, quantized)

    def _sections(self, run: ImitationRun, quantized: Document | None) -> list[Section]:
        return [
            report.features_section(run, quantized),
            report.labels_section(run.metrics["percentages"]),
        ]

    def tables(self, document: Document) -> list[TextTable]:  # noqa: D102
        return report.text_tables(document)
