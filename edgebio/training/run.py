"""A run: the folder that a training leaves behind, from which everything after it is made."""

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from edgebio import models, protocols, recipes, storage
from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standard import Standardisation
from edgebio.protocols import Fold
from edgebio.recipes import Recipe
from edgebio.recordings.recording import Recording
from edgebio.training.fit import fit, predict
from edgebio.training.images import Images, image_set
from edgebio.training.scores import confusion, scores

RECIPE, FRONTEND, MODEL = "recipe.toml", "frontend.json", "model.h5"
IMAGES, METRICS, LOGS = "images.npz", "metrics.json", "logs"
_MADE_FROM_IT = ("model.tflite", "quantize.json")
"""What later commands put beside them; of no use once the network is another."""


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
    standardisation: Standardisation


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

    def network(self) -> Any:
        """Rebuild the float model: tf_keras.Model.

        It is built from the recipe and only its weights are read, as a Keras file can hold code.
        """
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
            arrays["pixels"], arrays["starts"], arrays["labels"], self.frontend.frontend.columns
        )

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        path = self.folder / IMAGES
        try:
            with np.load(path, allow_pickle=False) as file:
                names = ("calibration", "pixels", "starts", "labels")
                return {name: file[name] for name in names}
        except (OSError, ValueError, KeyError) as error:
            raise EdgebioError(f"{path}: damaged ({error}): train again") from None


def train(recipe: Recipe, recordings: Sequence[Recording], folder: Path) -> dict[str, Any]:
    """Train by a recipe on recordings, divided as its ``[data]`` says.

    Parameters
    ----------
    recipe
        What to do.
    recordings
        Everybody who is trained on and tested on.
    folder
        Where the run goes; an earlier run there is replaced.

    Returns
    -------
    dict
        What metrics.json holds.

    Raises
    ------
    EdgebioError
        Where recordings or recipe do not fit, or `folder` holds something else than a run.
    """
    data = recipe.data
    fold = protocols.by_sessions(
        recordings, data.train_sessions, data.test_sessions, data.test_repetitions
    )
    return train_fold(recipe, fold, folder)


def train_fold(recipe: Recipe, fold: Fold, folder: Path) -> dict[str, Any]:
    """Train on one side of a fold and score on the other; see `train`."""
    _make_room(folder)
    storage.write_text(folder / RECIPE, recipes.dump(recipe))
    start = time.monotonic()
    training = recipe.training
    kept, validation = protocols.hold_out(fold.train, training.validation_repetitions)
    images = image_set(recipe.frontend, kept, validation, fold.test)
    fitted = fit(images, recipe.model, training, folder / LOGS)
    probability = predict(fitted.model, images.test)
    decided = probability.argmax(axis=1)
    test = scores(images.test.labels, decided)

    rng = np.random.default_rng(training.seed)
    count = min(recipe.quantize.samples, len(images.train))
    chosen = np.sort(rng.choice(len(images.train), count, replace=False))
    frontend = RunFrontend(
        classes=images.classes, frontend=images.spec, standardisation=images.standardisation
    )
    storage.write_text(folder / FRONTEND, frontend.model_dump_json(indent=2) + "\n")
    with storage.replacing(folder / MODEL) as temporary:
        fitted.model.save(temporary, save_format="h5", include_optimizer=False)
    with storage.replacing(folder / IMAGES) as temporary:
        np.savez_compressed(
            temporary,
            calibration=images.train.take(chosen),
            pixels=images.test.pixels,
            starts=images.test.starts,
            labels=images.test.labels,
        )
    metrics: dict[str, Any] = {
        "recipe": recipe.name,
        "dataset": recipe.data.dataset,
        "fold": fold.name,
        "train": _side(kept),
        "validation": _side(validation),
        "test": {**_side(fold.test), "windows": len(images.test)},
        "classes": images.classes,
        "parameters": int(fitted.model.count_params()),
        "epochs": len(fitted.history["loss"]),
        "best_epoch": fitted.best_epoch,
        "seconds": round(time.monotonic() - start, 1),
        **test,
        "confusion": confusion(images.test.labels, decided, len(images.classes)),
        "history": fitted.history,
    }
    storage.write_json(folder / METRICS, metrics)  # last: with it the run is complete
    return metrics


def load(folder: Path) -> Run:
    """Read a run back.

    Raises
    ------
    EdgebioError
        Where the folder holds no finished run, or a file of it is damaged.
    """
    if not (folder / METRICS).is_file():
        raise EdgebioError(
            f"{folder}: not a finished run (no {METRICS}): edgebio train RECIPE -o {folder}"
        )
    try:
        metrics = json.loads((folder / METRICS).read_text())
        frontend = RunFrontend.model_validate_json((folder / FRONTEND).read_text())
    except ValidationError as error:
        first = error.errors()[0]
        raise EdgebioError(
            f"{folder / FRONTEND}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        ) from None
    except (OSError, ValueError) as error:
        raise EdgebioError(f"{folder}: damaged run: {error}") from None
    return Run(folder, recipes.load(folder / RECIPE), frontend, metrics)


def _make_room(folder: Path) -> None:
    """Take an earlier run away, and nothing else that may lie there."""
    if folder.exists() and not folder.is_dir():
        raise EdgebioError(f"{folder}: is a file; a run is a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / RECIPE).is_file():
        raise EdgebioError(f"{folder}: holds files and no {RECIPE}; choose an empty folder")
    for name in (METRICS, *_MADE_FROM_IT):
        (folder / name).unlink(missing_ok=True)
    if (folder / LOGS).is_dir():
        shutil.rmtree(folder / LOGS)


def _side(recordings: Sequence[Recording]) -> dict[str, Any]:
    return {
        "subjects": list(dict.fromkeys(r.subject for r in recordings)),
        "sessions": list(dict.fromkeys(r.session for r in recordings)),
        "repetitions": sorted({r.repetition for r in recordings}),
        "recordings": len(recordings),
    }
