"""Networks of feature imitation: LSTM, classifier, and both as one.

After Wu C, Atashzar SF, Ghassemi MM, Alhanai T: An LSTM feature imitation network for hand movement
recognition from sEMG signals (arXiv 2405.19356). There, each of four features of each channel has a
bidirectional LSTM of three layers, fed sample by sample; here one small LSTM, shared by all
channels, tells all four.
"""

from typing import Any

import numpy as np

from edgebio.errors import EdgebioError
from edgebio.models.keras import keras, tf
from edgebio.models.layers import normalised
from edgebio.recipes.imitation import FeatureImitationSettings


def imitator(
    settings: FeatureImitationSettings, window: int, features: int, *, unroll: bool = False
) -> Any:
    """Build the network that imitates features of one channel's window.

    Every sample passes the same few ReLUs, whose means over a time step tell how its samples are
    distributed, and whose largest values tell of peaks; the LSTM gathers them, and what it has at
    the end becomes features.

    Parameters
    ----------
    settings
        Sizes.
    window
        Samples of a window.
    features
        How many are told.
    unroll
        Write the LSTM out step by step, which trains faster and does not convert.

    Returns
    -------
    tf_keras.Model
        From float32 (batch, steps, samples, 1), companded samples in steps of the pixels' scale,
        to float32 (batch, features).

    Raises
    ------
    EdgebioError
        Where the window is no whole number of time steps.
    """
    steps, rest = divmod(window, settings.samples_per_step)
    if rest:
        raise EdgebioError(
            f"feature_imitation.samples_per_step {settings.samples_per_step} does not divide the window of {window} samples"
        )
    signal = keras.Input((steps, settings.samples_per_step, 1), name="signal")
    # Kinks all over the range of the samples, instead of all of them at 0.
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
    return keras.Model(signal, keras.layers.Dense(features, name="features")(x), name="imitator")


def classifier(
    settings: FeatureImitationSettings, channels: int, features: int, classes: int, dropout: float
) -> Any:
    """Build the CNN over the electrodes that classifies by their features.

    Parameters
    ----------
    settings
        Sizes.
    channels, features, classes
        How many there are.
    dropout
        Rate before the last layer.

    Returns
    -------
    tf_keras.Model
        From float32 (batch, channels, 1, features), in the imitator's units, to class
        probabilities (batch, classes).
    """
    told = keras.Input((channels, 1, features), name="told")
    x = told
    for number, filters in enumerate(settings.classifier_filters):
        convolution = keras.layers.Conv2D(
            filters, (5, 1), padding="same", use_bias=False, name=f"conv{number}"
        )
        x = normalised(convolution(x), f"conv{number}")
    x = keras.layers.Flatten(name="flat")(x)  # electrodes are places: their mean would lose them
    if dropout:
        x = keras.layers.Dropout(dropout, name="dropout")(x)
    x = keras.layers.Dense(classes, name="classes")(x)
    return keras.Model(told, keras.layers.Softmax(name="probability")(x), name="classifier")


def joined(imitating: Any, classifying: Any) -> Any:
    """Put both networks behind one another, on all channels of a window.

    Returns
    -------
    tf_keras.Model
        From float32 (batch, channels, steps, samples, 1) to class probabilities; its layers are
        those of the two networks themselves.
    """
    channels, _, features = classifying.input_shape[1:]
    steps, samples, _ = imitating.input_shape[1:]
    windows = keras.Input((channels, steps, samples, 1), name="windows")
    told = imitating(tf.reshape(windows, (-1, steps, samples, 1)))
    return keras.Model(
        windows, classifying(tf.reshape(told, (-1, channels, 1, features))), name="joined"
    )


class _Chrono(keras.initializers.Initializer):  # type: ignore[misc]
    """Biases with which an LSTM remembers from the start, over times from 1 step to all of them.

    Tallec C, Ollivier Y: Can recurrent neural networks warp time? (ICLR 2018): the forget gate's
    bias is log(u), the input gate's -log(u), with u uniform within 1 to the steps less 1.
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def __call__(self, shape: Any, dtype: Any = None, **options: Any) -> Any:
        units = shape[0] // 4
        longest = max(2, self.steps - 1)
        forget = np.log(np.random.default_rng(1).uniform(1, longest, units))
        biases = np.concatenate([-forget, forget, np.zeros(2 * units)])
        return tf.constant(biases, dtype or tf.float32)
