"""Arbitrary bytes into the firmware's parser and application, watched by sanitizers.

Clang's libFuzzer (Debian: clang, libclang-rt-dev) searches by coverage; without it, a driver of our
own mutates the seeds with any C compiler. The slow test runs for EDGEBIO_FUZZ_SECONDS (600).
"""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgebio import storage
from edgebio.link import frames, packing
from edgebio.link.frames import Frame
from edgebio.link.messages import MESSAGES
from edgebio.processes import host_compiler
from tests.link.standin import SPEC, StandIn, signal

HERE = Path(__file__).parent
SANITIZE = "address,undefined"
STRICT = "-fsanitize=bounds-strict"
"""Makes GCC check arrays at the end of a struct, as clang does."""
RAW, REQUESTS = b"\0", b"\1"
CRASH = "crash-input"


def clang() -> str | None:
    """A clang that has libFuzzer, or None."""
    for name in ("clang", *(f"clang-{version}" for version in range(21, 12, -1))):
        path = shutil.which(name)
        if path:
            command = [path, "-fsanitize=fuzzer", "-x", "c", "-", "-o", os.devnull]
            code = "int LLVMFuzzerTestOneInput(const char *d, unsigned long n)"
            code += "{ return n && !d; }"
            done = subprocess.run(command, input=code.encode(), capture_output=True, check=False)
            if done.returncode == 0:
                return path
    return None


def accepts_flag(compiler: str, flag: str) -> bool:
    """Whether a C compiler accepts a flag."""
    command = [compiler, "-Werror", flag, "-x", "c", "-c", "-", "-o", os.devnull]
    return subprocess.run(command, input=b"", capture_output=True, check=False).returncode == 0


Request = tuple[str, dict[str, Any]]
"""Name of a message, and its values."""


class Fuzzer:
    """The program, and the folder that it works in."""

    def __init__(self, model: StandIn, folder: Path, compiler: str | None) -> None:
        self.folder = folder
        self._libfuzzer = compiler is not None
        sanitize = SANITIZE + (",fuzzer" if compiler else "")
        flags: tuple[str, ...] = (
            "-O1", "-g", f"-fsanitize={sanitize}", "-fno-sanitize-recover=all",
            "-Dmain=device_main",
        )  # fmt: skip
        if not compiler and accepts_flag(host_compiler.find_compiler(), STRICT):
            flags = (*flags, STRICT)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CC", compiler or host_compiler.find_compiler())
            port = [HERE / "fuzz.c", *([] if compiler else [HERE / "fuzz_driver.c"])]
            self.program = model.build(folder / "build", flags, port)

    def __call__(self, seconds: int, seed: int = 1) -> str:
        """Search for some seconds; returns the output. A finding is an AssertionError."""
        corpus = self.folder / "corpus"
        corpus.mkdir(exist_ok=True)
        for number, session in enumerate(seeds()):
            (corpus / f"seed-{number}").write_bytes(session)
        if self._libfuzzer:
            arguments = [f"-max_total_time={seconds}", "-max_len=4096", f"-seed={seed}",
                     f"-exact_artifact_path={CRASH}", str(corpus)]  # fmt: skip
        else:
            arguments = [str(seconds), str(seed), *map(str, sorted(corpus.glob("seed-*")))]
        # GCC's sanitizer only exits, and the input would be lost.
        environment = {**os.environ, "UBSAN_OPTIONS": "abort_on_error=1"}
        done = subprocess.run(
            [self.program, *arguments], cwd=self.folder, capture_output=True, text=True,
            errors="replace", check=False, timeout=seconds + 120, env=environment,
        )  # fmt: skip
        crash = self.folder / CRASH
        finding = crash.read_bytes().hex() if crash.is_file() else "not saved"
        errors = [line for line in done.stderr.splitlines()
                   if re.search(r"ERROR|runtime error|broken:|Assertion", line)]  # fmt: skip
        assert done.returncode == 0, f"{errors[:3] or done.stderr[-400:]}; input: {finding}"
        return done.stderr


