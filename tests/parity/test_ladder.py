import json
import shutil

import numpy as np
import pytest

from edgebio import boards, firmware, storage, tflite
from edgebio.compiler.host_model import HostModel
from edgebio.errors import EdgebioError
from edgebio.frontend import reference
from edgebio.frontend.twin import Twin
from edgebio.parity import board_rung, network_rungs, stimuli, verify_model
from edgebio.parity.frontend_rungs import compare_stages, float_against_twin
from edgebio.parity.reference_interpreter import ReferenceInterpreter
from edgebio.tflite.metadata import require_metadata
from tests.compiler.dead_channels import dead_network
from tests.compiler.reference import random_inputs


def known(model):
    return require_metadata(tflite.read(model), "the test")


def test_all_rungs_hold_on_an_emulated_board(model):
    rungs = {rung.number: rung for rung in verify_model(model, board=boards.load("mps2-an386"))}
    assert [rungs[n].ok for n in (1, 2, 4, 5)] == [True] * 4
    assert rungs[3].ok is None  # no quantize.json beside it
    assert (rungs[1].snr_db or 0) > 40
    assert {part.name for part in rungs[2].parts} >= {"filter", "window", "scale", "fft", "image"}
    for n in (2, 4, 5):
        assert (rungs[n].compared or 0) > 400
        assert rungs[n].differing == 0


def test_helium_stays_within_the_bound_of_the_board_file(helium_model):
    board = boards.load("mps3-an547")
    assert board.helium is not None
    rung = verify_model(helium_model, board=board)[-1]
    assert rung.ok is True
    parts = {part.name: part for part in rung.parts}
    assert 0 < parts["fft"].worst <= parts["fft"].bound == board.helium.bound(32).spectrum
    assert parts["scale"].differing == parts["outputs"].differing == 0
    assert "Helium" in rung.note
    tight = {32: {"spectrum": 1, "image": 0}}
    closer = board.model_copy(update={"helium": board.helium.model_validate(
        {"note": "too tight", "bounds": tight})})  # fmt: skip
    broken = verify_model(helium_model, board=closer)[-1]
    assert broken.ok is False
    assert broken.first.startswith("fft: ")


def test_mve_numerics_are_exact_on_a_board_without_helium(helium_model):
    rung = verify_model(helium_model, board=boards.load("mps2-an386"))[-1]
    assert (rung.ok, rung.differing) == (True, 0)


def test_board_file_without_a_bound_for_the_fft_length_does_not_build(helium_model, tmp_path):
    board = boards.load("mps3-an547")
    assert board.helium is not None
    none = board.helium.model_copy(update={"bounds": {64: board.helium.bound(64)}})
    with pytest.raises(EdgebioError, match=r"no bounds\.32 in \[helium\]"):
        firmware.build(helium_model, board.model_copy(update={"helium": none}), tmp_path / "x")


def test_other_fft_numerics_differ_first_at_the_fft(model):
    spec, standardization = known(model).frontend, known(model).standardization
    other = {"dsp": "scalar", "scalar": "dsp"}[spec.fft_numerics]
    samples = stimuli.generated(spec)[0].samples
    wrong = reference.compute_stages(
        spec.model_copy(update={"fft_numerics": other}), samples, standardization
    )
    parts = compare_stages(wrong, Twin(spec, standardization).stages(samples).values, "chirp")
    first = next(part for part in parts if part.differing)
    assert first.name == "fft"
    assert first.first.startswith("fft: chirp, channel 1, frame ")


