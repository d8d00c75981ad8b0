"""The run folder: the files that training and quantization leave, and how a run is read.

TensorFlow is imported only by the methods that rebuild a network.
"""

import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from edgebio import recipes
from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSpec
from edgebio.recipes import Recipe, TrainingSettings
from edgebio.renamed import one_warning
from edgebio.section import Section, first_problem

RECIPE, FRONTEND, NETWORK = "recipe.toml", "frontend.json", "model.h5"
METRICS, LOGS, TRAINED = "metrics.json", "logs", "trained.json"
MODEL, QUANTIZE, OUTPUTS = "model.tflite", "quantize.json", "outputs.npy"
"""OUTPUTS holds the int8 outputs for the test set: int8, shape (n, classes)."""

_DERIVED = (
    MODEL, "classifier.tflite", QUANTIZE, OUTPUTS, "predicted.npy", "told.npy", "gradcam.npz",
    "validate.json", "bench.json", "hil.json", "report.html",
)  # fmt: skip
"""What a run's network was turned into; of no use once another network is trained."""


class RunFrontend(Section):
    """What turns samples into inputs, and outputs into names: ``frontend.json``."""

    classes: tuple[str, ...]
    frontend: FrontendSpec


@dataclass(frozen=True, eq=False)
class TestSet:
    """Test segments of a run, and class probabilities of its float network.

    Attributes
    ----------
    labels, recordings
        int, shape (n,): class of every segment, and number of its recording.
    subjects, conditions
        By recording.
    probability
        float32, shape (n, classes).
    """

    labels: npt.NDArray[np.integer]
    recordings: npt.NDArray[np.integer]
    subjects: tuple[str, ...]
    conditions: tuple[str, ...]
    probability: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Run(ABC):
    """A finished training, read from its folder; `metrics` is the content of metrics.json."""

    folder: Path
    recipe: Recipe
    frontend: RunFrontend
    metrics: dict[str, Any]

    frontend_type: ClassVar[type[RunFrontend]]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a run.

        Raises
        ------
        EdgebioError
            If the folder holds no finished run, or a file of it is damaged.
        """
        if not (folder / METRICS).is_file():
            raise EdgebioError(
                f"{folder}: not a finished run (no {METRICS}): edgebio train RECIPE -o {folder}"
            )
        path = folder / FRONTEND
        try:
            metrics: dict[str, Any] = json.loads((folder / METRICS).read_text())
            with one_warning(path):
                frontend = cls.frontend_type.model_validate_json(path.read_text())
        except ValidationError as error:
            raise EdgebioError(f"{path}: {first_problem(error)}") from None
        except (OSError, ValueError) as error:
            raise EdgebioError(f"{folder}: damaged run: {error}") from None
        return cls(folder, recipes.load(folder / RECIPE), frontend, metrics)

    @property
    def training(self) -> TrainingSettings:
        """Training settings that were used: those for new subjects if only such were tested."""
        settings = self.recipe.training
        return settings.for_new_subjects() if self.metrics.get("new_people") else settings

    @abstractmethod
    def test_set(self) -> TestSet:
        """Test segments, and the float network's probabilities for them."""

    def labels(self) -> npt.NDArray[np.integer]:
        """Classes of the test segments: int, shape (n,)."""
        return self.test_set().labels

    def with_weights(self, network: Any, name: str) -> Any:
        """Give a rebuilt network (tf_keras.Model) the weights of a file of the run.

        Networks are built from the recipe and only weights are read, as a Keras file can hold code.
        """
        try:
            network.load_weights(self.folder / name)
        except (OSError, ValueError, KeyError) as error:
            raise EdgebioError(
                f"{self.folder / name}: not the weights of this recipe's network "
                f"({str(error).splitlines()[0]}): train again"
            ) from None
        return network

    def read_arrays(self, name: str, arrays: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """Read arrays of an .npz file of the run."""
        path = self.folder / name
        try:
            with np.load(path, allow_pickle=False) as file:
                return {array: file[array] for array in arrays}
        except (OSError, ValueError, KeyError) as error:
            raise EdgebioError(f"{path}: damaged ({error}): train again") from None


def prepare(folder: Path) -> None:
    """Remove an earlier run, and nothing else that a folder may hold.

    Raises
    ------
    EdgebioError
        If `folder` is a file, or holds files and no run.
    """
    if folder.exists() and not folder.is_dir():
        raise EdgebioError(f"{folder}: is a file; a run is a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / RECIPE).is_file():
        raise EdgebioError(f"{folder}: holds files and no {RECIPE}; choose an empty folder")
    for name in (METRICS, TRAINED, *_DERIVED):
        (folder / name).unlink(missing_ok=True)
    if (folder / LOGS).is_dir():
        shutil.rmtree(folder / LOGS)
