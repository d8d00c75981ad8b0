"""Streams on boards: the tool compares real decisions, and says what both forms take."""

import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from edgebio.decision.spec import DecisionSettings
from edgebio.frontend.spec import FrontendSpec
from tests.link.models import bursts, with_frontend
from tests.test_house import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import bench_streaming
import results


@pytest.mark.slow
def test_both_forms_of_a_stream_on_a_board(models_folder: Path, tmp_path: Path) -> None:
    spec = FrontendSpec(
        rate=1000, channels=40, segment_length=32 + 29 * 10, hop_length=10, n_fft=32,
        step_frames=1, bins=(1, 2), highpass=0.0,
    )  # fmt: skip
    source = models_folder / "mlperf-tiny" / "sww.tflite"
    model = with_frontend(
        source, tmp_path / "model.tflite", spec, bursts(600, 40), DecisionSettings()
    )
    recording = tmp_path / "recording.npz"
    np.savez(recording, samples=bursts(900, 40), rate=1000.0)
    row = bench_streaming.measure("mps2-an386", model, str(recording), 20)
    assert row.decisions == 20
    assert row.differing == {"images": 0, "logits": 0, "decisions": 0}
    assert row.due == 10
    assert 0 < row.median_interval <= row.longest_interval
    assert row.stream.ram > row.whole.ram
    assert row.stream.flash > row.whole.flash
    table = results._boards({"boards": [asdict(row)]})
    assert "| decisions compared | 20 |" in table
