"""Frames: the firmware's C against the host's Python, and both against a golden vector."""

import itertools
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgebio import storage
from edgebio.link import frames, packing
from edgebio.link.frames import Frame
from edgebio.processes import host_compiler
from edgebio.processes.programs import run_compiler
from tests.link.conftest import SANITIZE

MOST = 1024  # EB_LINK_RECEIVE_PAYLOAD
Harness = Callable[[str, bytes], bytes]

relaxed = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    link = storage.assets("firmware_assets") / "link"
    program = tmp_path_factory.mktemp("harness") / "harness"
    run_compiler(
        host_compiler.find_compiler(), *host_compiler.STRICT, "-Wshadow", "-Wconversion", *SANITIZE,
        f"-I{link}",
        str(link / "eb_link.c"), str(link / "eb_samples.c"),
        str(Path(__file__).with_name("harness.c")), "-o", str(program),
    )  # fmt: skip
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    to_harness, from_harness = process.stdin, process.stdout
    assert to_harness is not None
    assert from_harness is not None

    def call(command: str, data: bytes) -> bytes:
        to_harness.write(command.encode() + struct.pack("<I", len(data)) + data)
        to_harness.flush()
        (length,) = struct.unpack("<I", from_harness.read(4))
        return from_harness.read(length)

    yield call
    to_harness.close()
    assert process.wait(10) == 0


def parse_c(harness: Harness, stream: bytes) -> tuple[list[Frame], int]:
    out = harness("p", stream)
    accepted, at = [], 0
    while at < len(out) - 8:
        kind, version, sequence, length = struct.unpack_from("<4I", out, at)
        accepted.append(Frame(kind, sequence, out[at + 16 : at + 16 + length], version))
        at += 16 + length
    count, damaged = struct.unpack_from("<2I", out, at)
    assert count == len(accepted)
    return accepted, damaged


def parse_python(stream: bytes, cuts: list[int]) -> tuple[list[Frame], int]:
    parser = frames.Parser(MOST)
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    accepted = [
        frame
        for first, last in itertools.pairwise(edges)
        for frame in parser.feed(stream[first:last])
    ]
    return accepted, parser.damaged_frames


# Payloads with many zeros and with long runs without one, where COBS has its corners.
payloads = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from([b"\0", b"\xff", b"\1" * 253, b"\2" * 254, b"\3" * 255]), max_size=4)
    .map(b"".join)
    .filter(lambda p: len(p) <= MOST),
    st.just(b"\5" * MOST),
)
valid_frames = st.builds(
    Frame, st.integers(0, 255), st.integers(0, 65535), payloads, st.integers(0, 255)
)


def test_golden_frame() -> None:
    """Ping with session 0x00000107, written out by hand from docs/reference/wire.md."""
    body = bytes([3, 1, 0x34, 0x12, 7, 1, 0, 0, 1])
    crc = zlib.crc32(body)
    assert crc == 0x7C8781C7
    wire = bytes([0, 7, 3, 1, 0x34, 0x12, 7, 1, 1, 6, 1, 0xC7, 0x81, 0x87, 0x7C, 0])
    frame = Frame(kind=1, sequence=0x1234, payload=bytes([7, 1, 0, 0, 1]))
    assert frames.encode(frame) == wire
    assert list(frames.Parser().feed(wire)) == [frame]


@given(st.binary(max_size=2000))
@relaxed
def test_crc_is_zlibs(harness: Harness, data: bytes) -> None:
    assert struct.unpack("<I", harness("c", data)) == (zlib.crc32(data),)


@given(valid_frames)
@relaxed
def test_c_and_python_encode_and_decode_alike(harness: Harness, frame: Frame) -> None:
    wire = frames.encode(frame)
    body = bytes((frame.version, frame.kind)) + struct.pack("<H", frame.sequence) + frame.payload
    assert harness("e", body + struct.pack("<I", zlib.crc32(body))) == wire
    assert len(wire) <= frames.encoded_bytes(len(frame.payload))
    assert 0 not in wire[1:-1]
    assert parse_c(harness, wire) == ([frame], 0)
    assert parse_python(wire, [3, 9]) == ([frame], 0)


@given(st.lists(st.one_of(valid_frames.map(frames.encode), st.binary(max_size=60)), max_size=6),
       st.lists(st.integers(0, 5000), max_size=5))  # fmt: skip
@relaxed
def test_both_parsers_accept_the_same_frames_of_any_bytes(
    harness: Harness, parts: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(parts)
    assert parse_c(harness, stream) == parse_python(stream, cuts)


@st.composite
def damaged_bytes(draw: st.DrawFn) -> tuple[list[Frame], bytes]:
    """Frames, and their bytes after flips, drops, insertions and doubled pieces."""
    sent = draw(st.lists(valid_frames, min_size=1, max_size=4))
    wire = bytearray(b"".join(map(frames.encode, sent)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(wire) - 1))
        match draw(st.sampled_from(["flip", "drop", "insert", "double"])):
            case "flip":
                wire[at] ^= 1 << draw(st.integers(0, 7))
            case "drop" if len(wire) > 1:
                del wire[at]
            case "insert":
                wire.insert(at, draw(st.integers(0, 255)))
            case _:
                wire[at:at] = wire[at : at + draw(st.integers(1, 40))]
    return sent, bytes(wire)


@given(damaged_bytes(), valid_frames)
@relaxed
def test_damaged_frame_is_dropped_and_the_next_one_accepted(
    harness: Harness, case: tuple[list[Frame], bytes], after: Frame
) -> None:
    sent, wire = case
    accepted, damaged = parse_c(harness, wire + frames.encode(after))
    assert (accepted, damaged) == parse_python(wire + frames.encode(after), [])
    assert accepted[-1] == after
    assert all(frame in sent for frame in accepted[:-1])


def test_too_long_frame_is_dropped(harness: Harness) -> None:
    fits, too_long = Frame(1, 1, b"x" * MOST), Frame(1, 2, b"x" * (MOST + 1))
    wire = frames.encode(too_long) + frames.encode(fits)
    assert parse_c(harness, wire) == ([fits], 1)
    assert parse_python(wire, []) == ([fits], 1)


def test_bytes_without_delimiter_take_no_memory() -> None:
    parser = frames.Parser(MOST)
    for _ in range(100):
        assert not list(parser.feed(b"\xaa" * 10_000))
    assert len(parser._pending) < 2 * MOST
    assert list(parser.feed(frames.encode(Frame(1, 1)))) == [Frame(1, 1)]
    assert parser.damaged_frames == 1


@given(
    hnp.arrays(np.int16, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)),
    st.integers(0, 15),
)
@relaxed
def test_c_unpacks_what_python_packs(harness: Harness, samples: np.ndarray, shift: int) -> None:
    samples = samples >> shift
    bits = packing.bit_width(samples)
    assert 1 <= bits <= 16
    assert bits == 1 or packing.bit_width(samples >> 1) == bits - 1
    packed = packing.pack(samples, bits)
    assert len(packed) == -(-samples.size * bits // 8)
    values = np.frombuffer(harness("u", bytes([bits]) + packed), np.int32)
    assert values[: samples.size].tolist() == samples.ravel().tolist()
    assert not values[samples.size :].any()


def test_packed_bytes_of_a_known_example() -> None:
    """3 bits: -4, 3, -1 are 100, 011, 111, from the lowest bit on."""
    samples = np.array([[-4, 3, -1]], np.int16)
    assert packing.bit_width(samples) == 3
    assert packing.pack(samples, 3) == bytes([0b11011100, 0b1])
