"""ECG and EEG recipes with the published file formats."""

import json
from functools import partial

import numpy as np
import pytest
from click.testing import CliRunner

from edgebio import recipes
from edgebio.cli import main
from edgebio.training.image_set import build_image_set
from edgebio.training.segments import cut_segments
from tests.datasets import test_published_formats as formats
from tests.recordings.files import write_wfdb


def ecg(seconds, rate, channels, seed, counts=1500):
    """R peaks of 30 ms every 0.8 s, T waves between them, noise: int16, shape (n, channels)."""
    t = np.arange(int(seconds * rate)) / rate
    rng = np.random.default_rng(seed)
    wave = sum(
        np.exp(-(((t - beat) / 0.012) ** 2)) + 0.2 * np.exp(-(((t - beat - 0.25) / 0.05) ** 2))
        for beat in np.arange(0.5, seconds, 0.8)
    )
    leads = rng.uniform(0.5, 1, channels)
    return np.rint(counts * wave[:, None] * leads + rng.normal(0, 8, (len(t), channels))).astype(
        np.int16
    )


def ptb(root, subjects=3):
    reasons = ("Healthy control", "Myocardial infarction", "Dysrhythmia") * subjects
    for number, reason in enumerate(reasons[:subjects]):
        write_wfdb(
            root / "ecg-ptb" / f"patient{number:03d}", "s0010_re", ecg(8, 1000, 15, number),
            leads=formats.LEADS, gain=2000, fmt="16", rate=1000,
            comments=[f"Reason for admission: {reason}"],
        )  # fmt: skip
    return "ecg-ptb"


def mitbih(root, subjects=3):
    for name in ("100", "101", "103", "105", "106", "108", "109", "111", "112")[:subjects]:
        samples = ecg(8, 360, 2, int(name), 600)
        marks = [
            (round(beat * 360), "NVAN"[k % 4]) for k, beat in enumerate(np.arange(0.5, 8, 0.8))
        ]
        write_wfdb(root / "ecg-mitbih", name, samples, leads=("MLII", "V1"), gain=200,
                           fmt="212", rate=360, symbols=marks)  # fmt: skip
    return "ecg-mitbih"


def table(root):
    formats.small_heartbeat_mitbih(root)
    return "ecg-heartbeat-mitbih"


def table_ptb(root):
    formats.small_heartbeat_ptb(root)
    return "ecg-heartbeat-ptb"


def bonn(root):
    formats.small_bonn(root)
    return "eeg-bonn"


CASES = [
    *((name, write) for write in (ptb, mitbih, table)
      for name in ("ecg-normal-abnormal", "ecg-normal-abnormal-seed")),
    *((name, mitbih) for name in ("ecg-arrhythmia", "ecg-arrhythmia-seed")),
    *((name, bonn) for name in ("eeg-classes", "eeg-classes-3")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "write"), CASES)
def test_recipe_has_images_of_every_class(tmp_path, name, write):
    pytest.importorskip("wfdb", reason="the package wfdb is not installed")
    recipe = recipes.load(name).with_data(write(tmp_path))
    recordings = recipe.recordings(tmp_path)
    images = build_image_set(recipe.frontend, recordings, [], recordings, recipe.data)
    assert set(images.test.labels) == set(range(len(images.classes)))
    assert images.classes == (tuple(recipe.data.classes) or recordings[0].classes)
    assert images.test.all().std() > 5


def test_beat_is_in_the_middle_of_its_segment(tmp_path):
    """In PTB, with R peaks detected at 1000 Hz and compared after resampling."""
    pytest.importorskip("wfdb", reason="the package wfdb is not installed")
    recipe = recipes.load("ecg-normal-abnormal").with_data(ptb(tmp_path))
    recording = recipe.recordings(tmp_path)[0]
    spec = recipe.frontend
    frames, _, _ = cut_segments(recording, spec, 1, recipe.data)
    assert recording.rate == recipe.data.rate
    assert len(frames) >= 5
    length, tolerance = spec.segment_length, 0.03 * recording.rate  # of detector and resampling
    for frame in frames:
        segment = recording.samples[frame * spec.hop_length :][:length, 0].astype(int)
        peak = int(np.argmax(segment[length // 4 : -length // 4])) + length // 4
        assert abs(peak - (length - 1) / 2) <= spec.hop_length / 2 + tolerance


NORMAL = ("ecg-normal-abnormal", "ecg-normal-abnormal-seed")
ARRHYTHMIA = ("ecg-arrhythmia", "ecg-arrhythmia-seed")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "write", "protocol"),
    [
        (NORMAL, partial(ptb, subjects=9), "patient-wise"),
        (NORMAL, table, "one-to-one"),
        (NORMAL, table_ptb, "cross-validation"),
        (ARRHYTHMIA, partial(mitbih, subjects=9), "patient-wise"),
    ],
)
@pytest.mark.parametrize("seed", [False, True], ids=["compact", "seed"])
def test_published_formats_work_from_files_to_firmware(tmp_path, names, seed, write, protocol):
    """All commands from the files to a board's image."""
    pytest.importorskip("wfdb", reason="the package wfdb is not installed")
    pytest.importorskip("tflite_micro")
    run, name = tmp_path / "run", names[seed]

    def invoke(*arguments):
        result = CliRunner().invoke(main, [*map(str, arguments), "--json", "-q"])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    data = ("--dataset", write(tmp_path), "--data", tmp_path)
    metrics = invoke("train", name, *data, "--protocol", protocol, "-o", run)
    assert metrics["classes"] == list(recipes.load(name).data.classes)
    assert metrics["fold"]
    quantized = invoke("quantize", run)
    assert quantized["windows"] == metrics["test"]["windows"] > 0
    ladder = invoke("validate", run, "--data", tmp_path, "--board", "mps2-an386")
    # Rung 3 compares accuracies, which mean little for a network trained on a few beats.
    assert [r["ok"] for r in ladder["rungs"] if r["rung"] != 3] == [True] * 4
    manifest = invoke("build", run, "--board", "nucleo-f446re", "-o", tmp_path / "image")
    assert manifest["model"]["sha256"] == quantized["model_sha256"]
