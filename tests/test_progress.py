import sys

import pytest

from edgebio import progress


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(progress, "_enabled", True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)


def test_a_nested_progress_bar_is_part_of_the_outer_one(terminal):
    with progress.bar("outer", 2) as outer:
        assert list(progress.track([1, 2, 3], "inner")) == [1, 2, 3]
        outer(1)
    with progress.bar("again"):
        pass


def test_a_progress_bar_is_silent_without_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(progress, "_enabled", True)
    assert list(progress.track(iter("ab"), "letters")) == ["a", "b"]
    assert capsys.readouterr() == ("", "")


def test_an_error_closes_the_progress_bar(terminal):
    with pytest.raises(ValueError, match="x"), progress.bar("outer"):
        raise ValueError("x")
    with progress.bar("again"):
        assert progress._shown
    assert not progress._shown
