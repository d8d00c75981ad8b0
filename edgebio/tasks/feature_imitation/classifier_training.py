"""Train the classifier on features, and both networks together on segments."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.models.keras import keras
from edgebio.recipes import FeatureImitationSettings, TrainingSettings
from edgebio.tasks.feature_imitation import networks
from edgebio.tasks.feature_imitation.imitator_training import SEGMENT_BATCH, imitator_inputs
from edgebio.training.batches import Batch
from edgebio.training.chunks import map_chunks
from edgebio.training.class_balance import ClassTargets
from edgebio.training.optimizer_loop import TrainedNetwork, optimize
from edgebio.training.signals import Signals

_BATCH = 64  # segments of a mini-batch
_LEARNING_RATE = 3e-3
_IMAGES_PER_SEGMENT = 10  # an epoch draws a tenth of `epoch_images`: a segment has all channels

Floats = npt.NDArray[np.float32]


class SegmentBatches(keras.utils.Sequence):  # type: ignore[misc]
    """Mini-batches of labeled segments, in their order.

    Parameters
    ----------
    inputs
        From numbers of segments to a network's inputs.
    labels
        int, shape (n,): class of every segment.
    index
        int64: numbers of the segments that are used.
    """

    def __init__(
        self,
        inputs: Callable[[npt.NDArray[np.int64]], Floats],
        labels: npt.NDArray[np.integer],
        index: npt.NDArray[np.int64],
        classes: ClassTargets,
    ) -> None:
        self.inputs, self.labels, self.classes = inputs, labels, classes
        self.index = self.order = index

    def __len__(self) -> int:
        return -(-len(self.order) // _BATCH)

    def __getitem__(self, number: int) -> Batch:
        index = self.order[number * _BATCH : (number + 1) * _BATCH]
        labels = self.labels[index]
        return self.inputs(index), self.classes.targets[labels], self.classes.weights[labels]


class ShuffledBatches(SegmentBatches):
    """Whole mini-batches of labeled segments, in a new order every epoch."""

    def __init__(self, settings: TrainingSettings, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.settings, self.epoch = settings, -1
        self.on_epoch_end()

    def __len__(self) -> int:
        return max(1, len(self.order) // _BATCH)

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch."""
        self.epoch += 1
        count = max(_BATCH, self.settings.epoch_images // _IMAGES_PER_SEGMENT)
        rng = np.random.default_rng([self.settings.seed, self.epoch])
        self.order = self.index[rng.permutation(len(self.index))[:count]]


def train_classifier(
    network: Any,
    train: tuple[Floats, npt.NDArray[np.integer], npt.NDArray[np.int64]],
    validation: tuple[Floats, npt.NDArray[np.integer]] | None,
    classes: ClassTargets,
    epochs: int,
    training: TrainingSettings,
) -> TrainedNetwork:
    """Train the CNN on features, shape (n, channels, 1, 4), with labels.

    `train` has the index of the segments that are used besides.
    """
    settings = training.model_copy(update={"epochs": epochs, "learning_rate": _LEARNING_RATE})
    features, labels, index = train
    held_out = None
    if validation:
        values, classes_of = validation
        held_out = SegmentBatches(
            lambda chosen: values[chosen], classes_of, np.arange(len(values)), classes
        )
    batches = ShuffledBatches(settings, lambda chosen: features[chosen], labels, index, classes)
    return _optimize(network, batches, settings, held_out)


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

    Returns both as one (tf_keras.Model), and the classifier's copy in it.
    """
    unrolled = networks.imitator(settings, signals.length, unroll=True)
    unrolled.set_weights(imitator.get_weights())
    copy = keras.models.clone_model(classifier)
    copy.set_weights(classifier.get_weights())
    joined = networks.joined(unrolled, copy)
    tuning = training.model_copy(
        update={
            "epochs": training.tune_epochs, "learning_rate": training.tune_learning_rate,
            "patience": 0,
        }
    )  # fmt: skip

    def inputs(chosen: npt.NDArray[np.int64]) -> Floats:
        return imitator_inputs(signals.segments(chosen), settings)

    _optimize(joined, ShuffledBatches(tuning, inputs, signals.labels, index, classes), tuning)
    return joined, copy


def predict_jointly(joined: Any, signals: Signals, settings: FeatureImitationSettings) -> Floats:
    """Class probabilities of both networks as one: float32, shape (n, classes)."""

    def predict(part: slice) -> Floats:
        inputs = imitator_inputs(signals.segments(part), settings)
        probability: Floats = joined(inputs, training=False).numpy()
        return probability

    return map_chunks(predict, len(signals), SEGMENT_BATCH)


def _optimize(
    network: Any,
    batches: ShuffledBatches,
    settings: TrainingSettings,
    validation: SegmentBatches | None = None,
) -> TrainedNetwork:
    return optimize(
        network, batches, settings, "categorical_crossentropy", metrics=["accuracy"],
        validation=validation, description="classifier",
    )  # fmt: skip
