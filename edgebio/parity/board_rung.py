"""Rung 5: the front end and the network on an emulated board against this machine."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import progress
from edgebio.boards import Board
from edgebio.compiler.host_model import HostModel
from edgebio.firmware import batch
from edgebio.frontend.numerics import uses_helium
from edgebio.frontend.stages import STAGE_NUMBERS, STAGES
from edgebio.frontend.twin import Twin
from edgebio.parity.comparison import Part, Rung, exact_rung, merge_parts
from edgebio.parity.frontend_rungs import compare_stages
from edgebio.parity.network_rungs import Inputs, compare_layers, compare_outputs
from edgebio.parity.stimuli import Stimulus
from edgebio.tflite.metadata import ModelMetadata

TRACED_INPUTS = 4
"""Inputs for which every layer is compared; for all others, the outputs."""
MEASURED_FLOOR, MEASURED_GAIN = 64.0, 32 << 8
"""Floor in counts, and gain in Q8 steps an octave, for which board files bound Helium's pixels."""


def host_against_board(
    board: Board,
    model: Path,
    inputs: Inputs,
    metadata: ModelMetadata | None,
    stimuli: Sequence[Stimulus],
) -> Rung:
    """Rung 5: compare stages, layers and outputs of an emulated board with this machine's.

    `inputs` are those of the network, `stimuli` those of the front end; without one, `metadata` is
    None.
    """
    host = HostModel(model)
    parts: list[Part] = []
    bounds = helium_bounds(board, metadata) if metadata else {}
    with batch.prepare(board, model, traced=True) as target:
        if metadata is not None:
            twin = Twin(metadata.frontend, metadata.standardization)
            for stimulus in progress.track(stimuli, f"front end on {board.name}"):
                expected = twin.stages(stimulus.samples).values
                measured = stage_arrays(target.stages(stimulus.samples), expected)
                parts += _with_bounds(compare_stages(expected, measured, stimulus.name), bounds)
        named = host.inputs.named(inputs)
        traced = {name: values[:TRACED_INPUTS] for name, values in named.items()}
        layers = host.layers(traced)
        measured_layers = [
            np.ascontiguousarray(raw).view(want.dtype).reshape(want.shape)
            for raw, want in zip(target.layers(traced), layers, strict=True)
        ]
        parts += compare_layers(host, layers, measured_layers)
        outputs = target.network_named(named)
        name = f"host against {target.board.name} (emulated)"
    host.reset()
    parts += compare_outputs(
        host, host.run_packed(host.inputs.pack(named)), host.outputs.pack(outputs)
    )
    note = ""
    if bounds:
        note = (
            "the model allows Helium's FFT: the spectrum within "
            f"{bounds['fft']} and pixels within {bounds['image']} steps of the exact ones, as the "
            "board file declares; power and logarithm lie in between"
        )
    if target.board.name != board.name:
        name += f", for {board.name}"
    return exact_rung(5, name, merge_parts(parts), note)


def helium_bounds(board: Board, metadata: ModelMetadata) -> dict[str, int]:
    """Largest differences of stages ``fft`` and ``image`` for FFT numerics ``mve`` on a board.

    Empty if the board computes the model exactly.
    """
    spec = metadata.frontend
    if board.helium is None or not uses_helium(spec.fft_numerics, True):
        return {}
    bound = board.helium.bound(spec.n_fft)
    steps = 255  # below the floor that was measured, quiet bins may differ by anything
    if spec.floor >= MEASURED_FLOOR:
        gain = int(metadata.standardization.tables()[1].max())
        steps = min(steps, math.ceil(bound.image * gain / MEASURED_GAIN) + 1)
    return {"fft": bound.spectrum, "image": steps}


def _with_bounds(parts: Sequence[Part], bounds: Mapping[str, int]) -> list[Part]:
    """Set the bounds; stages between the bounded ones are left out."""
    if not bounds:
        return list(parts)
    return [
        dataclasses.replace(part, bound=bounds.get(part.name, 0))
        for part in parts
        if part.name not in ("power", "log")
    ]


def stage_arrays(
    records: Sequence[batch.Stage], like: Mapping[str, npt.NDArray[Any]]
) -> dict[str, npt.NDArray[Any]]:
    """Arrange a board's records as arrays of the twin's shapes: (channels, n, ...)."""
    streams: dict[tuple[int, int], list[bytes]] = {}
    for record in records:
        streams.setdefault((record.stage, record.channel), []).append(record.data)
    arrays = {}
    for name, dtype in STAGES.items():
        number = STAGE_NUMBERS[name]
        shape = like[name].shape
        rows = [
            np.frombuffer(b"".join(streams.get((number, channel), [])), dtype)
            for channel in range(shape[0])
        ]
        flat = np.array(rows) if len({row.size for row in rows}) == 1 else np.empty((0, 0), dtype)
        # Another number of values keeps its own shape: the comparison reports it.
        arrays[name] = flat.reshape(shape) if flat.size == like[name].size else flat
    return arrays
