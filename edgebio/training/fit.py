"""Fit a network to images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import models, progress
from edgebio.errors import EdgebioError
from edgebio.frontend.standardization import PIXEL_SCALE
from edgebio.models.keras import keras, tf
from edgebio.recipes import ModelSettings, TeacherSettings, TrainingSettings
from edgebio.training.augmentation import augment, mains_bins
from edgebio.training.images import Images, ImageSet

_PREDICTED_AT_ONCE = 512
_MOST_UNLABELLED = 2  # batches' worth that a batch has besides
_Batch = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained network.

    Attributes
    ----------
    model
        tf_keras.Model.
    history
        By name (``loss``, ``accuracy``, ``val_loss``, ...): one figure an epoch.
    best_epoch
        Epoch, from 1, whose weights the model has.
    """

    model: Any
    history: dict[str, list[float]]
    best_epoch: int


def fit(
    images: ImageSet,
    model: ModelSettings,
    settings: TrainingSettings,
    logs: Path | None = None,
    start: Sequence[npt.NDArray[np.float32]] | None = None,
    teacher: Any = None,
) -> Fitted:
    """Build a network and train it.

    Two calls with the same arguments give the same weights, bit for bit, on one machine.

    Parameters
    ----------
    images
        What to train on, and to stop by where it holds validation images.
    model, settings
        Network and training, as the recipe has them.
    logs
        Folder for TensorBoard.
    start
        Weights that it begins with; random ones if None.
    teacher
        Trained network (tf_keras.Model) that it learns from as ``settings.teacher`` says; only
        the labels if None.

    Raises
    ------
    EdgebioError
        Where the loss stops being finite.
    """
    begin(settings.seed)
    network = models.build(model, images.train.shape, len(images.classes))
    if start is not None:
        network.set_weights(start)
    return learn(network, images, settings, logs, teacher=teacher)


