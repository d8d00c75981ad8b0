"""A device that stands alone on an emulated board, its samples over the line."""

from pathlib import Path

import numpy as np
import pytest

from edgebio import boards
from edgebio.boards import emulator
from edgebio.compiler.host_model import HostModel
from edgebio.decision.outputs import Outputs
from edgebio.decision.spec import DecisionSettings
from edgebio.decision.twin import Decider, activity
from edgebio.errors import MissingToolError
from edgebio.firmware import Standalone
from edgebio.firmware.image import SPEED
from edgebio.firmware.timed_build import build_in_time
from edgebio.frontend.twin import Twin
from edgebio.link.results import DecisionEvent
from edgebio.runtime.device import Device
from edgebio.tflite import read
from edgebio.tflite.metadata import require_metadata
from tests.link.models import SLOW_SPEC as SPEC
from tests.link.models import bursts, with_frontend

END = SPEC.segment_length + 30 * SPEC.step


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mps2-an386", "netduinoplus2", "pico"])
def test_decisions_of_an_emulated_board_are_the_twins(
    name: str, models_folder: Path, tmp_path: Path
) -> None:
    board = boards.load(name)
    try:
        emulator.check_installed(board)
    except MissingToolError as error:
        pytest.skip(str(error))
    settings = DecisionSettings(votes=3, confidence=0.4)
    source, model = models_folder / "emg_cnn.tflite", tmp_path / "model.tflite"
    samples = bursts(END)
    with_frontend(source, model, SPEC, bursts(4000), settings)
    request = Standalone("link", "text", None)
    build_in_time(model, board, tmp_path / "image", SPEED, request=request, allow_late=True)
    decisions: list[DecisionEvent] = []
    with Device.emulate_image(tmp_path / "image") as device:
        description = device.description
        assert (description.standalone, description.source, description.sink) == (1, "link", "text")
        with device.watch("decisions", "counters") as observer:
            feed = device.link_source()
            at = 0
            while not decisions or decisions[-1].end < END:
                at = feed.feed(samples[at : min(END, at + SPEC.step)])
                records = observer.poll(0.0 if at < END else 1.0)
                decisions += [r for r in records if isinstance(r, DecisionEvent)]
        statistics = device.statistics()
    assert statistics.source_lost == 0
    known = require_metadata(read(model), "the test")
    images = Twin(SPEC, known.standardization).images(samples)
    logits = HostModel(model).run(images)
    assert np.array_equal([d.logits for d in decisions], logits)
    if {d.vote_resets for d in decisions} == {1}:  # an emulator may be slower than the time-out
        activities = activity(samples, SPEC.segment_length, SPEC.step)
        twin = Decider(settings, Outputs.from_graph(read(model))).decide(logits, activities)
        assert [d.decision for d in decisions] == twin.decisions.tolist()
