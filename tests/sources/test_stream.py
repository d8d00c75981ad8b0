"""LiveStream: numbering, gaps, back-pressure, and sources that stall, go and return."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from edgebio.errors import EdgebioError
from edgebio.sources import Chunk, EndOfSourceError, LiveStream, SourceError, open_stream, source_of
from edgebio.sources import stream as stream_module
from tests.sources.fake import FakeSource, chunk, description


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "_STALL", 0.05)
    monkeypatch.setattr(stream_module, "_RETRY", 0.02)


@contextmanager
def streaming(source: FakeSource, **options: float) -> Iterator[tuple[LiveStream, list[str]]]:
    lines: list[str] = []
    with LiveStream(source, on_status=lines.append, **options) as stream:  # type: ignore[arg-type]
        yield stream, lines


def read_all(stream: LiveStream, seconds: float = 0.3) -> list[Chunk]:
    end, chunks = time.monotonic() + seconds, list[Chunk]()
    while time.monotonic() < end:
        chunks += stream.read(0.02)
    return chunks


def test_chunks_come_in_order_and_without_gaps() -> None:
    with streaming(FakeSource([chunk(0, 5), chunk(5, 3)], [chunk(8, 4)])) as (stream, _):
        assert [c.first for c in read_all(stream)] == [0, 5, 8]
        assert stream.gaps == []
        assert stream.lost == 0


def test_a_gap_of_the_source_is_counted_with_its_reason() -> None:
    source = FakeSource([chunk(0, 5)], [chunk(9, 3, "packets are lost")])
    with streaming(source) as (stream, _):
        chunks = read_all(stream)
    assert [c.gap for c in chunks] == ["", "packets are lost"]
    assert [(g.first, g.lost, g.reason) for g in stream.gaps] == [(9, 4, "packets are lost")]


def test_a_stalled_source_is_told_once_and_loses_nothing() -> None:
    with streaming(FakeSource([chunk(0, 5)], 0.2, [chunk(5, 5)])) as (stream, lines):
        chunks = read_all(stream, 0.5)
    assert sum(len(c.samples) for c in chunks) == 10
    assert stream.gaps == []
    assert "no samples for" in lines[0]
    assert lines.count("fake: samples arrive again") == 1


def test_a_source_that_returns_goes_on_after_a_gap() -> None:
    source = FakeSource([chunk(0, 5)], SourceError("fake: gone"), [chunk(0, 5)])
    with streaming(source) as (stream, lines):
        chunks = read_all(stream)
    assert source.opened == 2
    assert chunks[1].first > 5
    assert chunks[1].gap.startswith("the source was gone for")
    assert stream.lost == chunks[1].first - 5
    assert lines[0] == "fake: gone; waiting for it"


def test_a_source_that_stays_away_ends_the_stream_after_what_arrived() -> None:
    source = FakeSource([chunk(0, 5)], SourceError("fake: gone"))
    opens = source.open

    def open_once() -> None:
        if source.opened:
            raise SourceError("fake: still gone")
        opens()

    source.open = open_once  # type: ignore[method-assign]
    with streaming(source, reconnect_seconds=0.1) as (stream, _):
        time.sleep(0.4)
        assert len(stream.read(0.0)) == 1
        with pytest.raises(SourceError, match=r"gone; it did not come back within 0\.1 s"):
            stream.read(0.5)


def test_a_source_that_returns_as_another_is_refused() -> None:
    source = FakeSource([chunk(0, 5)], SourceError("fake: gone"), [chunk(0, 5)])
    source.descriptions.append(description(rate=500.0))
    with (
        streaming(source) as (stream, _),
        pytest.raises(SourceError, match=r"came back with 2 channels at 500 Hz .*not 2 at 1000"),
    ):
        read_all(stream)


def test_a_program_that_falls_behind_loses_the_oldest_and_knows_it() -> None:
    sent = [chunk(100 * number, 100) for number in range(10)]
    with streaming(FakeSource(sent), buffer_seconds=0.3) as (stream, _):
        time.sleep(0.2)
        chunks = read_all(stream, 0.1)
    assert [c.first for c in chunks] == [700, 800, 900]
    assert [(g.lost, g.reason) for g in stream.gaps] == [(700, "the program fell behind")]


def test_another_rate_than_stated_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "_RATE_WINDOW", 0.2)
    source = FakeSource(*[[chunk(5 * number, 5)] if number % 2 else 0.01 for number in range(200)])
    source.paced = True
    with (
        streaming(source) as (stream, _),
        pytest.raises(SourceError, match="samples arrive in a second, not 1000"),
    ):
        read_all(stream, 2.0)


def test_the_end_of_a_source_comes_after_its_samples() -> None:
    with streaming(FakeSource([chunk(0, 5)], EndOfSourceError("played"))) as (stream, _):
        time.sleep(0.1)
        assert len(stream.read(0.1)) == 1
        with pytest.raises(EndOfSourceError):
            stream.read(0.1)


def test_a_fault_of_a_driver_is_one_line() -> None:
    with (
        streaming(FakeSource(ValueError("driver"))) as (stream, _),
        pytest.raises(SourceError, match="fake://: driver"),
    ):
        read_all(stream)


def test_cues_reach_the_source_in_its_own_thread() -> None:
    source = FakeSource()
    with streaming(source) as (stream, _):
        before = time.monotonic()
        assert stream.cue("fist") >= before
        time.sleep(0.1)
    assert source.cues == ["fist"]


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("synthetic", "not a URL; expected one of device://"),
        ("synthetik://", "no scheme 'synthetik' .did you mean 'synthetic'"),
        ("synthetic://?chanels=3", "no option 'chanels' .did you mean 'channels'"),
        ("synthetic://?channels=x", "channels 'x'; expected a whole number from 1 to 256"),
        ("synthetic://?rate=-1", "rate '-1'; expected a number above 0"),
        ("synthetic://?rate", "rate ''; expected a number above 0"),
        ("serial://", "name a port"),
        ("replay://", "name a file"),
        ("brainflow://cytom", "no board 'cytom'"),
        ("lsl://?type=a'b", "may not contain '"),
    ],
)
def test_wrong_urls_say_what_is_wrong(url: str, text: str) -> None:
    with pytest.raises(EdgebioError, match=text), open_stream(url):
        pass


def test_a_source_is_not_opened_before_it_is_used() -> None:
    source_of("serial:///dev/not-there")
