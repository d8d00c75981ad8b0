"""Verify an STFT classifier, or any other .tflite, with recordings and generated signals."""

from collections.abc import Sequence
from pathlib import Path

from edgebio import tflite
from edgebio.boards import Board
from edgebio.parity.ladder import verify_model
from edgebio.parity.stimuli import recorded
from edgebio.recordings import Recording
from edgebio.tasks import provenance
from edgebio.tasks.results import VerifyResult
from edgebio.tflite.metadata import read_metadata


def verify_classifier(
    model: Path,
    board: Board | None = None,
    *,
    segments: int = 300,
    recordings: Sequence[Recording] | None = None,
    data: Path | None = None,
) -> VerifyResult:
    """Verify a model with or without a front end; see `edgebio.tasks.task.Verify`."""
    inputs = "recordings"
    if recordings is None:
        recordings = provenance.load_test_recordings(model.parent, data)
        inputs = "the run's test set"
    own = read_metadata(tflite.read(model))
    stimuli = recorded(recordings, segments, own.frontend) if own else []
    return VerifyResult(
        model,
        board.name if board else None,
        inputs if recordings else "generated",
        verify_model(model, stimuli, board),
    )
