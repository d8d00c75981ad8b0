"""The optimizer loop that every training goes through."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgebio import progress
from edgebio.errors import EdgebioError
from edgebio.models.keras import keras, tf
from edgebio.recipes import TrainingSettings


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A trained tf_keras.Model, its metrics by name and epoch, and its best epoch, from 1."""

    network: Any
    history: dict[str, list[float]]
    best_epoch: int


def reset_keras(seed: int) -> None:
    """Make what follows the same in every process: random numbers, names and order of sums."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def optimize(
    network: Any,
    batches: keras.utils.Sequence,
    settings: TrainingSettings,
    loss: Any,
    *,
    metrics: Sequence[Any] = (),
    validation: keras.utils.Sequence | None = None,
    logs: Path | None = None,
    callbacks: Sequence[Any] = (),
    clip_norm: float | None = None,
    description: str = "training",
) -> TrainedNetwork:
    """Train a network in place by AdamW on a cosine schedule.

    `settings` have epochs, learning rate, weight decay, moving average of weights; and patience,
    epochs without a better loss of `validation` before training stops and takes the best weights.
    Batches are inputs, targets and sample weights. `logs` is a folder for TensorBoard, and
    `clip_norm` the longest gradient of a variable.

    Raises
    ------
    EdgebioError
        If the loss does not stay finite.
    """
    steps = settings.epochs * len(batches)
    optimizer = keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(settings.learning_rate, steps),
        weight_decay=settings.weight_decay, jit_compile=False, clipnorm=clip_norm,
        use_ema=bool(settings.ema_momentum), ema_momentum=settings.ema_momentum,
    )  # fmt: skip
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    network.compile(optimizer, loss, weighted_metrics=list(metrics))
    stop = None
    if settings.patience and validation is not None:
        stop = keras.callbacks.EarlyStopping(
            "val_loss", patience=settings.patience, restore_best_weights=True
        )
    with progress.bar(description, steps) as advance:
        history = network.fit(
            batches,
            epochs=settings.epochs,
            validation_data=validation,
            callbacks=[
                keras.callbacks.TerminateOnNaN(),
                *callbacks,
                *([stop] if stop else []),
                *([keras.callbacks.TensorBoard(logs, write_graph=False)] if logs else []),
                keras.callbacks.LambdaCallback(
                    on_batch_end=lambda batch, logs: advance(1),
                    on_epoch_end=lambda epoch, logs: progress.note(
                        _describe_epoch(epoch, settings.epochs, logs)
                    ),
                ),
            ],
            shuffle=False,  # the batches come shuffled
            verbose=0,
        ).history
    losses = history["loss"]
    if not all(math.isfinite(value) for value in losses):
        raise EdgebioError(
            f"the loss is not finite in epoch {len(losses)}: training diverged; lower "
            f"training.learning_rate ({settings.learning_rate:g})"
        )
    best_epoch = len(losses)
    if stop:
        best_epoch = 1 + int(np.argmin(history["val_loss"]))
        network.set_weights(stop.best_weights)  # Keras does so only if it stopped early
    values = {name: [float(x) for x in values] for name, values in history.items()}
    return TrainedNetwork(network, values, best_epoch)


def _describe_epoch(epoch: int, epochs: int, logs: Mapping[str, float]) -> str:
    text = f"epoch {epoch + 1} of {epochs}, loss {logs['loss']:.4g}"
    return text + (f", validation {logs['val_loss']:.4g}" if "val_loss" in logs else "")
