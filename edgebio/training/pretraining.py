"""Pretraining on several data sets: one front end, one network, outputs for each set's classes.

The loss of a segment looks at the outputs of its own set only, so that sets with other gestures,
or with other names for the same ones, share everything but their last layer. R. Caruana, Multitask
learning, Machine Learning 28:41-75, 1997.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import models
from edgebio.errors import EdgebioError
from edgebio.models.keras import keras, tf
from edgebio.recipes import Recipe, TrainingSettings
from edgebio.recordings.recording import Recording
from edgebio.training.batches import Batch, ImageBatches
from edgebio.training.image_set import ImageSet, build_image_set
from edgebio.training.optimizer_loop import optimize, reset_keras

_EXCLUDED = 1e9  # subtracted from the logits of other sets


def pretrained_weights(
    own: ImageSet,
    others: Sequence[Recording],
    recipe: Recipe,
    settings: TrainingSettings,
    logs: Path | None = None,
) -> list[npt.NDArray[np.float32]]:
    """Train a network on several data sets; return initial weights for the job's own network.

    The job's own training set is learned from too. Sets with the same class names share outputs.

    Raises
    ------
    EdgebioError
        If `others` is empty, or a recording has another number of channels.
    """
    pretraining = settings.pretraining
    if pretraining is None or not others:
        names = ", ".join(pretraining.datasets) if pretraining else "other data sets"
        raise EdgebioError(f"{recipe.name}: no recordings of {names}")
    settings = settings.model_copy(
        update={"epochs": pretraining.epochs, "patience": 0, "teacher": None, "pretraining": None}
    )
    sets = [own]
    for recording in others:
        if recording.channels != own.spec.channels:
            raise EdgebioError(
                f"{recording.source}: {recording.channels} channels, and the job's own recordings "
                f"have {own.spec.channels}; data sets for pretraining need the same number"
            )
    for classes in dict.fromkeys(r.classes for r in others):
        group = [r for r in others if r.classes == classes]
        sets.append(
            build_image_set(recipe.frontend, group, (), (), recipe.data, settings.normalization)
        )
    reset_keras(settings.seed)
    outputs = [len(images.classes) for images in sets]
    network = models.build(recipe.model, own.train.shape, sum(outputs))
    each = [ImageBatches.of(images, settings) for images in sets]
    batches = MixedBatches(each, outputs, settings.seed)
    loss = OwnOutputs(sum(outputs))
    accuracy = keras.metrics.MeanMetricWrapper(loss.accuracy, name="accuracy")
    logits = keras.Model(network.input, network.get_layer("classes").output)
    optimize(
        logits, batches, settings, loss, metrics=[accuracy], logs=logs, description="pretraining"
    )
    *body, weights, bias = network.get_weights()
    return [*body, weights[:, : outputs[0]], bias[: outputs[0]]]


class MixedBatches(keras.utils.Sequence):  # type: ignore[misc]
    """Batches of several sets, each of one set, in an order drawn for every epoch.

    Targets are float32, shape (n, 2 outputs): those of all sets' outputs, followed by 1 for the
    outputs of the batch's own set.
    """

    def __init__(self, sets: Sequence[ImageBatches], outputs: Sequence[int], seed: int) -> None:
        self.sets, self.seed, self.epoch = sets, seed, 0
        self.first = [0, *itertools.accumulate(outputs)]
        self._shuffle()

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, number: int) -> Batch:
        index, batch = self.order[number]
        images, targets, weights = self.sets[index][batch]
        wide = np.zeros((len(targets), 2, self.first[-1]), np.float32)
        own = slice(self.first[index], self.first[index + 1])
        wide[:, 0, own], wide[:, 1, own] = targets, 1
        return images, wide.reshape(len(wide), -1), weights

    def on_epoch_end(self) -> None:
        """Draw the next epoch's images and order."""
        for batches in self.sets:
            batches.on_epoch_end()
        self.epoch += 1
        self._shuffle()

    def _shuffle(self) -> None:
        pairs = [(index, k) for index, batches in enumerate(self.sets) for k in range(len(batches))]
        drawn = np.random.default_rng([self.seed, self.epoch]).permutation(len(pairs))
        self.order = [pairs[k] for k in drawn]


class OwnOutputs(keras.losses.Loss):  # type: ignore[misc]
    """Cross-entropy among the outputs of a segment's own set; targets of `MixedBatches`."""

    def __init__(self, outputs: int) -> None:
        super().__init__(name="own_outputs")
        self.outputs = outputs

    def call(self, targets: Any, logits: Any) -> Any:
        """Loss of every image."""
        labels, own = targets[:, : self.outputs], targets[:, self.outputs :]
        return tf.nn.softmax_cross_entropy_with_logits(labels, logits - _EXCLUDED * (1 - own))

    def accuracy(self, targets: Any, logits: Any) -> Any:
        """Whether each image's most probable class among those of its set is that of its label."""
        labels, own = targets[:, : self.outputs], targets[:, self.outputs :]
        return keras.metrics.categorical_accuracy(labels, logits - _EXCLUDED * (1 - own))
