"""What the steps of a task return."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from edgebio.parity.comparison import Rung
from edgebio.tasks.run_folder import MODEL


@dataclass(frozen=True)
class ClassificationMetrics:
    """Metrics of a network's decisions over all test segments; see `edgebio.training.metrics`.

    ``roc_auc`` is None for a test set of one class.
    """

    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    roc_auc: float | None
    instability: float

    @classmethod
    def read(cls, document: Mapping[str, Any], suffix: str = "") -> Self:
        """Take the metrics, under their names with a suffix, from a document."""
        return cls(**{name: document[name + suffix] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class TrainResult:
    """What training left in a run folder.

    `metrics` are those of the float network on the test set of so many `segments`; `history` has
    one value per epoch by name (``loss``, ``accuracy``, ``val_loss``, ...), and `best_epoch`, from
    1, is the one whose weights the network has.
    """

    folder: Path
    fold: str
    classes: tuple[str, ...]
    segments: int
    metrics: ClassificationMetrics
    parameters: int
    epochs: int
    best_epoch: int
    seconds: float
    history: dict[str, list[float]] = field(repr=False)
    _document: Mapping[str, Any] = field(repr=False)

    @classmethod
    def read(cls, folder: Path, document: Mapping[str, Any]) -> Self:
        """Result of a run from the content of its metrics.json."""
        return cls(
            folder, document["fold"], tuple(document["classes"]), document["test"]["windows"],
            ClassificationMetrics.read(document), document["parameters"], document["epochs"],
            document["best_epoch"], document["seconds"], document["history"], document,
        )  # fmt: skip

    def document(self) -> dict[str, Any]:
        """Content of metrics.json."""
        return dict(self._document)


@dataclass(frozen=True)
class QuantizeResult:
    """What quantization left in a run folder.

    Metrics are those on the test set of so many `segments`, the int8 ones computed by `kernels`.
    See `edgebio.quantization.layer_report.compare_layers` for `layers`.
    """

    folder: Path
    model: Path
    scheme: str
    kernels: str
    segments: int
    decisions_differing: int
    float_metrics: ClassificationMetrics
    int8_metrics: ClassificationMetrics
    layers: list[dict[str, Any]] = field(repr=False)
    _document: Mapping[str, Any] = field(repr=False)

    @classmethod
    def read(cls, folder: Path, document: Mapping[str, Any]) -> Self:
        """Result of a run from the content of its quantize.json."""
        return cls(
            folder, folder / MODEL, document["scheme"], document["kernels"], document["windows"],
            document["decisions_differing"], ClassificationMetrics.read(document, "_float"),
            ClassificationMetrics.read(document, "_int8"), document["layers"], document,
        )  # fmt: skip

    def document(self) -> dict[str, Any]:
        """Content of quantize.json."""
        return dict(self._document)


@dataclass(frozen=True)
class Score:
    """Metrics of a quantized run's test set; a metric that a task does not define is None.

    Attributes
    ----------
    by_subject
        By subject tested: ``subject``, ``windows`` (segments) and the metrics.
    by_condition
        By condition of the test recordings: ``trained`` (all conditions of the training set, joined
        by ``+``), ``tested``, ``windows`` and accuracies; empty if recordings name no condition.
    """

    by_subject: list[dict[str, Any]]
    pooled: dict[str, float | None]
    by_condition: list[dict[str, Any]]


@dataclass(frozen=True)
class VerifyResult:
    """Rungs 1 to 5 of the ladder for a model and a board, whose code an `emulated` board runs.

    `inputs` describes what they were compared on: ``"generated"`` signals only, or recordings.
    """

    model: Path
    board: str | None
    inputs: str
    rungs: list[Rung]
    emulated: str | None = None

    @property
    def ok(self) -> bool:
        """Whether no rung breaks."""
        return self.broken is None

    @property
    def broken(self) -> Rung | None:
        """First rung that breaks."""
        return next((rung for rung in self.rungs if rung.ok is False), None)

    def document(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "model": str(self.model),
            "board": self.board,
            "emulated": self.emulated,
            "recordings": self.inputs,
            "rungs": [rung.document() for rung in self.rungs],
        }


@dataclass(frozen=True, eq=False)
class Trained:
    """What a task's own training gives to `Task.train`.

    Attributes
    ----------
    labels, recordings, probability
        Of the test segments: class and number of the recording, shape (n,), and class
        probabilities, float32, shape (n, classes).
    exclusions
        By ``train`` (or what was tuned on) and ``test``: excluded segments of each recording.
    details
        More of metrics.json.
    """

    classes: tuple[str, ...]
    labels: npt.NDArray[np.integer]
    recordings: npt.NDArray[np.integer]
    probability: npt.NDArray[np.float32]
    parameters: int
    best_epoch: int
    history: dict[str, list[float]]
    exclusions: dict[str, tuple[dict[str, int], ...]]
    details: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Quantized:
    """What a task's own quantization gives to `Task.quantize`.

    Attributes
    ----------
    models, arrays
        What to leave in the run, by file name; the first model is model.tflite.
    outputs, probability
        Of the test segments, shape (n, classes): int8 outputs, computed by `kernels`, and float32
        class probabilities of the network that was quantized.
    details
        More of quantize.json: ``samples``, ``bytes``, ``layers`` and a task's own.
    """

    models: dict[str, bytes]
    outputs: npt.NDArray[np.int8]
    probability: npt.NDArray[np.float32]
    kernels: str
    details: dict[str, Any]
    arrays: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
