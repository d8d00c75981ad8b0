"""Nothing of the test side reaches a candidate, however recordings are divided."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio import protocols
from edgebio.errors import EdgebioError
from edgebio.recipes import DataSettings
from edgebio.recordings.recording import Recording
from edgebio.search import sides
from tests import tiny


def recordings(people, sessions, repetitions):
    """Small ones, each with samples of its own."""
    return [
        Recording(
            samples=np.full((4, 1), 1000 * p + 100 * s + 10 * r + c, np.int16),
            rate=1000.0, units="-", labels=np.full(4, c, np.int16), classes=("a", "b"),
            subject=str(p), session=str(s), repetition=r, source=f"{p}/{s}/{r}/{c}",
        )
        for p in range(people) for s in range(sessions) for r in range(repetitions)
        for c in range(2)
    ]  # fmt: skip


@settings(max_examples=100)
@given(
    people=st.integers(1, 6), sessions=st.integers(1, 3), repetitions=st.integers(1, 4),
    tested=st.sampled_from(["session", "repetition", *protocols.names()]),
    inner=st.sampled_from([None, *protocols.names()]),
)  # fmt: skip
def test_no_recording_of_the_test_side_reaches_a_candidate(
    people, sessions, repetitions, tested, inner
):
    everybody = recordings(people, sessions, repetitions)
    data = {
        "session": DataSettings(test_sessions=("1",)),
        "repetition": DataSettings(test_repetitions=1),
    }.get(tested, DataSettings(protocol=tested))
    recipe = tiny.RECIPE.model_copy(update={"data": data})
    try:
        side = protocols.of_job(recipe.data, everybody)
        chosen, folds = sides.folds(side, inner)
    except EdgebioError:  # too few people, sessions or repetitions for it
        return
    assert inner in (None, chosen)
    put_away = {protocols.digest(r) for r in (*side.test, *side.tune)}
    for fold in folds:
        met = {
            protocols.digest(r)
            for part in (fold.train, fold.test, fold.tune, fold.validation)
            for r in part
        }
        assert met
        assert not met & put_away
        if side.apart == "subject":
            met_people = {r.subject for r in (*fold.train, *fold.test, *fold.tune)}
            assert not met_people & {r.subject for r in side.test}


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
def test_the_training_side_is_divided_as_the_recipe_is_tested(data, shape, protocol):
    recipe = tiny.RECIPE.model_copy(update={"data": data})
    assert sides.folds(protocols.of_job(recipe.data, recordings(*shape)))[0] == protocol
