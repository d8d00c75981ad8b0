"""The wrappers of tensorflow-model-optimization, which change weights during training.

A network is wrapped and trained, and its weights are then unwrapped.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.frontend.standardization import PIXEL_SCALE
from edgebio.models.keras import optimization, tf
from edgebio.recipes import ClusterSettings, PruneSettings

Weights = list[npt.NDArray[np.float32]]

_MASK_UPDATES = 50  # until the sparsity is reached


def quantization_aware(network: Any) -> Any:
    """Wrap a network so that it computes with weights and activations rounded to int8.

    Its image is rounded to the front end's own pixels; the ranges of activations must be set by
    `set_ranges`.
    """
    quantization = optimization().quantization.keras
    wrapped = quantization.quantize_model(network)

    class Pixels(quantization.quantizers.AllValuesQuantizer):  # type: ignore[misc,name-defined]
        """The fixed scale and zero point of the firmware's images."""

        def __call__(self, inputs: Any, training: Any, weights: Any, **more: Any) -> Any:
            return tf.quantization.fake_quant_with_min_max_args(
                inputs, -128 * PIXEL_SCALE, 127 * PIXEL_SCALE, 8
            )

    (image,) = (layer for layer in wrapped.layers if hasattr(layer, "quantizer"))
    image.quantizer = Pixels(num_bits=8, per_axis=False, symmetric=False, narrow_range=False)
    return wrapped


def output_ranges(wrapped: Any) -> dict[str, tuple[Any, Any]]:
    """Variables of the ranges that a quantization-aware network rounds by: low and high.

    By name of the unwrapped layer.
    """
    ranges: dict[str, tuple[Any, Any]] = {}
    for layer in wrapped.layers:
        variables = {w.name.split("/")[-1].split(":")[0]: w for w in layer.weights}
        for kind in ("output", "post_activation"):
            if f"{kind}_min" in variables:
                limits = variables[f"{kind}_min"], variables[f"{kind}_max"]
                ranges[layer.layer.name] = limits
    return ranges


def set_ranges(wrapped: Any, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Set the ranges, which would start at -6 and 6 and need thousands of steps to settle."""
    for name, variables in output_ranges(wrapped).items():
        for variable, value in zip(variables, ranges[name], strict=True):
            variable.assign(value)


def pruned(network: Any, settings: PruneSettings, steps: int) -> Any:
    """Wrap a network so that its smallest weights become 0 within half of `steps`, for good."""
    sparsity = optimization().sparsity.keras
    every = max(1, steps // 2 // _MASK_UPDATES)
    last = max(1, steps // 2 // every) * every  # masks are updated at this step too
    schedule = sparsity.PolynomialDecay(0.0, settings.sparsity, 0, last, frequency=every)
    return sparsity.prune_low_magnitude(network, schedule)


def pruning_callbacks() -> list[Any]:
    """Callbacks of Keras for training a network of `pruned`."""
    return [optimization().sparsity.keras.UpdatePruningStep()]


def clustered(network: Any, settings: ClusterSettings) -> Any:
    """Wrap a network, which is unusable afterwards, so that a layer's weights have few values."""
    clustering = optimization().clustering.keras
    return clustering.cluster_weights(
        network,
        number_of_clusters=settings.clusters,
        cluster_centroids_init=clustering.CentroidInitialization.LINEAR,  # not random
    )


def unwrapped_weights(wrapped: Any, scheme: str) -> Weights:
    """Weights of a network of `pruned` or `clustered`, as its own `set_weights` takes them.

    Pruned weights are exactly 0, and a layer's clusters are its only values.
    """
    kit = optimization()
    strip = {
        "prune": kit.sparsity.keras.strip_pruning,
        "cluster": kit.clustering.keras.strip_clustering,
    }[scheme]
    weights: Weights = strip(wrapped).get_weights()
    return weights


def copy_weights(source: Any, target: Any) -> None:
    """Copy the weights that a network and its quantization-aware wrapper share, by name."""
    by_name = {variable.name: variable for variable in source.weights}
    for variable in target.weights:
        if variable.name in by_name:
            variable.assign(by_name[variable.name])
