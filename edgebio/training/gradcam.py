"""Grad-CAM: which places of an image speak for a class.

R. R. Selvaraju et al., Grad-CAM: visual explanations from deep networks via gradient-based
localization, IEEE ICCV 2017 (arXiv 1610.02391). It is computed where a run is made, and kept there.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import storage
from edgebio.errors import EdgebioError
from edgebio.frontend.standardization import PIXEL_SCALE
from edgebio.training.images import Images

Maps = npt.NDArray[np.float32]

FILE = "gradcam.npz"
_AVERAGED = 64  # images of a class whose maps are averaged
_ARRAYS = ("examples", "maps", "means", "counts")


@dataclass(frozen=True, eq=False)
class Explained:
    """What a network looked at in the test images of a run.

    Attributes
    ----------
    examples
        int64, shape (classes,): test image of each class, see `typical`; -1 where there is none.
    maps
        float32, shape (classes, columns, bins), 0 to 1: what of it speaks for its class.
    means
        The same, mean over images of the class that are decided rightly; zeros where none is.
    counts
        int64, shape (classes,): how many those are.
    """

    examples: npt.NDArray[np.int64]
    maps: Maps
    means: Maps
    counts: npt.NDArray[np.int64]


def typical(
    labels: npt.NDArray[np.integer], probability: npt.NDArray[np.floating], label: int
) -> int | None:
    """Image of a class of which the network is middlingly certain; None where there is none."""
    own = np.flatnonzero(labels == label)
    if not len(own):
        return None
    certain = own[np.argsort(probability[own, label], kind="stable")]
    return int(certain[len(certain) // 2])


def grad_cam(
    model: Any, images: npt.NDArray[np.int8], classes: npt.NDArray[np.integer]
) -> Maps | None:
    """Grad-CAM of images on the last map of a network.

    Parameters
    ----------
    model
        tf_keras.Model of `edgebio.models.build`.
    images
        int8, shape (n, columns, bins, channels).
    classes
        int, shape (n,): class that each is asked about.

    Returns
    -------
    ndarray or None
        float32, shape (n, columns, bins): from 0, where nothing speaks for the class, to 1, where
        most does; all 0 where nothing does anywhere. None where the network has no maps.
    """
    from edgebio.models.keras import keras, tf

    maps = [
        layer for layer in model.layers
        if len(layer.output_shape) == 4 and not isinstance(layer, keras.layers.MaxPooling2D)
    ]  # fmt: skip
    if not maps or not len(images):
        return None
    # Of the classifier before its softmax, which would mix the other classes in.
    split = keras.Model(model.input, [maps[-1].output, model.get_layer("classes").output])
    with tf.GradientTape() as tape:
        activations, values = split(
            images.astype(np.float32) * np.float32(PIXEL_SCALE), training=False
        )
        asked = tf.gather(values, np.asarray(classes), batch_dims=1)
    gradients = tape.gradient(asked, activations)
    weights = tf.reduce_mean(gradients, axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(tf.reduce_sum(weights * activations, axis=-1, keepdims=True))
    heat = tf.image.resize(heat, images.shape[1:3]).numpy()[..., 0]
    most = heat.max(axis=(1, 2), keepdims=True)
    scaled: Maps = np.divide(heat, most, out=np.zeros_like(heat), where=most > 0)
    return scaled


def explain(model: Any, test: Images, probability: npt.NDArray[np.float32]) -> Explained | None:
    """Maps of a typical image of each class, and their mean over the class.

    Parameters
    ----------
    model
        The network.
    test
        Test images.
    probability
        What it said of them: float32, shape (n, classes).

    Returns
    -------
    Explained or None
        None where the network has no maps.
    """
    classes = probability.shape[1]
    chosen = [typical(test.labels, probability, k) for k in range(classes)]
    there = np.array([k for k in range(classes) if chosen[k] is not None])
    examples = np.array([-1 if index is None else index for index in chosen])
    found = grad_cam(model, test.take(examples[there]), there)
    if found is None:
        return None
    maps, means = np.zeros((2, classes, *found.shape[1:]), np.float32)
    maps[there] = found
    counts = np.zeros(classes, np.int64)
    decided = probability.argmax(axis=1)
    for k in range(classes):
        right = np.flatnonzero((test.labels == k) & (decided == k))
        if len(right):
            right = right[:: -(-len(right) // _AVERAGED)]
            own = grad_cam(model, test.take(right), np.full(len(right), k))
            assert own is not None
            means[k], counts[k] = own.mean(axis=0), len(right)
    return Explained(examples, maps, means, counts)


def save(folder: Path, explained: Explained) -> None:
    """Write ``gradcam.npz`` of a run."""
    with storage.replacing(folder / FILE) as temporary:
        np.savez_compressed(temporary, **{name: getattr(explained, name) for name in _ARRAYS})


def load(folder: Path) -> Explained | None:
    """Read ``gradcam.npz`` back; None where a run has none.

    Raises
    ------
    EdgebioError
        Where it is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            return Explained(**{name: file[name] for name in _ARRAYS})
    except (OSError, ValueError, KeyError) as error:
        raise EdgebioError(f"{path}: damaged ({error}): train again") from None
