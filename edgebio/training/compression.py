"""Train a trained network on under a compression scheme."""

import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edgebio import models
from edgebio.frontend.standardization import PIXEL_SCALE
from edgebio.models import compression_wrappers
from edgebio.models.keras import keras
from edgebio.recipes import QuantizeSettings, Recipe, TrainingSettings
from edgebio.training.fit import Batches, adjust, begin, leaning, learn, predict
from edgebio.training.images import Images, ImageSet
from edgebio.training.layer_statistics import predict_by_sitting, settle

Tuned = Literal["qat", "prune", "cluster"]
"""Schemes that train on."""


@dataclass(frozen=True, eq=False)
class Compressed:
    """A network that was trained on under a scheme.

    Attributes
    ----------
    network
        tf_keras.Model like the run's own, with its new weights.
    aware
        The same with the roundings that it was trained with; None where there are none.
    by_sitting
        Whether its layers have the statistics of whose signal it is given.
    history
        By name: one figure an epoch.
    seconds
        Of processor time that it took.
    """

    network: Any
    aware: Any
    by_sitting: bool
    history: dict[str, list[float]]
    seconds: float

    def probability(self, images: Images) -> npt.NDArray[np.float32]:
        """Class probabilities of images: float32, shape (n, classes)."""
        if not self.by_sitting:
            return predict(self.network, images)
        copy = keras.models.clone_model(self.network)
        copy.set_weights(self.network.get_weights())
        return predict_by_sitting(copy, images)


def compress(
    network: Any,
    scheme: Tuned,
    recipe: Recipe,
    images: ImageSet,
    settings: TrainingSettings,
    calibration: npt.NDArray[np.int8],
) -> Compressed:
    """Train a network on under a scheme. Two calls with the same arguments give the same weights.

    Parameters
    ----------
    network
        Trained, of `recipe`; it keeps its weights.
    scheme
        Which; what it does stands in the recipe's ``[quantize]``.
    recipe
        What the network was trained by.
    images, settings
        What it was trained on, and how, see `edgebio.tasks.provenance.images`. Epochs and learning
        rate are the scheme's, there is nothing to stop early by, and weights are not averaged.
    calibration
        int8 pixels, shape (n, columns, bins, channels): where the ranges of quantization-aware
        training begin.

    Raises
    ------
    EdgebioError
        Where the loss stops being finite.
    """
    start = time.process_time()
    how = getattr(recipe.quantize, scheme)
    # An average of weights is written back after the last mask: its zeros would be lost.
    gentle = settings.model_copy(
        update={
            "epochs": how.epochs, "learning_rate": how.learning_rate, "patience": 0, "ema_momentum": 0.0,
        }
    )  # fmt: skip
    # The classifier's bias is shifted after a training, and was not within it.
    shift = leaning(settings, images)
    weights = network.get_weights()
    shape, classes = images.train.shape, len(images.classes)
    begin(settings.seed)
    plain = models.build(recipe.model, shape, classes)
    plain.set_weights(weights)
    adjust(plain, -shift)
    trained, aware = _wrapped(plain, scheme, recipe.quantize, gentle, images, calibration)
    callbacks = compression_wrappers.pruning_callbacks() if scheme == "prune" else []
    fitted = learn(trained, images, gentle, callbacks=callbacks)
    result = models.build(recipe.model, shape, classes)
    if aware is None:
        result.set_weights(compression_wrappers.unwrapped(trained, scheme))
    else:
        compression_wrappers.copy_weights(aware, result)
    adjust(result, shift)
    by_sitting = images.normalise == "layers"
    if by_sitting:
        settle(result, images.train)
    if aware is not None:
        compression_wrappers.copy_weights(result, aware)  # what has been set since
    seconds = round(time.process_time() - start, 1)
    return Compressed(result, aware, by_sitting, fitted.history, seconds)


def _wrapped(
    network: Any,
    scheme: Tuned,
    settings: QuantizeSettings,
    training: TrainingSettings,
    images: ImageSet,
    calibration: npt.NDArray[np.int8],
) -> tuple[Any, Any]:
    """Network to train, and the same again where it rounds."""
    match scheme:
        case "qat":
            ranges = _ranges(network, calibration, settings.percentile)
            aware = compression_wrappers.quantization_aware(network)
            compression_wrappers.set_ranges(aware, ranges)
            return aware, aware
        case "prune":
            batches = Batches(images.train, len(images.classes), images.decisions, training)
            steps = training.epochs * len(batches)
            return compression_wrappers.pruned(network, settings.prune, steps), None
        case "cluster":
            return compression_wrappers.clustered(network, settings.cluster), None


def _ranges(
    network: Any, calibration: npt.NDArray[np.int8], percentile: float
) -> dict[str, tuple[float, float]]:
    """Lowest and highest value, by percentile, of every layer's output; 0 lies within."""
    layers = network.layers[1:]
    every = keras.Model(network.input, [layer.output for layer in layers])
    values = every(calibration.astype(np.float32) * np.float32(PIXEL_SCALE), training=False)
    ranges = {}
    for layer, value in zip(layers, values, strict=True):
        low, high = np.percentile(value.numpy(), [100 - percentile, percentile])
        ranges[layer.name] = min(0.0, float(low)), max(0.0, float(high))
    return ranges
