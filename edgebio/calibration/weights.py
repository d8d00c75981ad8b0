"""Tune an int8 network to a wearer from a few labelled windows."""

from typing import Any

import numpy as np

from edgebio import progress, tflite
from edgebio.calibration import layers
from edgebio.calibration.int8_network import Network
from edgebio.models.keras import keras, tf
from edgebio.recipes import AugmentSettings, TrainingSettings
from edgebio.tflite.metadata import require, with_metadata
from edgebio.training.fit import Batches, real
from edgebio.training.images import Images

_STEPS_A_SECOND = 3.0  # of labelled signal: one repetition of eleven gestures takes 12 s of a core
_FEWEST_STEPS, _MOST_STEPS = 150, 400
# Rate and augmentation were chosen on emg-3dc the other way round: taught by session 2
# and tested on session 1.
_SETTINGS = TrainingSettings(
    learning_rate=2e-3,
    label_smoothing=0.05,
    patience=0,
    class_weights=1.0,
    augment=AugmentSettings(noise=0.1, gain=0.1, mixup=0.25),
)


def tuned(content: bytes, images: Images) -> bytes:
    """Train all weights on, activations rounded as the device rounds them.

    Parameters
    ----------
    content
        A .tflite with metadata.
    images
        The wearer's at every column, with every class; standardised as the metadata says.

    Returns
    -------
    bytes
        The file with other weights, biases and scales of weights; where its metadata has
        statistics of layers, with those that they have now.
    """
    keras.utils.set_random_seed(_SETTINGS.seed)
    tf.config.experimental.enable_op_determinism()
    about = require(tflite.read(content), "calibrate")
    network = Network(content)
    seconds = len(images) * about.frontend.hop_length / about.frontend.rate
    steps = int(np.clip(_STEPS_A_SECOND * seconds, _FEWEST_STEPS, _MOST_STEPS))
    batches = Batches(images, len(about.classes), steps * _SETTINGS.batch, _SETTINGS)
    rate = keras.optimizers.schedules.CosineDecay(_SETTINGS.learning_rate, steps)
    optimizer = keras.optimizers.Adam(rate, jit_compile=False)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(x: Any, targets: Any, weights: Any) -> None:
        with tf.GradientTape() as tape:
            each = tf.nn.softmax_cross_entropy_with_logits(targets, network(x))
            loss = tf.reduce_mean(each * weights)
        gradients = tape.gradient(loss, network.variables)
        optimizer.apply_gradients(zip(gradients, network.variables, strict=True))

    optimizer.build(network.variables)
    for number in progress.track(range(steps), "learning the wearer"):
        if number and number % len(batches) == 0:
            batches.on_epoch_end()
        step(*(tf.constant(part) for part in batches[number % len(batches)]))
    made = network.content()
    if about.layers:
        seen = real(images.signal(layers.SEEN))
        measured = layers.statistics(Network(made), seen)
        made = with_metadata(made, about.model_copy(update={"layers": measured}))
    return made
