"""The task interface: what a recipe trains, from recordings to an int8 model and its report.

`Task` does what is the same for every task: the run folder, the settings for new subjects, the
held-out validation set, all metrics and documents. A task adds what is its own.
"""

import hashlib
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

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
TextTable = tuple[str, list[str], list[list[Any]]]
"""Title, columns and rows."""
Document = Mapping[str, Any]


class Task(ABC, Generic[RunT]):
    """What a recipe trains; one stateless instance per task, see `edgebio.tasks.task_of`.

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
    unused_settings
        Dotted names of the recipe's sections and keys that the task does not use. A recipe that
        changes one is refused.
    own_metrics
        Names of the metrics that only this task has.
    """

    name: ClassVar[str]
    run_type: type[RunT]
    metadata_entry: ClassVar[str]
    schemes: ClassVar[tuple[Scheme, ...]]
    unused_settings: ClassVar[tuple[str, ...]] = ()
    own_metrics: ClassVar[tuple[str, ...]] = ()

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
        run_folder.prepare(folder)
        storage.write_text(folder / RECIPE, recipes.dump(recipe))
        start = time.monotonic()
        split = Split.of(recipe, fold)
        trained = self._train(recipe, split, folder)
        provenance.write(folder, split.train, split.validation, split.tune)
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
        storage.write_json(folder / METRICS, document)  # last: with it the run is complete
        return TrainResult.read(folder, document)

    @abstractmethod
    def _train(self, recipe: Recipe, split: Split, folder: Path) -> Trained:
        """Train, and write all files of the run but recipe.toml, trained.json and metrics.json."""

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
        folder
            A finished run.
        scheme
            How the network becomes int8; the recipe's if None.
        recordings
            What the run was trained on, for schemes that train further; loaded by the recipe from
            `data` (see `edgebio.datasets.load`) if None.
        engine
            What runs the int8 model on the test set; the task's own choice if None.
        compare_layers
            Compare float and int8 layer by layer.

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
        quantized = self._quantize(run, scheme, recordings or (), engine, compare_layers)
        test, outputs = run.test_set(), quantized.outputs
        values: dict[str, Any] = {"float": quantized.probability, "int8": outputs}
        decisions = {kind: array.argmax(axis=1) for kind, array in values.items()}
        counts = confusion_counts(test.labels, decisions["int8"], outputs.shape[1])
        content = next(iter(quantized.models.values()))
        document: dict[str, Any] = {
            "model_sha256": hashlib.sha256(content).hexdigest(),
            "scheme": scheme,
            **quantized.details,
            "windows": len(test),
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
            with storage.replacing(folder / name) as temporary:
                np.save(temporary, array)
        storage.write_json(folder / QUANTIZE, document)
        return QuantizeResult.read(folder, document)

    @abstractmethod
    def _quantize(
        self,
        run: RunT,
        scheme: Scheme,
        recordings: Sequence[Recording],
        engine: Engine | None,
        compare_layers: bool,
    ) -> Quantized:
        """Quantize, and run the int8 models on the test set; writes nothing into the run."""

    def score(self, folder: Path) -> Score:
        """Metrics of a quantized run's test set, by subject, pooled and by condition."""
        run = self.load_run(folder)
        own = self._segment_metrics(run)
        return scoring.score_run(run, self.metrics, own, self._pooled_metrics(run))

    @abstractmethod
    def _segment_metrics(self, run: RunT) -> SegmentMetrics:
        """Return what computes the task's own metrics of a selection of test segments."""

    def _pooled_metrics(self, run: RunT) -> Mapping[str, float | None]:
        """Metrics of the whole test set only."""
        return {}

    @abstractmethod
    def verify(
        self,
        model: Path,
        board: Board | None = None,
        *,
        segments: int = 300,
        recordings: Sequence[Recording] | None = None,
        data: Path | None = None,
    ) -> VerifyResult:
        """Compare every stage of a model with the one before it: the ladder.

        Parameters
        ----------
        model
            A .tflite, in its run if it has one.
        board
            An emulated board for rung 5; the ladder ends at rung 4 if None.
        segments
            Segments to take from the recordings.
        recordings
            Inputs; the run's test set, loaded from `data` (see `edgebio.datasets.load`), if None.
        """

    def page(self, folder: Path) -> Page:
        """Compose the report of a run, quantized or not."""
        run = self.load_run(folder)
        quantized = run_page.read_quantization(run)
        return run_page.compose(
            run,
            quantized,
            tiles=self._tiles(run, quantized),
            description=self.describe(run),
            sections=self._sections(run, quantized),
            score=self.score if quantized else None,
        )

    @abstractmethod
    def describe(self, run: RunT) -> list[str]:
        """Describe inputs, networks and training of a run, for its report."""

    @abstractmethod
    def fold_section(self, run: RunT, folds: Sequence[Document], mean: Document) -> Section:
        """Section of an evaluation's report that only this task has.

        Parameters
        ----------
        run
            The run of the first fold.
        folds, mean
            Results of all folds, and their mean.
        """

    @abstractmethod
    def _tiles(self, run: RunT, quantized: Document | None) -> list[Tile]:
        """Metrics at the top of a run's report; `quantized` is the content of quantize.json."""

    @abstractmethod
    def _sections(self, run: RunT, quantized: Document | None) -> list[Section]:
        """Sections of a run's report that only this task has."""

    def tables(self, document: Document) -> list[TextTable]:
        """Tables that the command line prints besides, of a metrics.json or quantize.json."""
        return []
