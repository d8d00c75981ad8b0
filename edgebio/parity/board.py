"""Rung 5: the front end and the network on an emulated core against this machine's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import progress
from edgebio.boards import Board
from edgebio.compiler.host import HostModel
from edgebio.firmware import batch
from edgebio.frontend.twin import STAGES, Twin
from edgebio.parity.compare import Part, Rung, exact, holds_exactly, merged
from edgebio.parity.frontend import against
from edgebio.parity.network import layer_parts
from edgebio.parity.stimuli import Stimulus
from edgebio.tflite.metadata import ModelMetadata

TRACED_IMAGES = 4
"""Images whose every layer is compared; of all others the outputs are."""


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
    with batch.prepare(board, model, traced=True) as core:
        if metadata is not None:
            twin = Twin(metadata.frontend, metadata.standardisation)
            for stimulus in progress.track(stimuli, f"front end on {board.name}"):
                expected = twin.stages(stimulus.samples).values
                measured = stage_arrays(core.stages(stimulus.samples), expected)
                parts += against(expected, measured, stimulus.name)
        few = images[:TRACED_IMAGES]
        wanted = host.layers(few)
        made = [
            np.ascontiguousarray(raw).view(want.dtype).reshape(want.shape)
            for raw, want in zip(core.layers(few), wanted, strict=True)
        ]
        parts += layer_parts(host, wanted, made)
        outputs = core.network(images)
    parts.append(exact("outputs", host.run(images), outputs, ("image", "class")))
    return holds_exactly(5, f"host against {board.name} (emulated)", merged(parts))


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
        # A core that made another number of values is compared as it is: `exact` says so.
        found[name] = flat.reshape(shape) if flat.size == like[name].size else flat
    return found
