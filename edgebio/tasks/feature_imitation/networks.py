"""Networks of feature imitation: the LSTM, the classifier, and both as one.

After Wu C, Atashzar SF, Ghassemi MM, Alhanai T: An LSTM feature imitation network for hand movement
recognition from sEMG signals (arXiv 2405.19356). There, each of four features of each channel has a
bidirectional LSTM of three layers, fed sample by sample; here one small LSTM, shared by all
channels, predicts all four.
"""

from typing import Any

import numpy as np

from edgebio.errors import EdgebioError
from edgebio.models.blocks import convolve
from edgebio.models.keras import keras, tf
from edgebio.recipes import FeatureImitationSettings
from edgebio.training.features import IMITATED_FEATURES


def imitator(settings: FeatureImitationSettings, length: int, *, unroll: bool = False) -> Any:
    """Build the network that imitates features of one channel's segment of `length` samples.

    Every sample passes the same few ReLUs. Their means over a time step describe the distribution
    of its samples, their largest values the peaks. The LSTM gathers both, and its last output
    becomes features. Unrolled, it trains faster and does not convert.

    Returns
    -------
    tf_keras.Model
        From float32 (batch, steps, samples, 1), companded samples in the pixels' scale, to float32
        (batch, features).

    Raises
    ------
    EdgebioError
        If the segment is not a whole number of time steps.
    """
    steps, rest = divmod(length, settings.samples_per_step)
    if rest:
        raise EdgebioError(
            f"feature_imitation.samples_per_step {settings.samples_per_step} does not divide the "
            f"segment of {length} samples"
        )
    signal = keras.Input((steps, settings.samples_per_step, 1), name="signal")
    # Thresholds all over the range of the samples, instead of all of them at 0.
    x = keras.layers.Conv2D(
        settings.filters, 1, activation="relu", name="levels",
        kernel_initializer="he_uniform",
        bias_initializer=keras.initializers.RandomUniform(-2.0, 2.0),
    )(signal)  # fmt: skip
    size = (1, settings.samples_per_step)
    pools = keras.layers.AveragePooling2D(size), keras.layers.MaxPooling2D(size)
    x = keras.layers.Concatenate(name="pools")([pool(x) for pool in pools])
    x = keras.layers.Reshape((steps, 2 * settings.filters), name="sequence")(x)
    x = keras.layers.LSTM(
        settings.units, unroll=unroll, unit_forget_bias=False, name="lstm",
        bias_initializer=_Chrono(steps),
    )(x)  # fmt: skip
    x = keras.layers.Dense(settings.hidden, activation="relu", name="hidden")(x)
    features = keras.layers.Dense(len(IMITATED_FEATURES), name="features")(x)
    return keras.Model(signal, features, name="imitator")


def classifier(
    settings: FeatureImitationSettings, channels: int, classes: int, dropout: float
) -> Any:
    """Build the CNN over the electrodes that classifies by their features.

    From float32 (batch, channels, 1, features), in the imitator's units, to class probabilities.
    """
    inputs = keras.Input((channels, 1, len(IMITATED_FEATURES)), name="predicted")
    x = inputs
    for number, filters in enumerate(settings.classifier_filters):
        x = convolve(x, filters, (5, 1), f"conv{number}")
    x = keras.layers.Flatten(name="flat")(x)  # no mean over electrodes: their position counts
    if dropout:
        x = keras.layers.Dropout(dropout, name="dropout")(x)
    x = keras.layers.Dense(classes, name="classes")(x)
    return keras.Model(inputs, keras.layers.Softmax(name="probability")(x), name="classifier")


def joined(imitator: Any, classifier: Any) -> Any:
    """Connect both networks, whose layers are shared, on all channels of a segment.

    From float32 (batch, channels, steps, samples, 1) to class probabilities.
    """
    channels, _, features = classifier.input_shape[1:]
    steps, samples, _ = imitator.input_shape[1:]
    segments = keras.Input((channels, steps, samples, 1), name="segments")
    predicted = imitator(tf.reshape(segments, (-1, steps, samples, 1)))
    probability = classifier(tf.reshape(predicted, (-1, channels, 1, features)))
    return keras.Model(segments, probability, name="joined")


class _Chrono(keras.initializers.Initializer):  # type: ignore[misc]
    """Biases that give an LSTM a memory of 1 step to all steps before training.

    Tallec C, Ollivier Y: Can recurrent neural networks warp time? (ICLR 2018): the forget gate's
    bias is log(u), the input gate's -log(u), with u uniform from 1 to the number of steps less 1.
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def __call__(self, shape: Any, dtype: Any = None, **options: Any) -> Any:
        units = shape[0] // 4
        longest = max(2, self.steps - 1)
        forget = np.log(np.random.default_rng(1).uniform(1, longest, units))
        biases = np.concatenate([-forget, forget, np.zeros(2 * units)])
        return tf.constant(biases, dtype or tf.float32)
