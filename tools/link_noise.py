"""Exchange frames over a connection that drops, flips, inserts and doubles bytes.

    python tools/link_noise.py --frames 1000000 --json

The host sends requests and the firmware's server (the C of the firmware, compiled for this machine)
answers, both through noise. A request without an answer is repeated, and complete frames arrive
again much later. The parsers of firmware and host both read both directions. Errors are counted:

  accepted_wrong   frames that a parser accepted and nobody sent, and answers to other requests
  lost_sync        frames that arrived undamaged, after any noise, and were not accepted at once
  repeated_effect  requests that the firmware executed more than once

The exit code is 1 unless all three are 0. The same seed gives the same run.
"""

import argparse
import ctypes
import json
import random
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edgebio import progress, storage
from edgebio.link import frames
from edgebio.link.frames import Frame
from edgebio.link.messages import ANSWER, MESSAGES
from edgebio.processes import host_compiler

MAX_PAYLOAD = 1024  # EB_LINK_RECEIVE_PAYLOAD
ROOM = 1 << 20
RECENT = 400  # frames that may arrive again; sequence numbers distinguish 32768 requests
TRIES = 40  # then the host gives up, as after its time-out
KINDS = ("dropped", "flipped", "inserted", "doubled", "burst", "again")
REQUEST = MESSAGES["upload"].kind


class Firmware:
    """The C: its server, and a parser for each direction."""

    def __init__(self, link: Path) -> None:
        sources = [link / "eb_link.c", link / "eb_server.c", Path(__file__).with_suffix(".c")]
        self._c = host_compiler.load_library("link-noise", sources, [link])
        for function in (self._c.noise_parse, self._c.noise_serve):
            function.restype = ctypes.c_size_t
        self._c.noise_reset()
        self._room = ctypes.create_string_buffer(ROOM)

    def parse(self, direction: int, data: bytes) -> Iterator[Frame]:
        """Frames that the firmware's parser of one direction accepts."""
        length = self._c.noise_parse(
            ctypes.c_size_t(direction), data, ctypes.c_size_t(len(data)), self._room,
            ctypes.c_size_t(ROOM),
        )  # fmt: skip
        start, raw = 0, ctypes.string_at(self._room, length)
        while start < length:
            end = start + 4 + int.from_bytes(raw[start : start + 4], "little")
            body = raw[start + 4 : end]
            yield Frame(body[1], int.from_bytes(body[2:4], "little"), body[4:], body[0])
            start = end

    def serve(self, data: bytes) -> bytes:
        """Bytes that the firmware sends in response."""
        length = self._c.noise_serve(
            data, ctypes.c_size_t(len(data)), self._room, ctypes.c_size_t(ROOM)
        )
        return ctypes.string_at(self._room, length)

    def repeated_effects(self) -> int:
        """Requests that were executed more than once."""
        return int(self._c.noise_repeated_effects())


@dataclass
class Noise:
    """Damage at a rate; a lost burst may extend into the next frame.

    Attributes
    ----------
    rate
        Probability of an event per byte.
    random
        Random numbers.
    events
        Events so far, by kind.
    """

    rate: float
    random: random.Random
    events: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    _clean: int = 0  # bytes until the next event
    _losing: int = 0  # bytes of a burst still to lose

    def __post_init__(self) -> None:
        self._clean = self._distance()

    def _distance(self) -> int:
        return int(self.random.expovariate(self.rate)) if self.rate else sys.maxsize

    def __call__(self, data: bytes) -> tuple[bytes, bool]:
        """Return what arrives of a frame, and whether it is undamaged."""
        if not self._losing and self._clean >= len(data):
            self._clean -= len(data)
            return data, True
        out = bytearray()
        at = min(self._losing, len(data))
        self._losing -= at
        while at + self._clean < len(data):
            out += data[at : at + self._clean]
            at += self._clean
            kind = KINDS[self.random.randrange(len(KINDS) - 1)]
            self.events[kind] += 1
            if kind == "flipped":
                out.append(data[at] ^ 1 << self.random.randrange(8))
            elif kind == "inserted":
                out += bytes((self.random.randrange(256), data[at]))
            elif kind == "doubled":
                length = self.random.choice((1, 1, 3, 20))
                out += data[at : at + length] + data[at : at + length]
                at += length - 1
            elif kind == "burst":
                length = self.random.randrange(2, 40)
                self._losing = max(0, at + length - len(data))
                at += length - 1
            at += 1
            self._clean = self._distance()
        out += data[at:]
        self._clean -= max(0, len(data) - at)
        return bytes(out), False


