import shutil

import numpy as np
import pytest

from edgebio import boards, tasks
from edgebio.tasks.feature_imitation import verify
from edgebio.tasks.feature_imitation.run import CLASSIFIER_MODEL, PREDICTED
from edgebio.tasks.run_folder import MODEL
from tests import tiny


def test_both_networks_are_verified_up_to_the_board_on_segments_of_the_run():
    pytest.importorskip("tflite_micro")
    model = tiny.imitation() / MODEL
    result = tasks.task_of_model(model).verify(model, boards.load("mps2-an386"), segments=20)
    rungs = result.rungs
    assert (result.inputs, result.ok) == ("the run's test set", True)
    assert [rung.ok for rung in rungs[:2]] == [None, None]
    assert rungs[0].note == "raw samples, no STFT"
    for rung in rungs[3:]:
        assert (rung.ok, rung.differing) == (True, 0)
        compared = {part.name: part.compared for part in rung.parts}
        assert compared[f"{MODEL}, outputs"] == 20 * 4
        assert compared[f"{CLASSIFIER_MODEL}, outputs"] == 20 * 7
    assert any("LSTM" in part.name for part in rungs[4].parts)


def test_classifier_gets_the_features_that_the_lstm_predicted():
    segments, predicted = verify.network_inputs(tiny.imitation() / MODEL, 6).values()
    assert segments.shape == (6, 3, 100, 1)
    assert predicted.shape == (6, 10, 1, 4)
    everything = np.load(tiny.imitation() / PREDICTED)
    assert (predicted[0, :, 0] == everything[0]).all()
    assert (predicted[-1, :, 0] == everything[-1]).all()


def test_model_outside_its_run_is_no_imitator(tmp_path):
    def task(model):
        return tasks.task_of_model(model).name

    assert task(tiny.imitation() / MODEL) == "feature_imitation"
    assert task(tiny.imitation() / CLASSIFIER_MODEL) == "stft_classifier"
    copy = tmp_path / MODEL
    shutil.copyfile(tiny.imitation() / MODEL, copy)
    assert task(copy) == "stft_classifier"
