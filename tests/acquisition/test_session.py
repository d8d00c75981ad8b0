"""A guided recording: honest labels, gaps, repeats, crashes and what continues after them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from edgebio.acquisition import Placement, Plan, RecordingSession, SessionState, session
from edgebio.acquisition.assemble import assemble
from edgebio.acquisition.journal import MAGIC, JournalWriter, journal_path, read_journal
from edgebio.errors import EdgebioError
from edgebio.recordings import load_recordings
from edgebio.recordings.recording import UNLABELED
from edgebio.recordings.recordings_file import read_acquisition
from edgebio.sources import LiveStream, open_stream
from tests.sources.fake import chunk

PLAN = Plan(("rest", "fist"), 2, 1.2, 0.3, 0.2)
URL = "synthetic://?channels=4&rate=1000&delay=0.15"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_CHECK_SECONDS", 0.6)


def run(recorder: RecordingSession, until: int | None = None) -> SessionState:
    state = recorder.state
    while state.phase not in ("done", "paused") and (until is None or state.done < until):
        state = recorder.step(0.02)
    return state


def test_labels_begin_after_the_transition_and_match_the_prompts(tmp_path: Path) -> None:
    """The source follows each prompt after 0.15 s: no labeled sample is of another class."""
    output = tmp_path / "day.npz"
    with open_stream(URL) as stream:
        recorder = RecordingSession(
            stream, PLAN, output, Placement("anna", "morning", "forearm", "24")
        )
        run(recorder)
        assembly = recorder.save()
    recordings = load_recordings(output)
    assert sorted((r.repetition, _class(r)) for r in recordings) == [
        (0, "fist"), (0, "rest"), (1, "fist"), (1, "rest"),
    ]  # fmt: skip
    assert {(r.subject, r.session) for r in recordings} == {("anna", "morning")}
    for each in recordings:
        labeled = each.labels != UNLABELED
        assert 0.9 < labeled.sum() / 1000 <= 1.05
        rms = each.samples[labeled].astype(float).std(axis=0)
        # 20 ms pieces: none of them is quiet in a fist, or loud at rest
        pieces = each.samples[labeled][:900].reshape(45, 20, 4).astype(float).std(axis=(1, 2))
        if _class(each) == "rest":
            assert rms.max() < 20
            assert pieces.max() < 30
        else:
            assert rms.max() > 60
            assert pieces[4:].min() > 30  # the contraction ramps up with 80 ms
    assert assembly.lost == 0
    assert assembly.notes["reaction_seconds"] == pytest.approx(0.15, abs=0.06)
    notes = read_acquisition(output)
    assert notes is not None
    first = notes["runs"][0]
    assert (first["placement"], first["gain"], first["transition_seconds"]) == (
        "forearm",
        "24",
        0.2,
    )
    assert len(notes["starts"]) == 4
    assert abs(notes["starts"][0] - time.time()) < 60
    assert not journal_path(output).exists()


def _class(recording: object) -> str:
    labels = np.asarray(recording.labels)  # type: ignore[attr-defined]
    (only,) = set(labels[labels != UNLABELED].tolist())
    return str(recording.classes[only])  # type: ignore[attr-defined]


def test_a_repeated_repetition_keeps_its_samples_without_a_label(tmp_path: Path) -> None:
    output = tmp_path / "day.npz"
    with open_stream(URL) as stream:
        recorder = RecordingSession(stream, PLAN, output)
        run(recorder, until=1)
        recorder.repeat()
        assert "is asked again" in recorder.state.message
        run(recorder)
        recorder.save()
    recordings = load_recordings(output)
    assert len(recordings) == 4
    assert sum(int((r.labels != UNLABELED).sum()) for r in recordings) < 4200


def test_a_pause_asks_for_the_repetition_again(tmp_path: Path) -> None:
    with open_stream(URL) as stream:
        recorder = RecordingSession(stream, PLAN, tmp_path / "day.npz")
        while recorder.step(0.02).phase != "hold":
            pass
        recorder.pause()
        assert recorder.step(0.02).phase == "paused"
        recorder.resume()
        assert recorder.step(0.02).phase == "rest"
        assert run(recorder, until=1).done == 1
        recorder.close()


def test_an_interrupted_recording_goes_on(tmp_path: Path) -> None:
    output = tmp_path / "day.npz"
    with open_stream(URL) as stream:
        recorder = RecordingSession(stream, PLAN, output)
        run(recorder, until=2)
        recorder.close()
        assert journal_path(output).exists()
        again = RecordingSession(stream, PLAN, output)
        assert again.state.done == 2
        assert "2 repetitions are there" in again.state.message
        run(again)
        again.save()
    assert len(load_recordings(output)) == 4


def test_a_repetition_of_an_earlier_run_that_is_asked_again_counts_once(tmp_path: Path) -> None:
    output = tmp_path / "day.npz"
    with open_stream(URL) as stream:
        recorder = RecordingSession(stream, PLAN, output)
        with pytest.raises(EdgebioError, match="no repetition was recorded yet"):
            recorder.save()
        run(recorder, until=1)
        recorder.close()
        again = RecordingSession(stream, PLAN, output)
        again.repeat()
        run(again)
        again.save()
    trials = [(_class(r), r.repetition) for r in load_recordings(output)]
    assert sorted(trials) == [("fist", 0), ("fist", 1), ("rest", 0), ("rest", 1)]


def test_another_plan_does_not_continue(tmp_path: Path) -> None:
    output = tmp_path / "day.npz"
    with open_stream(URL) as stream:
        RecordingSession(stream, PLAN, output).close()
        with pytest.raises(EdgebioError, match="an unfinished recording with classes"):
            RecordingSession(stream, Plan(("rest", "open")), output)


def test_a_killed_process_loses_at_most_a_second(tmp_path: Path) -> None:
    """SIGKILL in the middle: everything but the last second is in the journal."""
    output = tmp_path / "day.npz"
    arguments = ["record", URL, "--classes", "rest,fist", "--unattended", "-o", str(output)]
    process = subprocess.Popen(
        [sys.executable, "-m", "edgebio", *arguments], stderr=subprocess.DEVNULL
    )
    journal = journal_path(output)
    while not journal.exists():
        assert process.poll() is None
        time.sleep(0.02)
    start = time.monotonic()
    time.sleep(2.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    elapsed = time.monotonic() - start
    chunks = [content for kind, content in read_journal(journal) if kind == "S"]
    assert sum(len(each.samples) for each in chunks) / 1000 > elapsed - 1.6  # and its start


@pytest.mark.parametrize("cut", [1, 7, 40, 200])
def test_a_cut_journal_loses_its_last_record_only(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.npz.part"
    with JournalWriter(path) as journal:
        journal.add("R", {"channels": 2})
        for number in range(10):
            journal.add_samples(chunk(5 * number, 5, value=number))
    os.truncate(path, path.stat().st_size - cut)
    whole = [content for kind, content in read_journal(path) if kind == "S"]
    assert [each.first for each in whole] == [5 * number for number in range(len(whole))]
    assert len(whole) >= 10 - 1 - cut // 57
    with JournalWriter(path) as journal:
        journal.add_samples(chunk(100, 5))
    assert [c.first for k, c in read_journal(path) if k == "S"] == [*(c.first for c in whole), 100]


def test_two_programs_do_not_record_into_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a.npz.part"
    with JournalWriter(path) as journal:
        journal.add_samples(chunk(0, 5))
        with pytest.raises(EdgebioError, match="another program records into it"):
            JournalWriter(path)
    JournalWriter(path).close()


def test_another_file_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "a.npz.part"
    path.write_bytes(b"something else entirely")
    with pytest.raises(EdgebioError, match="not an unfinished recording"):
        JournalWriter(path)
    assert path.read_bytes() == b"something else entirely"
    path.write_bytes(MAGIC)
    with pytest.raises(EdgebioError, match="no repetition was recorded"):
        assemble(path)


def test_a_gap_asks_for_the_repetition_again_and_cuts_the_recording(tmp_path: Path) -> None:
    output = tmp_path / "day.npz"
    with open_stream(URL) as stream:
        recorder = RecordingSession(stream, PLAN, output)
        while recorder.step(0.02).phase != "hold":
            pass
        recorder.step(0.3)
        _lose(stream, 50)
        state = recorder.state
        while state.phase == "hold":
            state = recorder.step(0.02)
        assert "is asked again: samples went missing" in state.message
        assert state.done == 0
        run(recorder)
        assembly = recorder.save()
    assert assembly.lost == 50
    assert assembly.gaps == ["samples went missing"]
    assert len(assembly.recordings) == 4


def _lose(stream: LiveStream, count: int) -> None:
    """Let the source skip samples, as a converter that loses them."""
    source = stream._source
    read = source.read

    def read_after_gap(seconds: float) -> list:
        source._sent += count  # type: ignore[attr-defined]
        source.read = read  # type: ignore[method-assign]
        chunks = read(max(seconds, count / 1000 + 0.02))
        if not chunks:
            return chunks
        first = chunks[0]
        marked = type(first)(first.first, first.samples, first.times, "samples went missing")
        return [marked, *chunks[1:]]

    source.read = read_after_gap  # type: ignore[method-assign]


def test_a_bad_channel_pauses_before_anything_is_asked(tmp_path: Path) -> None:
    with open_stream(URL) as stream:
        source = stream._source
        samples = source._samples  # type: ignore[attr-defined]

        def dead(times: np.ndarray) -> np.ndarray:
            values = samples(times)
            values[:, 2] = 0
            return values

        source._samples = dead  # type: ignore[attr-defined]
        time.sleep(0.1)
        stream.read(0.1)
        recorder = RecordingSession(stream, PLAN, tmp_path / "day.npz")
        state = run(recorder)
        recorder.close()
    assert state.phase == "paused"
    assert state.message == "channel 3 is dead: check its electrode and cable"


@pytest.mark.parametrize(
    ("classes", "text"),
    [(("rest",), "1 class; a classifier needs two"), (("a", "a"), "is there twice"),
     (("a", " "), "has no name")],
)  # fmt: skip
def test_plans_that_make_no_sense_are_refused(classes: tuple[str, ...], text: str) -> None:
    with pytest.raises(EdgebioError, match=text):
        Plan(classes)


def test_a_repetition_must_outlast_its_transition() -> None:
    with pytest.raises(EdgebioError, match="at least 1 s must remain"):
        Plan(("a", "b"), seconds=1.2, transition_seconds=0.5)


def test_every_repetition_has_all_classes_in_its_own_order() -> None:
    plan = Plan(tuple("abcdef"), 4, seed=1)
    orders = [tuple(t.name for t in plan.trials if t.repetition == r) for r in range(4)]
    assert all(sorted(order) == list("abcdef") for order in orders)
    assert len(set(orders)) > 1
    assert plan.trials == Plan(tuple("abcdef"), 4, seed=1).trials
