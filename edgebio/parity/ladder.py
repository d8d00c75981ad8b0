"""The ladder: from the float64 STFT to the core, each rung against the one before it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from edgebio import tflite
from edgebio.boards import Board
from edgebio.frontend.twin import Twin
from edgebio.parity import board_rung as core
from edgebio.tasks.feature_imitation import verify
from edgebio.parity import network_rungs
from edgebio.parity import frontend_rungs
from edgebio.parity.comparison import Rung, combine_rungs
from edgebio.parity.stimuli import generated, recorded
from edgebio.recordings import Recording
from edgebio.tflite.metadata import metadata

TRACED_STIMULI = 3
"""Recordings whose every stage is compared on the core; all generated signals are as well."""


def climb(
    model: Path,
    recordings: Sequence[Recording],
    board: Board | None = None,
    windows: int = 300,
) -> list[Rung]:
    """Climb the ladder as far as the model and the machine allow.

    Parameters
    ----------
    model
        The .tflite; with quantize.json beside it the third rung is climbed too. Of a feature
        imitation, the LSTM in its run: its classifier is climbed with as well, on what it says.
    recordings
        What the model is fed with; without any, generated signals serve. A feature imitation is
        fed with windows that its run keeps.
    board
        An emulated board for rung 5; without one the ladder ends at rung 4.
    windows
        Images to take from the recordings.

    Returns
    -------
    list of Rung
        Rungs 1 to 5; those that do not apply say why.
    """
    graph = tflite.read(model)
    about = metadata(graph)
    rungs: list[Rung] = []
    stress, real = [], []
    if about is None:
        imitating = verify.is_one(model)
        why = "raw samples, no STFT" if imitating else "the model carries no front end"
        rungs += [Rung(1, "float64 STFT against the fixed-point twin", note=why)]
        rungs += [Rung(2, "twin against CMSIS-DSP", note=why)]
        inputs = verify.fed(model, windows) if imitating else [(model, _random_images(graph))]
    else:
        spec = about.frontend
        real, stress = recorded(recordings, windows, spec), generated(spec)
        twin = Twin(spec, about.standardization)
        images = np.concatenate([twin.images(s.samples) for s in [*real, *stress]])
        inputs = [(model, images)]
        audible = real or [s for s in stress if np.ptp(s.samples, axis=0).min() > 100]
        rungs.append(frontend_rungs.float_against_twin(spec, audible))
        rungs.append(frontend_rungs.twin_against_cmsis(spec, about.standardization, [*real, *stress]))
    rungs.append(network_rungs.float_against_int8(model))
    rungs.append(_on_each(inputs, network_rungs.oracle_against_c))
    if board is not None:
        fed = [*real[:TRACED_STIMULI], *stress]
        rungs.append(_on_each(inputs, lambda m, x: core.core_against_host(board, m, x, about, fed)))
    return rungs


def _on_each(
    inputs: Sequence[tuple[Path, network_rungs.Images]],
    climbed: Callable[[Path, network_rungs.Images], Rung],
) -> Rung:
    """One rung, climbed with each network and its inputs."""
    if len(inputs) == 1:
        return climbed(*inputs[0])
    return combine_rungs({model.name: climbed(model, x) for model, x in inputs})


def _random_images(
    graph: tflite.Graph, count: int = 64
) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    """Inputs for a model whose front end is unknown: its whole range, uniformly."""
    tensor = graph.tensors[graph.inputs[0]]
    random = np.random.default_rng(0)
    shape = (count, *tensor.shape[1:])
    if tensor.dtype == "float32":
        return random.normal(size=shape).astype(np.float32)
    return random.integers(-128, 128, shape).astype(np.int8)
