"""The task interface: what a recipe trains, from recordings to an int8 model and its report."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from edgebio.protocols import Fold
from edgebio.recipes import Recipe, Scheme
from edgebio.recordings.recording import Recording

METRICS_FILE, QUANTIZE_FILE = "metrics.json", "quantize.json"

Engine = Callable[[bytes, npt.NDArray[np.int8]], tuple[npt.NDArray[np.int8], str]]
"""Outputs of an int8 model for inputs, and the name of the kernels that computed them."""

CLASSIFICATION = ("accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "instability")
DECISIONS = (
    "accuracy_decided", "instability_decided", "rejection_rate", "accuracy_vote", "accuracy_sure",
)  # fmt: skip


@dataclass(frozen=True)
class TrainResult:
    """What training left in a run folder.

    Attributes
    ----------
    folder
        The run.
    metrics
        Content of metrics.json.
    """

    folder: Path
    metrics: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """Content of metrics.json."""
        return dict(self.metrics)


@dataclass(frozen=True)
class QuantizeResult:
    """What quantization left in a run folder.

    Attributes
    ----------
    folder
        The run, with model.tflite.
    report
        Content of quantize.json.
    """

    folder: Path
    report: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """Content of quantize.json."""
        return dict(self.report)


@dataclass(frozen=True)
class Score:
    """Metrics of a quantized run's test set; a metric that a task does not define is None.

    Attributes
    ----------
    by_subject
        By subject tested: ``subject``, ``segments`` and the metrics.
    pooled
        The metrics over all segments.
    by_condition
        By condition of the test recordings: ``trained``, ``tested``, ``windows`` and accuracies;
        empty where recordings name no condition.
    """

    by_subject: list[dict[str, Any]]
    pooled: dict[str, float | None]
    by_condition: list[dict[str, Any]]


class Task(ABC):
    """What a recipe trains. One stateless instance per task, see `edgebio.tasks.task_of`.

    Attributes
    ----------
    name
        As the recipe's ``task`` key has it.
    metrics
        Names of all metrics that `score` gives, in the order of tables. ``*_int8`` are those of
        the int8 model.
    own_metrics
        Those of them that only this task has.
    """

    name: ClassVar[str]
    own_metrics: ClassVar[tuple[str, ...]] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of all metrics that `score` gives."""
        int8 = (f"{name}_int8" for name in CLASSIFICATION)
        return (*CLASSIFICATION, *int8, *DECISIONS, *self.own_metrics)

    @abstractmethod
    def train(self, recipe: Recipe, fold: Fold, folder: Path) -> TrainResult:
        """Train on a fold's training set, score its test set, and leave a run in `folder`.

        Raises
        ------
        EdgebioError
            Where recordings and recipe do not fit, the recipe has a setting that the task does not
            use, or `folder` holds something other than a run.
        """

    @abstractmethod
    def load_run(self, folder: Path) -> Any:
        """Read a run; it has ``folder, recipe, frontend, metrics`` and ``labels()``.

        Raises
        ------
        EdgebioError
            Where the folder holds no finished run, or a file of it is damaged.
        """

    @abstractmethod
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
            Where the converter fails, or its model is not what the firmware needs.
        EdgebioError
            Where the run is not complete.
        """

    @abstractmethod
    def score(self, folder: Path) -> Score:
        """Metrics of a quantized run's test set, by subject, pooled and by condition."""
