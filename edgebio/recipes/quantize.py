"""Section ``[quantize]``: from the float network to int8."""

from typing import Annotated, Literal

from pydantic import Field

from edgebio.section import Section

Epochs = Annotated[int, Field(gt=0, le=10000)]

Scheme = Literal["ptq", "qat", "prune", "cluster"]
"""Post-training quantization of the trained network as it is (``ptq``), or after more training
with simulated int8 rounding (``qat``), magnitude pruning or weight clustering."""


class QatSettings(Section):
    """Quantization-aware training, with its own epochs and learning rate."""

    epochs: Epochs = 5
    learning_rate: Annotated[float, Field(gt=0)] = 3e-4


class PruneSettings(Section):
    """Magnitude pruning, with its own epochs and learning rate.

    Attributes
    ----------
    sparsity : float
        Share of each layer's weights that become 0, reached halfway.
    """

    epochs: Epochs = 8
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    sparsity: Annotated[float, Field(gt=0, lt=1)] = 0.7


class ClusterSettings(Section):
    """Weight clustering, with its own epochs and learning rate.

    Attributes
    ----------
    clusters : int
        Distinct weights of a layer. Depthwise convolutions have few weights and keep them.
    """

    epochs: Epochs = 5
    learning_rate: Annotated[float, Field(gt=0)] = 3e-4
    clusters: Annotated[int, Field(ge=2, le=256)] = 16


class QuantizeSettings(Section):
    """Full-integer quantization.

    Attributes
    ----------
    scheme : {"ptq", "qat", "prune", "cluster"}
        See `Scheme`.
    samples : int
        Inputs of the representative set.
    percentile : float
        Percentile of the representative set's activations to cover; 100 includes outliers.
        Quantization-aware training starts from these ranges.
    qat, prune, cluster
        Settings of each scheme.
    """

    scheme: Scheme = "ptq"
    samples: Annotated[int, Field(gt=0)] = 500
    percentile: Annotated[float, Field(gt=50, le=100)] = 99.99
    qat: QatSettings = QatSettings()
    prune: PruneSettings = PruneSettings()
    cluster: ClusterSettings = ClusterSettings()
