import numpy as np

from edgebio.models.keras import tf
from edgebio.recipes import TeacherSettings
from edgebio.training.distillation import Distillation
from edgebio.training.image_set import build_image_set
from edgebio.training.image_training import predict, train_network
from tests import tiny

SETS = (
    [r for r in tiny.recordings() if r.session == "1" and r.repetition < 2],
    [r for r in tiny.recordings() if r.session == "1" and r.repetition == 2],
    [r for r in tiny.recordings() if r.session == "2"],
)


def changed(**training):
    return tiny.RECIPE.training.model_copy(update=training)


def test_loss_is_that_of_the_labels_and_of_the_teacher():
    settings = TeacherSettings(filters=(8,), temperature=2.0, share=0.3)
    rng = np.random.default_rng(0)
    labels, teacher, output = (rng.dirichlet(np.ones(5), 6).astype("f") for _ in range(3))
    loss = Distillation(5, settings)
    losses = loss.call(np.concatenate([labels, teacher], axis=1), output).numpy()

    def softened(p):
        p = np.sqrt(p)
        return p / p.sum(axis=1, keepdims=True)

    by_labels = -(labels * np.log(output)).sum(axis=1)
    by_teacher = -(softened(teacher) * np.log(softened(output))).sum(axis=1)
    np.testing.assert_allclose(losses, 0.7 * by_labels + 0.3 * 4 * by_teacher, rtol=1e-4)
    right = loss.accuracy(np.concatenate([labels, teacher], axis=1), output).numpy()
    np.testing.assert_array_equal(right, labels.argmax(axis=1) == output.argmax(axis=1))


def test_network_learns_from_its_teacher_whatever_the_labels_are():
    """The teacher always gives one class, and its share of the loss is 1."""
    images = build_image_set(tiny.RECIPE.frontend, *SETS)

    def teacher(x, training):
        assert not training
        return tf.one_hot([3] * len(x), 7)

    constant = TeacherSettings(filters=(8,), share=1.0, temperature=1.0)
    settings = changed(epochs=2, learning_rate=0.05, teacher=constant)
    trained = train_network(images, tiny.RECIPE.model, settings, teacher=teacher)
    assert (predict(trained.network, images.test).argmax(axis=1) == 3).mean() > 0.95
    assert trained.history["accuracy"][-1] < 0.3  # by the labels
    assert len(trained.history["val_loss"]) == 2
