"""One tiny training on a small synthetic set, made once for all tests that look at its result."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from edgebio.recipes import (
    AugmentSettings,
    DataSettings,
    ModelSettings,
    QuantizeSettings,
    Recipe,
    TrainingSettings,
)
from edgebio.recordings.datasets import synthetic

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
