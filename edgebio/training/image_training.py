"""Train an image network: from random or given weights, further, or tuned to a subject."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import models
from edgebio.models.keras import keras
from edgebio.recipes import ModelSettings, TrainingSettings
from edgebio.training.batches import PREDICTION_BATCH, ImageBatches, ValidationBatches
from edgebio.training.chunks import map_chunks
from edgebio.training.distillation import Distillation
from edgebio.training.image_set import ImageSet
from edgebio.training.images import Images, pixels_to_float
from edgebio.training.optimizer_loop import TrainedNetwork, optimize, reset_keras


def train_network(
    images: ImageSet,
    model: ModelSettings,
    settings: TrainingSettings,
    logs: Path | None = None,
    weights: Sequence[npt.NDArray[np.float32]] | None = None,
    teacher: Any = None,
) -> TrainedNetwork:
    """Build a network and train it; the same arguments give the same weights, bit for bit.

    A validation set, if there is one, stops it early. `weights` are initial ones; `teacher` is a
    trained network to learn from as ``settings.teacher`` says; `logs` a folder for TensorBoard.
    """
    reset_keras(settings.seed)
    network = models.build(model, images.train.shape, len(images.classes))
    if weights is not None:
        network.set_weights(weights)
    return train_further(network, images, settings, logs, teacher=teacher)


def train_further(
    network: Any,
    images: ImageSet,
    settings: TrainingSettings,
    logs: Path | None = None,
    callbacks: Sequence[Any] = (),
    teacher: Any = None,
) -> TrainedNetwork:
    """Train a network that has been built, in place; see `train_network`."""
    batches = ImageBatches.of(images, settings, teacher)
    loss, accuracy = "categorical_crossentropy", "accuracy"
    if teacher is not None and settings.teacher is not None:
        loss = Distillation(len(images.classes), settings.teacher)
        accuracy = keras.metrics.MeanMetricWrapper(loss.accuracy, name="accuracy")
    validation = ValidationBatches(images.validation, batches) if len(images.validation) else None
    return optimize(
        network, batches, settings, loss, metrics=[accuracy], validation=validation, logs=logs,
        callbacks=callbacks,
    )  # fmt: skip


def tune_network(
    trained: TrainedNetwork,
    images: ImageSet,
    model: ModelSettings,
    settings: TrainingSettings,
    logs: Path | None = None,
) -> TrainedNetwork:
    """Train a trained network further on a subject's images: transfer learning.

    Epochs and learning rate are those of the settings' tuning; nothing stops it early. The history
    is continued.
    """
    tuning = settings.model_copy(
        update={"epochs": settings.tune_epochs, "learning_rate": settings.tune_learning_rate}
    )
    tuned = train_network(images, model, tuning, logs, trained.network.get_weights())
    history = {
        name: trained.history[name] + tuned.history[name]
        for name in trained.history
        if name in tuned.history
    }
    return TrainedNetwork(tuned.network, history, len(history["loss"]))


def predict(
    network: Any, images: Images, index: npt.NDArray[np.integer] | None = None
) -> npt.NDArray[np.float32]:
    """Class probabilities of images, or of those of an index: float32, shape (n, classes)."""
    index = np.arange(len(images)) if index is None else index

    def compute(part: slice) -> npt.NDArray[np.float32]:
        batch = pixels_to_float(images.take(index[part]))
        probability: npt.NDArray[np.float32] = network(batch, training=False).numpy()
        return probability

    return map_chunks(compute, len(index), PREDICTION_BATCH)
