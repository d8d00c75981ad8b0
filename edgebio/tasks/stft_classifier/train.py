"""Train by a recipe and leave a run behind."""

import shutil
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edgebio import protocols, recipes, storage
from edgebio.errors import EdgebioError
from edgebio.protocols import Fold
from edgebio.recipes import ModelSettings, Recipe, TrainingSettings
from edgebio.recordings.recording import Recording
from edgebio.training import gradcam
from edgebio.tasks import provenance
from edgebio.training.fit import Fitted, adjust, fit, leaning, predict, tune
from edgebio.training.images import ImageSet, image_set
from edgebio.training.layer_statistics import predict_by_sitting, settle
from edgebio.training.pretraining import pretrained
from edgebio.tasks.stft_classifier.run import FRONTEND, IMAGES, LOGS, METRICS, MODEL, RECIPE, SIDES, RunFrontend
from edgebio.training.metrics import by_class, confusion, instability, roc_auc, scores

_MADE_FROM_IT = (
    "model.tflite", "classifier.tflite", "quantize.json", "outputs.npy", "told.npy",
    "validate.json", "bench.json", "hil.json", "report.html",
)  # fmt: skip
"""What later commands put beside them; of no use once the network is another."""
_VALIDATION_SHARE = 0.1  # of the repetitions, where that is more than the recipe's number of them


def train(
    recipe: Recipe,
    recordings: Sequence[Recording],
    folder: Path,
    others: Sequence[Recording] = (),
) -> dict[str, Any]:
    """Train by a recipe on recordings, divided as its ``[data]`` says.

    Parameters
    ----------
    recipe
        What to do.
    recordings
        Everybody who is trained on and tested on.
    folder
        Where the run goes; an earlier run there is replaced.
    others
        By ``recipe.others``: what it learns from before.

    Returns
    -------
    dict
        What metrics.json holds.

    Raises
    ------
    EdgebioError
        Where recordings or recipe do not fit, or `folder` holds something else than a run.
    """
    fold = protocols.of_job(recipe.data, recordings)
    return train_fold(recipe, replace(fold, others=tuple(others)), folder)


def train_fold(recipe: Recipe, fold: Fold, folder: Path) -> dict[str, Any]:
    """Train on one side of a fold and score on the other; see `train`."""
    _make_room(folder)
    storage.write_text(folder / RECIPE, recipes.dump(recipe))
    start = time.monotonic()
    training = recipe.training
    if fold.new_people:
        training = training.for_new_subjects()
    kept, validation = fold.train, fold.validation
    if not validation:
        kept, validation = protocols.hold_out(
            fold.train, training.validation_repetitions, _VALIDATION_SHARE
        )
    elif not training.patience:
        # With a schedule of fixed length nothing is stopped, and more people are worth having.
        kept, validation = (*kept, *validation), ()
    about: dict[str, Any] = {
        "recipe": recipe.name,
        "dataset": recipe.data.dataset,
        "fold": fold.name,
        "train": _side(kept),
        "tune": _side(fold.tune),
        "validation": _side(validation),
    }
    if recipe.feature_imitation:
        from edgebio.tasks.feature_imitation.train import imitate

        found = imitate(recipe, fold, kept, folder)
        about["test"] = {**_side(fold.test), "windows": found.pop("windows")}
        whose = {"train": fold.tune or kept, "test": fold.test}
        without = found.pop("left_out")
        about["left_out"] = {name: _left_out(without[name], side) for name, side in whose.items()}
        about["seconds"] = round(time.monotonic() - start, 1)
        storage.write_json(folder / METRICS, {**about, **found})
        return {**about, **found}
    images = image_set(
        recipe.frontend, kept, validation, fold.test, recipe.data, training.normalization
    )
    shift = leaning(training, images)  # now, as it refuses classes that there are not
    begun = None
    if recipe.other_datasets:
        about["others"] = _side(fold.others)
        begun = pretrained(images, fold.others, recipe, training, folder / LOGS / "pretraining")
    taught = _teacher(recipe.model, training, images, folder / LOGS / "teacher")
    teacher = taught.model if taught else None
    fitted = fit(images, recipe.model, training, folder / LOGS, begun, teacher)
    if fold.tune:
        images = images.tuned_on(fold.tune)
        shift = leaning(training, images)
        # By now the network is one of a known wearer.
        fitted = tune(fitted, images, recipe.model, recipe.training, folder / LOGS / "tuning")
    adjust(fitted.model, shift)
    if training.normalization == "layers":
        probability = predict_by_sitting(fitted.model, images.test)
        settle(fitted.model, images.train)
    else:
        probability = predict(fitted.model, images.test)
    decided = probability.argmax(axis=1)
    labels = images.test.labels
    counts = confusion(labels, decided, len(images.classes))
    test = {
        **scores(labels, decided),
        "roc_auc": roc_auc(labels, probability),
        "instability": instability(labels, decided, images.test.recordings),
    }

    rng = np.random.default_rng(training.seed)
    drawn = min(recipe.quantize.samples, len(images.train))
    chosen = np.sort(rng.choice(len(images.train), drawn, replace=False))
    frontend = RunFrontend(
        classes=images.classes, frontend=images.spec, standardization=images.standardization
    )
    storage.write_text(folder / FRONTEND, frontend.model_dump_json(indent=2) + "\n")
    with storage.replacing(folder / MODEL) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # says that .h5 is old; tfmot reads no other file
        fitted.model.save(temporary, save_format="h5", include_optimizer=False)
    with storage.replacing(folder / IMAGES) as temporary:
        np.savez_compressed(
            temporary,
            calibration=images.train.take(chosen),
            pixels=images.test.pixels,
            starts=images.test.starts,
            labels=images.test.labels,
            recordings=images.test.recordings,
            subjects=np.array([r.subject for r in fold.test], np.str_),
            sessions=np.array([r.session for r in fold.test], np.str_),
            conditions=np.array([r.condition for r in fold.test], np.str_),
            ends=images.test.ends,
            probability=probability,
        )
    provenance.write(folder, kept, validation, fold.tune)
    (folder / gradcam.FILE).unlink(missing_ok=True)
    if explained := gradcam.explain(fitted.model, images.test, probability):
        gradcam.save(folder, explained)
    metrics: dict[str, Any] = {
        **about,
        "test": {**_side(fold.test), "windows": len(images.test)},
        "left_out": {
            name: _left_out(side.left_out, whose)
            for name, side, whose in (
                ("train", images.train, kept if not fold.tune else fold.tune),
                ("test", images.test, fold.test),
            )
        },
        "classes": images.classes,
        "new_people": fold.new_people,
        "parameters": int(fitted.model.count_params()),
        "epochs": len(fitted.history["loss"]),
        "best_epoch": fitted.best_epoch,
        "seconds": round(time.monotonic() - start, 1),
        **test,
        "teacher": _about(taught, images) if taught else None,
        "by_class": by_class(counts),
        "confusion": counts,
        "history": fitted.history,
    }
    storage.write_json(folder / METRICS, metrics)  # last: with it the run is complete
    return metrics


