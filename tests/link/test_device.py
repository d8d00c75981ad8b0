"""The rules of the firmware, one by one, with frames made by hand."""

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
from tests.link.raw import RawSession, decode
from tests.link.standin import SPEC, StandIn, signal

WAIT, RESTART = CODES["on_gap"]["wait"], CODES["on_gap"]["restart"]
IMAGE, SEGMENT = CODES["target"]["image"], CODES["target"]["segment"]


@pytest.fixture
def raw(executable: Path) -> Iterator[RawSession]:
    with host_device.running(executable) as device, RawSession(device.url) as session:
        yield session


def samples_frame(
    raw: RawSession, samples: np.ndarray, first: int, end: int, received: int = 0
) -> Frame:
    piece = samples[first:end]
    bits = packing.bit_width(piece)
    return raw.frame(
        "stream_samples", first=first, received=received, count=len(piece), bits=bits,
        packed=packing.pack(piece, bits),
    )  # fmt: skip


def bare_samples(count: int, bits: int, packed: bytes) -> Frame:
    layout = MESSAGES["stream_samples"].request
    assert layout is not None
    payload = layout.pack(first=0, received=0, count=count, bits=bits, packed=packed)
    return Frame(MESSAGES["stream_samples"].kind, 5000, payload)


def test_repeated_request_is_answered_again_but_not_executed_again(
    raw: RawSession, model: StandIn
) -> None:
    image = model.images(signal(100))[0]
    raw.ask("upload", target=IMAGE, offset=0, data=image.tobytes())
    run = frames.encode(raw.frame("run_image", crc=zlib.crc32(image.tobytes())))
    first, *rest = raw.exchange(run)
    assert not rest
    assert raw.exchange(run * 3) == [first] * 3
    [(_, statistics)] = raw.ask("statistics")
    assert statistics["images"] == 1
    assert statistics["repeated_requests"] == 3


def test_same_sequence_number_with_other_content_is_stale(raw: RawSession) -> None:
    identify = frames.encode(raw.frame("identify"))
    assert len(raw.exchange(identify)) == 1
    other = frames.encode(raw.frame("statistics", sequence=raw.sequence))
    assert raw.exchange(other) == []
    [(_, statistics)] = raw.ask("statistics")
    assert statistics["stale_requests"] == 1


@pytest.mark.parametrize("behind", [1, 2, 0x8000])
def test_older_requests_are_ignored(raw: RawSession, behind: int) -> None:
    old = raw.frame("reset", sequence=(raw.sequence - behind) % 65536)
    assert raw.exchange(frames.encode(old)) == []
    [(_, statistics)] = raw.ask("statistics")
    assert statistics["stale_requests"] == 1
    assert statistics["frames"] >= 3, "it was not reset"


def test_sequence_numbers_wrap(raw: RawSession) -> None:
    for sequence in (0x7000, 0xE000, 0xFFFF, 0, 1):
        [(_, statistics)] = raw.send(raw.frame("statistics", sequence=sequence))
    assert statistics["stale_requests"] == 0


def test_new_session_starts_at_any_sequence_number(raw: RawSession) -> None:
    back = (raw.sequence - 50) % 65536
    assert raw.exchange(frames.encode(raw.frame("ping", sequence=back, session=77, open=1))) == []
    [(_, values)] = raw.send(raw.frame("ping", sequence=back, session=78, open=1))
    assert values["session"] == 78
    raw.sequence = back
    assert [name for name, _ in raw.ask("identify")] == ["identify"]


def test_new_session_ends_the_stream_of_the_previous_one(raw: RawSession) -> None:
    raw.ask("stream_start", on_gap=WAIT, real_time=0)
    assert [n for n, _ in raw.ask("ping", session=77, open=1)] == ["ping"]
    assert [n for n, _ in raw.ask("upload", target=IMAGE, offset=0, data=b"x")] == ["streaming"]
    assert [n for n, _ in raw.ask("ping", session=78, open=1)] == ["ping"]
    assert [n for n, _ in raw.ask("upload", target=IMAGE, offset=0, data=b"x")] == ["upload"]
    assert [n for n, _ in raw.ask("stream_stop")] == ["idle"]


