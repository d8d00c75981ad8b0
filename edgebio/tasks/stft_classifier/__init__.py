"""Task: classify STFT images of segments by a compact CNN."""

from collections.abc import Sequence
from pathlib import Path

from edgebio.boards import Board
from edgebio.recipes import Recipe, Scheme
from edgebio.recordings.recording import Recording
from edgebio.report.page import Section, Tile
from edgebio.tasks.engines import Engine
from edgebio.tasks.results import Quantized, Trained, VerifyResult
from edgebio.tasks.scoring import SegmentMetrics
from edgebio.tasks.split import Split
from edgebio.tasks.stft_classifier import quantize, report, score, verify
from edgebio.tasks.stft_classifier.run import ImageRun
from edgebio.tasks.task import Document, Task
from edgebio.tflite.metadata import ENTRY


class StftClassifier(Task[ImageRun]):
    """A CNN over STFT images, whose pixels the firmware's own front end computes."""

    name = "stft_classifier"
    run_type = ImageRun
    metadata_entry = ENTRY
    schemes = ("ptq", "qat", "prune", "cluster")

    def _train(self, recipe: Recipe, split: Split, folder: Path) -> Trained:
        from edgebio.tasks.stft_classifier.train import train_classifier

        return train_classifier(recipe, split, folder)

    def _quantize(
        self,
        run: ImageRun,
        scheme: Scheme,
        recordings: Sequence[Recording],
        engine: Engine | None,
        compare_layers: bool,
    ) -> Quantized:
        return quantize.quantize_classifier(run, scheme, recordings, engine, compare_layers)

    def _segment_metrics(self, run: ImageRun) -> SegmentMetrics:
        return score.segment_metrics(run)

    def verify(  # noqa: D102
        self,
        model: Path,
        board: Board | None = None,
        *,
        segments: int = 300,
        recordings: Sequence[Recording] | None = None,
        data: Path | None = None,
    ) -> VerifyResult:
        return verify.verify_classifier(model, board, segments, recordings, data)

    def describe(self, run: ImageRun) -> list[str]:  # noqa: D102
        return report.describe_classifier(run)

    def fold_section(  # noqa: D102
        self, run: ImageRun, folds: Sequence[Document], mean: Document
    ) -> Section:
        return report.fold_section(run, folds)

    def _tiles(self, run: ImageRun, quantized: Document | None) -> list[Tile]:
        return report.metric_tiles(run, quantized)

    def _sections(self, run: ImageRun, quantized: Document | None) -> list[Section]:
        return [report.examples_section(run)]
