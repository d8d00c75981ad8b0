"""The run folder: the files that training and quantization leave, and how a run is read.

TensorFlow is imported only by the methods that rebuild a network.
"""

import contextlib
import fcntl
import json
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
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


@contextlib.contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Yield an empty folder whose files take the place of an earlier run once the block succeeds.

    A block that raises leaves the earlier run as it was. Other files in `folder` stay.

    Raises
    ------
    EdgebioError
        If `folder` is a file, or holds files and no run, or another training works on it.
    """
    folder = folder.absolute()
    if folder.exists() and not folder.is_dir():
        raise EdgebioError(f"{folder}: is a file; a run is a folder")
    if folder.is_dir() and any(folder.iterdir()) and not _is_run(folder):
        raise EdgebioError(f"{folder}: holds files and no run; choose an empty folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(folder):
        prefix = f".{folder.name}-training-"
        for remains in folder.parent.glob(f"{prefix}*"):  # of trainings that were killed
            shutil.rmtree(remains, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
        try:
            yield work
            _move(work, folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _is_run(folder: Path) -> bool:
    return all((folder / name).is_file() for name in (RECIPE, FRONTEND, METRICS))


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    path = folder.with_name(f".{folder.name}.lock")
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise EdgebioError(f"{folder}: another training writes there; wait for it") from None
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _move(work: Path, folder: Path) -> None:
    """Move a new run over an earlier one; its metrics, which make it a run, come last."""
    folder.mkdir(exist_ok=True)
    for name in (METRICS, TRAINED, *_DERIVED):
        (folder / name).unlink(missing_ok=True)
    for path in sorted(work.iterdir(), key=lambda path: path.name == METRICS):
        target = folder / path.name
        if target.is_dir():
            shutil.rmtree(target)
        path.replace(target)
