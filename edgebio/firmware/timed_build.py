"""Images whose decisions are made in time, by an estimate before anything is flashed."""

import warnings
from pathlib import Path

from edgebio import tflite
from edgebio.boards import Board
from edgebio.errors import CheckFailedError, EdgebioWarning
from edgebio.firmware import deadline, image, standalone
from edgebio.firmware.deadline import TimeEstimate
from edgebio.firmware.image import Budget
from edgebio.firmware.manifest import Deadline, Hooks, Manifest
from edgebio.firmware.peripheral_options import Standalone
from edgebio.tflite.metadata import read_metadata, require_metadata


def build_in_time(
    model: Path,
    board: Board,
    folder: Path,
    budget: Budget,
    hooks: Hooks = "none",
    request: Standalone | None = None,
    *,
    allow_late: bool = False,
    stream: bool | None = None,
) -> Manifest:
    """Build an image that speaks the link, or stands alone by a `request`; see `image.build`.

    Parameters
    ----------
    stream
        Whether the network computes only what is new; None where that saves, and fits.

    Raises
    ------
    CheckFailedError
        If a decision takes longer than the time to the next one, unless `allow_late`, or the image
        is for hardware in the loop, or speaks the link on an emulator that stands for no board:
        there, time is not that of any signal, and a warning has to do.
    EdgebioError
        If source or sink do not fit model or board.
    """
    model = image.model_file(model)
    graph = tflite.read(model)
    metadata = require_metadata(graph, "--standalone") if request else read_metadata(graph)
    live = standalone.configure(request, board, metadata) if request and metadata else None
    board = live.board if live else board
    if metadata is None:
        return image.build(model, board, folder, hooks=hooks, budget=budget, stream=stream)
    spec = metadata.frontend

    def check(chosen: Budget, hop: int | None) -> TimeEstimate:
        busy = live.source.busy if live else 0.0
        estimate = deadline.estimate(model, board, spec, chosen, hop=hop, busy=busy)
        result = estimate.deadline
        has_time = board.flash.methods != ("emulator",) or request is not None
        if has_time and not (result.ok or allow_late or hooks == "trace"):
            raise CheckFailedError(
                f"{model.name} on {board.name} does not keep up: "
                f"{result.estimated_us / 1000:.3g} ms of {result.due_us / 1000:.3g} for a decision "
                f"(estimate: {result.note}); see --allow-late"
            )
        return estimate

    hop = image.image_hop(graph, board, hooks, stream)
    estimate = check(Budget(budget.optimize, weights=budget.weights), hop)
    first = estimate.deadline
    if not first.ok:
        warnings.warn(
            f"{board.name} does not keep up with the signal: a decision takes about "
            f"{first.estimated_us / 1000:.3g} ms of {first.due_us / 1000:.3g}",
            category=EdgebioWarning,
            stacklevel=3,
        )

    def check_time(record: Manifest) -> Deadline:
        # Kernels that fit the memory may be slower than the fastest ones.
        if (record.weights, record.hop_frames) == (estimate.weights, hop):
            return first
        return check(Budget(budget.optimize, weights=record.weights), record.hop_frames).deadline

    return image.build(
        model, board, folder, hooks=hooks, budget=budget, live=live,
        slowest_us=max(first.due_us, first.estimated_us), check_time=check_time, stream=stream,
    )  # fmt: skip
