"""Tiny trainings on a small synthetic set, done once for all tests that look at their results."""

import contextlib
import fcntl
import functools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgebio.datasets import emg_synthetic
from edgebio.frontend.spec import FrontendSettings
from edgebio.processes import subprocess_call
from edgebio.recipes import (
    AugmentSettings,
    DataSettings,
    ModelSettings,
    QuantizeSettings,
    Recipe,
    TrainingSettings,
)
from edgebio.recipes.feature_imitation import FeatureImitationSettings

FOLDER = "EDGEBIO_TEST_FOLDER"
"""Environment variable that names the folder of the test session."""

RECIPE = Recipe(
    name="tiny",
    data=DataSettings(dataset="emg-synthetic", train_sessions=("1",), test_sessions=("2",)),
    model=ModelSettings(filters=(8, 12), pool_after=(0,)),
    training=TrainingSettings(
        epochs=5,
        batch=32,
        augment=AugmentSettings(noise=0.1, gain=0.1, channel_dropout=0.05, mask_bins=3, mixup=0.2),
    ),
    quantize=QuantizeSettings(samples=100),
)

IMITATION = Recipe(
    name="tiny-fin",
    data=RECIPE.data,
    frontend=FrontendSettings(segment_length=300, hop_length=2, step_frames=50),
    training=TrainingSettings(
        epochs=2, batch=64, epoch_images=3200, learning_rate=1e-2, tune_epochs=1,
        validation_repetitions=0,
    ),
    quantize=QuantizeSettings(samples=40),
    feature_imitation=FeatureImitationSettings(
        samples_per_step=100, filters=8, units=8, hidden=12, classifier_filters=(8,),
        classifier_epochs=8, percentages=(100.0,),
    ),
)  # fmt: skip


@functools.cache
def recordings(subject="1"):
    return tuple(emg_synthetic.generate([subject], repetitions=3, seconds=1.5))


def folder() -> Path:
    """Folder of the test session, which its workers share; conftest.py creates and removes it."""
    return Path(os.environ[FOLDER])


@contextlib.contextmanager
def calls_in_this_process() -> Iterator[None]:
    """Make calls here that get a process of their own otherwise: TensorFlow is imported once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            subprocess_call, "call", lambda function, *values, **options: function(*values)
        )
        yield


def shared(name: str, make: Callable[[Path], None]) -> Path:
    """Folder that the first worker that needs it fills by `make`; the others wait for it."""
    target, complete = folder() / name, folder() / f"{name}.complete"
    with (folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            make(target)
            complete.touch()
    return target


def trained(name: str, recipe: Recipe) -> Path:
    """Folder of a trained and quantized run."""
    from edgebio import tasks

    def make(run: Path) -> None:
        tasks.train(recipe, recordings(), run)
        with calls_in_this_process():
            tasks.quantize(run)

    return shared(name, make)


@functools.cache
def run() -> Path:
    """Folder of the finished run; quantized."""
    return trained("run", RECIPE)


@functools.cache
def quantized() -> dict[str, Any]:
    """Content of the run's quantize.json."""
    document: dict[str, Any] = json.loads((run() / "quantize.json").read_text())
    return document


@functools.cache
def imitation() -> Path:
    """Folder of the finished run of a feature imitation; quantized."""
    return trained("imitation", IMITATION)
