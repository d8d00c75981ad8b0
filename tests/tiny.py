"""One tiny training on a small synthetic set, made once for all tests that look at its result."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from edgebio.datasets import emg_synthetic
from edgebio.frontend.spec import FrontendSettings
from edgebio.recipes import (
    AugmentSettings,
    DataSettings,
    ModelSettings,
    QuantizeSettings,
    Recipe,
    TrainingSettings,
)
from edgebio.recipes.feature_imitation import FeatureImitationSettings

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
        samples_per_step=100, filters=8, units=8, hidden=12, classifier_filters=(8,), classifier_epochs=8,
        percentages=(100.0,),
    ),
)  # fmt: skip


@functools.cache
def recordings(person="1"):
    return tuple(emg_synthetic.generate([person], repetitions=3, seconds=1.5))


@functools.cache
def folder():
    made = Path(tempfile.mkdtemp(prefix="edgebio-tests-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@functools.cache
def run():
    """Folder of the finished run."""
    from edgebio import tasks

    return tasks.train(RECIPE, recordings(), folder() / "run").folder


@functools.cache
def quantized():
    """Content of quantize.json; the run's folder has model.tflite after this."""
    from edgebio import tasks

    return tasks.quantize(run()).document()


@functools.cache
def imitation():
    """Folder of the finished run of a feature imitation; quantized."""
    from edgebio import tasks

    tasks.train(IMITATION, recordings(), folder() / "imitation")
    return tasks.quantize(folder() / "imitation").folder