def begin(seed: int) -> None:
    """Make what follows the same in every process: chance, names, and the order of sums."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def learn(
    network: Any,
    images: ImageSet,
    settings: TrainingSettings,
    logs: Path | None = None,
    callbacks: Sequence[Any] = (),
    teacher: Any = None,
) -> Fitted:
    """Train a network that has been built, in place; see `fit`.

    Parameters
    ----------
    network
        tf_keras.Model from images to class probabilities.
    callbacks
        Of Keras, called besides.
    """
    batches = Batches(
        images.train, len(images.classes), images.decisions, settings, teacher,
        mains_bins(images.spec),
    )  # fmt: skip
    loss, accuracy = "categorical_crossentropy", "accuracy"
    if teacher is not None and settings.teacher is not None:
        loss = Distillation(len(images.classes), settings.teacher)
        accuracy = keras.metrics.MeanMetricWrapper(loss.accuracy, name="accuracy")
    called, stop = [*callbacks], None
    if settings.patience and len(images.validation):
        stop = keras.callbacks.EarlyStopping(
            "val_loss", patience=settings.patience, restore_best_weights=True
        )
        called.append(stop)
    validation = _Scored(images.validation, batches) if len(images.validation) else None
    history = descend(network, batches, settings, loss, accuracy, logs, called, validation)
    best = len(history["loss"])
    if stop:
        best = 1 + int(np.argmin(history["val_loss"]))
        network.set_weights(stop.best_weights)  # Keras itself does so only where it stopped early
    return Fitted(network, history, best)


def descend(
    network: Any,
    batches: keras.utils.Sequence,
    settings: TrainingSettings,
    loss: Any,
    accuracy: Any,
    logs: Path | None = None,
    callbacks: Sequence[Any] = (),
    validation: keras.utils.Sequence | None = None,
    what: str = "training",
) -> dict[str, list[float]]:
    """Go down the loss by AdamW on a cosine, for all of the settings' epochs.

    Parameters
    ----------
    network
        tf_keras.Model, trained in place.
    batches
        What it is shown; see `Batches`.
    settings
        Epochs, learning rate, weight decay and average of weights.
    loss, accuracy
        As ``compile`` of Keras takes them.
    logs, callbacks
        As for `learn`.
    validation
        What is scored after each epoch, if anything is.
    what
        Name of the progress bar.

    Returns
    -------
    dict
        By name, one figure an epoch.

    Raises
    ------
    EdgebioError
        Where the loss stops being finite.
    """
    rate = keras.optimizers.schedules.CosineDecay(
        settings.learning_rate, settings.epochs * len(batches)
    )
    optimizer = keras.optimizers.AdamW(
        rate, weight_decay=settings.weight_decay, jit_compile=False,
        use_ema=bool(settings.ema_momentum), ema_momentum=settings.ema_momentum,
    )  # fmt: skip
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    network.compile(optimizer, loss, weighted_metrics=[accuracy])
    called = [keras.callbacks.TerminateOnNaN(), *callbacks]
    if logs:
        called.append(keras.callbacks.TensorBoard(logs, write_graph=False))
    with progress.bar(what, settings.epochs * len(batches)) as advance:
        called.append(keras.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: advance(1)))
        history = network.fit(
            batches,
            epochs=settings.epochs,
            validation_data=validation,
            callbacks=called,
            shuffle=False,  # the batches come shuffled
            verbose=0,
        ).history
    if not all(math.isfinite(value) for value in history["loss"]):
        raise EdgebioError(
            f"the loss is not finite in epoch {len(history['loss'])}: training diverged; lower "
            f"training.learning_rate ({settings.learning_rate:g})"
        )
    return {name: [float(x) for x in values] for name, values in history.items()}


def tune(
    fitted: Fitted,
    images: ImageSet,
    model: ModelSettings,
    settings: TrainingSettings,
    logs: Path | None = None,
) -> Fitted:
    """Train a trained network on, on other images: transfer learning.

    Parameters
    ----------
    fitted
        What has been learned so far; its history goes on.
    images
        What to tune on; nothing tells when to stop.
    model, settings
        As for `fit`; epochs and learning rate are those of the settings' tuning.
    logs
        Folder for TensorBoard.
    """
    gentle = settings.model_copy(
        update={"epochs": settings.tune_epochs, "learning_rate": settings.tune_learning_rate}
    )
    more = fit(images, model, gentle, logs, fitted.model.get_weights())
    history = {
        name: fitted.history[name] + more.history[name]
        for name in fitted.history
        if name in more.history
    }
    return Fitted(more.model, history, len(history["loss"]))


def leaning(settings: TrainingSettings, images: ImageSet) -> npt.NDArray[np.float32]:
    """What a trained network's logits are shifted by, for ``prior`` and ``costs``.

    Parameters
    ----------
    settings
        See `edgebio.recipes.TrainingSettings`.
    images
        What it is trained on. A class that does not occur, as one may not in what a person is tuned
        on, counts as one image.

    Returns
    -------
    ndarray
        float32, shape (classes,).

    Raises
    ------
    EdgebioError
        Where a cost is of a class that there is not.
    """
    if unknown := [name for name in settings.costs if name not in images.classes]:
        raise EdgebioError(
            f"training.costs: no class {unknown[0]!r}; there are {', '.join(images.classes)}"
        )
    counts = np.bincount(images.train.labels, minlength=len(images.classes))
    share = np.maximum(counts, 1) / len(images.train)
    costs = np.array([settings.costs.get(name, 1.0) for name in images.classes])
    shift: npt.NDArray[np.float32] = (np.log(costs) - settings.prior * np.log(share)).astype("f")
    return shift


def adjust(model: Any, shift: npt.NDArray[np.float32]) -> None:
    """Shift the logits of a network (tf_keras.Model of `edgebio.models.build`), in place."""
    layer = model.get_layer("classes")
    weights, bias = layer.get_weights()
    layer.set_weights([weights, bias + shift])


def predict(
    model: Any, images: Images, chosen: npt.NDArray[np.integer] | None = None
) -> npt.NDArray[np.float32]:
    """Class probabilities that the float model gives to images, or some: float32, (n, classes)."""
    chosen = np.arange(len(images)) if chosen is None else chosen
    parts = [
        model(real(images.take(chosen[k : k + _PREDICTED_AT_ONCE])), training=False).numpy()
        for k in range(0, len(chosen), _PREDICTED_AT_ONCE)
    ]
    return np.concatenate(parts)


def real(pixels: npt.NDArray[np.int8]) -> npt.NDArray[np.float32]:
    """Pixels in standard deviations, as networks take them."""
    return pixels.astype(np.float32) * np.float32(PIXEL_SCALE)


class Batches(keras.utils.Sequence):  # type: ignore[misc]
    """Mini-batches of one epoch, drawn from the training images and augmented.

    Images are there for every column, and an epoch sees as many as the device would decide on:
    one in `stride`, others in every epoch, so that each is met at every place of the window. Of
    beats there is one image each, and an epoch sees all.

    Where layers are normalised by the sitting, a batch is of one, and every sitting has its share.
    Windows without a label are in it too, as they are in the signal that a wearer is calibrated by;
    they weigh nothing in the loss.
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
        smooth = settings.label_smoothing
        targets = np.eye(classes) * (1 - smooth) + smooth / classes
        self.targets: npt.NDArray[np.float32] = targets.astype(np.float32)
        # A class that a person is not tuned on has no images, and no weight is infinite.
        counts = np.maximum(np.bincount(self.images.labels, minlength=classes), 1)
        balanced = len(self.images) / (classes * counts)
        weights = balanced**settings.class_weights
        self.weights: npt.NDArray[np.float32] = weights.astype(np.float32)
        per_epoch = min(per_epoch, settings.epoch_images, len(images))
        groups = [(np.arange(len(images)), np.empty(0, np.int64))]
        if settings.normalization == "layers":
            groups = [
                (chosen, np.setdiff1d(starts, images.starts[chosen]))
                for chosen, starts in images.by_sitting()
            ]
        # A last batch of a few images would make the normalisation statistics noisy.
        self.groups = []
        for group, rest in groups:
            share = max(1, per_epoch * len(group) // len(images))
            whole = share // settings.batch * settings.batch
            self.groups.append((group, whole or share, rest))
        self.epoch = 0
        self._shuffle()

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, number: int) -> _Batch:
        order, rest = self.order[number], self.rest[number]
        images, targets = self._augmented(
            self.images.starts[order], self.targets[self.images.labels[order]], 1 + number
        )
        weights = targets @ self.weights
        if len(rest):
            nothing = np.zeros((len(rest), targets.shape[1]), np.float32)
            more, _ = self._augmented(rest, nothing, -1 - number)
            images = np.concatenate([images, more])
            targets = np.concatenate([targets, nothing])
            weights = np.concatenate([weights, nothing[:, 0]])
        return images, self.with_taught(images, targets), weights

    def _augmented(
        self, starts: npt.NDArray[np.int64], targets: npt.NDArray[np.float32], purpose: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Images that begin at some columns, and targets, changed by chance."""
        settings, rng = self.settings.augment, self._rng(purpose)
        apart = None
        if settings.time_stretch:
            apart = np.exp(rng.normal(0, settings.time_stretch, len(starts)))
        return augment(real(self.images.at(starts, apart)), targets, settings, rng, self.mains)

    def with_taught(
        self, images: npt.NDArray[np.float32], targets: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Targets, and behind them what the teacher, if there is one, says of the images."""
        if self.teacher is None:
            return targets
        return np.concatenate([targets, self.teacher(images, training=False).numpy()], axis=1)

    def on_epoch_end(self) -> None:
        """Draw the next epoch's images."""
        self.epoch += 1
        self._shuffle()

    def _shuffle(self) -> None:
        rng, batch = self._rng(0), self.settings.batch
        self.order, self.rest = [], []
        for group, count, rest in self.groups:
            drawn = rng.permutation(group)[:count]
            parts = [drawn[k : k + batch] for k in range(0, count, batch)]
            few = min(_MOST_UNLABELLED * batch, round(batch * len(rest) / len(group)))
            self.order += parts
            self.rest += [rng.choice(rest, few) if few else rest[:0] for _ in parts]
        if len(self.groups) > 1:
            mixed = rng.permutation(len(self.order))
            self.order = [self.order[k] for k in mixed]
            self.rest = [self.rest[k] for k in mixed]

    def _rng(self, purpose: int) -> np.random.Generator:
        """Chance that depends on nothing but the seed, the epoch and what it is for."""
        return np.random.default_rng([self.settings.seed, self.epoch, purpose % 2**32])


class _Scored(keras.utils.Sequence):  # type: ignore[misc]
    """Validation images as they are, with the targets and weights of training."""

    def __init__(self, images: Images, like: Batches) -> None:
        self.images, self.like = images, like

    def __len__(self) -> int:
        return math.ceil(len(self.images) / _PREDICTED_AT_ONCE)

    def __getitem__(self, number: int) -> _Batch:
        part = slice(number * _PREDICTED_AT_ONCE, (number + 1) * _PREDICTED_AT_ONCE)
        images = real(self.images.take(part))
        targets = self.like.targets[self.images.labels[part]]
        return images, self.like.with_taught(images, targets), targets @ self.like.weights


class Distillation(keras.losses.Loss):  # type: ignore[misc]
    """Cross-entropy with the labels, and with a teacher's probabilities at a temperature.

    The second is multiplied by the temperature's square, so that its gradient is as large at every
    temperature (arXiv 1503.02531, section 2). Targets are those of `Batches` with a teacher:
    float32, shape (n, 2 classes).
    """

    def __init__(self, classes: int, settings: TeacherSettings) -> None:
        super().__init__(name="distillation")
        self.classes, self.settings = classes, settings

    def call(self, targets: Any, probability: Any) -> Any:
        """Loss of every image."""
        temperature, share = self.settings.temperature, self.settings.share
        wanted, taught = targets[:, : self.classes], targets[:, self.classes :]
        # A logarithm of probabilities is their logits, but for a constant that softmax forgets.
        said, heard = (
            tf.math.log(tf.maximum(values, keras.backend.epsilon()))
            for values in (probability, taught)
        )
        softened = -tf.reduce_sum(
            tf.nn.softmax(heard / temperature) * tf.nn.log_softmax(said / temperature), axis=-1
        )
        return share * temperature**2 * softened - (1 - share) * tf.reduce_sum(
            wanted * said, axis=-1
        )

    def accuracy(self, targets: Any, probability: Any) -> Any:
        """Whether every image's class is decided rightly, by its label."""
        return keras.metrics.categorical_accuracy(targets[:, : self.classes], probability)
