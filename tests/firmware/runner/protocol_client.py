"""A client of MLPerf Tiny's serial protocol, written from its description in the public runner.

It keeps to what that runner does (github.com/mlcommons/tiny, benchmark/runner): a command ends
with "%", an answer with a line that holds "m-ready"; inputs are sent 31 bytes at a time, or 26
through an energy monitor.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

READY: Final = "m-ready"
CHUNK: Final = 31


class ProtocolError(Exception):
    """The device answered with an error."""


@dataclass(frozen=True)
class Inference:
    """Answer to ``infer``: microseconds of all iterations, and the results."""

    iterations: int
    warmups: int
    microseconds: int
    results: tuple[float, ...]


class RunnerClient:
    """Sends commands by `write` and reads bytes by `read`, which gives none when time is up."""

    def __init__(self, write: Callable[[bytes], object], read: Callable[[], bytes]) -> None:
        self._write, self._read, self._buffer = write, read, b""

    def connect(self) -> None:
        """Wait for the answer to a command, behind what the device may have said before."""
        self._write(b"name%")
        while not any(line.startswith("m-name-") for line in self.lines()):
            pass

    def lines(self) -> list[str]:
        """Lines of one answer, up to the one that says that the device is ready."""
        lines: list[str] = []
        while not lines or READY not in lines[-1]:
            while b"\n" not in self._buffer:
                more = self._read()
                if not more:
                    raise TimeoutError(f"no answer after {lines}")
                self._buffer += more
            line, _, self._buffer = self._buffer.partition(b"\n")
            lines.append(line.decode("ascii").rstrip("\r"))
        return lines[:-1]

    def send(self, text: str) -> list[str]:
        """Answer to a command, its errors raised."""
        self._write(f"{text}%".encode())
        lines = self.lines()
        for line in lines:
            if line.startswith("e-["):
                raise ProtocolError(line[3:-1])
        return lines

    def name(self) -> str:
        return self._only(r"m-name-dut-\[([^]]+)\]", self.send("name"))

    def profile(self) -> tuple[str, str]:
        lines = self.send("profile")
        return (
            self._only(r"m-profile-\[([^]]+)\]", lines),
            self._only(r"m-model-\[([^]]+)\]", lines),
        )

    def timestamp(self) -> int:
        return int(self._only(r"m-lap-us-([0-9]+)", self.send("timestamp")))

    def load(self, data: bytes, chunk: int = CHUNK) -> None:
        lines = self.send(f"db load {len(data)}")
        for at in range(0, len(data), chunk):
            lines = self.send(f"db {data[at : at + chunk].hex()}")
        assert lines == ["m-load-done"], lines

    def loaded(self) -> bytes:
        lines = self.send("db print")
        return bytes.fromhex(
            "".join(line.removeprefix("m-buffer-").replace("-", "") for line in lines)
        )

    def infer(self, iterations: int = 1, warmups: int = 0) -> Inference:
        lines = self.send(f"infer {iterations} {warmups}")
        assert f"m-warmup-start-{warmups}" in lines
        assert f"m-infer-start-{iterations}" in lines
        assert lines.index("m-warmup-done") < lines.index("m-infer-done")
        start, end = (int(m[1]) for line in lines if (m := re.fullmatch(r"m-lap-us-(\d+)", line)))
        return Inference(iterations, warmups, end - start, self._results(lines))

    def results(self) -> tuple[float, ...]:
        return self._results(self.send("results"))

    def _results(self, lines: Sequence[str]) -> tuple[float, ...]:
        return tuple(map(float, self._only(r"m-results-\[([^]]+)\]", lines).split(",")))

    def _only(self, pattern: str, lines: Sequence[str]) -> str:
        (match,) = (m for line in lines if (m := re.fullmatch(pattern, line)))
        return str(match[1])
