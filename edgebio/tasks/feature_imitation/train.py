"""Train a feature imitation: the LSTM, the CNN, and both together.

The LSTM needs no labels: it learns from all segments of the training set. CNN and joint tuning need
them, and are trained with several shares of the labeled segments.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import progress, storage
from edgebio.errors import EdgebioError
from edgebio.models.keras import keras
from edgebio.recipes import FeatureImitationSettings, Recipe, TrainingSettings
from edgebio.recordings.recording import Recording
from edgebio.tasks.feature_imitation import classifier_training, networks
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
    """Train both networks, and write their files; see `edgebio.tasks.task.Task`.

    The LSTM and all scales are learned from the training set. Labels are those of the tuning set if
    there is one, and of the training set otherwise.

    ``details`` of the result are ``r2`` by feature, of the features themselves; and
    ``percentages``, a row for each share of the labeled segments, with the accuracy on ``true``
    features, on ``imitated`` ones, and of both networks ``tuned`` together.
    """
    settings = recipe.feature_imitation or FeatureImitationSettings()
    everything = [*split.train, *split.validation, *split.tune, *split.test]
    spec = frontend_spec(recipe.frontend, everything)
    horizon = settings.horizon * spec.step
    filtered = filter_recordings(spec, split.train)
    signal_scale = SignalScale.learn(filtered)

    def cut(recordings: Sequence[Recording], filtered: Sequence[Floats] | None = None) -> Signals:
        filtered = filtered or filter_recordings(spec, recordings)
        signals = Signals.cut(spec, recordings, filtered, signal_scale, recipe.data, horizon)
        if not len(signals):
            raise EdgebioError(
                f"{recordings[0].source}, ...: no labeled segment of {spec.segment_length} "
                f"samples, with {horizon} samples before it, among {len(recordings)} recordings"
            )
        return signals

    train = cut(split.train, filtered)
    labeled = cut(split.tune) if split.tune else train
    validation = cut(split.validation) if split.validation else None
    require_every_class(labeled.labels, spec, split.labeled)
    test = cut(split.test)
    features = true_features(train, settings)
    feature_scale = FeatureScale.learn(features)
    # Once a network is tuned to a subject, the subject is no longer new.
    training = recipe.training if split.tune else split.settings
    classes = split.train[0].classes
    shift = logit_shift(training, labeled.labels, classes)  # refuses unknown classes

    reset_keras(training.seed)
    imitator = train_imitator(
        train, validation, feature_scale, settings, split.settings, folder / LOGS
    )

    def inputs(signals: Signals, true: npt.NDArray[np.float64] | None = None) -> _ClassifierInputs:
        true = true_features(signals, settings) if true is None else true
        predicted = predict_features(imitator.network, signals, settings)
        return _ClassifierInputs(signals, true, feature_scale, predicted)

    labeled_inputs = inputs(labeled, features if labeled is train else None)
    test_inputs = inputs(test)
    validation_inputs = inputs(validation) if validation and not split.tune else None

    def build() -> Any:
        keras.utils.set_random_seed(training.seed)
        dropout = recipe.model.dropout
        return networks.classifier(settings, spec.channels, len(classes), dropout)

    rows = []
    subjects = [r.subject for r in split.labeled]
    for percentage in progress.track(settings.percentages, "classifiers"):
        index = first_segments(labeled, subjects, percentage)
        targets = ClassTargets(labeled.labels[index], len(classes), training)
        on_true, classifier = (
            _train_classifier(build, kind, labeled_inputs, validation_inputs, index, targets,
                              settings.classifier_epochs, training)
            for kind in ("true", "predicted")
        )  # fmt: skip
        joined, copy = classifier_training.tune_jointly(
            imitator.network, classifier.network, labeled, index, targets, settings, training
        )
        for network in (on_true.network, classifier.network, copy):
            shift_logits(network, shift)
        probability: Floats = classifier.network(test_inputs.predicted, training=False).numpy()
        probabilities = {
            "true": on_true.network(test_inputs.true, training=False).numpy(),
            "imitated": probability,
            "tuned": classifier_training.predict_jointly(joined, test, settings),
        }
        accuracies = {
            name: float(np.mean(values.argmax(axis=1) == test.labels))
            for name, values in probabilities.items()
        }
        rows.append({"percentage": percentage, "windows": len(index), **accuracies})

    for name, network in (
        (NETWORK, imitator.network), (CLASSIFIER, classifier.network), (TUNED, joined)
    ):  # fmt: skip
        with storage.replacing(folder / name) as temporary, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # .h5 is deprecated
            network.save_weights(temporary, save_format="h5")
    frontend = ImitationFrontend(
        classes=classes, frontend=spec, horizon=settings.horizon, entropy=settings.entropy,
        signal_scale=signal_scale, feature_scale=feature_scale,
    )  # fmt: skip
    storage.write_text(folder / FRONTEND, frontend.model_dump_json(indent=2) + "\n")
    count = min(recipe.quantize.samples, len(train))
    rng = np.random.default_rng(training.seed)
    chosen = np.sort(rng.choice(len(train), count, replace=False))
    one_channel = train.segments(chosen)[np.arange(count), chosen % spec.channels]
    arrays = Arrays(
        calibration=time_steps(compand(one_channel), settings),
        calibration_predicted=predict_features(imitator.network, train, settings, chosen),
        codes=compand(test.values),
        starts=test.starts,
        labels=test.labels,
        recordings=test.recordings,
        subjects=np.array([r.subject for r in split.test], np.str_),
        features=test_inputs.features,
        predicted=test_inputs.predicted[:, :, 0],
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
            "r2": r2_by_feature(arrays.features, feature_scale.decode(arrays.predicted)),
            "percentages": rows,
            "history_classifier": classifier.history,
        },
    )


def first_segments(
    signals: Signals, subjects: Sequence[str], percentage: float
) -> npt.NDArray[np.int64]:
    """Choose a share of each subject's segments of each class: those recorded first.

    At least one of each is chosen. Overlapping segments drawn at random would show nearly all of
    the signal. `subjects` are by recording; the result is rising numbers of segments.
    """
    by_segment = np.unique(np.array(subjects), return_inverse=True)[1][signals.recordings]
    chosen = []
    for subject in np.unique(by_segment):
        for label in np.unique(signals.labels):
            own = np.flatnonzero((by_segment == subject) & (signals.labels == label))
            chosen.append(own[: int(np.ceil(len(own) * percentage / 100))])
    return np.sort(np.concatenate(chosen))


@dataclass(frozen=True, eq=False)
class _ClassifierInputs:
    """True features of segments, shape (n, channels, 4), and both inputs of the classifier."""

    signals: Signals
    features: npt.NDArray[np.float64]
    scale: FeatureScale
    predicted: Floats

    @property
    def true(self) -> Floats:
        """True features as the classifier takes them: shape (n, channels, 1, 4)."""
        return self.scale.encode(self.features)[:, :, None, :].astype(np.float32)


def _train_classifier(
    build: Callable[[], Any],
    kind: str,
    train: _ClassifierInputs,
    validation: _ClassifierInputs | None,
    index: npt.NDArray[np.int64],
    targets: ClassTargets,
    epochs: int,
    training: TrainingSettings,
) -> TrainedNetwork:
    """Train a classifier on one kind of inputs."""
    held_out = (getattr(validation, kind), validation.signals.labels) if validation else None
    labeled = (getattr(train, kind), train.signals.labels, index)
    return classifier_training.train_classifier(
        build(), labeled, held_out, targets, epochs, training
    )
