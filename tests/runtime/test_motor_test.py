"""Tests of control: what is reached, missed, and how it is scored."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio.runtime.motor_test import (
    HOLD_SECONDS,
    LIMIT_SECONDS,
    CursorTest,
    TargetMatching,
)

CLASSES = ("rest", "fist", "open")
DIRECTIONS = ("right", "up", "left", "down")


def test_a_wearer_who_always_reaches_the_target_scores_one() -> None:
    test, time = TargetMatching(CLASSES, 6), 0.0
    test.update(time, "")
    while not test.done:
        time += 0.05
        target = test.document()["target"]
        test.update(time, target if time % 2 > 0.3 or target == "rest" else "rest")
    score = test.score.document()
    assert score["completion_rate"] == 1
    assert score["attempts"] == 6
    assert 0 <= score["seconds"] < 2
    assert sorted({each.name for each in test.score.attempts}) == sorted(CLASSES)


def test_a_wearer_who_never_holds_misses_every_target() -> None:
    """Three decisions of four are right, 0.1 s apart: none is held for half a second."""
    test, number = TargetMatching(CLASSES, 2), 0
    while not test.done:
        right = test.document()["target"] if number % 4 else ""
        shown = test.update(number * HOLD_SECONDS / 5, right)
        number += 1
    assert shown["score"]["completion_rate"] == 0
    assert shown["score"]["seconds"] is None
    assert all(each.seconds == LIMIT_SECONDS for each in test.score.attempts)


def _steer(test: CursorTest) -> str:
    shown = test.document()
    if shown["target"] is None:
        return "rest"
    dx = shown["target"][0] - shown["cursor"][0]
    dy = shown["target"][1] - shown["cursor"][1]
    if math.hypot(dx, dy) < shown["target"][2] / 3:
        return "rest"
    if abs(dx) > abs(dy):
        return "right" if dx > 0 else "left"
    return "up" if dy > 0 else "down"


def test_a_cursor_that_is_steered_reaches_its_targets() -> None:
    test, time = CursorTest(DIRECTIONS, 8, seed=3), 0.0
    while not test.done:
        test.update(time, _steer(test))
        time += 0.02
    score = test.score.document()
    assert score["completion_rate"] == 1
    assert 0.6 < score["path_efficiency"] <= 1
    assert 0.5 < score["throughput"] < 5


@given(st.lists(st.sampled_from([*DIRECTIONS, "rest", "other"]), max_size=60), st.integers(0, 50))
def test_the_cursor_stays_in_its_field(names: list[str], seed: int) -> None:
    test = CursorTest(DIRECTIONS, 2, seed)
    for number, name in enumerate(names):
        shown = test.update(number * 0.2, name)
        assert all(-0.5 <= value <= 0.5 for value in shown["cursor"])


def test_difficulty_is_shannons() -> None:
    test, time = CursorTest(DIRECTIONS, 1, seed=0), 0.0
    x, y, width = test.document()["target"]
    while not test.done:
        test.update(time, _steer(test))
        time += 0.02
    (attempt,) = test.score.attempts
    assert attempt.difficulty == pytest.approx(math.log2(math.hypot(x, y) / width + 1))
