"""Mini-batches of images for Keras."""

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from edgebio.models.keras import keras
from edgebio.recipes import TrainingSettings
from edgebio.training.augmentation import augment, mains_bins
from edgebio.training.class_balance import ClassTargets
from edgebio.training.image_set import ImageSet
from edgebio.training.images import Images, pixels_to_float

PREDICTION_BATCH = 512
"""Images that a network predicts at once."""
_UNLABELED_BATCHES = 2  # most unlabeled images that a batch has besides, in batches

Batch = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]
"""Inputs, targets and sample weights."""


class ImageBatches(keras.utils.Sequence):  # type: ignore[misc]
    """Mini-batches of one epoch, drawn from the training images and augmented.

    Images exist for every frame, and an epoch shows as many as the device decides on: one in
    ``step_frames``, others in every epoch, so that each event is met at every position in a
    segment. Of beats there is one image each, and an epoch shows all.

    With layers normalized by session, a batch is of one session, and every session has its share.
    Unlabeled images are in it too, as they are in the signal that a wearer is calibrated by; they
    have no weight in the loss.
    """

    def __init__(
        self,
        images: Images,
        classes: int,
        per_epoch: int,
        settings: TrainingSettings,
        teacher: Any = None,
        mains: Sequence[int] = (),
    ) -> None:
        self.images, self.settings, self.teacher, self.mains = images, settings, teacher, mains
        self.classes = ClassTargets(images.labels, classes, settings)
        per_epoch = min(per_epoch, settings.epoch_images, len(images))
        groups = [(np.arange(len(images)), np.empty(0, np.int64))]
        if settings.normalization == "layers":
            groups = [
                (index, np.setdiff1d(starts, images.starts[index]))
                for index, starts in images.by_session()
            ]
        # A last batch of a few images would make the normalization statistics noisy.
        self.groups = []
        for group, unlabeled in groups:
            share = max(1, per_epoch * len(group) // len(images))
            whole = share // settings.batch * settings.batch
            self.groups.append((group, whole or share, unlabeled))
        self.epoch = 0
        self._shuffle()

    @classmethod
    def of(cls, images: ImageSet, settings: TrainingSettings, teacher: Any = None) -> Self:
        """Batches of a training set."""
        return cls(
            images.train, len(images.classes), images.decisions, settings, teacher,
            mains_bins(images.spec),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, number: int) -> Batch:
        order, unlabeled = self.order[number], self.unlabeled[number]
        images, targets = self._augmented(
            self.images.starts[order], self.classes.targets[self.images.labels[order]], 1 + number
        )
        weights = targets @ self.classes.weights
        if len(unlabeled):
            zeros = np.zeros((len(unlabeled), targets.shape[1]), np.float32)
            more, _ = self._augmented(unlabeled, zeros, -1 - number)
            images = np.concatenate([images, more])
            targets = np.concatenate([targets, zeros])
            weights = np.concatenate([weights, zeros[:, 0]])
        return images, self.with_teacher(images, targets), weights

    def _augmented(
        self, starts: npt.NDArray[np.int64], targets: npt.NDArray[np.float32], purpose: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Images that begin at some frames, and their targets, changed at random."""
        settings, rng = self.settings.augment, self._rng(purpose)
        spacing = None
        if settings.time_stretch:
            spacing = np.exp(rng.normal(0, settings.time_stretch, len(starts)))
        images = pixels_to_float(self.images.at(starts, spacing))
        return augment(images, targets, settings, rng, self.mains)

    def with_teacher(
        self, images: npt.NDArray[np.float32], targets: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Targets, followed by the teacher's probabilities for the images if there is a teacher."""
        if self.teacher is None:
            return targets
        return np.concatenate([targets, self.teacher(images, training=False).numpy()], axis=1)

    def on_epoch_end(self) -> None:
        """Draw the next epoch's images."""
        self.epoch += 1
        self._shuffle()

    def _shuffle(self) -> None:
        rng, batch = self._rng(0), self.settings.batch
        self.order, self.unlabeled = [], []
        for group, count, unlabeled in self.groups:
            drawn = rng.permutation(group)[:count]
            parts = [drawn[k : k + batch] for k in range(0, count, batch)]
            few = min(_UNLABELED_BATCHES * batch, round(batch * len(unlabeled) / len(group)))
            self.order += parts
            self.unlabeled += [rng.choice(unlabeled, few) if few else unlabeled[:0] for _ in parts]
        if len(self.groups) > 1:
            mixed = rng.permutation(len(self.order))
            self.order = [self.order[k] for k in mixed]
            self.unlabeled = [self.unlabeled[k] for k in mixed]

    def _rng(self, purpose: int) -> np.random.Generator:
        """Random numbers that depend only on the seed, the epoch and their purpose."""
        return np.random.default_rng([self.settings.seed, self.epoch, purpose % 2**32])


class ValidationBatches(keras.utils.Sequence):  # type: ignore[misc]
    """Validation images without augmentation, with the targets and weights of training."""

    def __init__(self, images: Images, training: ImageBatches) -> None:
        self.images, self.training = images, training

    def __len__(self) -> int:
        return math.ceil(len(self.images) / PREDICTION_BATCH)

    def __getitem__(self, number: int) -> Batch:
        part = slice(number * PREDICTION_BATCH, (number + 1) * PREDICTION_BATCH)
        images = pixels_to_float(self.images.take(part))
        classes = self.training.classes
        targets = classes.targets[self.images.labels[part]]
        return images, self.training.with_teacher(images, targets), targets @ classes.weights