def test_only_ping_is_accepted_after_a_reset(raw: RawSession) -> None:
    reset = frames.encode(raw.frame("reset"))
    assert [decode(f)[0] for f in raw.exchange(reset)] == ["reset"]
    # If the host missed the answer, its repeated request must not reset the device again.
    assert [decode(f)[0] for f in raw.exchange(reset)] == ["session"]
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
        (Frame(MESSAGES["run_segment"].kind, 5000, bytes(4)), "incomplete", 0),
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
def test_invalid_request_is_refused_with_its_code(
    raw: RawSession, frame: Frame, code: str, detail: int
) -> None:
    [(name, values)] = raw.send(frame)
    assert name == code
    if detail:
        assert values["detail"] == detail


def test_upload_with_another_crc_is_refused(raw: RawSession, model: StandIn) -> None:
    image = model.images(signal(100))[0].tobytes()
    raw.ask("upload", target=IMAGE, offset=0, data=image)
    [(name, values)] = raw.ask("run_image", crc=zlib.crc32(image) ^ 1)
    assert (name, values["detail"]) == ("crc", zlib.crc32(image))
    assert [name for name, _ in raw.ask("run_segment", crc=0)] == ["incomplete"]


def test_upload_accepts_pieces_once_and_in_order(raw: RawSession, model: StandIn) -> None:
    image = model.images(signal(100))[0]
    data = image.tobytes()

    def upload(offset: int, end: int) -> int:
        [(_, values)] = raw.ask("upload", target=IMAGE, offset=offset, data=data[offset:end])
        return int(values["next_offset"])

    assert upload(40, 80) == 0, "after a gap"
    assert [upload(0, 40), upload(80, 100), upload(20, 90), upload(0, 30)] == [40, 40, 90, 30]
    assert [upload(30, 60), upload(60, 128)] == [60, 128]
    [(_, run)] = raw.ask("run_image", crc=zlib.crc32(data))
    expected = model.logits(signal(100))[0]
    assert np.frombuffer(run["output"], np.int8).tolist() == expected.tolist()


def test_stream_waits_for_missing_samples(raw: RawSession, model: StandIn) -> None:
    samples = signal(300)
    expected = model.decided(samples)
    raw.ask("stream_start", on_gap=WAIT, real_time=0)
    events = raw.send(samples_frame(raw, samples, 0, 70))
    events += raw.send(samples_frame(raw, samples, 75, 140))
    events += raw.send(samples_frame(raw, samples, 140, 200))
    assert [e for e in events if e[0] == "gap"] == [("gap", {"expected": 70, "received": 75})]
    assert [v["next_sample"] for n, v in events if n == "stream_samples"] == [70, 70, 70]
    # Samples that have arrived before are skipped.
    events += raw.send(samples_frame(raw, samples, 40, 140))
    decisions = [v for n, v in events if n == "decision"]
    assert [v["end"] for v in decisions] == [56, 72, 88, 104, 120, 136]
    assert [v["decision"] for v in decisions] == expected.decisions[:6].tolist()
    assert {v["origin"] for v in decisions} == {0}
    [(_, end)] = raw.ask("stream_stop")
    assert end == {"samples": 140, "decisions": 6, "gaps": 1}


def test_stream_restarts_after_a_gap(raw: RawSession, model: StandIn) -> None:
    samples = signal(400)
    raw.ask("stream_start", on_gap=RESTART, real_time=0)
    raw.send(samples_frame(raw, samples, 0, 100))
    events = raw.send(samples_frame(raw, samples, 117, 217, received=3))
    assert events[0] == ("gap", {"expected": 100, "received": 117})
    after = model.decided(samples[117:217])
    logits = model.logits(samples[117:217])
    decisions = [v for n, v in events if n == "decision"]
    assert [v["index"] for v in decisions] == [3, 4, 5]
    assert [v["origin"] for v in decisions] == [117] * 3
    assert [v["end"] for v in decisions] == [117 + 56, 117 + 72, 117 + 88]
    assert [v["decision"] for v in decisions] == after.decisions[:3].tolist()
    assert [list(np.frombuffer(v["logits"], np.int8)) for v in decisions] == logits[:3].tolist()


