"""Train a trained network further under a compression scheme."""

import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edgebio import models
from edgebio.models import compression_wrappers as wrappers
from edgebio.models.keras import keras
from edgebio.recipes import QuantizeSettings, Recipe, TrainingSettings
from edgebio.training.batches import ImageBatches
from edgebio.training.class_balance import logit_shift, shift_logits
from edgebio.training.image_set import ImageSet
from edgebio.training.image_training import predict, train_further
from edgebio.training.images import Images, pixels_to_float
from edgebio.training.layer_statistics import predict_by_session, set_layer_statistics
from edgebio.training.optimizer_loop import reset_keras

TrainingScheme = Literal["qat", "prune", "cluster"]
"""Schemes that train further."""


@dataclass(frozen=True, eq=False)
class CompressedNetwork:
    """A network that was trained further under a scheme, in so many seconds of processor time.

    `network` is a tf_keras.Model like the run's own; `aware` the same with the roundings that it
    was trained with, None for schemes without them. With `by_session`, its layers take the
    statistics of the session that they are applied to.
    """

    network: Any
    aware: Any
    by_session: bool
    history: dict[str, list[float]]
    seconds: float

    def probability(self, images: Images) -> npt.NDArray[np.float32]:
        """Class probabilities of images: float32, shape (n, classes)."""
        if not self.by_session:
            return predict(self.network, images)
        copy = keras.models.clone_model(self.network)
        copy.set_weights(self.network.get_weights())
        return predict_by_session(copy, images)


def compress(
    network: Any,
    scheme: TrainingScheme,
    recipe: Recipe,
    images: ImageSet,
    settings: TrainingSettings,
    calibration: npt.NDArray[np.int8],
) -> CompressedNetwork:
    """Train a network further under a scheme; the same arguments give the same weights.

    `network` keeps its weights. `images` and `settings` are what it was trained on, and how; epochs
    and learning rate are the scheme's, nothing stops early, and weights are not averaged. The
    ranges of quantization-aware training start with those of `calibration`, int8 pixels, shape (n,
    frames, bins, channels).
    """
    start = time.process_time()
    options = getattr(recipe.quantize, scheme)
    # An average of weights is written back after the last mask: its zeros would be lost.
    settings = settings.model_copy(
        update={
            "epochs": options.epochs, "learning_rate": options.learning_rate, "patience": 0,
            "ema_momentum": 0.0,
        }
    )  # fmt: skip
    # The classifier's bias is shifted after a training, so it is shifted back for this one.
    shift = logit_shift(settings, images.train.labels, images.classes)
    weights = network.get_weights()
    shape, classes = images.train.shape, len(images.classes)
    reset_keras(settings.seed)
    plain = models.build(recipe.model, shape, classes)
    plain.set_weights(weights)
    shift_logits(plain, -shift)
    wrapped, aware = _wrap(plain, scheme, recipe.quantize, settings, images, calibration)
    callbacks = wrappers.pruning_callbacks() if scheme == "prune" else []
    trained = train_further(wrapped, images, settings, callbacks=callbacks)
    result = models.build(recipe.model, shape, classes)
    if aware is None:
        result.set_weights(wrappers.unwrapped_weights(wrapped, scheme))
    else:
        wrappers.copy_weights(aware, result)
    shift_logits(result, shift)
    by_session = images.normalization == "layers"
    if by_session:
        set_layer_statistics(result, images.train)
    if aware is not None:
        wrappers.copy_weights(result, aware)  # shift and statistics
    seconds = round(time.process_time() - start, 1)
    return CompressedNetwork(result, aware, by_session, trained.history, seconds)


def _wrap(
    network: Any,
    scheme: TrainingScheme,
    settings: QuantizeSettings,
    training: TrainingSettings,
    images: ImageSet,
    calibration: npt.NDArray[np.int8],
) -> tuple[Any, Any]:
    """Network to train, and the same again if it computes with roundings."""
    match scheme:
        case "qat":
            ranges = _output_ranges(network, calibration, settings.percentile)
            aware = wrappers.quantization_aware(network)
            wrappers.set_ranges(aware, ranges)
            return aware, aware
        case "prune":
            steps = training.epochs * len(ImageBatches.of(images, training))
            return wrappers.pruned(network, settings.prune, steps), None
        case "cluster":
            return wrappers.clustered(network, settings.cluster), None


def _output_ranges(
    network: Any, calibration: npt.NDArray[np.int8], percentile: float
) -> dict[str, tuple[float, float]]:
    """Lowest and highest value, by percentile, of every layer's output; 0 lies within."""
    layers = network.layers[1:]
    outputs = keras.Model(network.input, [layer.output for layer in layers])
    values = outputs(pixels_to_float(calibration), training=False)
    ranges = {}
    for layer, value in zip(layers, values, strict=True):
        low, high = np.percentile(value.numpy(), [100 - percentile, percentile])
        ranges[layer.name] = min(0.0, float(low)), max(0.0, float(high))
    return ranges
