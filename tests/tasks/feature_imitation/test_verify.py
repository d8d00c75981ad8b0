import shutil

import numpy as np
import pytest

from edgebio import boards
from edgebio.parity import climb
from edgebio.tasks.feature_imitation import verify
from edgebio.tasks.feature_imitation.quantize import CLASSIFIER, TOLD
from edgebio.tasks.stft_classifier.quantize import MODEL
from tests import tiny


def test_both_networks_climb_on_windows_of_the_run_up_to_the_core():
    pytest.importorskip("tflite_micro")
    rungs = climb(tiny.imitation() / MODEL, [], boards.load("mps2-an386"), windows=20)
    assert [rung.ok for rung in rungs[:2]] == [None, None]
    assert rungs[0].note == "raw samples, no STFT"
    for rung in rungs[3:]:
        assert (rung.ok, rung.differing) == (True, 0)
        compared = {part.name: part.compared for part in rung.parts}
        assert compared[f"{MODEL}, outputs"] == 20 * 4
        assert compared[f"{CLASSIFIER}, outputs"] == 20 * 7
    assert any("LSTM" in part.name for part in rungs[4].parts)


def test_the_classifier_is_fed_with_what_the_imitator_said():
    (_, windows), (_, told) = verify.fed(tiny.imitation() / MODEL, 6)
    assert windows.shape == (6, 3, 100, 1)
    assert told.shape == (6, 10, 1, 4)
    everything = np.load(tiny.imitation() / TOLD)
    assert (told[0, :, 0] == everything[0]).all()
    assert (told[-1, :, 0] == everything[-1]).all()


def test_a_model_outside_its_run_is_no_imitation(tmp_path):
    assert verify.is_one(tiny.imitation() / MODEL)
    assert not verify.is_one(tiny.imitation() / CLASSIFIER)
    alone = tmp_path / MODEL
    shutil.copyfile(tiny.imitation() / MODEL, alone)
    assert not verify.is_one(alone)
