"""Knowledge distillation: a larger network that the network learns from besides the labels."""

from typing import Any

from edgebio.models.keras import keras, tf
from edgebio.recipes import TeacherSettings


class Distillation(keras.losses.Loss):  # type: ignore[misc]
    """Cross-entropy with the labels, and with a teacher's probabilities at a temperature.

    The second is multiplied by the temperature's square, so that its gradient is as large at every
    temperature (arXiv 1503.02531, section 2). Targets are those of
    `edgebio.training.batches.ImageBatches` with a teacher: float32, shape (n, 2 classes).
    """

    def __init__(self, classes: int, settings: TeacherSettings) -> None:
        super().__init__(name="distillation")
        self.classes, self.settings = classes, settings

    def call(self, targets: Any, probability: Any) -> Any:
        """Loss of every image."""
        temperature, share = self.settings.temperature, self.settings.share
        labels, teacher = targets[:, : self.classes], targets[:, self.classes :]
        # Logarithms of probabilities are logits, but for a constant that softmax removes.
        logits, teacher_logits = (
            tf.math.log(tf.maximum(values, keras.backend.epsilon()))
            for values in (probability, teacher)
        )
        soft = -tf.reduce_sum(
            tf.nn.softmax(teacher_logits / temperature) * tf.nn.log_softmax(logits / temperature),
            axis=-1,
        )
        return share * temperature**2 * soft - (1 - share) * tf.reduce_sum(labels * logits, axis=-1)

    def accuracy(self, targets: Any, probability: Any) -> Any:
        """Whether each image's most probable class is that of its label."""
        return keras.metrics.categorical_accuracy(targets[:, : self.classes], probability)
