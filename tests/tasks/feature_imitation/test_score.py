import json
import shutil

import pytest

from edgebio import report, storage
from edgebio.evaluation.evaluate import _DECIDED, DOCUMENT, IMITATION, key, result
from edgebio.protocols import split
from tests import tiny


@pytest.fixture(scope="module")
def found():
    return result(tiny.imitation())


def test_a_fold_has_the_figures_of_its_networks(found):
    metrics = json.loads((tiny.imitation() / "metrics.json").read_text())
    quantized = json.loads((tiny.imitation() / "quantize.json").read_text())
    assert found["accuracy"] == metrics["accuracy"]
    assert found["accuracy_int8"] == quantized["accuracy_int8"]
    assert found["accuracy_true"] == metrics["percentages"][-1]["true"]
    assert found["accuracy_tuned"] == metrics["percentages"][-1]["tuned"]
    for name, value in quantized["r2"]["int8"].items():
        assert found[f"r2_{name}_int8"] == pytest.approx(value)
    assert found["rejection_rate"] is None
    (person,) = found["people"]
    assert person["subject"] == "1"
    assert person["r2_rms"] == found["r2_rms"]
    assert all(found[name] is not None for name in IMITATION)


def test_a_fold_depends_on_what_is_imitated():
    fold = split("one-to-one", tiny.recordings())[0]
    assert key(tiny.IMITATION, fold) != key(tiny.IMITATION.with_horizon(1), fold)


def test_the_page_of_an_evaluation_tells_what_is_imitated(tmp_path, found):
    shutil.copytree(tiny.imitation(), tmp_path / "folds" / "a")
    figures = {name: value for name, value in found.items() if isinstance(value, float)}
    none = dict.fromkeys(_DECIDED)
    document = {
        "dataset": "emg-synthetic", "protocol": "one-to-one", "recipe": "tiny-fin",
        "folds": [{**found, "seed": 1, "place": "folds/a"}],
        "seeds": [{**figures, "seed": 1}], "mean": {**figures, **none},
        "deviation": {**figures, **none}, "people": [{**none, **found["people"][0], "folds": 1}],
        "mean_over_people": figures, "deviation_over_people": figures,
        "interval": {**dict.fromkeys(figures), **none}, "conditions": [],
    }  # fmt: skip
    storage.write_json(tmp_path / DOCUMENT, document)
    page = report.write(tmp_path).read_text()
    assert "What is imitated" in page
    assert f"{found['r2_entropy_int8']:.3f}" in page
    assert "STFT every" not in page
    assert "dropout 0.3), classes weighted by their inverse frequency. Seed 1." in page


def test_the_page_of_a_run_has_r2_and_what_was_told_against_what_is_true():
    page = report.write(tiny.imitation()).read_text()
    assert page.count('class="point"') == 4 * 600
    quantized = json.loads((tiny.imitation() / "quantize.json").read_text())
    for value in quantized["r2"]["int8"].values():
        assert f"{value:.4f}" in page
    assert "tuned together" in page
    assert "NaN" not in page
    assert ">nan<" not in page
