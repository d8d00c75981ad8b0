"""The run of a feature imitation: the folder that its training leaves behind.

TensorFlow is imported only where a network itself is asked for.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from edgebio import recipes
from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSpec
from edgebio.recipes import Recipe
from edgebio.recipes.imitation import FeatureImitationSettings
from edgebio.training.features import IMITATED
from edgebio.tasks.stft_classifier.run import MODEL, RECIPE, documents
from edgebio.training.metrics import r2
from edgebio.training.signals import Scale

CLASSIFIER, TUNED, WINDOWS = "classifier.h5", "tuned.h5", "windows.npz"

Floats = npt.NDArray[np.float64]

_LOGARITHMIC = np.array([name != "entropy" for name in IMITATED])
_QUIETEST = 2.0**-8  # standard deviations: half the companding's first step
_FOUR = Annotated[tuple[float, ...], Field(min_length=len(IMITATED), max_length=len(IMITATED))]


class FeatureScale(BaseModel):
    """From features to the network's units and back.

    A unit is a standard deviation of the training side: of the entropy itself, and of the base-2
    logarithm of the others, which range over four decades.

    Attributes
    ----------
    offset, deviation : tuple of float
        By feature, in nats and octaves.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    offset: _FOUR
    deviation: _FOUR

    @classmethod
    def learn(cls, features: npt.NDArray[np.floating]) -> Self:
        """Learn from the training side's features, shape (..., 4)."""
        values = _octaves(features).reshape(-1, len(IMITATED))
        deviation = np.maximum(values.std(axis=0), 2.0**-4)
        return cls(offset=tuple(values.mean(axis=0).tolist()), deviation=tuple(deviation.tolist()))

    def encode(self, features: npt.NDArray[np.floating]) -> Floats:
        """Network units of features, shape (..., 4)."""
        units: Floats = (_octaves(features) - np.array(self.offset)) / np.array(self.deviation)
        return units

    def decode(self, units: npt.NDArray[np.floating]) -> Floats:
        """Features of network units, shape (..., 4)."""
        values = units.astype(np.float64) * np.array(self.deviation) + np.array(self.offset)
        features: Floats = np.where(_LOGARITHMIC, np.exp2(values), values)
        return features


def _octaves(features: npt.NDArray[np.floating]) -> Floats:
    floor = np.array([_QUIETEST if name == "rms" else _QUIETEST**2 for name in IMITATED])
    octaves: Floats = np.where(
        _LOGARITHMIC, np.log2(np.maximum(features, floor)), features.astype(np.float64)
    )
    return octaves


