"""Section ``[feature_imitation]``: the networks of task ``feature_imitation``."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from edgebio.section import Section

Units = Annotated[int, Field(gt=0, le=512)]


class FeatureImitationSettings(Section):
    """An LSTM that predicts features of raw segments, and a CNN that classifies by them.

    Segments, their step and the filter are those of ``[frontend]``, whose STFT is not used.
    ``[training]`` trains the LSTM; its ``tune_epochs`` and ``tune_learning_rate`` tune LSTM and
    CNN together, and ``epoch_images`` counts segments of one channel.

    Attributes
    ----------
    horizon : int
        Predict the features and the class of the segment this many steps later; 0: of the input.
    entropy : {"amplitude", "softmax"}
        Shannon entropy of the amplitude histogram, or that of the paper's code, see
        `edgebio.training.features`.
    samples_per_step : int
        Samples of one time step of the LSTM; divides the segment.
    filters : int
        Filters of the layer before the LSTM, which sees each sample.
    units, hidden : int
        Units of the LSTM, and of the layer after it.
    gain_octaves : float
        Standard deviation of the random gain of a training segment, in octaves; its true features
        are computed after the gain.
    classifier_filters : tuple of int
        Filters of the CNN's layers over the channels.
    classifier_epochs : int
        Epochs of the CNN.
    percentages : tuple of float
        Percentages of the labeled training segments to train the CNN and tune with.
    """

    old_keys: ClassVar[dict[str, str]] = {
        "prediction": "horizon",
        "samples": "samples_per_step",
        "gain": "gain_octaves",
    }

    horizon: Annotated[int, Field(ge=0, le=1000)] = 0
    entropy: Literal["amplitude", "softmax"] = "amplitude"
    samples_per_step: Annotated[int, Field(gt=0, le=4096)] = 30
    filters: Units = 16
    units: Units = 24
    hidden: Units = 32
    gain_octaves: Annotated[float, Field(ge=0, le=5, allow_inf_nan=False)] = 1.5
    classifier_filters: Annotated[tuple[Units, ...], Field(min_length=1)] = (32, 32)
    classifier_epochs: Annotated[int, Field(gt=0, le=10000)] = 30
    percentages: Annotated[
        tuple[Annotated[float, Field(gt=0, le=100)], ...], Field(min_length=1)
    ] = (10.0, 25.0, 50.0, 100.0)
