"""Train a feature imitation: the LSTM, the CNN, and both together.

The LSTM needs no labels: it learns from all segments of the training set. CNN and joint tuning need
them, and are trained with several shares of the labeled segments.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import progress, storage
from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSpec
from edgebio.models.keras import keras
from edgebio.recipes import DataSettings, Recipe, TrainingSettings
from edgebio.recipes.feature_imitation import FeatureImitationSettings
from edgebio.recordings.recording import Recording
from edgebio.tasks.feature_imitation import classifier_training, networks
from edgebio.tasks.feature_imitation.classifier_training import LabeledInputs
from edgebio.tasks.feature_imitation.feature_scale import FeatureScale, r2_by_feature
from edgebio.tasks.feature_imitation.imitator_training import (
    predict_features,
    time_steps,
    train_imitator,
    true_features,
)
from edgebio.tasks.feature_imitation.run import (
    CLASSIFIER,
    SEGMENTS,
    TUNED,
    Arrays,
    ImitationFrontend,
)
from edgebio.tasks.results import Trained
from edgebio.tasks.run_folder import FRONTEND, LOGS, NETWORK
from edgebio.tasks.split import Split
from edgebio.training.class_balance import ClassTargets, logit_shift, shift_logits
from edgebio.training.features import IMITATED_FEATURES
from edgebio.training.image_set import frontend_spec, require_every_class
from edgebio.training.optimizer_loop import TrainedNetwork, reset_keras
from edgebio.training.signals import Signals, SignalScale, compand, filter_recordings

Floats = npt.NDArray[np.float32]


def train_imitation(recipe: Recipe, split: Split, folder: Path) -> Trained:
    """Train both networks, and write their files; see `edgebio.tasks.task.Task.train`.

    The LSTM and all scales are learned from the training set. Labels are those of the tuning set if
    there is one, and of the training set otherwise.

    ``details`` of the result are ``r2`` by feature, of the features themselves; and
    ``percentages``, a row for each share of the labeled segments, with the accuracy on ``true``
    features, on ``imitated`` ones, and of both networks ``tuned`` together.
    """
    settings = recipe.feature_imitation or FeatureImitationSettings()
    spec = frontend_spec(
        recipe.frontend, [*split.train, *split.validation, *split.tune, *split.test]
    )
    cutter = _Cutter(spec, recipe.data, settings.horizon * spec.step)
    filtered = filter_recordings(spec, split.train)
    signal_scale = SignalScale.learn(filtered)
    train = cutter.cut(split.train, signal_scale, filtered)
    labeled = cutter.cut(split.tune, signal_scale) if split.tune else train
    validation = cutter.cut(split.validation, signal_scale) if split.validation else None
    require_every_class(labeled.labels, spec, split.labeled)
    test = cutter.cut(split.test, signal_scale)
    features = true_features(train, settings)
    feature_scale = FeatureScale.learn(features)
    features = features if labeled is train else true_features(labeled, settings)
    test_features = true_features(test, settings)
    # Once a network is tuned to a subject, the subject is no longer new.
    training = recipe.training if split.tune else split.settings
    classes = split.train[0].classes
    shift = logit_shift(training, labeled.labels, classes)  # refuses unknown classes

    reset_keras(training.seed)
    imitator = train_imitator(
        train, validation, feature_scale, settings, split.settings, folder / LOGS
    )
    stage = _ClassifierStage(
        recipe, training, settings, imitator.network, feature_scale, labeled, features,
        None if split.tune else validation, test, test_features, len(classes), shift,
    )  # fmt: skip
    subjects = [r.subject for r in split.labeled]
    rows = []
    for percentage in progress.track(settings.percentages, "classifiers"):
        row, classifier, joined = stage.run(percentage, subjects)
        rows.append(row)
    probability = stage.probability(classifier.network)

    _write_weights(folder / NETWORK, imitator.network)
    _write_weights(folder / CLASSIFIER, classifier.network)
    _write_weights(folder / TUNED, joined)
    frontend = ImitationFrontend(
        classes=classes, frontend=spec, horizon=settings.horizon, entropy=settings.entropy,
        signal_scale=signal_scale, feature_scale=feature_scale,
    )  # fmt: skip
    storage.write_text(folder / FRONTEND, frontend.model_dump_json(indent=2) + "\n")
    count = min(recipe.quantize.samples, len(train))
    rng = np.random.default_rng(training.seed)
    chosen = np.sort(rng.choice(len(train), count, replace=False))
    one_channel = train.segments(chosen)[np.arange(count), chosen % spec.channels]
    predicted = stage.test_predicted[:, :, 0]
    arrays = Arrays(
        calibration=time_steps(compand(one_channel), settings),
        calibration_predicted=predict_features(imitator.network, train, settings, chosen),
        codes=compand(test.values),
        starts=test.starts,
        labels=test.labels,
        recordings=test.recordings,
        subjects=np.array([r.subject for r in split.test], np.str_),
        features=test_features,
        predicted=predicted,
        probability=probability,
    )
    with storage.replacing(folder / SEGMENTS) as temporary:
        np.savez_compressed(temporary, **vars(arrays))
    return Trained(
        classes=classes,
        labels=test.labels,
        recordings=test.recordings,
        probability=probability,
        parameters=int(imitator.network.count_params()),
        best_epoch=imitator.best_epoch,
        history=imitator.history,
        exclusions={"train": labeled.exclusions, "test": test.exclusions},
        details={
            "features": list(IMITATED_FEATURES),
            "prediction": settings.horizon,
            "parameters_classifier": int(classifier.network.count_params()),
            "r2": r2_by_feature(test_features, feature_scale.decode(predicted)),
            "percentages": rows,
            "history_classifier": classifier.history,
        },
    )


def first_segments(
    signals: Signals, subjects: Sequence[str], percentage: float
) -> npt.NDArray[np.int64]:
    """Choose a share of each subject's segments of each class: those recorded first.

    Overlapping segments drawn at random would show nearly all of the signal.

    Parameters
    ----------
    signals
        Segments, in order of time.
    subjects
        Subject of each recording.
    percentage
        Share in percent; at least one segment of each is chosen.

    Returns
    -------
    ndarray
        int64: numbers of segments, rising.
    """
    by_segment = np.unique(np.array(subjects), return_inverse=True)[1][signals.recordings]
    chosen = []
    for subject in np.unique(by_segment):
        for label in np.unique(signals.labels):
            own = np.flatnonzero((by_segment == subject) & (signals.labels == label))
            chosen.append(own[: int(np.ceil(len(own) * percentage / 100))])
    return np.sort(np.concatenate(chosen))


@dataclass(frozen=True)
class _Cutter:
    """How recordings become segments."""

    spec: FrontendSpec
    data: DataSettings
    horizon: int

    def cut(
        self,
        recordings: Sequence[Recording],
        scale: SignalScale,
        filtered: Sequence[Floats] | None = None,
    ) -> Signals:
        filtered = filtered or filter_recordings(self.spec, recordings)
        signals = Signals.cut(self.spec, recordings, filtered, scale, self.data, self.horizon)
        if not len(signals):
            raise EdgebioError(
                f"{recordings[0].source}, ...: no labeled segment of {self.spec.segment_length} "
                f"samples, with {self.horizon} samples before it, among {len(recordings)} "
                "recordings"
            )
        return signals


@dataclass(eq=False)
class _ClassifierStage:
    """Everything that follows the imitator: classifiers by share of the labels."""

    recipe: Recipe
    training: TrainingSettings
    settings: FeatureImitationSettings
    imitator: Any
    scale: FeatureScale
    labeled: Signals
    features: npt.NDArray[np.float64]
    validation: Signals | None
    test: Signals
    test_features: npt.NDArray[np.float64]
    classes: int
    shift: Floats

    def __post_init__(self) -> None:
        self.predicted = predict_features(self.imitator, self.labeled, self.settings)
        self.test_predicted = predict_features(self.imitator, self.test, self.settings)

    def run(
        self, percentage: float, subjects: Sequence[str]
    ) -> tuple[dict[str, Any], TrainedNetwork, Any]:
        """Train with a share of the labels: a row of ``percentages``, the CNN, both as one."""
        index = first_segments(self.labeled, subjects, percentage)
        targets = ClassTargets(self.labeled.labels[index], self.classes, self.training)
        on_true = self._train(index, targets, self._scaled(self.features), true=True)
        on_predicted = self._train(index, targets, self.predicted, true=False)
        joined, copy = classifier_training.tune_jointly(
            self.imitator, on_predicted.network, self.labeled, index, targets, self.settings,
            self.training,
        )  # fmt: skip
        for network in (on_true.network, on_predicted.network, copy):
            shift_logits(network, self.shift)
        probabilities = {
            "true": on_true.network(self._scaled(self.test_features), training=False).numpy(),
            "imitated": self.probability(on_predicted.network),
            "tuned": classifier_training.predict_jointly(joined, self.test, self.settings),
        }
        accuracies = {
            name: float(np.mean(values.argmax(axis=1) == self.test.labels))
            for name, values in probabilities.items()
        }
        row = {"percentage": percentage, "windows": len(index), **accuracies}
        return row, on_predicted, joined

    def probability(self, classifier: Any) -> Floats:
        """Class probabilities of the test segments, by their predicted features."""
        probability: Floats = classifier(self.test_predicted, training=False).numpy()
        return probability

    def _train(
        self, index: npt.NDArray[np.int64], targets: ClassTargets, inputs: Floats, *, true: bool
    ) -> TrainedNetwork:
        keras.utils.set_random_seed(self.training.seed)
        network = networks.classifier(
            self.settings, self.labeled.values.shape[1], len(IMITATED_FEATURES), self.classes,
            self.recipe.model.dropout,
        )  # fmt: skip
        validation = None
        if self.validation is not None:
            held_out = (
                self._scaled(true_features(self.validation, self.settings))
                if true
                else predict_features(self.imitator, self.validation, self.settings)
            )
            validation = LabeledInputs(
                lambda index: held_out[index], self.validation.labels, np.arange(len(held_out))
            )
        return classifier_training.train_classifier(
            network, LabeledInputs(lambda chosen: inputs[chosen], self.labeled.labels, index),
            validation, targets, self.settings.classifier_epochs, self.training,
        )  # fmt: skip

    def _scaled(self, features: npt.NDArray[np.float64]) -> Floats:
        """Input of the classifier: float32, shape (n, channels, 1, 4)."""
        return self.scale.encode(features)[:, :, None, :].astype(np.float32)


def _write_weights(path: Path, network: Any) -> None:
    with storage.replacing(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # .h5 is deprecated
        network.save_weights(temporary, save_format="h5")
