"""The run folder of an STFT classifier."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.frontend.standardization import Standardization
from edgebio.recipes import TrainingSettings
from edgebio.recordings.recording import Recording
from edgebio.tasks import provenance, run_folder
from edgebio.tasks.run_folder import NETWORK, TestSet
from edgebio.tflite.metadata import SignalScale
from edgebio.training.image_set import ImageSet, build_image_set
from edgebio.training.images import Images

IMAGES = "images.npz"

_ARRAYS = (
    "calibration", "pixels", "starts", "labels", "recordings", "subjects", "sessions",
    "conditions", "ends", "probability",
)  # fmt: skip


class ImageFrontend(run_folder.RunFrontend):
    """What turns samples into images, and outputs into names: ``frontend.json``.

    Attributes
    ----------
    standardization
        Statistics of the training set.
    signal
        What its counts mean.
    """

    old_keys: ClassVar[dict[str, str]] = {"standardisation": "standardization"}

    standardization: Standardization
    signal: SignalScale = SignalScale()


@dataclass(frozen=True, eq=False)
class ImageRun(run_folder.Run):
    """A finished training of a network on STFT images."""

    frontend: ImageFrontend
    frontend_type = ImageFrontend

    def network(self) -> Any:
        """Rebuild the float network: tf_keras.Model."""
        from edgebio import models

        shape = self.frontend.frontend.image_shape
        network = models.build(self.recipe.model, shape, len(self.frontend.classes))
        return self.with_weights(network, NETWORK)

    def calibration(self) -> npt.NDArray[np.int8]:
        """Training images for quantization: int8, shape (n, frames, bins, channels)."""
        return self._arrays()["calibration"]

    def test_images(self) -> Images:
        """Test images, as the device would decide on them, with their labels."""
        arrays = self._arrays()
        return Images(
            arrays["pixels"],
            arrays["starts"],
            arrays["labels"],
            arrays["recordings"],
            self.frontend.frontend.frames,
            tuple(zip(arrays["subjects"].tolist(), arrays["sessions"].tolist(), strict=True)),
            arrays["ends"],
        )

    def test_set(self) -> TestSet:
        """Test segments, and the float network's probabilities for them."""
        arrays = self._arrays()
        return TestSet(
            arrays["labels"],
            arrays["recordings"],
            tuple(arrays["subjects"].tolist()),
            tuple(arrays["conditions"].tolist()),
            arrays["probability"],
        )

    def training_images(self, recordings: Sequence[Recording]) -> tuple[ImageSet, TrainingSettings]:
        """Cut the run's training images again, for training further; and its last settings.

        There is no test set; the front end is the run's, to the last bit.

        Raises
        ------
        EdgebioError
            If a recording is missing or was changed, see `edgebio.tasks.provenance.match`, or they
            give another front end.
        """
        sets, frontend = provenance.match(self, recordings), self.frontend
        images = build_image_set(
            self.recipe.frontend, sets["train"], sets["validation"], (), self.recipe.data,
            self.training.normalization,
        )  # fmt: skip
        if (images.spec, images.standardization) != (frontend.frontend, frontend.standardization):
            raise EdgebioError(
                f"{self.folder}: the same recordings give another front end now than when it was "
                "trained: train again"
            )
        if sets["tune"]:
            return images.with_training_set(sets["tune"]), self.recipe.training
        return images, self.training

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return self.read_arrays(IMAGES, _ARRAYS)
