"""What the ladder of a feature imitation is climbed with: both networks, on windows of its run."""

from pathlib import Path

import numpy as np

from edgebio import tflite
from edgebio.parity.network_rungs import Images
from edgebio.tasks.feature_imitation.quantize import CLASSIFIER, ENTRY, TOLD
from edgebio.tasks.feature_imitation import run


def is_one(model: Path) -> bool:
    """Whether a .tflite is the LSTM of the run whose folder it lies in."""
    return ENTRY in tflite.read(model).metadata and run.is_one(model.parent)


def fed(model: Path, windows: int) -> list[tuple[Path, Images]]:
    """Both networks of a run, each with inputs.

    Parameters
    ----------
    model
        The LSTM, in its run.
    windows
        Test windows to take, spread over all that there are.

    Returns
    -------
    list
        The LSTM with one channel of each window, another one every time; and the classifier with
        what the LSTM said of all channels of those windows.
    """
    run = run.load(model.parent)
    some = np.unique(np.linspace(0, len(run.labels()) - 1, windows).astype(np.int64))
    inputs = run.inputs(some)
    channels = len(inputs) // len(some)
    number = np.arange(len(some))
    one_each = inputs.reshape(len(some), channels, *inputs.shape[1:])[number, number % channels]
    told = np.load(model.parent / TOLD, allow_pickle=False)[some]
    return [(model, one_each), (model.parent / CLASSIFIER, told[:, :, None])]
