"""Protocols as scikit-learn's ``cv``, with a real classifier on Hudgins features."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score

from edgebio.errors import EdgebioError
from edgebio.protocols import ProtocolSplitter, names, split
from tests import tiny
from tests.protocols.test_protocols import data_set

STEP, LENGTH = 100, 200


def segments(recordings):
    """Mean absolute value by channel of every segment, its class, and the recording's index."""
    parts = []
    for number, r in enumerate(recordings):
        begin = np.arange(0, len(r.samples) - LENGTH + 1, STEP)
        features = [np.abs(r.samples[b : b + LENGTH]).mean(axis=0) for b in begin]
        parts.append((np.array(features), r.labels[begin], np.full(len(begin), number)))
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


@pytest.fixture(scope="module")
def recordings():
    return [r for subject in "123" for r in tiny.recordings(subject)]


@pytest.mark.parametrize("name", ["one-to-one", "cross-subject", "transfer", "patient-wise"])
def test_cross_val_score_scores_the_folds_of_a_protocol(recordings, name):
    X, y, groups = segments(recordings)
    splitter = ProtocolSplitter(name, recordings)
    scores = cross_val_score(LinearDiscriminantAnalysis(), X, y, groups=groups, cv=splitter)
    expected = []
    for fold in split(name, recordings):
        (X_train, y_train, _), (X_test, y_test, _) = map(
            segments, (fold.one_stage_train, fold.test)
        )
        model = LinearDiscriminantAnalysis().fit(X_train, y_train)
        expected.append(accuracy_score(y_test, model.predict(X_test)))
    np.testing.assert_allclose(scores, expected)
    assert len(scores) == splitter.get_n_splits(X, y, groups) == len(expected)
    assert min(scores) > 0.2


@pytest.mark.parametrize("name", names())
def test_no_recording_has_rows_in_both_sets(name):
    subjects = ["100", "101", "pre 1", "eval 1"]
    recordings = data_set(subjects, conditions=("20", "50"))
    groups = np.random.default_rng(1).permutation(np.repeat(np.arange(len(recordings)), 3))
    splitter = ProtocolSplitter(name, recordings)
    for fold, (train, test) in zip(
        splitter.folds, splitter.split(np.zeros((len(groups), 2)), None, groups), strict=True
    ):
        assert {recordings[k] for k in groups[train]} == set(fold.one_stage_train)
        assert {recordings[k] for k in groups[test]} == set(fold.test)
        assert len(train) == 3 * len(fold.one_stage_train)
        assert not set(train) & set(test)


def test_grid_search_takes_a_protocol(recordings):
    X, y, groups = segments(recordings)
    search = GridSearchCV(
        LinearDiscriminantAnalysis(solver="lsqr"), {"shrinkage": [0.01, 0.5]},
        cv=ProtocolSplitter("cross-subject", recordings),
    )  # fmt: skip
    assert search.fit(X, y, groups=groups).n_splits_ == 3


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (None, "cross-subject needs groups=: for each row the index of its recording"),
        (np.zeros(3, int), r"12 integers, one for each row of X, not int64 of shape \(3,\)"),
        (np.zeros(12), "12 integers, one for each row of X, not float64"),
        (np.arange(12) + 1, "must index 12 recordings, but go from 1 to 12"),
        (np.zeros(12, int), "fold 'a': no row of X is in the training set"),
    ],
)
def test_groups_that_do_not_fit_are_refused_in_one_line(groups, message):
    splitter = ProtocolSplitter("cross-subject", data_set("ab", "1", 3, 2))
    with pytest.raises(EdgebioError, match=message) as error:
        next(splitter.split(np.zeros((12, 4)), None, groups))
    assert "\n" not in str(error.value)
