"""A run: the folder that a training leaves behind, from which everything after it is made.

TensorFlow is imported only where the network itself is asked for.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from edgebio import recipes
from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.recipes import Recipe, TrainingSettings
from edgebio.training.images import Images

RECIPE, FRONTEND, MODEL = "recipe.toml", "frontend.json", "model.h5"
IMAGES, METRICS, LOGS = "images.npz", "metrics.json", "logs"
SIDES = "trained.json"
"""Digests of the recordings that were trained on, see `edgebio.tasks.provenance`."""

_ARRAYS = (
    "calibration", "pixels", "starts", "labels", "recordings", "subjects", "sessions",
    "conditions", "ends", "probability",
)  # fmt: skip

Kind = TypeVar("Kind", bound=BaseModel)
"""What a run's frontend.json holds."""


class RunFrontend(BaseModel):
    """What turns samples into images, and outputs into names: ``frontend.json``.

    Attributes
    ----------
    classes
        Names of the network's outputs.
    frontend, standardisation
        Front end with the statistics of the training side.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    classes: tuple[str, ...]
    frontend: FrontendSpec
    standardization: Standardization


@dataclass(frozen=True, eq=False)
class Run:
    """A finished training, read back from its folder.

    Attributes
    ----------
    folder
        Where it lies.
    recipe
        As it was run.
    frontend
        Front end and class names.
    metrics
        Content of metrics.json.
    """

    folder: Path
    recipe: Recipe
    frontend: RunFrontend
    metrics: dict[str, Any]

    @property
    def training(self) -> TrainingSettings:
        """How it was trained; for new people, where nobody tested was among them."""
        settings = self.recipe.training
        return settings.for_new_subjects() if self.metrics["new_people"] else settings

    def network(self) -> Any:
        """Rebuild the float model: tf_keras.Model.

        It is built from the recipe and only its weights are read, as a Keras file can hold code.
        """
        from edgebio import models

        model = models.build(
            self.recipe.model, self.frontend.frontend.image_shape, len(self.frontend.classes)
        )
        try:
            model.load_weights(self.folder / MODEL)
        except (OSError, ValueError, KeyError) as error:
            raise EdgebioError(
                f"{self.folder / MODEL}: not the weights of this recipe's network "
                f"({str(error).splitlines()[0]}): train again"
            ) from None
        return model

    def calibration(self) -> npt.NDArray[np.int8]:
        """Training images for quantization: int8, shape (n, columns, bins, channels)."""
        return self._arrays()["calibration"]

    def test(self) -> Images:
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

    def labels(self) -> npt.NDArray[np.int16]:
        """Classes of the test images: int16, shape (n,)."""
        return self._arrays()["labels"]

    def test_subjects(self) -> tuple[str, ...]:
        """Whose the recordings of the test images are, by their number."""
        return tuple(self._arrays()["subjects"].tolist())

    def test_conditions(self) -> tuple[str, ...]:
        """Level of force, or other condition, of the recordings of the test images."""
        return tuple(self._arrays()["conditions"].tolist())

    def probability(self) -> npt.NDArray[np.float32]:
        """What the float network said of the test images: float32, shape (n, classes)."""
        probability: npt.NDArray[np.float32] = self._arrays()["probability"]
        return probability

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        path = self.folder / IMAGES
        try:
            with np.load(path, allow_pickle=False) as file:
                return {name: file[name] for name in _ARRAYS}
        except (OSError, ValueError, KeyError) as error:
            raise EdgebioError(f"{path}: damaged ({error}): train again") from None


def load(folder: Path) -> Run:
    """Read a run back.

    Raises
    ------
    EdgebioError
        Where the folder holds no finished run, or a file of it is damaged.
    """
    metrics, frontend = documents(folder, RunFrontend)
    return Run(folder, recipes.load(folder / RECIPE), frontend, metrics)


def documents(folder: Path, kind: type[Kind]) -> tuple[dict[str, Any], Kind]:
    """Content of metrics.json, and frontend.json as the model that it is of; see `load`."""
    if not (folder / METRICS).is_file():
        raise EdgebioError(
            f"{folder}: not a finished run (no {METRICS}): edgebio train RECIPE -o {folder}"
        )
    try:
        metrics: dict[str, Any] = json.loads((folder / METRICS).read_text())
        frontend = kind.model_validate_json((folder / FRONTEND).read_text())
    except ValidationError as error:
        first = error.errors()[0]
        raise EdgebioError(
            f"{folder / FRONTEND}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        ) from None
    except (OSError, ValueError) as error:
        raise EdgebioError(f"{folder}: damaged run: {error}") from None
    return metrics, frontend
