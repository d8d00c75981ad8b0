import json
import shutil

import numpy as np
import pytest

from edgebio import boards, firmware, storage, tflite
from edgebio.compiler.host import HostModel
from edgebio.errors import EdgebioError
from edgebio.frontend import reference
from edgebio.frontend.twin import Twin
from edgebio.parity import board_rung as core
from edgebio.parity import climb, stimuli
from edgebio.parity import network_rungs
from edgebio.parity.frontend_rungs import compare_stages, float_against_twin
from edgebio.parity.reference_interpreter import ReferenceInterpreter
from edgebio.runtime.infer import load
from edgebio.tflite.metadata import require


def about(model):
    return require(tflite.read(model), "the test")


def test_rungs_hold_for_a_sound_model_on_an_emulated_core(model):
    rungs = {rung.number: rung for rung in climb(model, [], boards.load("mps2-an386"))}
    assert [rungs[n].ok for n in (1, 2, 4, 5)] == [True] * 4
    assert rungs[3].ok is None  # no quantize.json beside it
    assert rungs[1].snr_db > 40
    assert {part.name for part in rungs[2].parts} >= {"filter", "window", "scale", "fft", "image"}
    for n in (2, 4, 5):
        assert rungs[n].compared > 400
        assert rungs[n].differing == 0


def test_helium_is_held_to_the_bound_of_the_board_file(helium_model):
    board = boards.load("mps3-an547")
    rung = climb(helium_model, [], board, windows=20)[-1]
    assert rung.ok is True
    parts = {part.name: part for part in rung.parts}
    assert 0 < parts["fft"].worst <= parts["fft"].bound == board.helium.bound(32).spectrum
    assert parts["scale"].differing == parts["outputs"].differing == 0
    assert "Helium" in rung.note
    tight = {32: {"spectrum": 1, "image": 0}}
    closer = board.model_copy(update={"helium": board.helium.model_validate(
        {"note": "too tight", "bounds": tight})})  # fmt: skip
    broken = climb(helium_model, [], closer, windows=20)[-1]
    assert broken.ok is False
    assert broken.first.startswith("fft: ")


def test_a_model_of_class_mve_is_exact_where_there_is_no_helium(helium_model):
    rung = climb(helium_model, [], boards.load("mps2-an386"), windows=20)[-1]
    assert (rung.ok, rung.differing) == (True, 0)


def test_a_board_whose_file_bounds_no_such_length_does_not_build(helium_model, tmp_path):
    board = boards.load("mps3-an547")
    none = board.helium.model_copy(update={"bounds": {64: board.helium.bound(64)}})
    with pytest.raises(EdgebioError, match="bounds no Helium FFT of 32 points"):
        firmware.build(helium_model, board.model_copy(update={"helium": none}), tmp_path / "x")


def test_a_core_of_the_other_class_breaks_at_the_fft(model):
    spec, standard = about(model).frontend, about(model).standardization
    other = {"dsp": "scalar", "scalar": "dsp"}[spec.fft_numerics]
    samples = stimuli.generated(spec)[0].samples
    wrong = reference.stages(spec.model_copy(update={"fft_numerics": other}), samples, standard)
    parts = compare_stages(wrong, Twin(spec, standard).stages(samples).values, "chirp")
    first = next(part for part in parts if part.differing)
    assert first.name == "fft"
    assert first.first.startswith("fft: chirp, channel 0, frame ")


def test_a_wrong_weight_is_named_by_its_layer(models_folder):
    """Flip one weight of the second convolution in the oracle's copy."""
    file = models_folder / "emg_cnn.tflite"
    graph, data = tflite.read(file), bytearray(file.read_bytes())
    convolutions = [o for o in graph.operators if o.kind == "CONV_2D"]
    weights = graph.tensors[convolutions[1].inputs[1]].data
    data[data.index(weights.tobytes()) + 5] ^= 0x40
    host, oracle = HostModel(file), ReferenceInterpreter(bytes(data))
    image = np.load(file.with_suffix(".npz"))["x"][:1]
    oracle.invoke(image[0])
    broken = [part for part in network_rungs._layers(host, oracle, image) if part.differing]
    assert "CONV_2D" in broken[0].name
    assert broken[0].first.startswith("layer 1")  # the pool before it is part of layer 0


def test_stages_that_a_core_did_not_make_are_a_difference(model):
    twin = Twin(about(model).frontend, about(model).standardization)
    samples = stimuli.generated(about(model).frontend)[0].samples
    expected = twin.stages(samples).values
    parts = compare_stages(expected, core.stage_arrays([], expected), "x")
    assert all(part.differing == part.compared for part in parts)


def test_the_first_difference_of_a_spectrum_is_named_by_its_bin(model):
    twin = Twin(about(model).frontend, about(model).standardization)
    expected = twin.stages(stimuli.generated(about(model).frontend)[0].samples).values
    wrong = {**expected, "fft": expected["fft"].copy()}
    wrong["fft"][3, 4, 2 * 7 + 1] += 5
    part = next(p for p in compare_stages(expected, wrong, "chirp") if p.differing)
    assert part.first.startswith("fft: chirp, channel 3, frame 4, bin 7, part 1: ")
    assert (part.differing, part.worst) == (1, 5)


def test_rung_1_has_a_table_of_levels_and_counts_railed_samples(model):
    spec = about(model).frontend
    loud = stimuli.Stimulus("loud", stimuli.generated(spec)[0].samples.copy())
    loud.samples[100:103, 1] = -32768
    rung = float_against_twin(spec, [loud])
    levels = rung.document()["snr_by_level"]
    assert [row["sigma"] for row in levels] == [8, 30, 100, 1000, 10_000]
    assert all(row["snr_db"] > 50 for row in levels)  # 32 points, Hann
    assert rung.figures["railed"] == 3
    assert f"3 of {loud.samples.size:,} samples are at an end" in rung.note


def test_float64_snr_needs_a_signal(model):
    spec = about(model).frontend
    assert float_against_twin(spec, []).ok is False


def test_rung_3_reads_what_quantize_measured(model, tmp_path):
    copy = tmp_path / "model.tflite"
    shutil.copyfile(model, copy)
    report = {
        "model_sha256": storage.sha256(copy),
        "accuracy_float": 0.9,
        "accuracy_int8": 0.87,
        "layers": [{"name": "conv", "values": 10, "snr_db": 30.0}],
    }
    storage.write_json(tmp_path / "quantize.json", report)
    assert network_rungs.float_against_int8(copy).ok is False
    report["accuracy_int8"] = 0.899
    storage.write_json(tmp_path / "quantize.json", report)
    assert network_rungs.float_against_int8(copy).ok is True
    report["model_sha256"] = "0" * 64
    storage.write_json(tmp_path / "quantize.json", report)
    assert "another model" in network_rungs.float_against_int8(copy).note


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"PK\x03\x04"])
def test_inputs_that_are_no_array_are_refused(tmp_path, content):
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    with pytest.raises(EdgebioError, match=r"not a \.npy array"):
        load(path)


def test_pickled_inputs_are_refused(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(EdgebioError, match=r"not a \.npy array"):
        load(path)


def test_climb_says_json(model):
    document = [rung.document() for rung in climb(model, [])]
    assert [rung["rung"] for rung in document] == [1, 2, 3, 4]
    json.dumps(document, allow_nan=False)
