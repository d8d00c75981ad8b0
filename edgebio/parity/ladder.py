"""The ladder: from the float64 STFT to the board, each rung proves one step of the road."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edgebio import tflite
from edgebio.boards import Board
from edgebio.frontend.twin import Twin
from edgebio.parity import frontend_rungs
from edgebio.parity.board_rung import host_against_board
from edgebio.parity.comparison import Rung, combine_rungs
from edgebio.parity.network_rungs import Inputs, float_against_int8, interpreter_against_c
from edgebio.parity.stimuli import Stimulus, generated
from edgebio.tflite.edges import inputs_of
from edgebio.tflite.metadata import ModelMetadata, read_metadata

_RANDOM_INPUTS = 64

TRACED_STIMULI = 3
"""Stimuli given for which every stage is compared on the board; all generated ones are as well."""


def verify_model(
    model: Path, stimuli: Sequence[Stimulus] = (), board: Board | None = None
) -> list[Rung]:
    """Verify a .tflite as far as it and this machine allow.

    Parameters
    ----------
    stimuli
        Inputs of the front end, besides the generated ones; see `stimuli.recorded`.
    board
        An emulated board for rung 5; None ends the ladder at rung 4.
    """
    graph = tflite.read(model)
    known = read_metadata(graph)
    stress: list[Stimulus] = []
    if known is None:
        rungs = skip_frontend("the model has no front end")
        inputs: Inputs = inputs_of(graph).random(_RANDOM_INPUTS)
    else:
        spec = known.frontend
        stress = generated(spec)
        twin = Twin(spec, known.standardization)
        inputs = np.concatenate([twin.images(s.samples) for s in [*stimuli, *stress]])
        loud = stimuli or [s for s in stress if np.ptp(s.samples, axis=0).min() > 100]
        rungs = [
            frontend_rungs.float_against_twin(spec, loud),
            frontend_rungs.twin_against_cmsis(spec, known.standardization, [*stimuli, *stress]),
        ]
    rungs.append(float_against_int8(model, model.with_name("quantize.json")))
    traced = [*stimuli[:TRACED_STIMULI], *stress]
    return [*rungs, *verify_networks({model: inputs}, board, known, traced)]


def skip_frontend(reason: str) -> list[Rung]:
    """Rungs 1 and 2 of a model whose inputs are no STFT images."""
    names = (frontend_rungs.FLOAT_NAME, frontend_rungs.CMSIS_NAME)
    return [Rung(number, name, note=reason) for number, name in enumerate(names, 1)]


def verify_networks(
    inputs: Mapping[Path, Inputs],
    board: Board | None = None,
    metadata: ModelMetadata | None = None,
    stimuli: Sequence[Stimulus] = (),
) -> list[Rung]:
    """Rung 4, and with a board rung 5, for one network or several: their inputs by .tflite.

    For the other parameters see `host_against_board`.
    """
    rungs = [combine_rungs({m.name: interpreter_against_c(m, x) for m, x in inputs.items()})]
    if board is not None:
        by_network = {
            model.name: host_against_board(board, model, x, metadata, stimuli)
            for model, x in inputs.items()
        }
        rungs.append(combine_rungs(by_network))
    return rungs
