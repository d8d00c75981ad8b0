"""Train an STFT classifier and leave its run."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from edgebio import storage
from edgebio.recipes import ModelSettings, Recipe, TrainingSettings
from edgebio.tasks.results import Trained
from edgebio.tasks.run_folder import FRONTEND, LOGS, NETWORK
from edgebio.tasks.signal_scale import signal_scale
from edgebio.tasks.split import Split, describe_recordings
from edgebio.tasks.stft_classifier.run import IMAGES, ImageFrontend
from edgebio.training import gradcam
from edgebio.training.class_balance import logit_shift, shift_logits
from edgebio.training.image_set import ImageSet, build_image_set
from edgebio.training.image_training import predict, train_network, tune_network
from edgebio.training.layer_statistics import predict_by_session, set_layer_statistics
from edgebio.training.metrics import decision_metrics
from edgebio.training.optimizer_loop import TrainedNetwork
from edgebio.training.pretraining import pretrained_weights


def train_classifier(recipe: Recipe, split: Split, folder: Path) -> Trained:
    """Train the classifier, and write its files; see `edgebio.tasks.task.Task.train`."""
    settings, logs = split.settings, folder / LOGS
    images = build_image_set(
        recipe.frontend, split.train, split.validation, split.test, recipe.data,
        settings.normalization,
    )  # fmt: skip
    shift = logit_shift(settings, images.train.labels, images.classes)  # refuses unknown classes
    details: dict[str, Any] = {}
    weights = None
    if recipe.other_datasets:
        details["others"] = describe_recordings(split.pretraining)
        weights = pretrained_weights(
            images, split.pretraining, recipe, settings, logs / "pretraining"
        )
    teacher = _train_teacher(recipe.model, settings, images, logs / "teacher")
    details["teacher"] = _describe_teacher(teacher, images) if teacher else None
    trained = train_network(
        images, recipe.model, settings, logs, weights, teacher.network if teacher else None
    )
    if split.tune:
        images = images.with_training_set(split.tune)
        shift = logit_shift(settings, images.train.labels, images.classes)
        # The subject is known from here on: the settings for new subjects no longer hold.
        trained = tune_network(trained, images, recipe.model, recipe.training, logs / "tuning")
    network = trained.network
    shift_logits(network, shift)
    if settings.normalization == "layers":
        probability = predict_by_session(network, images.test)
        set_layer_statistics(network, images.train)
    else:
        probability = predict(network, images.test)
    _write(recipe, split, images, network, probability, folder)
    return Trained(
        classes=images.classes,
        labels=images.test.labels,
        recordings=images.test.recordings,
        probability=probability,
        parameters=int(network.count_params()),
        best_epoch=trained.best_epoch,
        history=trained.history,
        exclusions={"train": images.train.exclusions, "test": images.test.exclusions},
        details=details,
    )


def _write(
    recipe: Recipe, split: Split, images: ImageSet, network: Any, probability: Any, folder: Path
) -> None:
    frontend = ImageFrontend(
        classes=images.classes,
        frontend=images.spec,
        standardization=images.standardization,
        signal=signal_scale(split.train),
    )
    storage.write_text(folder / FRONTEND, frontend.model_dump_json(indent=2) + "\n")
    with storage.replacing(folder / NETWORK) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # .h5 is deprecated, but tfmot reads no other format
        network.save(temporary, save_format="h5", include_optimizer=False)
    count = min(recipe.quantize.samples, len(images.train))
    rng = np.random.default_rng(split.settings.seed)
    chosen = np.sort(rng.choice(len(images.train), count, replace=False))
    with storage.replacing(folder / IMAGES) as temporary:
        np.savez_compressed(
            temporary,
            calibration=images.train.take(chosen),
            pixels=images.test.pixels,
            starts=images.test.starts,
            labels=images.test.labels,
            recordings=images.test.recordings,
            subjects=np.array([r.subject for r in split.test], np.str_),
            sessions=np.array([r.session for r in split.test], np.str_),
            conditions=np.array([r.condition for r in split.test], np.str_),
            ends=images.test.ends,
            probability=probability,
        )
    if maps := gradcam.attention_maps(network, images.test, probability):
        gradcam.save(folder, maps)


def _train_teacher(
    model: ModelSettings, settings: TrainingSettings, images: ImageSet, logs: Path
) -> TrainedNetwork | None:
    """Train the teacher, if the recipe has one."""
    if settings.teacher is None:
        return None
    larger = model.model_copy(update={"filters": settings.teacher.filters})
    epochs = settings.teacher.epochs or settings.epochs
    return train_network(images, larger, settings.model_copy(update={"epochs": epochs}), logs)


def _describe_teacher(teacher: TrainedNetwork, images: ImageSet) -> dict[str, Any]:
    """Size of a teacher, and its own metrics on the test set."""
    decisions = predict(teacher.network, images.test).argmax(axis=1)
    return {
        "parameters": int(teacher.network.count_params()),
        "epochs": len(teacher.history["loss"]),
        **decision_metrics(images.test.labels, decisions),
    }
