"""Pre-training on several data sets: one front end, one network, outputs for each set's classes.

A window of one set is judged by the outputs of its own set alone, so that sets with other gestures,
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
from edgebio.training.augmentation import mains_bins
from edgebio.training.fit import Batches, begin, descend
from edgebio.training.images import ImageSet, image_set

_NEVER = 1e9  # what is taken off the logits of other sets

Batch = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]


def pretrained(
    own: ImageSet,
    others: Sequence[Recording],
    recipe: Recipe,
    settings: TrainingSettings,
    logs: Path | None = None,
) -> list[npt.NDArray[np.float32]]:
    """Train a network on several sets, and give the weights that one for the own set begins with.

    Parameters
    ----------
    own
        The job's own images; its training side is learned from too.
    others
        By `edgebio.recipes.Recipe.others`. Sets whose classes have the same names share outputs.
    recipe
        Front end, data and model.
    settings
        Training, with its ``pretraining``.
    logs
        Folder for TensorBoard.

    Returns
    -------
    list of ndarray
        As ``set_weights`` of a network of the own classes takes them.

    Raises
    ------
    EdgebioError
        Where `others` is empty, or one has other channels.
    """
    how = settings.pretraining
    if how is None or not others:
        raise EdgebioError(f"{recipe.name}: no recordings of {', '.join(recipe.other_datasets)}")
    settings = settings.model_copy(
        update={"epochs": how.epochs, "patience": 0, "teacher": None, "pretraining": None}
    )
    sets = [own]
    for r in others:
        if r.channels != own.spec.channels:
            raise EdgebioError(
                f"{r.source}: {r.channels} channels, and the job's own recordings have "
                f"{own.spec.channels}; what is learned from before must have as many"
            )
    for classes in dict.fromkeys(r.classes for r in others):
        alike = [r for r in others if r.classes == classes]
        sets.append(image_set(recipe.frontend, alike, (), (), recipe.data, settings.normalization))
    begin(settings.seed)
    outputs = [len(images.classes) for images in sets]
    network = models.build(recipe.model, own.train.shape, sum(outputs))
    batches = Mixed([_batches(images, settings) for images in sets], outputs, settings.seed)
    judged = OwnOutputs(sum(outputs))
    accuracy = keras.metrics.MeanMetricWrapper(judged.accuracy, name="accuracy")
    logits = keras.Model(network.input, network.get_layer("classes").output)
    descend(logits, batches, settings, judged, accuracy, logs, what="pre-training")
    *body, weights, bias = network.get_weights()
    return [*body, weights[:, : outputs[0]], bias[: outputs[0]]]


def _batches(images: ImageSet, settings: TrainingSettings) -> Batches:
    return Batches(
        images.train, len(images.classes), images.decisions, settings,
        mains=mains_bins(images.spec),
    )  # fmt: skip


class Mixed(keras.utils.Sequence):  # type: ignore[misc]
    """Batches of several sets, each of one set, in an order drawn for every epoch.

    Targets are float32, shape (n, 2 outputs): those of all sets' outputs, and behind them 1 for the
    outputs of the batch's own set.
    """

    def __init__(self, sets: Sequence[Batches], outputs: Sequence[int], seed: int) -> None:
        self.sets, self.seed, self.epoch = sets, seed, 0
        self.first = [0, *itertools.accumulate(outputs)]
        self._shuffle()

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, number: int) -> Batch:
        which, place = self.order[number]
        images, targets, weights = self.sets[which][place]
        wide = np.zeros((len(targets), 2, self.first[-1]), np.float32)
        own = slice(self.first[which], self.first[which + 1])
        wide[:, 0, own], wide[:, 1, own] = targets, 1
        return images, wide.reshape(len(wide), -1), weights

    def on_epoch_end(self) -> None:
        """Draw the next epoch's images and order."""
        for batches in self.sets:
            batches.on_epoch_end()
        self.epoch += 1
        self._shuffle()

    def _shuffle(self) -> None:
        there = [(which, k) for which, batches in enumerate(self.sets) for k in range(len(batches))]
        drawn = np.random.default_rng([self.seed, self.epoch]).permutation(len(there))
        self.order = [there[k] for k in drawn]


class OwnOutputs(keras.losses.Loss):  # type: ignore[misc]
    """Cross-entropy of logits among the outputs of a window's own set; targets are of `Mixed`."""

    def __init__(self, outputs: int) -> None:
        super().__init__(name="own_outputs")
        self.outputs = outputs

    def call(self, targets: Any, logits: Any) -> Any:
        """Loss of every image."""
        wanted, own = targets[:, : self.outputs], targets[:, self.outputs :]
        return tf.nn.softmax_cross_entropy_with_logits(wanted, logits - _NEVER * (1 - own))

    def accuracy(self, targets: Any, logits: Any) -> Any:
        """Whether each image's class is decided rightly, of those of its set."""
        wanted, own = targets[:, : self.outputs], targets[:, self.outputs :]
        return keras.metrics.categorical_accuracy(wanted, logits - _NEVER * (1 - own))