def _teacher(
    model: ModelSettings, training: TrainingSettings, images: ImageSet, logs: Path
) -> Fitted | None:
    """Train the teacher, where the recipe has one."""
    if training.teacher is None:
        return None
    larger = model.model_copy(update={"filters": training.teacher.filters})
    epochs = training.teacher.epochs or training.epochs
    return fit(images, larger, training.model_copy(update={"epochs": epochs}), logs)


def _about(teacher: Fitted, images: ImageSet) -> dict[str, Any]:
    """What a teacher took, and how right it is of the test side itself."""
    decided = predict(teacher.model, images.test).argmax(axis=1)
    return {
        "parameters": int(teacher.model.count_params()),
        "epochs": len(teacher.history["loss"]),
        **scores(images.test.labels, decided),
    }


def _make_room(folder: Path) -> None:
    """Take an earlier run away, and nothing else that may lie there."""
    if folder.exists() and not folder.is_dir():
        raise EdgebioError(f"{folder}: is a file; a run is a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / RECIPE).is_file():
        raise EdgebioError(f"{folder}: holds files and no {RECIPE}; choose an empty folder")
    for name in (METRICS, SIDES, *_MADE_FROM_IT):
        (folder / name).unlink(missing_ok=True)
    if (folder / LOGS).is_dir():
        shutil.rmtree(folder / LOGS)


def _left_out(
    found: Sequence[dict[str, int]], recordings: Sequence[Recording]
) -> list[dict[str, Any]]:
    """Artefacts of each recording that has any."""
    return [
        {"subject": r.subject, "session": r.session, "repetition": r.repetition, **without}
        for r, without in zip(recordings, found, strict=True)
        if sum(without.values()) > without["of"]
    ]


def _side(recordings: Sequence[Recording]) -> dict[str, Any]:
    return {
        "subjects": list(dict.fromkeys(r.subject for r in recordings)),
        "sessions": list(dict.fromkeys(r.session for r in recordings)),
        "conditions": list(dict.fromkeys(r.condition for r in recordings if r.condition)),
        "repetitions": sorted({r.repetition for r in recordings}),
        "recordings": len(recordings),
    }
