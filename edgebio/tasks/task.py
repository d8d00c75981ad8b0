"""The task interface: what a recipe trains, from recordings to an int8 model and its report.

`Task` does what is the same for every task: the run folder, the settings for new subjects, the
held-out validation set, all metrics, documents and the page. A task adds the steps of its own.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from edgebio import recipes, storage
from edgebio.boards import Board
from edgebio.errors import EdgebioError
from edgebio.protocols import Fold
from edgebio.recipes import Recipe, Scheme
from edgebio.recordings.recording import Recording
from edgebio.report.page import Page, Section, Tile
from edgebio.tasks import provenance, run_folder, run_page, scoring
from edgebio.tasks.engines import Engine
from edgebio.tasks.results import (
    Quantized,
    QuantizeResult,
    Score,
    Trained,
    TrainResult,
    VerifyResult,
)
from edgebio.tasks.run_folder import METRICS, OUTPUTS, QUANTIZE, RECIPE, Run
from edgebio.tasks.scoring import SegmentMetrics
from edgebio.tasks.split import Split, describe_exclusions, describe_recordings
from edgebio.training.metrics import class_metrics, classification_metrics, confusion_counts

RunT = TypeVar("RunT", bound=Run)
Document = Mapping[str, Any]
TextTable = tuple[str, list[str], list[list[Any]]]
"""Title, columns and rows."""


class Verify(Protocol):
    """How `Task.verify` is called."""

    def __call__(
        self,
        model: Path,
        board: Board | None = None,
        *,
        segments: int = 300,
        recordings: Sequence[Recording] | None = None,
        data: Path | None = None,
    ) -> VerifyResult:
        """Compare every stage of a model with the one before it: the ladder.

        `model` is a .tflite, in its run if it has one; `board` an emulated board, without which the
        ladder ends at rung 4. `segments` are taken from `recordings`; from the run's test set,
        loaded from `data` (see `edgebio.datasets.load`), if None.
        """


@dataclass(frozen=True)
class Task(Generic[RunT]):
    """What a recipe trains; see `edgebio.tasks.task_of`.

    Attributes
    ----------
    name
        As the recipe's ``task`` key has it.
    run_type
        Class of its runs.
    metadata_entry
        Metadata entry of its model.tflite.
    schemes
        How its networks can be quantized.
    train_networks
        Train, and write all files of the run but recipe.toml, trained.json and metrics.json.
    quantize_networks
        Quantize a run by a scheme, which may train further on recordings; run the int8 models on
        the test set by an engine, the task's own choice if None; compare layers if asked to. Writes
        nothing into the run.
    verify
        See `Verify`.
    segment_metrics
        From a run to what computes the task's own metrics of a selection of test segments.
    describe
        Describe inputs, networks and training of a run, for its report.
    tiles, sections
        Metrics at the top of a run's report, and sections that only this task has; of a run and the
        content of its quantize.json, if there is one.
    fold_section
        Section of an evaluation's report that only this task has, of the run of the first fold, the
        results of all folds, and their mean.
    pooled_metrics
        Metrics of the whole test set of a run only.
    tables
        Tables that the command line prints besides, of a metrics.json or quantize.json.
    own_metrics
        Names of the metrics that only this task has.
    unused_settings
        Dotted names of the recipe's sections and keys that the task does not use. A recipe that
        changes one is refused.
    """

    name: str
    run_type: type[RunT]
    metadata_entry: str
    schemes: tuple[Scheme, ...]
    train_networks: Callable[[Recipe, Split, Path], Trained]
    quantize_networks: Callable[[RunT, Scheme, Sequence[Recording], Engine | None, bool], Quantized]
    verify: Verify
    segment_metrics: Callable[[RunT], SegmentMetrics]
    describe: Callable[[RunT], list[str]]
    tiles: Callable[[RunT, Document | None], list[Tile]]
    sections: Callable[[RunT, Document | None], list[Section]]
    fold_section: Callable[[RunT, Sequence[Document], Document], Section]
    pooled_metrics: Callable[[RunT], Mapping[str, float | None]] = lambda run: {}
    tables: Callable[[Document], list[TextTable]] = lambda document: []
    own_metrics: tuple[str, ...] = ()
    unused_settings: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of all metrics of `score`."""
        return (*scoring.METRICS, *self.own_metrics)

    def train(self, recipe: Recipe, fold: Fold, folder: Path) -> TrainResult:
        """Train on a fold's training set, score its test set, and leave a run in `folder`.

        Raises
        ------
        EdgebioError
            If recordings and recipe do not fit, the recipe has a setting that the task does not
            use, or `folder` holds something other than a run.
        """
        recipes.refuse_unused(recipe, self.unused_settings)
        with run_folder.replacing(folder) as work:
            storage.write_text(work / RECIPE, recipes.dump(recipe))
            start = time.monotonic()
            split = Split.of(recipe, fold)
            trained = self.train_networks(recipe, split, work)
            provenance.write(work, split)
            labels, decisions = trained.labels, trained.probability.argmax(axis=1)
            counts = confusion_counts(labels, decisions, len(trained.classes))
            document = {
                "recipe": recipe.name,
                "task": self.name,
                "dataset": recipe.data.dataset,
                "fold": fold.name,
                "train": describe_recordings(split.train),
                "tune": describe_recordings(split.tune),
                "validation": describe_recordings(split.validation),
                "test": {**describe_recordings(split.test), "windows": len(labels)},
                "left_out": {
                    name: describe_exclusions(trained.exclusions[name], recordings)
                    for name, recordings in (("train", split.labeled), ("test", split.test))
                },
                "classes": trained.classes,
                "new_people": fold.new_subjects,
                "parameters": trained.parameters,
                "epochs": len(trained.history["loss"]),
                "best_epoch": trained.best_epoch,
                "seconds": round(time.monotonic() - start, 1),
                **classification_metrics(labels, trained.probability, trained.recordings),
                "by_class": class_metrics(counts),
                "confusion": counts,
                **trained.details,
                "history": trained.history,
            }
            storage.write_json(work / METRICS, document)
        return TrainResult.read(folder, document)

    def load_run(self, folder: Path) -> RunT:
        """Read a run; see `Run.load`."""
        return self.run_type.load(folder)

    def quantize(
        self,
        folder: Path,
        *,
        scheme: Scheme | None = None,
        recordings: Sequence[Recording] | None = None,
        data: Path | None = None,
        engine: Engine | None = None,
        compare_layers: bool = True,
    ) -> QuantizeResult:
        """Make ``model.tflite`` and ``quantize.json`` of a run; its float network is unchanged.

        Parameters
        ----------
        scheme
            How the network becomes int8; the recipe's if None.
        recordings
            What the run was trained on, for schemes that train further; loaded by the recipe from
            `data` (see `edgebio.datasets.load`) if None.
        engine, compare_layers
            See `quantize_networks`.

        Raises
        ------
        CheckFailedError
            If the converter fails, or its model is not what the firmware needs.
        EdgebioError
            If the run is not complete, or the task has no such scheme.
        """
        run = self.load_run(folder)
        scheme = scheme or run.recipe.quantize.scheme
        if scheme not in self.schemes:
            raise EdgebioError(
                f"{folder}: networks of task {self.name} are quantized by "
                f"{' or '.join(self.schemes)} only, not by {scheme}"
            )
        if scheme != "ptq" and recordings is None:
            recordings = provenance.load_training_recordings(run, data)
        quantized = self.quantize_networks(run, scheme, recordings or (), engine, compare_layers)
        test, outputs = run.test_set(), quantized.outputs
        values: dict[str, Any] = {"float": quantized.probability, "int8": outputs}
        decisions = {kind: array.argmax(axis=1) for kind, array in values.items()}
        counts = confusion_counts(test.labels, decisions["int8"], outputs.shape[1])
        content = next(iter(quantized.models.values()))
        document: dict[str, Any] = {
            "model_sha256": hashlib.sha256(content).hexdigest(),
            "scheme": scheme,
            **quantized.details,
            "windows": len(test.labels),
            "by_class_int8": class_metrics(counts),
            "confusion_int8": counts,
            "decisions_differing": int((decisions["float"] != decisions["int8"]).sum()),
            "kernels": quantized.kernels,
        }
        for kind, array in values.items():
            metrics = classification_metrics(test.labels, array, test.recordings)
            document |= {f"{name}_{kind}": value for name, value in metrics.items()}
        for name, model in quantized.models.items():
            storage.write_bytes(folder / name, model)
        for name, array in {OUTPUTS: outputs, **quantized.arrays}.items():
            storage.write_array(folder / name, array)
        storage.write_json(folder / QUANTIZE, document)
        return QuantizeResult.read(folder, document)

    def score(self, folder: Path) -> Score:
        """Metrics of a quantized run's test set, by subject, pooled and by condition."""
        run = self.load_run(folder)
        own, pooled = self.segment_metrics(run), self.pooled_metrics(run)
        return scoring.score_run(run, self.metrics, own, pooled)

    def page(self, folder: Path) -> Page:
        """Compose the report of a run, quantized or not."""
        run = self.load_run(folder)
        quantized = run_page.read_quantization(run)
        rows = self.score(folder).by_subject if quantized else None
        tiles, sections = self.tiles(run, quantized), self.sections(run, quantized)
        return run_page.compose(run, quantized, tiles, self.describe(run), sections, rows)
