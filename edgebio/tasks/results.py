"""What the steps of a task return."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from edgebio.parity.comparison import Rung
from edgebio.tasks.run_folder import MODEL


@dataclass(frozen=True)
class ClassificationMetrics:
    """Metrics of one network's decisions over all test segments.

    Attributes
    ----------
    accuracy, balanced_accuracy, macro_f1, roc_auc, instability
        See `edgebio.training.metrics`; ``roc_auc`` is None for a test set of one class.
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

    Attributes
    ----------
    folder : Path
        The run.
    fold : str
        Name of the fold.
    classes : tuple of str
        Class names.
    segments : int
        Test segments.
    metrics : ClassificationMetrics
        Of the float network on the test set.
    parameters, epochs, best_epoch : int
        Of the network; the last is the epoch, from 1, whose weights it has.
    seconds : float
        Duration of the training.
    history : dict
        By name (``loss``, ``accuracy``, ``val_loss``, ...): one value per epoch.
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

    Attributes
    ----------
    folder, model : Path
        The run, and its .tflite.
    scheme : str
        How the network became int8.
    kernels : str
        What computed the int8 outputs.
    segments : int
        Test segments.
    decisions_differing : int
        Test segments that float and int8 decide differently.
    float_metrics, int8_metrics : ClassificationMetrics
        On the test set.
    layers : list of dict
        See `edgebio.quantize.layer_report.compare_layers`.
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
    by_subject : list of dict
        By subject tested: ``subject``, ``windows`` (segments) and the metrics.
    pooled : dict
        The metrics over all segments.
    by_condition : list of dict
        By condition of the test recordings: ``trained`` (all conditions of the training set, joined
        by ``+``), ``tested``, ``windows`` and accuracies; empty if recordings name no condition.
    """

    by_subject: list[dict[str, Any]]
    pooled: dict[str, float | None]
    by_condition: list[dict[str, Any]]


@dataclass(frozen=True)
class VerifyResult:
    """What the ladder found.

    Attributes
    ----------
    rungs : list of Rung
        Rungs 1 to 5; the note of a rung that does not apply says why.
    inputs : str
        Description of the inputs that were compared on.
    """

    rungs: list[Rung]
    inputs: str

    @property
    def ok(self) -> bool:
        """Whether no rung breaks."""
        return not any(rung.ok is False for rung in self.rungs)


@dataclass(frozen=True, eq=False)
class Trained:
    """What a task's own training hands to `Task.train`.

    Attributes
    ----------
    classes : tuple of str
        Class names.
    labels, recordings : ndarray
        int, shape (n,): class of every test segment, and number of its recording.
    probability : ndarray
        float32, shape (n, classes): class probabilities of the test segments.
    parameters, best_epoch : int
        Of the network.
    history : dict
        By name: one value per epoch.
    exclusions : dict
        By ``train`` (or what was tuned on) and ``test``: excluded segments of each recording.
    details : dict
        More of metrics.json.
    """

    classes: tuple[str, ...]
    labels: np.ndarray[Any, np.dtype[np.integer]]
    recordings: np.ndarray[Any, np.dtype[np.integer]]
    probability: np.ndarray[Any, np.dtype[np.float32]]
    parameters: int
    best_epoch: int
    history: dict[str, list[float]]
    exclusions: dict[str, tuple[dict[str, int], ...]]
    details: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Quantized:
    """What a task's own quantization hands to `Task.quantize`.

    Attributes
    ----------
    models : dict
        Content of each .tflite by file name; model.tflite is the first.
    arrays : dict
        More arrays to leave in the run, by file name.
    outputs : ndarray
        int8, shape (n, classes): int8 outputs for the test set.
    probability : ndarray
        float32, shape (n, classes): those of the float network that was quantized.
    kernels : str
        What computed the outputs.
    details : dict
        More of quantize.json: ``samples``, ``bytes``, ``layers`` and a task's own.
    """

    models: dict[str, bytes]
    arrays: dict[str, np.ndarray[Any, Any]]
    outputs: np.ndarray[Any, np.dtype[np.int8]]
    probability: np.ndarray[Any, np.dtype[np.float32]]
    kernels: str
    details: dict[str, Any]