class Direction:
    """One direction of the connection: noise, then both parsers."""

    def __init__(self, number: int, noise: Noise, firmware: Firmware) -> None:
        self.noise = noise
        self.sent = self.damaged = self.accepted_wrong = self.lost_sync = 0
        self._number = number
        self._firmware = firmware
        self._host = frames.Parser(MAX_PAYLOAD)
        self._recent: deque[tuple[Frame, bytes]] = deque(maxlen=RECENT)
        self._frames: dict[Frame, int] = {}

    def transfer(self, frame: Frame, encoded: bytes) -> tuple[bytes, list[Frame]]:
        """Send a frame; return the bytes that arrive and the frames that the host parses."""
        if len(self._recent) == RECENT:
            self._forget(self._recent[0][0])
        self._recent.append((frame, encoded))
        self._frames[frame] = self._frames.get(frame, 0) + 1
        arrived, accepted = self._pass(frame, encoded)
        if self.noise.rate and self.noise.random.random() < 0.02:
            again = self.noise.random.choice(self._recent)
            self.noise.events["again"] += 1
            more, frames_again = self._pass(*again)
            arrived, accepted = arrived + more, accepted + frames_again
        return arrived, accepted

    def _forget(self, frame: Frame) -> None:
        self._frames[frame] -= 1
        if not self._frames[frame]:
            del self._frames[frame]

    def _pass(self, frame: Frame, encoded: bytes) -> tuple[bytes, list[Frame]]:
        arrived, whole = self.noise(encoded)
        self.sent += 1
        self.damaged += not whole
        host = list(self._host.feed(arrived))
        for accepted in (host, list(self._firmware.parse(self._number, arrived))):
            self.accepted_wrong += sum(each not in self._frames for each in accepted)
            self.lost_sync += whole and accepted[-1:] != [frame]
        return arrived, host


def run(wanted: int, seed: int, rate: float, link: Path | None = None) -> dict[str, object]:
    """Exchange at least `wanted` frames; return the counters.

    Parameters
    ----------
    wanted
        Frames, both directions together.
    seed
        Seed of contents and damage.
    rate
        Probability of an event per byte.
    link
        Folder of the firmware's C; None: that of edgebio.
    """
    chance = random.Random(seed)
    firmware = Firmware(link or storage.assets("firmware_assets") / "link")
    ping = Frame(MESSAGES["ping"].kind, 0, (seed % 0xFFFF_FFFF + 1).to_bytes(4, "little") + b"\1")
    firmware.serve(frames.encode(ping))
    inward, outward = (Direction(i, Noise(rate, chance), firmware) for i in range(2))
    answers = frames.Parser(MAX_PAYLOAD)  # of the firmware, before the noise
    wrong_answers = requests = attempts = abandoned = 0
    started = time.monotonic()
    with progress.bar("frames", wanted) as advance:
        while (before := inward.sent + outward.sent) < wanted:
            requests += 1
            frame = Frame(REQUEST, requests % 65536, requests.to_bytes(4, "little") + _load(chance))
            encoded = frames.encode(frame)
            expected = frame.payload[:256]
            answered = False
            for _ in range(TRIES):
                attempts += 1
                arrived, _ = inward.transfer(frame, encoded)
                for answer in answers.feed(firmware.serve(arrived)):
                    for received in outward.transfer(answer, frames.encode(answer))[1]:
                        if (received.sequence, received.kind) == (frame.sequence, REQUEST | ANSWER):
                            answered = True
                            wrong_answers += received.payload != expected
                if answered:
                    break
            abandoned += not answered
            advance(inward.sent + outward.sent - before)
    directions = (inward, outward)
    return {
        "frames": inward.sent + outward.sent,
        "accepted_wrong": sum(d.accepted_wrong for d in directions) + wrong_answers,
        "lost_sync": sum(d.lost_sync for d in directions),
        "repeated_effect": firmware.repeated_effects(),
        "to_device": inward.sent,
        "to_host": outward.sent,
        "damaged": sum(d.damaged for d in directions),
        "events": {k: inward.noise.events[k] + outward.noise.events[k] for k in KINDS},
        "requests": requests,
        "asked_again": attempts - requests,
        "given_up": abandoned,
        "rate": rate,
        "seed": seed,
        "seconds": round(time.monotonic() - started, 1),
    }


def _load(chance: random.Random) -> bytes:
    """Bytes of a request: mostly few, sometimes as many as possible, often zeros."""
    length = MAX_PAYLOAD - 4 if chance.random() < 0.005 else chance.randrange(48)
    if chance.random() < 0.2:
        return bytes(length)
    return chance.randbytes(length)


def main() -> int:
    """Run and print the counters; 1 if an error was counted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0.005, help="events per byte")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    progress.enable()
    counted = run(options.frames, options.seed, options.rate)
    if options.json:
        print(json.dumps(counted, indent=2))
    else:
        print("\n".join(f"{name:16} {value}" for name, value in counted.items()))
    return int(any(counted[name] for name in ("accepted_wrong", "lost_sync", "repeated_effect")))


if __name__ == "__main__":
    sys.exit(main())
