"""Networks in the wrappers of tensorflow-model-optimization, which change weights as they train.

A network is wrapped, trained, and its weights are then taken out again.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.frontend.standardization import PIXEL_SCALE
from edgebio.models.keras import optimization, tf
from edgebio.recipes import ClusterSettings, PruneSettings

Weights = list[npt.NDArray[np.float32]]

_MASKS_RENEWED = 50  # times, until the sparsity is reached


def quantization_aware(network: Any) -> Any:
    """Wrap a network so that it computes with weights and activations rounded to int8.

    Parameters
    ----------
    network
        tf_keras.Model of `edgebio.models.build`; it keeps its weights.

    Returns
    -------
    tf_keras.Model
        With the network's weights; its image is rounded to the front end's own pixels, and the
        ranges of activations are to be set by `set_ranges`.
    """
    quantization = optimization().quantization.keras
    wrapped = quantization.quantize_model(network)

    class Pixels(quantization.quantizers.AllValuesQuantizer):  # type: ignore[misc,name-defined]
        """Scale and zero point that the firmware's images have; there is nothing to learn."""

        def __call__(self, inputs: Any, training: Any, weights: Any, **more: Any) -> Any:
            return tf.quantization.fake_quant_with_min_max_args(
                inputs, -128 * PIXEL_SCALE, 127 * PIXEL_SCALE, 8
            )

    (image,) = (layer for layer in wrapped.layers if hasattr(layer, "quantizer"))
    image.quantizer = Pixels(num_bits=8, per_axis=False, symmetric=False, narrow_range=False)
    return wrapped


def ranged(wrapped: Any) -> dict[str, tuple[Any, Any]]:
    """Ends of the ranges that a quantization-aware network rounds by.

    Returns
    -------
    dict
        By name of the layer of the network itself: the variables of the lowest and the highest
        value of its output.
    """
    found: dict[str, tuple[Any, Any]] = {}
    for layer in wrapped.layers:
        ends = {w.name.split("/")[-1].split(":")[0]: w for w in layer.weights}
        for what in ("output", "post_activation"):
            if f"{what}_min" in ends:
                found[layer.layer.name] = ends[f"{what}_min"], ends[f"{what}_max"]
    return found


def set_ranges(wrapped: Any, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Set them. They would begin at -6 and 6, and take thousands of steps to where they belong."""
    for name, ends in ranged(wrapped).items():
        for variable, value in zip(ends, ranges[name], strict=True):
            variable.assign(value)


def pruned(network: Any, settings: PruneSettings, steps: int) -> Any:
    """Wrap a network so that its smallest weights become 0 within half of `steps`, and stay so."""
    sparsity = optimization().sparsity.keras
    every = max(1, steps // 2 // _MASKS_RENEWED)
    last = max(1, steps // 2 // every) * every  # a mask is renewed at this step too
    schedule = sparsity.PolynomialDecay(0.0, settings.sparsity, 0, last, frequency=every)
    return sparsity.prune_low_magnitude(network, schedule)


def pruning_callbacks() -> list[Any]:
    """What has to be called while a network of `pruned` trains."""
    return [optimization().sparsity.keras.UpdatePruningStep()]


def clustered(network: Any, settings: ClusterSettings) -> Any:
    """Wrap a network, which is of no use afterwards, so that a layer's weights have few values."""
    clustering = optimization().clustering.keras
    return clustering.cluster_weights(
        network,
        number_of_clusters=settings.clusters,
        cluster_centroids_init=clustering.CentroidInitialization.LINEAR,  # no chance in it
    )


def unwrapped(wrapped: Any, scheme: str) -> Weights:
    """Weights of a network of `pruned` or `clustered`, as its own `set_weights` takes them.

    What is pruned is 0 then, and a layer's clusters are its only values.
    """
    kit = optimization()
    strip = {
        "prune": kit.sparsity.keras.strip_pruning,
        "cluster": kit.clustering.keras.strip_clustering,
    }[scheme]
    weights: Weights = strip(wrapped).get_weights()
    return weights


def copy_weights(source: Any, target: Any) -> None:
    """Copy what a network and its quantization-aware wrapping share, either way, by name."""
    there = {variable.name: variable for variable in source.weights}
    for variable in target.weights:
        if variable.name in there:
            variable.assign(there[variable.name])
