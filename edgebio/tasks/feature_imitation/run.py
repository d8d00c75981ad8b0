"""The run folder of a feature imitation."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from edgebio import tflite
from edgebio.errors import EdgebioError
from edgebio.recipes import FeatureImitationSettings
from edgebio.tasks import run_folder
from edgebio.tasks.feature_imitation.feature_scale import FeatureScale
from edgebio.tasks.run_folder import MODEL, NETWORK, TestSet
from edgebio.training.features import IMITATED_FEATURES
from edgebio.training.signals import SignalScale

CLASSIFIER, TUNED, SEGMENTS = "classifier.h5", "tuned.h5", "segments.npz"
CLASSIFIER_MODEL, PREDICTED = "classifier.tflite", "predicted.npy"
"""The last: features that the int8 imitator predicts for the test segments, int8, shape
(n, channels, 4)."""

_OLD_FILES = {SEGMENTS: "windows.npz", PREDICTED: "told.npy"}
_OLD_ARRAYS = {"calibration_predicted": "calibration_told", "predicted": "told"}


class ImitationFrontend(run_folder.RunFrontend):
    """What turns samples into codes, and outputs into features: ``frontend.json``.

    Features are those of `edgebio.training.features.imitated_features`, `horizon` steps ahead. The
    STFT of ``frontend`` is not used.
    """

    old_keys: ClassVar[dict[str, str]] = {
        "prediction": "horizon", "signal": "signal_scale", "told": "feature_scale",
    }  # fmt: skip

    features: tuple[str, ...] = IMITATED_FEATURES
    horizon: int
    entropy: Literal["amplitude", "softmax"]
    signal_scale: SignalScale
    feature_scale: FeatureScale


@dataclass(frozen=True, eq=False)
class Arrays:
    """Segments of a run: ``segments.npz``.

    Attributes
    ----------
    calibration, calibration_predicted
        Inputs of the imitator, (n, steps, samples, 1), and of the classifier, (n, channels, 1, 4),
        from the training set.
    codes
        Companded test signals, one after the other: (n_samples, channels).
    features, predicted
        Of the test segments, (n, channels, 4): true ones, and those of the float imitator, in its
        units.
    subjects
        By test recording.
    """

    calibration: npt.NDArray[np.int8]
    calibration_predicted: npt.NDArray[np.float32]
    codes: npt.NDArray[np.int8]
    starts: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int16]
    recordings: npt.NDArray[np.int32]
    subjects: npt.NDArray[np.str_]
    features: npt.NDArray[np.float64]
    predicted: npt.NDArray[np.float32]
    probability: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ImitationRun(run_folder.Run):
    """A finished training of an imitator and its classifier."""

    frontend: ImitationFrontend
    frontend_type = ImitationFrontend

    @property
    def settings(self) -> FeatureImitationSettings:
        """Settings of the imitation."""
        settings = self.recipe.feature_imitation
        if settings is None:
            raise EdgebioError(f"{self.folder}: its recipe has no [feature_imitation]")
        return settings

    def imitator(self) -> Any:
        """Rebuild the LSTM: tf_keras.Model."""
        from edgebio.tasks.feature_imitation import networks

        length = self.frontend.frontend.segment_length
        network = networks.imitator(self.settings, length)
        return self.with_weights(network, NETWORK)

    def classifier(self) -> Any:
        """Rebuild the CNN that was trained on predicted features: tf_keras.Model."""
        from edgebio.tasks.feature_imitation import networks

        channels, classes = self.frontend.frontend.channels, len(self.frontend.classes)
        dropout = self.recipe.model.dropout
        network = networks.classifier(self.settings, channels, classes, dropout)
        return self.with_weights(network, CLASSIFIER)

    @cached_property
    def arrays(self) -> Arrays:
        """Content of segments.npz."""
        names = tuple(Arrays.__dataclass_fields__)
        path = self._path(SEGMENTS)
        stored = names if path == SEGMENTS else [_OLD_ARRAYS.get(name, name) for name in names]
        arrays = self.read_arrays(path, stored)
        return Arrays(*(arrays[name] for name in stored))

    def test_set(self) -> TestSet:
        """Test segments, and the float classifier's probabilities for them."""
        arrays = self.arrays
        subjects = tuple(arrays.subjects.tolist())
        conditions = ("",) * len(subjects)
        return TestSet(arrays.labels, arrays.recordings, subjects, conditions, arrays.probability)

    def inputs(self, index: npt.NDArray[np.integer] | slice) -> npt.NDArray[np.int8]:
        """Imitator's inputs for test segments: int8, shape (n * channels, steps, samples, 1)."""
        length, samples = self.frontend.frontend.segment_length, self.settings.samples_per_step
        view = np.lib.stride_tricks.sliding_window_view(self.arrays.codes, length, axis=0)
        segments: npt.NDArray[np.int8] = view[self.arrays.starts[index]]
        return segments.reshape(-1, length // samples, samples, 1)

    def one_channel_inputs(
        self, index: npt.NDArray[np.integer], turn: npt.NDArray[np.integer]
    ) -> npt.NDArray[np.int8]:
        """Inputs of channel ``turn % channels`` of each segment: (n, steps, samples, 1)."""
        inputs, channels = self.inputs(index), self.frontend.frontend.channels
        by_segment = inputs.reshape(len(index), channels, *inputs.shape[1:])
        chosen: npt.NDArray[np.int8] = by_segment[np.arange(len(index)), turn % channels]
        return chosen

    def int8_predictions(self) -> npt.NDArray[np.int8]:
        """Content of predicted.npy; of a quantized run."""
        path = self.folder / self._path(PREDICTED)
        codes: npt.NDArray[np.int8] = np.load(path, allow_pickle=False)
        return codes

    def int8_features(self) -> npt.NDArray[np.float64]:
        """Features that the int8 imitator predicts: float64, shape (n, channels, 4)."""
        graph = tflite.read(self.folder / MODEL)
        output = graph.tensors[graph.outputs[0]]
        codes = self.int8_predictions().astype(np.float64)
        units: npt.NDArray[np.float64] = (codes - output.zero_point[0]) * output.scale[0]
        return self.frontend.feature_scale.decode(units)

    def _path(self, name: str) -> str:
        """Name of a file, or its old name if the run has that one."""
        old = _OLD_FILES[name]
        return old if not (self.folder / name).is_file() and (self.folder / old).is_file() else name
