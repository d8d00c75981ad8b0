"""Calibration without labels: the same network with the wearer's statistics."""

import dataclasses
import json

import numpy as np
import pytest
from click.testing import CliRunner

from edgebio import storage, tflite
from edgebio.calibration.pixels import standardize
from edgebio.cli import main
from edgebio.compiler.host_model import HostModel
from edgebio.errors import EdgebioError
from edgebio.frontend.twin import Twin
from edgebio.processes.worker_pool import map_in_order
from edgebio.recordings import Recording, save_recordings
from edgebio.tflite.metadata import require_metadata


def recording(scale=200.0, n=4000, channels=8, **changes):
    noise = np.random.default_rng(3).normal(0, scale, (n, channels))
    adapted = Recording(
        samples=np.clip(np.rint(noise), -32768, 32767).astype(np.int16), rate=1000.0,
        units="counts", labels=np.full(n, -1, np.int16), classes=("a",), subject="x", session="1",
        repetition=0, source="wearer",
    )  # fmt: skip
    return dataclasses.replace(adapted, **changes)


@pytest.fixture(scope="module")
def content(models_folder, tmp_path_factory):
    pytest.importorskip("tensorflow", reason='needs pip install "edgebio[train]"')
    from tests.parity.conftest import with_frontend

    return with_frontend("dsp", models_folder, tmp_path_factory).read_bytes()


def test_only_the_statistics_change(content):
    before, adapted = tflite.read(content), standardize(content, [recording(scale=800.0)])
    after = tflite.read(adapted.content)
    was, now = require_metadata(before, "x"), require_metadata(after, "x")
    assert now.model_copy(update={"standardization": was.standardization}) == was
    assert now.standardization != was.standardization
    assert adapted.shift == pytest.approx(2.0, abs=0.1)  # four times as loud
    x = np.random.default_rng(0).integers(-128, 128, (5, 16, 16, 8)).astype(np.int8)
    np.testing.assert_array_equal(HostModel(adapted.content).run(x), HostModel(content).run(x))
    assert [o.kind for o in after.operators] == [o.kind for o in before.operators]


def test_other_readers_take_the_calibrated_file(content):
    """TensorFlow's schema unpacks it, with the new entry in it; and it can be calibrated again."""
    from edgebio.quantization import flatbuffer

    adapted = standardize(content, [recording(scale=800.0)]).content
    unpacked = flatbuffer.unpack(adapted)
    entry = next(m for m in unpacked.metadata if m.name == b"edgebio")
    text = json.loads(bytes(unpacked.buffers[entry.buffer].data))
    assert text["standardization"] == json.loads(
        require_metadata(tflite.read(adapted), "x").standardization.model_dump_json()
    )
    again = standardize(adapted, [recording(scale=200.0)]).content
    assert require_metadata(tflite.read(again), "x") == require_metadata(
        tflite.read(standardize(content, [recording(scale=200.0)]).content), "x"
    )


def test_pixels_of_the_wearer_are_standardized(content):
    loud = recording(scale=3000.0)
    spec = require_metadata(tflite.read(content), "x").frontend
    now = require_metadata(tflite.read(standardize(content, [loud]).content), "x").standardization
    pixels = Twin(spec, now).pixels(loud.samples) / 32
    assert abs(pixels.mean()) < 0.05
    assert 0.9 < pixels.std() < 1.05


def test_another_subject_of_emg_3dc_gets_standardized_pixels(content, data_folder):
    from edgebio import datasets

    def people(name):
        adapted = [r for r in datasets.load("emg-3dc", data_folder, [name]) if r.session == "1"]
        return [dataclasses.replace(r, samples=r.samples[:, :8].copy()) for r in adapted[::4]]

    spec = require_metadata(tflite.read(content), "x").frontend
    trained, other = people("2"), people("8")
    model = standardize(content, trained).content
    assert require_metadata(
        tflite.read(standardize(model, trained).content), "x"
    ) == require_metadata(tflite.read(model), "x")

    def moments(carrying):
        standardization = require_metadata(tflite.read(carrying), "x").standardization
        pixels = np.concatenate(
            list(map_in_order(Twin(spec, standardization).pixels, (r.samples for r in other)))
        )
        return abs(pixels.mean() / 32), pixels.std() / 32

    mean, deviation = moments(standardize(model, other).content)
    assert mean < 0.05
    assert 0.9 < deviation < 1.05
    assert moments(model)[0] > 0.1  # the person is another one


def test_unsuitable_signals_and_models_are_refused(content, models_folder):
    with pytest.raises(EdgebioError, match="wearer: shorter than one segment of 272 samples"):
        standardize(content, [recording(n=271)])
    with pytest.raises(EdgebioError, match="no recordings"):
        standardize(content, [])
    with pytest.raises(EdgebioError, match="no edgebio metadata, which calibrate needs"):
        standardize((models_folder / "emg_cnn.tflite").read_bytes(), [recording()])


def test_command_line(content, tmp_path):
    model, out = tmp_path / "model.tflite", tmp_path / "wearer.tflite"
    storage.write_bytes(model, content)
    samples = recording().samples.copy()
    samples[5:9, 2] = 32767
    file = save_recordings(tmp_path / "wearer.npz", [recording(samples=samples)])
    words = ["calibrate", str(model), str(file), "-o", str(out), "--json"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["railed"] == 4
    assert "overdriven" in done.stderr
    assert document["sha256"] == storage.sha256(out)
    wrong = save_recordings(tmp_path / "wrong.npz", [recording(channels=3)])
    done = CliRunner().invoke(main, [*words[:2], str(wrong), *words[3:]])
    assert done.exit_code == 2
    assert "3 channels at 1000 Hz; the model takes 8 channels" in done.stderr
