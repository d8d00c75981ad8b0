import numpy as np
import pytest

from edgebio import models, progress
from edgebio.errors import EdgebioError
from edgebio.models.keras import keras
from edgebio.training.image_set import build_image_set
from edgebio.training.image_training import predict, train_further, train_network
from edgebio.training.optimizer_loop import reset_keras
from tests import tiny

SETS = (
    [r for r in tiny.recordings() if r.session == "1" and r.repetition < 2],
    [r for r in tiny.recordings() if r.session == "1" and r.repetition == 2],
    [r for r in tiny.recordings() if r.session == "2"],
)


def changed(**training):
    return tiny.RECIPE.training.model_copy(update=training)


def test_averaged_weights_are_the_moving_average_of_every_step():
    images = build_image_set(tiny.RECIPE.frontend, SETS[0], [], SETS[2])
    settings = changed(epochs=2, patience=0, ema_momentum=0.8)
    reset_keras(settings.seed)
    network = models.build(tiny.RECIPE.model, images.train.shape, len(images.classes))
    seen = [[w.numpy() for w in network.trainable_variables]]
    keep = keras.callbacks.LambdaCallback(
        on_batch_end=lambda batch, logs: seen.append(
            [w.numpy() for w in network.trainable_variables]
        )
    )
    train_further(network, images, settings, callbacks=[keep])
    average = seen[0]
    for step in seen[1:]:
        average = [0.8 * a + 0.2 * w for a, w in zip(average, step, strict=True)]
    for variable, expected, last in zip(
        network.trainable_variables, average, seen[-1], strict=True
    ):
        np.testing.assert_allclose(variable.numpy(), expected, atol=2e-5)
        assert not np.allclose(last, expected, atol=2e-5)


def test_early_stopping_keeps_the_weights_of_the_best_epoch(monkeypatch):
    notes: list[str] = []
    monkeypatch.setattr(progress, "note", notes.append)
    images = build_image_set(tiny.RECIPE.frontend, *SETS)
    # A learning rate this high makes the validation loss go up and down.
    trained = train_network(
        images, tiny.RECIPE.model, changed(epochs=6, patience=2, learning_rate=0.1)
    )
    losses = trained.history["val_loss"]
    assert trained.best_epoch == 1 + int(np.argmin(losses))
    assert len(losses) == min(6, trained.best_epoch + 2)
    assert notes == [
        f"epoch {epoch} of 6, loss {loss:.4g}, validation {other:.4g}"
        for epoch, (loss, other) in enumerate(
            zip(trained.history["loss"], losses, strict=True), start=1
        )
    ]
    probability = predict(trained.network, images.validation)
    accuracy = np.average(
        probability.argmax(axis=1) == images.validation.labels,
        weights=np.bincount(images.train.labels).astype(float)[images.validation.labels] ** -1,
    )
    assert accuracy == pytest.approx(
        trained.history["val_accuracy"][trained.best_epoch - 1], abs=1e-3
    )


def test_loss_that_is_not_finite_is_refused():
    images = build_image_set(tiny.RECIPE.frontend, *SETS)
    with pytest.raises(EdgebioError, match=r"not finite in epoch \d.*lower training.learning_rate"):
        train_network(images, tiny.RECIPE.model, changed(epochs=2, learning_rate=1e30))