def test_wrong_weight_is_located_in_its_layer(models_folder):
    """One weight of the second convolution is flipped in the interpreter's copy."""
    file = models_folder / "emg_cnn.tflite"
    graph, data = tflite.read(file), bytearray(file.read_bytes())
    convolutions = [o for o in graph.operators if o.kind == "CONV_2D"]
    weights = graph.tensors[convolutions[1].inputs[1]].data
    assert weights is not None
    data[data.index(weights.tobytes()) + 5] ^= 0x40
    host, interpreter = HostModel(file), ReferenceInterpreter(bytes(data))
    image = np.load(file.with_suffix(".npz"))["x"][:1]
    parts = network_rungs.trace_layers(host, interpreter, host.inputs.pack(image))
    broken = [part for part in parts if part.differing]
    assert "CONV_2D" in broken[0].name
    assert broken[0].first.startswith("layer 1")  # the pool before it is part of layer 0


def test_layers_are_compared_without_their_removed_channels():
    for data in map(dead_network, (4, 9, 24)):
        host, interpreter = HostModel(data), ReferenceInterpreter(data)
        images = random_inputs(host.input_shape, 0, 2)
        parts = network_rungs.trace_layers(host, interpreter, host.inputs.pack(images))
        assert host.program.network.channels
        assert len(parts) == len(host.program.calls)
        assert not any(part.differing for part in parts)


def test_missing_stages_are_a_difference(model):
    twin = Twin(known(model).frontend, known(model).standardization)
    samples = stimuli.generated(known(model).frontend)[0].samples
    expected = twin.stages(samples).values
    parts = compare_stages(expected, board_rung.stage_arrays([], expected), "x")
    assert all(part.differing == part.compared for part in parts)


def test_first_difference_of_a_spectrum_is_located_by_its_bin(model):
    twin = Twin(known(model).frontend, known(model).standardization)
    expected = twin.stages(stimuli.generated(known(model).frontend)[0].samples).values
    wrong = {**expected, "fft": expected["fft"].copy()}
    wrong["fft"][3, 4, 2 * 7 + 1] += 5
    part = next(p for p in compare_stages(expected, wrong, "chirp") if p.differing)
    assert part.first.startswith("fft: chirp, channel 4, frame 4, bin 7, part 1: ")
    assert (part.differing, part.worst) == (1, 5)


def test_rung_1_reports_snr_by_level_and_count_clipped(model):
    spec = known(model).frontend
    loud = stimuli.Stimulus("loud", stimuli.generated(spec)[0].samples.copy())
    loud.samples[100:103, 1] = -32768
    rung = float_against_twin(spec, [loud])
    levels = rung.document()["snr_by_level"]
    assert isinstance(levels, list)
    assert [row["sigma"] for row in levels] == [8, 30, 100, 1000, 10_000]
    assert all(row["snr_db"] > 50 for row in levels)  # 32 points, Hann
    assert rung.metrics["railed"] == 3
    assert f"3 of {loud.samples.size:,} samples are clipped" in rung.note


def test_rung_1_fails_without_a_signal(model):
    spec = known(model).frontend
    assert float_against_twin(spec, []).ok is False


def test_rung_3_reads_the_report_of_quantize(model, tmp_path):
    copy = tmp_path / "model.tflite"
    shutil.copyfile(model, copy)
    report = {
        "model_sha256": storage.sha256(copy),
        "accuracy_float": 0.9,
        "accuracy_int8": 0.87,
        "layers": [{"name": "conv", "values": 10, "snr_db": 30.0}],
    }
    storage.write_json(tmp_path / "quantize.json", report)
    assert network_rungs.float_against_int8(copy, tmp_path / "quantize.json").ok is False
    report["accuracy_int8"] = 0.899
    storage.write_json(tmp_path / "quantize.json", report)
    assert network_rungs.float_against_int8(copy, tmp_path / "quantize.json").ok is True
    report["model_sha256"] = "0" * 64
    storage.write_json(tmp_path / "quantize.json", report)
    assert (
        "another model" in network_rungs.float_against_int8(copy, tmp_path / "quantize.json").note
    )


def test_rungs_are_valid_json(model):
    document = [rung.document() for rung in verify_model(model)]
    assert [rung["rung"] for rung in document] == [1, 2, 3, 4]
    json.dumps(document, allow_nan=False)
