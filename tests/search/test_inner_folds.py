"""No recording of the test set reaches a candidate, however recordings are divided."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio import protocols
from edgebio.errors import EdgebioError
from edgebio.recipes import DataSettings
from edgebio.recordings.recording import Recording
from edgebio.search.inner_folds import inner_folds
from tests import tiny


def recordings(subjects, sessions, repetitions):
    """Small recordings, each with its own samples."""
    return [
        Recording(
            samples=np.full((4, 1), 1000 * p + 100 * s + 10 * r + c, np.int16),
            rate=1000.0, units="-", labels=np.full(4, c, np.int16), classes=("a", "b"),
            subject=str(p), session=str(s), repetition=r, source=f"{p}/{s}/{r}/{c}",
        )
        for p in range(subjects) for s in range(sessions) for r in range(repetitions)
        for c in range(2)
    ]  # fmt: skip


@settings(max_examples=100)
@given(
    subjects=st.integers(1, 6), sessions=st.integers(1, 3), repetitions=st.integers(1, 4),
    tested=st.sampled_from(["session", "repetition", *protocols.names()]),
    inner=st.sampled_from([None, *protocols.names()]),
)  # fmt: skip
def test_no_recording_of_the_test_set_reaches_a_candidate(
    subjects, sessions, repetitions, tested, inner
):
    everything = recordings(subjects, sessions, repetitions)
    data = {
        "session": DataSettings(test_sessions=("1",)),
        "repetition": DataSettings(test_repetitions=1),
    }.get(tested, DataSettings(protocol=tested))
    recipe = tiny.RECIPE.model_copy(update={"data": data})
    try:
        outer = protocols.split_for_training(recipe.data, everything)
        protocol, folds = inner_folds(outer, inner)
    except EdgebioError:  # too few subjects, sessions or repetitions
        return
    assert inner in (None, protocol)
    untouched = {protocols.digest(r) for r in (*outer.test, *outer.tune)}
    for fold in folds:
        seen = {
            protocols.digest(r)
            for part in (fold.train, fold.test, fold.tune, fold.validation)
            for r in part
        }
        assert seen
        assert not seen & untouched
        if outer.group == "subject":
            seen_subjects = {r.subject for r in (*fold.train, *fold.test, *fold.tune)}
            assert not seen_subjects & {r.subject for r in outer.test}


@pytest.mark.parametrize(
    ("data", "shape", "protocol"),
    [
        (DataSettings(test_sessions=("1",)), (2, 2, 3), "within-session"),
        (DataSettings(test_sessions=("2",)), (2, 3, 1), "one-to-one"),
        (DataSettings(protocol="cross-subject"), (3, 1, 2), "cross-subject"),
        (DataSettings(protocol="transfer"), (3, 2, 1), "transfer"),
        (DataSettings(test_repetitions=1), (2, 1, 3), "within-session"),
    ],
)
def test_training_set_is_divided_as_the_recipe_is_tested(data, shape, protocol):
    recipe = tiny.RECIPE.model_copy(update={"data": data})
    outer = protocols.split_for_training(recipe.data, recordings(*shape))
    assert inner_folds(outer)[0] == protocol
