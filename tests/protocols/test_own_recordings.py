"""Recordings of a user are divided though the recipe names another data set's sessions."""

import numpy as np
import pytest

from edgebio.errors import EdgebioError, EdgebioWarning
from edgebio.protocols import split_for_training
from edgebio.recipes import DataSettings
from edgebio.recordings.recording import Recording


def recordings(*sessions: str) -> list[Recording]:
    rng = np.random.default_rng(0)
    return [
        Recording(
            samples=rng.integers(-99, 99, (20, 2)).astype(np.int16), rate=1000.0, units="counts",
            labels=np.full(20, label, np.int16), classes=("rest", "fist"), subject="1",
            session=session, repetition=repetition, source=f"{session}/{label}/{repetition}",
        )
        for session in sessions for label in (0, 1) for repetition in range(3)
    ]  # fmt: skip


def settings(dataset: str) -> DataSettings:
    return DataSettings(dataset=dataset, train_sessions=("1",), test_sessions=("2",))


def test_one_session_is_tested_on_its_last_repetitions() -> None:
    with pytest.warns(EdgebioWarning, match="the last repetition of each class is tested"):
        fold = split_for_training(settings("mine.npz"), recordings("a"))
    assert {r.repetition for r in fold.test} == {2}
    assert {r.repetition for r in fold.train} == {0, 1}


def test_several_sessions_are_tested_on_the_last() -> None:
    with pytest.warns(EdgebioWarning, match="session c is tested"):
        fold = split_for_training(settings("mine.npz"), recordings("a", "b", "c"))
    assert {r.session for r in fold.test} == {"c"}
    assert {r.session for r in fold.train} == {"a", "b"}


def test_a_recipe_that_names_wrong_sessions_of_its_own_data_set_is_refused() -> None:
    with pytest.raises(EdgebioError, match="no session '1' here"):
        split_for_training(settings("emg-3dc"), recordings("a"))
