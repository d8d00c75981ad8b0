"""What ``label_smoothing``, ``class_weights``, ``prior`` and ``costs`` of a recipe do."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recipes import TrainingSettings


class ClassTargets:
    """Targets and weights of classes in the loss, by ``label_smoothing`` and ``class_weights``.

    A class that does not occur in `labels`, as one may not in what a network is tuned on, counts as
    occurring once.

    Attributes
    ----------
    targets
        float32, shape (classes, classes): smoothed class probabilities, by class.
    weights
        float32, shape (classes,).
    """

    def __init__(
        self, labels: npt.NDArray[np.integer], classes: int, settings: TrainingSettings
    ) -> None:
        smoothing = settings.label_smoothing
        targets = np.eye(classes) * (1 - smoothing) + smoothing / classes
        self.targets: npt.NDArray[np.float32] = targets.astype(np.float32)
        counts = np.maximum(np.bincount(labels, minlength=classes), 1)
        weights = (len(labels) / (classes * counts)) ** settings.class_weights
        self.weights: npt.NDArray[np.float32] = weights.astype(np.float32)


def logit_shift(
    settings: TrainingSettings, labels: npt.NDArray[np.integer], classes: Sequence[str]
) -> npt.NDArray[np.float32]:
    """Shift of a trained network's logits by ``prior`` and ``costs``: float32, shape (classes,).

    `labels` are the classes of everything that it was trained on; see `ClassTargets`.

    Raises
    ------
    EdgebioError
        If a cost names an unknown class.
    """
    if unknown := [name for name in settings.costs if name not in classes]:
        raise EdgebioError(
            f"training.costs: no class {unknown[0]!r}; there are {', '.join(classes)}"
        )
    frequencies = np.maximum(np.bincount(labels, minlength=len(classes)), 1) / len(labels)
    costs = np.array([settings.costs.get(name, 1.0) for name in classes])
    shift: npt.NDArray[np.float32] = (np.log(costs) - settings.prior * np.log(frequencies)).astype(
        np.float32
    )
    return shift


def shift_logits(network: Any, shift: npt.NDArray[np.float32]) -> None:
    """Add to the logits of a network whose layer ``classes`` computes them, in place."""
    layer = network.get_layer("classes")
    weights, bias = layer.get_weights()
    layer.set_weights([weights, bias + shift])
