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


def lines_of(capsys, *, first=0.0, following=0.0):
    """Lines of a training of two epochs of two batches, without a terminal."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "_enabled", True)
        patch.setattr(progress, "FIRST_LINE", first)
        patch.setattr(progress, "NEXT_LINE", following)
        with progress.bar("training", 4) as advance:
            for epoch in (1, 2):
                advance(1)
                advance(1)
                progress.note(f"epoch {epoch} of 2, loss 0.5")
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def test_a_pipe_gets_plain_lines_with_the_note_and_the_time_left(capsys):
    lines = lines_of(capsys)
    assert lines[0] == "training: 25 %, 0 s left"
    assert lines[2] == "training: epoch 1 of 2, loss 0.5, 50 %, 0 s left"
    assert lines[-1] == "training: epoch 2 of 2, loss 0.5, 100 %, 0 s left"
    assert not any("\r" in line or "\x1b" in line for line in lines)


def test_lines_of_a_pipe_are_few(capsys):
    assert lines_of(capsys, first=60) == []
    assert len(lines_of(capsys, following=60)) == 1


def test_notes_without_a_bar_or_in_a_library_are_dropped(capsys, monkeypatch):
    progress.note("nobody listens")
    monkeypatch.setattr(progress, "_enabled", False)
    with progress.bar("training", 2):
        progress.note("loss 0.5")
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_the_note(terminal, capsys):
    with progress.bar("folds", 2) as advance:
        progress.note("fold [a]: epoch 1 of 2")
        advance(1)
        assert progress._shown is not None
        assert progress._shown.note == "fold [a]: epoch 1 of 2"


def test_an_error_closes_the_progress_bar(terminal):
    with pytest.raises(ValueError, match="x"), progress.bar("outer"):
        raise ValueError("x")
    with progress.bar("again"):
        assert progress._shown
    assert not progress._shown
