"""A device behind a noisy connection: bytes are flipped, dropped, inserted and doubled."""

import contextlib
import random
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

Damage = Callable[[bytes], bytes]


class Noise:
    """Damages bytes at a rate; the same seed causes the same damage.

    Parameters
    ----------
    rate
        Probability of an event per byte.
    seed
        Of the damage.
    """

    def __init__(self, rate: float, seed: int) -> None:
        self.rate = rate
        self.events = 0
        self._random = random.Random(seed)

    def __call__(self, data: bytes) -> bytes:
        """Copy of `data`, damaged."""
        if not self.rate:
            return data
        out = bytearray()
        at = 0
        while at < len(data):
            # Geometric distance to the next event: one draw an event, not one a byte.
            clean = int(self._random.expovariate(self.rate))
            out += data[at : at + clean]
            at += clean
            if at >= len(data):
                break
            self.events += 1
            match self._random.randrange(5):
                case 0:
                    out.append(data[at] ^ 1 << self._random.randrange(8))
                case 1:
                    pass
                case 2:
                    out += bytes((self._random.randrange(256), data[at]))
                case 3:  # a piece comes twice, now and then a whole frame
                    length = self._random.choice([1, 3, 20, 60])
                    out += data[at : at + length] + data[at : at + length]
                    at += length - 1
                case _:  # a burst is lost
                    at += self._random.randrange(2, 40)
            at += 1
        return bytes(out)


class NoisyDevice:
    """The host process at a TCP port, with `to_device` and `to_host` on its two directions."""

    def __init__(self, executable: Path, to_device: Damage, to_host: Damage) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        ours, theirs = socket.socketpair()
        end = theirs.fileno()
        self.process = subprocess.Popen([executable], stdin=end, stdout=end)
        theirs.close()
        self._ours = ours
        self._damage = (to_device, to_host)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._ours.close()
        self._listener.close()

    def _serve(self) -> None:
        to_device, to_host = self._damage
        with contextlib.suppress(OSError):
            host, _ = self._listener.accept()
            host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=_pump, args=(self._ours, host, to_host), daemon=True)
            back.start()
            _pump(host, self._ours, to_device)


def _pump(source: socket.socket, sink: socket.socket, damage: Damage) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(4096):
            sink.sendall(damage(data))
