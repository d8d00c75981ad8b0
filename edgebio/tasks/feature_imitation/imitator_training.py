"""Train the imitator: an LSTM that learns features of segments, without labels."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.frontend.standardization import PIXEL_SCALE
from edgebio.models.keras import keras
from edgebio.recipes import FeatureImitationSettings, TrainingSettings
from edgebio.tasks.feature_imitation import networks
from edgebio.tasks.feature_imitation.feature_scale import FeatureScale
from edgebio.training.batches import Batch
from edgebio.training.chunks import map_chunks
from edgebio.training.features import IMITATED_FEATURES, imitated_features
from edgebio.training.optimizer_loop import TrainedNetwork, optimize
from edgebio.training.signals import LARGEST, Signals, compand

SEGMENT_BATCH = 256
"""Segments of all channels that are computed at once."""
_GAIN_LIMIT = 4.0  # octaves
_LOUDNESS = (0.25, 8.0)  # rms in deviations between which a segment's weight follows it
_CLIP_NORM = 1.0

Floats = npt.NDArray[np.float32]


def train_imitator(
    train: Signals,
    validation: Signals | None,
    scale: FeatureScale,
    settings: FeatureImitationSettings,
    training: TrainingSettings,
    logs: Path,
) -> TrainedNetwork:
    """Train the LSTM; the network of the result has the form that converts."""
    network = networks.imitator(settings, train.length, unroll=True)
    trained = optimize(
        network, ImitatorBatches(train, scale, settings, training), training, "mse",
        validation=validation and ImitatorValidation(validation, scale, settings, training),
        logs=logs, clip_norm=_CLIP_NORM, description="imitator",
    )  # fmt: skip
    rolled = networks.imitator(settings, train.length)
    rolled.set_weights(network.get_weights())
    return TrainedNetwork(rolled, trained.history, trained.best_epoch)


def true_features(signals: Signals, settings: FeatureImitationSettings) -> npt.NDArray[np.float64]:
    """True features of all segments that are predicted: shape (n, channels, 4)."""

    def compute(part: slice) -> npt.NDArray[np.float64]:
        return imitated_features(signals.target_segments(part), settings.entropy)

    return map_chunks(compute, len(signals), SEGMENT_BATCH)


def predict_features(
    imitator: Any,
    signals: Signals,
    settings: FeatureImitationSettings,
    index: npt.NDArray[np.integer] | None = None,
) -> Floats:
    """Features that the LSTM predicts, in its units, from segments: (n, channels, 1, 4)."""
    index = np.arange(len(signals)) if index is None else index

    def predict(part: slice) -> Floats:
        inputs = imitator_inputs(signals.segments(index[part]), settings)
        predicted: Floats = imitator(inputs.reshape(-1, *inputs.shape[2:]), training=False).numpy()
        return predicted.reshape(*inputs.shape[:2], 1, -1)

    return map_chunks(predict, len(index), SEGMENT_BATCH)


def time_steps(
    codes: npt.NDArray[np.int8], settings: FeatureImitationSettings
) -> npt.NDArray[np.int8]:
    """Codes, shape (..., length), as the LSTM's time steps, shape (..., steps, samples, 1)."""
    return codes.reshape(*codes.shape[:-1], -1, settings.samples_per_step, 1)


def imitator_inputs(segments: Floats, settings: FeatureImitationSettings) -> Floats:
    """Input of the float imitator: that of the int8 one, in the pixels' scale."""
    return time_steps(compand(segments), settings).astype(np.float32) * np.float32(PIXEL_SCALE)


class ImitatorBatches(keras.utils.Sequence):  # type: ignore[misc]
    """Mini-batches of one channel's segments with their features, drawn anew in every epoch."""

    def __init__(
        self,
        signals: Signals,
        scale: FeatureScale,
        settings: FeatureImitationSettings,
        training: TrainingSettings,
    ) -> None:
        self.signals, self.scale = signals, scale
        self.settings, self.training = settings, training
        self.channels, self.epoch = signals.values.shape[1], 0

    def __len__(self) -> int:
        return max(1, self.training.epoch_images // self.training.batch)

    def __getitem__(self, number: int) -> Batch:
        rng = np.random.default_rng([self.training.seed, self.epoch, number])
        count = self.training.batch
        channel = rng.integers(0, self.channels, count)
        index = rng.integers(0, len(self.signals), count)
        octaves = rng.normal(0, self.settings.gain_octaves, count)
        gain = np.exp2(np.clip(octaves, -_GAIN_LIMIT, _GAIN_LIMIT)).astype(np.float32)
        return self.batch(index, channel, gain[:, None])

    def batch(
        self, index: npt.NDArray[np.integer], channel: npt.NDArray[np.integer], gain: Floats
    ) -> Batch:
        """Inputs, features in the network's units, and weights of one channel of each segment."""
        number = np.arange(len(index))
        inputs, targets = (
            np.clip(segments[number, channel] * gain, -LARGEST, LARGEST)
            for segments in (self.signals.segments(index), self.signals.target_segments(index))
        )
        features = imitated_features(targets, self.settings.entropy)
        # The units are relative, but the metric is of the feature itself: loud segments weigh more.
        weights = np.clip(features[:, IMITATED_FEATURES.index("rms")], *_LOUDNESS)
        return (
            imitator_inputs(inputs, self.settings),
            self.scale.encode(features).astype(np.float32),
            (weights / weights.mean()).astype(np.float32),
        )

    def on_epoch_end(self) -> None:
        """Draw others in the next epoch."""
        self.epoch += 1


class ImitatorValidation(ImitatorBatches):
    """One channel of each segment, each time the next one, without a gain."""

    def __len__(self) -> int:
        return math.ceil(len(self.signals) / self.training.batch)

    def __getitem__(self, number: int) -> Batch:
        start = number * self.training.batch
        index = np.arange(start, min(start + self.training.batch, len(self.signals)))
        return self.batch(index, index % self.channels, np.ones((len(index), 1), np.float32))