class ImitationFrontend(BaseModel):
    """What turns samples into codes, and outputs into features: ``frontend.json``.

    Attributes
    ----------
    classes : tuple of str
        Names of the classifier's outputs.
    features : tuple of str
        Names of the imitator's outputs.
    frontend : FrontendSpec
        Rate, channels, filter, window and step; its STFT is not used.
    prediction : int
        Windows ahead.
    entropy : {"amplitude", "softmax"}
        Which entropy is told.
    signal : Scale
        Mean and deviation of the filtered samples.
    told : FeatureScale
        Units of the imitator's outputs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    features: tuple[str, ...] = IMITATED
    frontend: FrontendSpec
    prediction: int
    entropy: Literal["amplitude", "softmax"]
    signal: Scale
    told: FeatureScale


@dataclass(frozen=True, eq=False)
class ImitationRun:
    """A finished training, read back from its folder.

    Attributes
    ----------
    folder, recipe, frontend, metrics
        As of `edgebio.tasks.stft_classifier.run.Run`.
    """

    folder: Path
    recipe: Recipe
    frontend: ImitationFrontend
    metrics: dict[str, Any]

    @property
    def settings(self) -> FeatureImitationSettings:
        """Settings of the imitation."""
        settings = self.recipe.feature_imitation
        if settings is None:
            raise EdgebioError(f"{self.folder}: its recipe has no [imitation]")
        return settings

    def imitator(self) -> Any:
        """Rebuild the LSTM: tf_keras.Model."""
        from edgebio.tasks.feature_imitation import networks

        network = networks.imitator(self.settings, self.frontend.frontend.segment_length, len(IMITATED))
        return self._with_weights(network, MODEL)

    def classifier(self) -> Any:
        """Rebuild the CNN that was trained on imitated features: tf_keras.Model."""
        from edgebio.tasks.feature_imitation import networks

        network = networks.classifier(
            self.settings, self.frontend.frontend.channels, len(IMITATED),
            len(self.frontend.classes), self.recipe.model.dropout,
        )  # fmt: skip
        return self._with_weights(network, CLASSIFIER)

    def _with_weights(self, network: Any, name: str) -> Any:
        try:
            network.load_weights(self.folder / name)
        except (OSError, ValueError, KeyError) as error:
            raise EdgebioError(
                f"{self.folder / name}: not the weights of this recipe's network "
                f"({str(error).splitlines()[0]}): train again"
            ) from None
        return network

    @cached_property
    def arrays(self) -> "Arrays":
        """What is kept of windows."""
        path = self.folder / WINDOWS
        try:
            with np.load(path, allow_pickle=False) as file:
                return Arrays(**{name: file[name] for name in Arrays.__dataclass_fields__})
        except (OSError, ValueError, KeyError) as error:
            raise EdgebioError(f"{path}: damaged ({error}): train again") from None

    def labels(self) -> npt.NDArray[np.int16]:
        """Classes of the test windows: int16, shape (n,)."""
        return self.arrays.labels

    def inputs(self, index: npt.NDArray[np.integer] | slice) -> npt.NDArray[np.int8]:
        """Imitator's inputs of test windows: int8, shape (n * channels, steps, samples, 1)."""
        window, samples = self.frontend.frontend.segment_length, self.settings.samples_per_step
        view = np.lib.stride_tricks.sliding_window_view(self.arrays.codes, window, axis=0)
        seen: npt.NDArray[np.int8] = view[self.arrays.starts[index]]
        return seen.reshape(-1, window // samples, samples, 1)


@dataclass(frozen=True, eq=False)
class Arrays:
    """What a run keeps of windows: ``windows.npz``.

    Attributes
    ----------
    calibration
        int8, shape (n, steps, samples, 1): inputs of the imitator, from the training side.
    calibration_told
        float32, shape (n, channels, 1, 4): inputs of the classifier, from the training side.
    codes
        int8, shape (n_samples, channels): companded test signals, one after the other.
    starts, labels, recordings
        int, shape (n,): first sample, class and recording of every test window.
    subjects
        str, by test recording: whose it is.
    features
        float64, shape (n, channels, 4): true features of the test windows.
    told
        float32, shape (n, channels, 4): what the float imitator said, in its units.
    probability
        float32, shape (n, classes): what the float classifier said of that.
    """

    calibration: npt.NDArray[np.int8]
    calibration_told: npt.NDArray[np.float32]
    codes: npt.NDArray[np.int8]
    starts: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int16]
    recordings: npt.NDArray[np.int32]
    subjects: npt.NDArray[np.str_]
    features: npt.NDArray[np.float64]
    told: npt.NDArray[np.float32]
    probability: npt.NDArray[np.float32]


def r2_by_feature(
    expected: npt.NDArray[np.floating], found: npt.NDArray[np.floating]
) -> dict[str, float]:
    """Coefficient of determination of every feature, over all windows and channels together.

    Of the features themselves: nats, deviations, and squares of deviations.
    """
    count = len(IMITATED)
    return dict(zip(IMITATED, r2(expected.reshape(-1, count), found.reshape(-1, count)),
                    strict=True))  # fmt: skip


def is_one(folder: Path) -> bool:
    """Whether a folder holds the run of an imitation; False where it holds no run at all."""
    path = folder / RECIPE
    return path.is_file() and recipes.load(path).feature_imitation is not None


def load(folder: Path) -> ImitationRun:
    """Read a run back.

    Raises
    ------
    EdgebioError
        Where the folder holds no finished run, or a file of it is damaged.
    """
    metrics, frontend = documents(folder, ImitationFrontend)
    return ImitationRun(folder, recipes.load(folder / RECIPE), frontend, metrics)
