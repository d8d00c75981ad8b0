"""The firmware's rules, one by one, with frames made by hand."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgebio.decision.spec import REJECTED, REST
from edgebio.link import frames, packing
from edgebio.link.frames import Frame
from edgebio.link.messages import CODES, MESSAGES, VERSION
from edgebio.runtime import host_device
from tests.link.raw import Raw, told
from tests.link.standin import SPEC, StandIn, signal

WAIT, RESTART = CODES["on_gap"]["wait"], CODES["on_gap"]["restart"]
IMAGE, WINDOW = CODES["target"]["image"], CODES["target"]["window"]


@pytest.fixture
def raw(executable: Path) -> Iterator[Raw]:
    with host_device.running(executable) as device, Raw(device.url) as session:
        yield session


def samples_frame(raw: Raw, samples: np.ndarray, first: int, end: int, decided: int = 0) -> Frame:
    piece = samples[first:end]
    bits = packing.width(piece)
    return raw.frame(
        "stream_samples", first=first, decided=decided, count=len(piece), bits=bits,
        packed=packing.pack(piece, bits),
    )  # fmt: skip


def bare_samples(count: int, bits: int, packed: bytes) -> Frame:
    layout = MESSAGES["stream_samples"].request
    assert layout is not None
    payload = layout.pack(first=0, decided=0, count=count, bits=bits, packed=packed)
    return Frame(MESSAGES["stream_samples"].kind, 5000, payload)


def test_repeated_request_is_answered_again_and_not_carried_out_again(
    raw: Raw, model: StandIn
) -> None:
    image = model.images(signal(100))[0]
    raw.ask("upload", target=IMAGE, offset=0, data=image.tobytes())
    run = frames.encode(raw.frame("run_image", crc=zlib.crc32(image.tobytes())))
    first, *rest = raw.exchange(run)
    assert not rest
    assert raw.exchange(run * 3) == [first] * 3
    [(_, statistics)] = raw.ask("statistics")
    assert statistics["images"] == 1
    assert statistics["repeated"] == 3


def test_same_number_with_other_content_is_no_repetition(raw: Raw) -> None:
    identify = frames.encode(raw.frame("identify"))
    assert len(raw.exchange(identify)) == 1
    other = frames.encode(raw.frame("statistics", sequence=raw.sequence))
    assert raw.exchange(other) == []
    [(_, statistics)] = raw.ask("statistics")
    assert statistics["stale"] == 1


@pytest.mark.parametrize("behind", [1, 2, 0x8000])
def test_older_requests_are_ignored(raw: Raw, behind: int) -> None:
    old = raw.frame("reset", sequence=(raw.sequence - behind) % 65536)
    assert raw.exchange(frames.encode(old)) == []
    [(_, statistics)] = raw.ask("statistics")
    assert statistics["stale"] == 1
    assert statistics["frames"] >= 3, "it was not reset"


def test_sequence_numbers_wrap(raw: Raw) -> None:
    for sequence in (0x7000, 0xE000, 0xFFFF, 0, 1):
        [(_, statistics)] = raw.send(raw.frame("statistics", sequence=sequence))
    assert statistics["stale"] == 0


def test_new_session_begins_at_any_number_and_the_same_one_does_not(raw: Raw) -> None:
    back = (raw.sequence - 50) % 65536
    assert raw.exchange(frames.encode(raw.frame("ping", sequence=back, session=77, open=1))) == []
    [(_, values)] = raw.send(raw.frame("ping", sequence=back, session=78, open=1))
    assert values["session"] == 78
    raw.sequence = back
    assert [name for name, _ in raw.ask("identify")] == ["identify"]


def test_new_session_ends_the_stream_of_the_one_before(raw: Raw) -> None:
    raw.ask("stream_start", on_gap=WAIT, timed=0)
    assert [n for n, _ in raw.ask("ping", session=77, open=1)] == ["ping"]
    assert [n for n, _ in raw.ask("upload", target=IMAGE, offset=0, data=b"x")] == ["streaming"]
    assert [n for n, _ in raw.ask("ping", session=78, open=1)] == ["ping"]
    assert [n for n, _ in raw.ask("upload", target=IMAGE, offset=0, data=b"x")] == ["upload"]
    assert [n for n, _ in raw.ask("stream_stop")] == ["idle"]


def test_after_a_reset_everything_but_ping_is_refused(raw: Raw) -> None:
    reset = frames.encode(raw.frame("reset"))
    assert [told(f)[0] for f in raw.exchange(reset)] == ["reset"]
    # The host has not heard the answer: the repetition must not reset the device once more.
    assert [told(f)[0] for f in raw.exchange(reset)] == ["session"]
    assert [name for name, _ in raw.ask("run_image", crc=0)] == ["session"]
    assert [name for name, _ in raw.ask("ping", session=77, open=0)] == ["session"]
    assert [name for name, _ in raw.ask("ping", session=5, open=1)] == ["ping"]
    [(_, statistics)] = raw.ask("statistics")
    assert statistics["frames"] == 5


@pytest.mark.parametrize(
    ("frame", "code", "detail"),
    [
        (Frame(1, 5000, bytes(4), version=1), "version", VERSION),
        (Frame(0x55, 5000), "request", 0x55),
        (Frame(0x55, 5000, b"xy"), "request", 0x55),
        (Frame(MESSAGES["identify"].kind, 5000, b"x"), "payload", 1),
        (Frame(MESSAGES["run_image"].kind, 5000, b"xyz"), "payload", 3),
        (Frame(MESSAGES["stream_start"].kind, 5000, b"\x02\0"), "payload", 2),
        (Frame(MESSAGES["stream_start"].kind, 5000, b"\0\x02"), "payload", 2),
        (Frame(MESSAGES["configure"].kind, 5000, bytes(14)), "payload", 14),
        (Frame(MESSAGES["configure"].kind, 5000, bytes(15)), "setting", 0),
        (Frame(MESSAGES["configure"].kind, 5000, b"\1\0\5" + bytes(12)), "setting", 0),
        (Frame(MESSAGES["upload"].kind, 5000, b"\x02\0\0\0\0"), "payload", 5),
        (Frame(MESSAGES["upload"].kind, 5000, b"\x01" + bytes(4) + b"123"), "payload", 8),
        (Frame(MESSAGES["upload"].kind, 5000, b"\0" + b"\xff" * 4 + b"x"), "range", 128),
        (Frame(MESSAGES["run_image"].kind, 5000, bytes(4)), "incomplete", 0),
        (Frame(MESSAGES["run_window"].kind, 5000, bytes(4)), "incomplete", 0),
        (Frame(MESSAGES["output"].kind, 5000, b"\6\0\0\0"), "range", 5),
        (Frame(MESSAGES["stream_stop"].kind, 5000), "idle", 0),
        (Frame(MESSAGES["stream_recall"].kind, 5000, bytes(4)), "idle", 0),
        (bare_samples(0, 1, b""), "idle", 0),
        (bare_samples(2, 16, bytes(16)), "idle", 0),
        (bare_samples(2, 16, bytes(15)), "payload", 26),
        (bare_samples(1, 3, bytes(3)), "payload", 14),
        (bare_samples(1, 0, b""), "payload", 11),
        (bare_samples(1, 17, bytes(9)), "payload", 20),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    raw: Raw, frame: Frame, code: str, detail: int
) -> None:
    [(name, values)] = raw.send(frame)
    assert name == code
    if detail:
        assert values["detail"] == detail


def test_upload_is_held_against_its_crc(raw: Raw, model: StandIn) -> None:
    image = model.images(signal(100))[0].tobytes()
    raw.ask("upload", target=IMAGE, offset=0, data=image)
    [(name, values)] = raw.ask("run_image", crc=zlib.crc32(image) ^ 1)
    assert (name, values["detail"]) == ("crc", zlib.crc32(image))
    assert [name for name, _ in raw.ask("run_window", crc=0)] == ["incomplete"]


def test_upload_takes_pieces_once_and_in_order(raw: Raw, model: StandIn) -> None:
    image = model.images(signal(100))[0]
    data = image.tobytes()

    def piece(offset: int, end: int) -> int:
        [(_, values)] = raw.ask("upload", target=IMAGE, offset=offset, data=data[offset:end])
        return int(values["next"])

    assert piece(40, 80) == 0, "does not follow on"
    assert [piece(0, 40), piece(80, 100), piece(20, 90), piece(0, 30)] == [40, 40, 90, 30]
    assert [piece(30, 60), piece(60, 128)] == [60, 128]
    [(_, run)] = raw.ask("run_image", crc=zlib.crc32(data))
    expected = model.logits(signal(100))[0]
    assert np.frombuffer(run["output"], np.int8).tolist() == expected.tolist()


def test_stream_waits_for_samples_that_are_missing(raw: Raw, model: StandIn) -> None:
    samples = signal(300)
    expected = model.decided(samples)
    raw.ask("stream_start", on_gap=WAIT, timed=0)
    events = raw.send(samples_frame(raw, samples, 0, 70))
    events += raw.send(samples_frame(raw, samples, 75, 140))
    events += raw.send(samples_frame(raw, samples, 140, 200))
    assert [e for e in events if e[0] == "gap"] == [("gap", {"expected": 70, "received": 75})]
    assert [v["next"] for n, v in events if n == "stream_samples"] == [70, 70, 70]
    # Samples that overlap are taken from where the stream stands.
    events += raw.send(samples_frame(raw, samples, 40, 140))
    decisions = [v for n, v in events if n == "decision"]
    assert [v["end"] for v in decisions] == [56, 72, 88, 104, 120, 136]
    assert [v["decision"] for v in decisions] == expected.decisions[:6].tolist()
    assert {v["origin"] for v in decisions} == {0}
    [(_, end)] = raw.ask("stream_stop")
    assert end == {"samples": 140, "decisions": 6, "gaps": 1}


def test_stream_begins_anew_after_a_gap_where_asked_to(raw: Raw, model: StandIn) -> None:
    samples = signal(400)
    raw.ask("stream_start", on_gap=RESTART, timed=0)
    raw.send(samples_frame(raw, samples, 0, 100))
    events = raw.send(samples_frame(raw, samples, 117, 217, decided=3))
    assert events[0] == ("gap", {"expected": 100, "received": 117})
    after = model.decided(samples[117:217])
    logits = model.logits(samples[117:217])
    decisions = [v for n, v in events if n == "decision"]
    assert [v["index"] for v in decisions] == [3, 4, 5]
    assert [v["origin"] for v in decisions] == [117] * 3
    assert [v["end"] for v in decisions] == [117 + 56, 117 + 72, 117 + 88]
    assert [v["decision"] for v in decisions] == after.decisions[:3].tolist()
    assert [list(np.frombuffer(v["logits"], np.int8)) for v in decisions] == logits[:3].tolist()


def test_decisions_are_kept_until_the_host_has_them(raw: Raw, model: StandIn) -> None:
    samples = signal(400)
    raw.ask("stream_start", on_gap=WAIT, timed=0)
    for first in (0, 100, 200):
        answers = raw.send(samples_frame(raw, samples, first, first + 100))
    full = SPEC.segment_length + 7 * SPEC.step  # the eighth decision fills the memory
    assert answers[-1] == ("stream_samples", {"next": full, "decisions": 8})
    [(_, recalled)] = raw.ask("stream_recall", index=0)
    assert recalled["index"] == 0
    assert np.frombuffer(recalled["logits"], np.int8).tolist() == model.logits(samples)[0].tolist()
    [(name, values)] = raw.ask("stream_recall", index=8)
    assert (name, values["detail"]) == ("range", 8)
    events = raw.send(samples_frame(raw, samples, full, full + 40, 5))
    assert [v["index"] for n, v in events if n == "decision"] == [8, 9]
    assert [name for name, _ in raw.ask("stream_recall", index=4)] == ["range"]
    # To claim more decisions than there are, or to give some back, is refused.
    for decided in (11, 4):
        frame = samples_frame(raw, samples, full + 40, full + 40, decided)
        assert [name for name, _ in raw.send(frame)] == ["range"]


def test_upload_is_refused_while_a_stream_is_open(raw: Raw) -> None:
    raw.ask("stream_start", on_gap=WAIT, timed=0)
    assert [n for n, _ in raw.ask("upload", target=IMAGE, offset=0, data=b"x")] == ["streaming"]
    raw.ask("stream_stop")
    assert [n for n, _ in raw.ask("upload", target=IMAGE, offset=0, data=b"x")] == ["upload"]


def test_stream_forgets_an_upload(raw: Raw, model: StandIn) -> None:
    image = model.images(signal(100))[0].tobytes()
    raw.ask("upload", target=IMAGE, offset=0, data=image)
    raw.ask("stream_start", on_gap=WAIT, timed=0)
    raw.ask("stream_stop")
    assert [n for n, _ in raw.ask("run_image", crc=zlib.crc32(image))] == ["incomplete"]


def test_bytes_beyond_the_ring_are_counted(raw: Raw) -> None:
    """Nobody sends so much at once; who does is told."""
    pings = frames.encode(raw.frame("ping", session=77, open=1)) * 3000
    raw.exchange(pings, quiet=0.5)
    raw.sequence += 1
    [(_, statistics)] = raw.ask("statistics")
    assert statistics["repeated"] + statistics["overruns"] // 16 > 0
    assert statistics["frames"] + statistics["damaged"] <= 3003


def test_rejected_is_one_number_everywhere(model: StandIn) -> None:
    header = Path(host_device.__file__).parents[2] / "firmware_assets/decision/eb_decision.h"
    for name, value in (("rejected", REJECTED), ("rest", REST)):
        assert CODES["decision"][name] == value
        assert f"#define EB_DECISION_{name.upper()} {value}u" in header.read_text()


def test_without_front_end_samples_are_refused(
    plain_executable: Path, plain_model: StandIn
) -> None:
    with host_device.running(plain_executable) as device, Raw(device.url) as raw:
        for name, values in (
            ("stream_start", {"on_gap": WAIT, "timed": 0}),
            ("stream_now", {}),
            ("settings", {}),
            ("stream_samples", {"first": 0, "decided": 0, "count": 0, "bits": 1, "packed": b""}),
            ("stream_recall", {"index": 0}),
            ("stream_stop", {}),
            ("run_window", {"crc": 0}),
            ("upload", {"target": WINDOW, "offset": 0, "data": b""}),
        ):
            assert [n for n, _ in raw.ask(name, **values)] == ["frontend"], name
        [(_, described)] = raw.ask("describe")
        assert described["frontend"] == described["channels"] == described["window"] == 0
        assert described["input_bytes"] == plain_model.input_bytes
