"""Settings of feature imitation: a recurrent network that learns features, and what uses them."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from edgebio.section import Section

Filters = Annotated[int, Field(gt=0, le=512)]


class FeatureImitationSettings(Section):
    """An LSTM that learns features of raw windows, and a CNN that classifies by them.

    Windows, their distance and the filter before them are those of ``[frontend]``; of it the STFT
    is not used. ``[training]`` holds for the LSTM, its ``tune_epochs`` and ``tune_learning_rate``
    for LSTM and CNN together; ``epoch_images`` counts windows of one channel.

    Attributes
    ----------
    horizon : int
        Windows ahead: the features (and the class) to be told are those of the window that comes
        this many windows later; 0 for those of the window that is seen.
    entropy : {"amplitude", "softmax"}
        Shannon's entropy of the amplitude's histogram, or that of the source's code, see
        `edgebio.training.features`.
    samples_per_step : int
        Samples of one time step of the LSTM; divides the window.
    filters : int
        Filters of the layer that every sample passes before the LSTM.
    units, hidden : int
        Units of the LSTM, and of the layer between it and the features.
    gain_octaves : float
        Standard deviation, in octaves, of the gain that a training window is multiplied by; its
        features are computed after it.
    classifier_filters : tuple of int
        Filters of the CNN's layers over the electrodes.
    classifier_epochs : int
        Epochs of the CNN.
    percentages : tuple of float
        Shares of the labelled training windows, in per cent, that CNN and tuning are given.
    """

    old_keys: ClassVar[dict[str, str]] = {
        "prediction": "horizon",
        "samples": "samples_per_step",
        "gain": "gain_octaves",
    }

    horizon: Annotated[int, Field(ge=0, le=1000)] = 0
    entropy: Literal["amplitude", "softmax"] = "amplitude"
    samples_per_step: Annotated[int, Field(gt=0, le=4096)] = 30
    filters: Filters = 16
    units: Filters = 24
    hidden: Filters = 32
    gain_octaves: Annotated[float, Field(ge=0, le=5, allow_inf_nan=False)] = 1.5
    classifier_filters: Annotated[tuple[Filters, ...], Field(min_length=1)] = (32, 32)
    classifier_epochs: Annotated[int, Field(gt=0, le=10000)] = 30
    percentages: Annotated[
        tuple[Annotated[float, Field(gt=0, le=100)], ...], Field(min_length=1)
    ] = (10.0, 25.0, 50.0, 100.0)
