"""One tiny training on a small synthetic set, made once for all tests that look at its result."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from edgebio.datasets import synthetic
from edgebio.frontend.spec import FrontendSettings
from edgebio.recipes import (
    AugmentSettings,
    DataSettings,
    ModelSettings,
    QuantizeSettings,
    Recipe,
    TrainingSettings,
)
from edgebio.recipes.imitation import ImitationSettings

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
    frontend=FrontendSettings(window=300, hop=2, stride=50),
    training=TrainingSettings(
        epochs=2, batch=64, epoch_images=3200, learning_rate=1e-2, tune_epochs=1,
        validation_repetitions=0,
    ),
    quantize=QuantizeSettings(samples=40),
    imitation=ImitationSettings(
        samples=100, filters=8, units=8, hidden=12, classifier_filters=(8,), classifier_epochs=8,
        percentages=(100.0,),
    ),
)  # fmt: skip


@functools.cache
def recordings(person="1"):
    return tuple(synthetic.generate([person], repetitions=3, seconds=1.5))


@functools.cache
def folder():
    made = Path(tempfile.mkdtemp(prefix="edgebio-tests-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@functools.cache
def run():
    """Folder of the finished run."""
    from edgebio.training.train import train

    train(RECIPE, recordings(), folder() / "run")
    return folder() / "run"


@functools.cache
def quantized():
    """What quantize.json holds; the run's folder has model.tflite after this."""
    from edgebio.quantize import quantize

    return quantize(run())


@functools.cache
def imitation():
    """Folder of the finished run of an imitation; quantized."""
    from edgebio.evaluation.evaluate import by_generated_c
    from edgebio.quantize import quantize
    from edgebio.training.train import train

    train(IMITATION, recordings(), folder() / "imitation")
    quantize(folder() / "imitation", by_generated_c)
    return folder() / "imitation"
