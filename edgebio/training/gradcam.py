"""Grad-CAM: which places of an image support a class.

R. R. Selvaraju et al., Grad-CAM: visual explanations from deep networks via gradient-based
localization, IEEE ICCV 2017 (arXiv 1610.02391). It is computed during training and stored in the
run.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import storage
from edgebio.errors import EdgebioError
from edgebio.training.images import Images, pixels_to_float

Maps = npt.NDArray[np.float32]

FILE = "gradcam.npz"
_AVERAGED = 64  # images of a class whose maps are averaged
_ARRAYS = ("examples", "maps", "means", "counts")


@dataclass(frozen=True, eq=False)
class AttentionMaps:
    """What a network looks at in the test images of a run, by class.

    Attributes
    ----------
    examples
        int64: number of a typical test image, see `typical_image`; -1 if there is none.
    maps, means
        float32, shape (classes, frames, bins), 0 to 1: what of it supports its class; and the mean
        over so many `counts` of images of the class that are decided correctly.
    """

    examples: npt.NDArray[np.int64]
    maps: Maps
    means: Maps
    counts: npt.NDArray[np.int64]


def typical_image(
    labels: npt.NDArray[np.integer], probability: npt.NDArray[np.floating], label: int
) -> int | None:
    """Image of a class for which the network has the median certainty; None if there is none."""
    own = np.flatnonzero(labels == label)
    if not len(own):
        return None
    by_certainty = own[np.argsort(probability[own, label], kind="stable")]
    return int(by_certainty[len(by_certainty) // 2])


def grad_cam(
    network: Any, images: npt.NDArray[np.int8], classes: npt.NDArray[np.integer]
) -> Maps | None:
    """Grad-CAM of images on the last map of a network, each for one class.

    float32, shape (n, frames, bins): from 0, no support for the class, to 1, the strongest; all 0
    if nothing supports it. None if the network has no maps. Images are int8 pixels.
    """
    from edgebio.models.keras import keras, tf

    maps = [
        layer for layer in network.layers
        if len(layer.output_shape) == 4 and not isinstance(layer, keras.layers.MaxPooling2D)
    ]  # fmt: skip
    if not maps or not len(images):
        return None
    # Logits, as the softmax would mix the other classes in.
    split = keras.Model(network.input, [maps[-1].output, network.get_layer("classes").output])
    with tf.GradientTape() as tape:
        activations, logits = split(pixels_to_float(images), training=False)
        chosen = tf.gather(logits, np.asarray(classes), batch_dims=1)
    gradients = tape.gradient(chosen, activations)
    weights = tf.reduce_mean(gradients, axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(tf.reduce_sum(weights * activations, axis=-1, keepdims=True))
    heat = tf.image.resize(heat, images.shape[1:3]).numpy()[..., 0]
    largest = heat.max(axis=(1, 2), keepdims=True)
    scaled: Maps = np.divide(heat, largest, out=np.zeros_like(heat), where=largest > 0)
    return scaled


def attention_maps(
    network: Any, test: Images, probability: npt.NDArray[np.float32]
) -> AttentionMaps | None:
    """Maps of a typical image of each class, and their mean over the class.

    `probability` is that of the test images. None if the network has no maps.
    """
    classes = probability.shape[1]
    typical = [typical_image(test.labels, probability, k) for k in range(classes)]
    present = np.array([k for k in range(classes) if typical[k] is not None])
    examples = np.array([-1 if index is None else index for index in typical])
    example_maps = grad_cam(network, test.take(examples[present]), present)
    if example_maps is None:
        return None
    maps, means = np.zeros((2, classes, *example_maps.shape[1:]), np.float32)
    maps[present] = example_maps
    counts = np.zeros(classes, np.int64)
    decisions = probability.argmax(axis=1)
    for k in range(classes):
        correct = np.flatnonzero((test.labels == k) & (decisions == k))
        if len(correct):
            correct = correct[:: -(-len(correct) // _AVERAGED)]
            own = grad_cam(network, test.take(correct), np.full(len(correct), k))
            assert own is not None
            means[k], counts[k] = own.mean(axis=0), len(correct)
    return AttentionMaps(examples, maps, means, counts)


def save(folder: Path, maps: AttentionMaps) -> None:
    """Write ``gradcam.npz`` of a run."""
    with storage.replacing(folder / FILE) as temporary:
        np.savez_compressed(temporary, **{name: getattr(maps, name) for name in _ARRAYS})


def load(folder: Path) -> AttentionMaps | None:
    """Read ``gradcam.npz``; None if a run has none."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            return AttentionMaps(**{name: file[name] for name in _ARRAYS})
    except (OSError, ValueError, KeyError) as error:
        raise EdgebioError(f"{path}: damaged ({error}): train again") from None