def test_decisions_are_stored_until_the_host_has_received_them(
    raw: RawSession, model: StandIn
) -> None:
    samples = signal(400)
    raw.ask("stream_start", on_gap=WAIT, real_time=0)
    for first in (0, 100, 200):
        answers = raw.send(samples_frame(raw, samples, first, first + 100))
    full = SPEC.segment_length + 7 * SPEC.step  # the eighth decision fills the slots
    assert answers[-1] == ("stream_samples", {"next_sample": full, "decisions": 8})
    [(_, recalled)] = raw.ask("stream_recall", index=0)
    assert recalled["index"] == 0
    assert np.frombuffer(recalled["logits"], np.int8).tolist() == model.logits(samples)[0].tolist()
    [(name, values)] = raw.ask("stream_recall", index=8)
    assert (name, values["detail"]) == ("range", 8)
    events = raw.send(samples_frame(raw, samples, full, full + 40, 5))
    assert [v["index"] for n, v in events if n == "decision"] == [8, 9]
    assert [name for name, _ in raw.ask("stream_recall", index=4)] == ["range"]
    # Confirming more decisions than there are, or fewer than before, is refused.
    for received in (11, 4):
        frame = samples_frame(raw, samples, full + 40, full + 40, received)
        assert [name for name, _ in raw.send(frame)] == ["range"]


def test_upload_is_refused_while_a_stream_is_open(raw: RawSession) -> None:
    raw.ask("stream_start", on_gap=WAIT, real_time=0)
    assert [n for n, _ in raw.ask("upload", target=IMAGE, offset=0, data=b"x")] == ["streaming"]
    raw.ask("stream_stop")
    assert [n for n, _ in raw.ask("upload", target=IMAGE, offset=0, data=b"x")] == ["upload"]


def test_stream_discards_an_upload(raw: RawSession, model: StandIn) -> None:
    image = model.images(signal(100))[0].tobytes()
    raw.ask("upload", target=IMAGE, offset=0, data=image)
    raw.ask("stream_start", on_gap=WAIT, real_time=0)
    raw.ask("stream_stop")
    assert [n for n, _ in raw.ask("run_image", crc=zlib.crc32(image))] == ["incomplete"]


def test_bytes_beyond_the_receive_buffer_are_counted(raw: RawSession) -> None:
    """The client never sends so much at once."""
    [(_, before)] = raw.ask("statistics")
    raw.port.write(frames.encode(raw.frame("ping", session=77, open=1)) * 3000)
    request = raw.frame("statistics")  # repeated, as it may be lost like the pings
    answers = next(filter(None, (raw.attempt(request, 1) for _ in range(30))))
    _, after = decode(answers[-1])
    lost_bytes = after["overrun_bytes"] - before["overrun_bytes"]
    assert after["repeated_requests"] - before["repeated_requests"] + lost_bytes // 16 > 0
    received = sum(after[k] - before[k] for k in ("frames", "damaged_frames"))
    assert received <= 3000 + 1


def test_codes_of_rest_and_rejected_agree_with_the_decision(model: StandIn) -> None:
    header = Path(host_device.__file__).parents[2] / "firmware_assets/decision/eb_decision.h"
    for name, value in (("rejected", REJECTED), ("rest", REST)):
        assert CODES["decision"][name] == value
        assert f"#define EB_DECISION_{name.upper()} {value}u" in header.read_text()


def test_samples_are_refused_without_a_front_end(
    plain_executable: Path, plain_model: StandIn
) -> None:
    with host_device.running(plain_executable) as device, RawSession(device.url) as raw:
        for name, values in (
            ("stream_start", {"on_gap": WAIT, "real_time": 0}),
            ("current_decision", {}),
            ("settings", {}),
            ("stream_samples", {"first": 0, "received": 0, "count": 0, "bits": 1, "packed": b""}),
            ("stream_recall", {"index": 0}),
            ("stream_stop", {}),
            ("run_segment", {"crc": 0}),
            ("upload", {"target": SEGMENT, "offset": 0, "data": b""}),
        ):
            assert [n for n, _ in raw.ask(name, **values)] == ["frontend"], name
        [(_, described)] = raw.ask("describe")
        assert described["frontend"] == described["channels"] == described["segment_length"] == 0
        assert described["input_bytes"] == plain_model.input_bytes
