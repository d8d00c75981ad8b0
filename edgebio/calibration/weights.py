"""Tune the weights of an int8 network to a wearer from a few labeled segments."""

from typing import Any

import numpy as np

from edgebio import progress, tflite
from edgebio.calibration import layers
from edgebio.calibration.int8_network import Int8Network
from edgebio.models.keras import keras, tf
from edgebio.recipes import AugmentSettings, TrainingSettings
from edgebio.tflite.metadata import replace_metadata, require_metadata
from edgebio.training.batches import ImageBatches
from edgebio.training.images import Images, pixels_to_float

_STEPS_PER_SECOND = 3.0  # of labeled signal: a repetition of eleven gestures takes a core 12 s
_MIN_STEPS, _MAX_STEPS = 150, 400
# Rate and augmentation were chosen on emg-3dc with its sessions exchanged: trained on session 2
# and tested on session 1.
_SETTINGS = TrainingSettings(
    learning_rate=2e-3,
    label_smoothing=0.05,
    patience=0,
    class_weights=1.0,
    augment=AugmentSettings(noise=0.1, gain=0.1, mixup=0.25),
)


def tune_weights(content: bytes, images: Images) -> bytes:
    """Train all weights of a model further, activations rounded as on the device.

    `images` are the wearer's at every frame, with every class, standardized by the metadata. The
    result has other weights, biases and weight scales; and, if its metadata has statistics of
    layers, the new ones.
    """
    keras.utils.set_random_seed(_SETTINGS.seed)
    tf.config.experimental.enable_op_determinism()
    metadata = require_metadata(tflite.read(content), "calibrate")
    network = Int8Network(content)
    seconds = len(images) * metadata.frontend.hop_length / metadata.frontend.rate
    steps = int(np.clip(_STEPS_PER_SECOND * seconds, _MIN_STEPS, _MAX_STEPS))
    batches = ImageBatches(images, len(metadata.classes), steps * _SETTINGS.batch, _SETTINGS)
    rate = keras.optimizers.schedules.CosineDecay(_SETTINGS.learning_rate, steps)
    optimizer = keras.optimizers.Adam(rate, jit_compile=False)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(x: Any, targets: Any, weights: Any) -> None:
        with tf.GradientTape() as tape:
            losses = tf.nn.softmax_cross_entropy_with_logits(targets, network(x))
            loss = tf.reduce_mean(losses * weights)
        gradients = tape.gradient(loss, network.variables)
        optimizer.apply_gradients(zip(gradients, network.variables, strict=True))

    optimizer.build(network.variables)
    for number in progress.track(range(steps), "calibrating"):
        if number and number % len(batches) == 0:
            batches.on_epoch_end()
        step(*(tf.constant(part) for part in batches[number % len(batches)]))
    tuned = network.content()
    if metadata.layers:
        sample = pixels_to_float(images.spread(layers.IMAGES))
        statistics = layers.measure_layers(Int8Network(tuned), sample)
        tuned = replace_metadata(tuned, metadata.model_copy(update={"layers": statistics}))
    return tuned
