"""What the page does: signals, a guided recording, decisions, and tests, over a real socket."""

import shutil
import struct
from collections.abc import Iterator

import numpy as np
import pytest

from edgebio.acquisition import session
from edgebio.project import ProjectSettings
from edgebio.recordings import load_recordings
from tests import tiny
from tests.studio.serving import Studio, messages, serving

CLASSES = ("neutral", "power grip")
REPLAY = "replay://emg-synthetic:1:2"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    settings = ProjectSettings(source=REPLAY, classes=CLASSES)
    with serving(tmp_path_factory.mktemp("studio") / "hand", settings) as studio:
        yield studio


def test_signals_reach_the_page_as_they_are(studio: Studio) -> None:
    """The samples of the socket are those of the source, numbered without a gap."""
    answer = studio.post("source/open", url="replay://emg-synthetic:1:2?loop=1")
    assert len(answer["source"]["channels"]) == 10
    with studio.socket() as page:
        received = messages(page, 1, 30)
        quality = messages(page, "quality")[0]
    ends = None
    for message in received:
        _, first, channels, _ = struct.unpack_from("<BIHH", message)
        samples = np.frombuffer(message, "<i2", offset=9).reshape(-1, channels)
        assert channels == 10
        assert ends in (None, first)
        ends = first + len(samples)
    assert quality["channels"] == ["good"] * 10
    assert quality["lost"] == 0


def test_a_recording_is_guided_and_saved(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_CHECK_SECONDS", 0.5)
    studio.post("source/open", url=REPLAY)
    with studio.socket() as page:
        answer = studio.post(
            "record/start",
            subject="anna",
            session="x",
            repetitions=1,
            seconds=1.6,
            rest_seconds=0.2,
        )
        assert answer["command"].startswith("edgebio record --subject anna --session x")
        prompts = messages(page, "prompt", 3)
        status, early = studio.ask("/api/record/save", {})
        assert status == 400
        assert "no repetition was recorded yet" in early["error"]
        studio.post("record/pause")
        assert any(each["phase"] == "paused" for each in messages(page, "prompt", 3))
        studio.post("record/resume")
        recorded = messages(page, "recorded")[0]
    assert {"phase", "name", "following", "remaining", "done", "total"} <= prompts[0].keys()
    assert (recorded["recordings"], recorded["lost"]) == (2, 0)
    file = studio.project.recording("anna", "x")
    assert {r.subject for r in load_recordings(file)} == {"anna"}
    assert studio.ask("/api/state")[1]["recordings"] == [file.name]
    status, answer = studio.ask("/api/record/start", {"subject": "anna", "session": "x"})
    assert status == 400
    assert "exists already" in answer["error"]


def test_decisions_images_and_a_test_of_control(studio: Studio) -> None:
    tiny.quantized()
    shutil.copytree(tiny.run(), studio.project.next_run())
    studio.post("source/open", url=REPLAY)
    with studio.socket() as page:
        answer = studio.post("live/start", board="", port="")
        assert answer["classes"][0] == "neutral"
        assert answer["command"].startswith("edgebio live ")
        decision = messages(page, "decision", 3)[-1]
        image = messages(page, 2)[0]
        studio.post("test/start", kind="targets")
        test = messages(page, "test")[0]
        status, refused = studio.ask(
            "/api/test/start", {"kind": "cursor", "directions": ["a", "b", "c", "d"]}
        )
        result = studio.post("live/stop")
    _, frames, bins = struct.unpack_from("<BHH", image)
    assert len(image) == 5 + frames * bins
    assert sum(decision["probabilities"]) == pytest.approx(1, abs=0.01)
    assert decision["differing"] == 0
    assert test["target"] in answer["classes"]
    assert (status, result["differing"], result["lost"]) == (400, 0, 0)
    assert "four classes" in refused["error"]
    assert result["decisions"] >= 3


def test_a_job_is_a_command_with_its_lines_and_result(studio: Studio) -> None:
    with studio.socket() as page:
        answer = studio.post("report")
        assert answer["command"] == "edgebio report runs/1"
        status, refused = studio.ask("/api/train", {})
        assert status == 400
        assert "report is at work" in refused["error"]
        job = messages(page, "job", seconds=90)[-1]["job"]
        while job["code"] is None:
            job = messages(page, "job", seconds=90)[-1]["job"]
    assert job["code"] == 0, job["lines"]
    assert isinstance(job["result"], dict)
    assert studio.report(studio.project.latest_run().name).startswith("<!doctype html>")


def test_a_source_that_ends_is_told_and_closed(studio: Studio) -> None:
    with studio.socket() as page:
        studio.post("source/open", url="replay://emg-synthetic:1:2:0?speed=0&loop=0")
        assert "played to its end" in messages(page, "error")[0]["text"]