def seeds() -> list[bytes]:
    """Complete sessions: encoded frames, and requests that the fuzzer encodes."""
    samples = signal(300)
    piece = samples[: SPEC.segment_length + 4 * SPEC.step]
    bits = packing.bit_width(piece)
    room = 900 * 8 // (bits * samples.shape[1])
    streamed: list[Request] = [
        ("configure", {"votes": 3, "hold": 2, "rest": 1, "least": 0, "limit": 70000, "onset": 900,
                       "timeout_ms": 1}),
        ("stream_start", {"on_gap": 1, "real_time": 1}),
        *(("stream_samples", {"first": at, "received": 0, "count": len(part), "bits": bits,
                              "packed": packing.pack(part, bits)})
          for at in range(0, len(piece), room) for part in [piece[at : at + room]]),
        ("stream_recall", {"index": 0}), ("current_decision", {}), ("stream_stop", {}),
    ]  # fmt: skip
    image = np.zeros(128, np.int8).tobytes()
    requested: list[Request] = [
        ("identify", {}), ("describe", {}), ("statistics", {}),
        ("upload", {"target": 0, "offset": 0, "data": image}),
        ("run_image", {"crc": 0xC2A8FA9D}), ("output", {"offset": 2}),
        ("upload", {"target": 1, "offset": 0, "data": samples[:56].tobytes()}),
        ("run_segment", {"crc": 0}), ("reset", {}),
    ]  # fmt: skip
    sessions = [RAW + frames.encode(Frame(1, 1, b"\5" * 1024)) + b"\1" * 40]  # the longest frame
    for session in (streamed, requested):
        encoded, requests = RAW, REQUESTS
        for number, (name, values) in enumerate(session, 1):
            layout = MESSAGES[name].request
            assert layout is not None
            payload = layout.pack(**values)
            encoded += frames.encode(Frame(MESSAGES[name].kind, number, payload))
            requests += bytes((MESSAGES[name].kind,)) + len(payload).to_bytes(2, "little") + payload
        sessions += [encoded[:4096], requests[:4096]]
    return sessions


@pytest.fixture(scope="module")
def fuzzer(model: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Fuzzer:
    return Fuzzer(model, tmp_path_factory.mktemp("fuzz"), clang())


def runs(output: str) -> int:
    counts = re.findall(r"Done (\d+) runs", output)
    assert counts, output[-400:]
    return int(counts[-1])


def test_a_few_seconds_find_nothing(fuzzer: Fuzzer) -> None:
    assert runs(fuzzer(2)) > 500


@pytest.mark.slow
def test_many_minutes_find_nothing(fuzzer: Fuzzer) -> None:
    seconds = int(os.environ.get("EDGEBIO_FUZZ_SECONDS", "600"))
    assert runs(fuzzer(seconds, seed=2)) > 1000 * min(seconds, 60)


def test_driver_without_coverage_finds_nothing(
    model: StandIn, tmp_path_factory: pytest.TempPathFactory
) -> None:
    blind = Fuzzer(model, tmp_path_factory.mktemp("blind"), None)
    assert runs(blind(1)) > 200


def test_broken_parser_is_found(
    model: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search finds a parser whose limit is one too high."""
    changed = tmp_path / "assets"
    shutil.copytree(storage.assets("firmware_assets"), changed)
    path = changed / "link" / "eb_link.c"
    text = path.read_text()
    limit = "parser->count < sizeof parser->buffer"
    assert text.count(limit) == 1
    path.write_text(text.replace(limit, "parser->count <= sizeof parser->buffer"))
    monkeypatch.setattr(storage, "assets", lambda name: changed)
    broken = Fuzzer(model, tmp_path, clang())
    with pytest.raises(AssertionError, match=r"AddressSanitizer|runtime error"):
        broken(20)
    assert (tmp_path / CRASH).is_file()
