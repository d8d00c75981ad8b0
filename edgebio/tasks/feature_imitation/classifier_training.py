"""Train the classifier on features, and both networks together on segments."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.models.keras import keras
from edgebio.recipes import TrainingSettings
from edgebio.recipes.feature_imitation import FeatureImitationSettings
from edgebio.tasks.feature_imitation import networks
from edgebio.tasks.feature_imitation.imitator_training import SEGMENT_BATCH, imitator_inputs
from edgebio.training.batches import Batch
from edgebio.training.class_balance import ClassTargets
from edgebio.training.features import IMITATED_FEATURES
from edgebio.training.optimizer_loop import TrainedNetwork, optimize
from edgebio.training.signals import Signals

_BATCH = 64  # segments of a mini-batch
_LEARNING_RATE = 3e-3
_IMAGES_PER_SEGMENT = 10  # an epoch draws a tenth of `epoch_images`: a segment has all channels

Floats = npt.NDArray[np.float32]
Inputs = Callable[[npt.NDArray[np.int64]], Floats]
"""From numbers of segments to a network's inputs."""


@dataclass(frozen=True, eq=False)
class LabeledInputs:
    """Labeled segments as inputs of a network, of which some are trained on.

    Attributes
    ----------
    inputs
        From numbers of segments to inputs.
    labels
        int, shape (n,): class of every segment.
    index
        int64: numbers of those that are used.
    """

    inputs: Inputs
    labels: npt.NDArray[np.integer]
    index: npt.NDArray[np.int64]


def train_classifier(
    network: Any,
    train: LabeledInputs,
    validation: LabeledInputs | None,
    classes: ClassTargets,
    epochs: int,
    training: TrainingSettings,
) -> TrainedNetwork:
    """Train the CNN on features."""
    settings = training.model_copy(update={"epochs": epochs, "learning_rate": _LEARNING_RATE})
    return _optimize(network, train, validation, classes, settings)


def tune_jointly(
    imitator: Any,
    classifier: Any,
    signals: Signals,
    index: npt.NDArray[np.int64],
    classes: ClassTargets,
    settings: FeatureImitationSettings,
    training: TrainingSettings,
) -> tuple[Any, Any]:
    """Train copies of both networks further, together, on labeled segments.

    Returns
    -------
    joined, classifier : tf_keras.Model
        Both as one, and the classifier's copy in it.
    """
    unrolled = networks.imitator(settings, signals.length, len(IMITATED_FEATURES), unroll=True)
    unrolled.set_weights(imitator.get_weights())
    copy = keras.models.clone_model(classifier)
    copy.set_weights(classifier.get_weights())
    joined = networks.joined(unrolled, copy)
    train = LabeledInputs(
        lambda chosen: imitator_inputs(signals.segments(chosen), settings), signals.labels, index
    )
    tuning = training.model_copy(
        update={
            "epochs": training.tune_epochs, "learning_rate": training.tune_learning_rate,
            "patience": 0,
        }
    )  # fmt: skip
    _optimize(joined, train, None, classes, tuning)
    return joined, copy


def predict_jointly(joined: Any, signals: Signals, settings: FeatureImitationSettings) -> Floats:
    """Class probabilities of both networks as one: float32, shape (n, classes)."""
    return np.concatenate(
        [
            joined(
                imitator_inputs(signals.segments(slice(k, k + SEGMENT_BATCH)), settings),
                training=False,
            ).numpy()
            for k in range(0, len(signals), SEGMENT_BATCH)
        ]
    )


def _optimize(
    network: Any,
    train: LabeledInputs,
    validation: LabeledInputs | None,
    classes: ClassTargets,
    settings: TrainingSettings,
) -> TrainedNetwork:
    return optimize(
        network,
        ShuffledBatches(train, classes, settings),
        settings,
        "categorical_crossentropy",
        metrics=["accuracy"],
        validation=OrderedBatches(validation, classes) if validation else None,
        description="classifier",
    )


class OrderedBatches(keras.utils.Sequence):  # type: ignore[misc]
    """Mini-batches of labeled segments in their order."""

    def __init__(self, labeled: LabeledInputs, classes: ClassTargets) -> None:
        self.labeled, self.classes = labeled, classes
        self.order = labeled.index

    def __len__(self) -> int:
        return -(-len(self.order) // _BATCH)

    def __getitem__(self, number: int) -> Batch:
        index = self.order[number * _BATCH : (number + 1) * _BATCH]
        labels = self.labeled.labels[index]
        return (
            self.labeled.inputs(index),
            self.classes.targets[labels],
            self.classes.weights[labels],
        )


class ShuffledBatches(OrderedBatches):
    """Mini-batches of labeled segments in a new order every epoch; the last is a whole one."""

    def __init__(
        self, labeled: LabeledInputs, classes: ClassTargets, settings: TrainingSettings
    ) -> None:
        super().__init__(labeled, classes)
        self.settings, self.epoch = settings, 0
        self._shuffle()

    def __len__(self) -> int:
        return max(1, len(self.order) // _BATCH)

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch."""
        self.epoch += 1
        self._shuffle()

    def _shuffle(self) -> None:
        count = max(_BATCH, self.settings.epoch_images // _IMAGES_PER_SEGMENT)
        rng = np.random.default_rng([self.settings.seed, self.epoch])
        self.order = self.labeled.index[rng.permutation(len(self.labeled.index))[:count]]
