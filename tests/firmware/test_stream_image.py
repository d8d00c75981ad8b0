"""Images whose network computes only what is new: their decisions equal those of whole windows."""

from pathlib import Path

import numpy as np
import pytest

from edgebio import boards, firmware
from edgebio.boards import emulator
from edgebio.decision.spec import DecisionSettings
from edgebio.errors import EdgebioError, MissingToolError
from edgebio.firmware import toolchain
from edgebio.firmware.stream_choice import stream_hop
from edgebio.frontend.spec import FrontendSpec
from edgebio.runtime import host_device
from edgebio.runtime.device import Device
from edgebio.tflite import read
from tests.link.models import bursts, with_frontend


@pytest.fixture(scope="module")
def m4() -> boards.Board:
    board = boards.load("mps2-an386")
    try:
        emulator.check_installed(board)
        toolchain.tool("gcc")
    except MissingToolError as error:
        pytest.skip(str(error))
    return board


def outputs(device: Device, samples: np.ndarray) -> list[tuple[int, bytes]]:
    """Decision and output of each segment."""
    events = (each.event for each in device.classify(samples))
    return [(event.decision, bytes(event.logits)) for event in events]


def test_decisions_equal_those_of_whole_windows(
    emg_model: Path, samples: np.ndarray, m4: boards.Board, tmp_path: Path
) -> None:
    """From the first decision on, in a second stream, and after an image in between."""
    long = np.tile(samples, (3, 1))
    results = []
    for stream in (True, False):
        manifest = firmware.build(emg_model, m4, tmp_path / str(stream), stream=stream)
        assert manifest.hop_frames == (4 if stream else None)
        assert (manifest.ram.stream > 0) == stream
        with Device.emulate_image(tmp_path / str(stream)) as device:
            first = outputs(device, long)
            second = outputs(device, long[40:])
            results.append((first, second))
    assert results[0] == results[1]
    assert len({output for _, output in results[0][0]}) > 5


def test_streams_where_it_saves_and_fits(
    models_folder: Path, emg_model: Path, m4: boards.Board, tmp_path: Path
) -> None:
    assert stream_hop(read(emg_model), m4.isa) is None
    source = models_folder / "mlperf-tiny" / "sww.tflite"
    if not source.is_file():
        pytest.skip("no streaming wakeword there")
    spec = FrontendSpec(
        rate=1000, channels=40, segment_length=32 + 29 * 10, hop_length=10, n_fft=32,
        step_frames=1, bins=(1, 2), highpass=0.0,
    )  # fmt: skip
    model = with_frontend(
        source, tmp_path / "model.tflite", spec, bursts(600, 40), DecisionSettings()
    )
    assert stream_hop(read(model), m4.isa) == 1
    whole = firmware.build(model, m4, tmp_path / "whole", stream=False)
    both = firmware.build(model, m4, tmp_path / "both")
    assert both.hop_frames == 1
    program = host_device.build(model, tmp_path / "host")
    assert "eb_model_push" in (tmp_path / "host" / "model" / "model.h").read_text()
    with (
        host_device.running(program) as process,
        Device(process.url, model) as host,
        Device.emulate_image(tmp_path / "whole") as first,
        Device.emulate_image(tmp_path / "both") as second,
    ):
        long = bursts(900, 40)
        assert outputs(first, long) == outputs(second, long) == outputs(host, long)
    budget = firmware.Budget(ram=(whole.ram.total + both.ram.total) // 2)
    assert firmware.build(model, m4, tmp_path / "small", budget=budget).hop_frames is None
    with pytest.raises(EdgebioError, match="does not fit"):
        firmware.build(model, m4, tmp_path / "refused", budget=budget, stream=True)


def test_a_model_without_front_end_is_no_stream(
    models_folder: Path, m4: boards.Board, tmp_path: Path
) -> None:
    with pytest.raises(EdgebioError, match="without a front end"):
        firmware.build(models_folder / "emg_cnn.tflite", m4, tmp_path, stream=True)
