"""Rung 5: the front end and the network on an emulated core against this machine's."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import progress
from edgebio.boards import Board
from edgebio.compiler.host import HostModel
from edgebio.firmware import batch
from edgebio.frontend.twin import STAGES, Twin, uses_helium
from edgebio.parity.comparison import Part, Rung, compare_exactly, exact_rung, merge_parts
from edgebio.parity.frontend_rungs import compare_stages
from edgebio.parity.network_rungs import layer_parts
from edgebio.parity.stimuli import Stimulus
from edgebio.tflite.metadata import ModelMetadata

TRACED_IMAGES = 4
"""Images whose every layer is compared; of all others the outputs are."""
MEASURED_FLOOR, MEASURED_GAIN = 64.0, 32 << 8
"""Floor in counts, and gain in Q8 steps an octave, at which board files bound Helium's pixels."""


def core_against_host(
    board: Board,
    model: Path,
    images: npt.NDArray[Any],
    metadata: ModelMetadata | None,
    stimuli: Sequence[Stimulus],
) -> Rung:
    """Compare every stage, every layer and every output of the emulated core with the host.

    Parameters
    ----------
    board
        An emulated board.
    model
        The .tflite.
    images
        Inputs of the network, shape (n, ...).
    metadata
        The model's; None for a model without a front end.
    stimuli
        What the front end is fed with.
    """
    host = HostModel(model)
    parts: list[Part] = []
    bounds = helium_bounds(board, metadata) if metadata else {}
    with batch.prepare(board, model, traced=True) as core:
        if metadata is not None:
            twin = Twin(metadata.frontend, metadata.standardization)
            for stimulus in progress.track(stimuli, f"front end on {board.name}"):
                expected = twin.stages(stimulus.samples).values
                measured = stage_arrays(core.stages(stimulus.samples), expected)
                parts += _bounded(compare_stages(expected, measured, stimulus.name), bounds)
        few = images[:TRACED_IMAGES]
        wanted = host.layers(few)
        made = [
            np.ascontiguousarray(raw).view(want.dtype).reshape(want.shape)
            for raw, want in zip(core.layers(few), wanted, strict=True)
        ]
        parts += layer_parts(host, wanted, made)
        outputs = core.network(images)
    parts.append(compare_exactly("outputs", host.run(images), outputs, ("image", "class")))
    note = ""
    if bounds:
        note = (
            "the model lets Helium's FFT be used: the spectrum within "
            f"{bounds['fft']} and pixels within {bounds['image']} steps of the exact ones, as the "
            "board file declares; the power and its logarithm lie between the two"
        )
    return exact_rung(5, f"host against {board.name} (emulated)", merge_parts(parts), note)


def helium_bounds(board: Board, metadata: ModelMetadata) -> dict[str, int]:
    """Largest differences by stage that a model of class ``mve`` is allowed on a board.

    Returns
    -------
    dict
        Of stages ``fft`` and ``image``; empty where the board computes the model exactly.
    """
    spec = metadata.frontend
    if board.helium is None or not uses_helium(spec.fft_numerics, True):
        return {}
    bound = board.helium.bound(spec.n_fft)
    steps = 255  # a floor below the one that was measured at makes quiet bins differ by anything
    if spec.floor >= MEASURED_FLOOR:
        gain = int(metadata.standardization.tables()[1].max())
        steps = min(steps, math.ceil(bound.image * gain / MEASURED_GAIN) + 1)
    return {"fft": bound.spectrum, "image": steps}


def _bounded(parts: Sequence[Part], bounds: Mapping[str, int]) -> list[Part]:
    """Parts with what they are allowed; what only follows from a bounded stage is left out."""
    if not bounds:
        return list(parts)
    return [
        dataclasses.replace(part, bound=bounds.get(part.name, 0))
        for part in parts
        if part.name not in ("power", "log")
    ]


def stage_arrays(
    records: Sequence[batch.Stage], like: dict[str, npt.NDArray[Any]]
) -> dict[str, npt.NDArray[Any]]:
    """Records of the core as arrays of the twin's shapes: (channels, n, ...)."""
    streams: dict[tuple[int, int], list[bytes]] = {}
    for record in records:
        streams.setdefault((record.stage, record.channel), []).append(record.data)
    found = {}
    for name, (number, dtype) in STAGES.items():
        shape = like[name].shape
        rows = [
            np.frombuffer(b"".join(streams.get((number, channel), [])), dtype)
            for channel in range(shape[0])
        ]
        flat = np.array(rows) if len({row.size for row in rows}) == 1 else np.empty((0, 0), dtype)
        # A core that made another number of values is compared as it is: `compare_exactly` says so.
        found[name] = flat.reshape(shape) if flat.size == like[name].size else flat
    return found
