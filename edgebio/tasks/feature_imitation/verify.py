"""Verify both networks of a feature imitation, with segments of its run's test set."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgebio.boards import Board
from edgebio.parity.ladder import skip_frontend, verify_networks
from edgebio.parity.network_rungs import Values, float_against_int8
from edgebio.recordings import Recording
from edgebio.tasks.feature_imitation.run import CLASSIFIER_MODEL, ImitationRun
from edgebio.tasks.results import VerifyResult
from edgebio.tasks.run_folder import QUANTIZE


def verify_imitation(
    model: Path,
    board: Board | None = None,
    *,
    segments: int = 300,
    recordings: Sequence[Recording] | None = None,
    data: Path | None = None,
) -> VerifyResult:
    """Verify the LSTM of a run, and its classifier with the LSTM's own outputs."""
    rungs = [
        *skip_frontend("raw samples, no STFT"),
        float_against_int8(model, model.with_name(QUANTIZE)),
        *verify_networks(network_inputs(model, segments), board),
    ]
    return VerifyResult(model, board.name if board else None, "the run's test set", rungs)


def network_inputs(model: Path, segments: int) -> dict[Path, Values]:
    """Inputs of both networks of a run.

    Of the LSTM: one channel of each segment, each time the next one; of the classifier: the LSTM's
    outputs for all channels of the same segments.
    """
    run = ImitationRun.load(model.parent)
    index = np.unique(np.linspace(0, len(run.arrays.starts) - 1, segments).astype(np.int64))
    return {
        model: run.one_channel_inputs(index, np.arange(len(index))),
        model.with_name(CLASSIFIER_MODEL): run.int8_predictions()[index][:, :, None],
    }
