"""The ladder: from the float64 STFT to the core, each rung against the one before it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgebio import tflite
from edgebio.boards import Board
from edgebio.frontend.twin import Twin
from edgebio.parity import board as core
from edgebio.parity import frontend, network
from edgebio.parity.compare import Rung
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
        The .tflite; with quantize.json beside it the third rung is climbed too.
    recordings
        What the model is fed with; without any, generated signals serve.
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
        why = "the model carries no front end"
        rungs += [Rung(1, "float64 STFT against the fixed-point twin", note=why)]
        rungs += [Rung(2, "twin against CMSIS-DSP", note=why)]
        images = _random_images(graph)
    else:
        spec = about.frontend
        real, stress = recorded(recordings, windows, spec), generated(spec)
        twin = Twin(spec, about.standardisation)
        images = np.concatenate([twin.images(s.samples) for s in [*real, *stress]])
        audible = real or [s for s in stress if np.ptp(s.samples, axis=0).min() > 100]
        rungs.append(frontend.float_against_twin(spec, audible))
        rungs.append(frontend.twin_against_cmsis(spec, about.standardisation, [*real, *stress]))
    rungs.append(network.float_against_int8(model))
    rungs.append(network.oracle_against_c(model, images))
    if board is not None:
        fed = [*real[:TRACED_STIMULI], *stress]
        rungs.append(core.core_against_host(board, model, images, about, fed))
    return rungs


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
