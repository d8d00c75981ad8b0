"""Downloads from a real HTTP server on loopback that behaves, and misbehaves, as servers do."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from edgebio import datasets
from edgebio.datasets import download
from edgebio.errors import EdgebioError

CONTENT = {
    "Participant1/a.txt": np.random.default_rng(1).bytes(300_000),
    "EMG_S1/握拳_1_x.mat": np.random.default_rng(2).bytes(70_000),
    "empty spaces/b.txt": b"7,8\n",
}


class Server:
    """The files of `CONTENT` at `address`; `misbehave` may answer a request instead."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str | None]] = []
        self.files = dict(CONTENT)
        self.ranges = True
        self.misbehave: Callable[[BaseHTTPRequestHandler, str, bytes, int], bool] = (
            lambda handler, path, body, start: False
        )
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = unquote(self.path).removeprefix("/set/")
                content_range = self.headers.get("Range")
                outer.requests.append((path, content_range))
                if path not in outer.files:
                    self.send_error(404)
                    return
                body = outer.files[path]
                start = (
                    int(content_range.removeprefix("bytes=").rstrip("-")) if content_range else 0
                )
                if outer.misbehave(self, path, body, start):
                    return
                if start and outer.ranges and start >= len(body):
                    self.send_error(416)
                    return
                if start and outer.ranges:
                    self.send_response(206)
                    self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
                    body = body[start:]
                else:
                    self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Keep the tests' output clean."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}/set"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    files = [download.File(p, len(b), hashlib.sha256(b).hexdigest()) for p, b in CONTENT.items()]
    monkeypatch.setattr(download, "list_files", lambda name: files)
    monkeypatch.setattr(download, "_PAUSE", 0.001)
    monkeypatch.delenv("EDGEBIO_DATA", raising=False)
    monkeypatch.setenv("EDGEBIO_CACHE", str(tmp_path / "cache"))
    running = Server()
    yield running
    running.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "data" / "emg-3dc"


def stored(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_file_is_downloaded_once(server: Server, folder: Path) -> None:
    assert {file.path for file in download.fetch("emg-3dc", server.address)} == set(CONTENT)
    assert stored(folder) == CONTENT
    assert download.state("emg-3dc", folder) == "yes"
    server.requests.clear()
    assert download.fetch("emg-3dc", server.address + "/") == []
    assert server.requests == []


def test_a_damaged_file_is_downloaded_again(server: Server, folder: Path) -> None:
    download.fetch("emg-3dc", server.address)
    (folder / "empty spaces/b.txt").write_bytes(b"7,9\n")
    assert [file.path for file in download.fetch("emg-3dc", server.address)] == [
        "empty spaces/b.txt"
    ]
    assert stored(folder) == CONTENT


def test_a_cut_connection_is_continued_where_it_broke(server: Server, folder: Path) -> None:
    def cut(handler: BaseHTTPRequestHandler, path: str, body: bytes, start: int) -> bool:
        if path != "Participant1/a.txt" or start >= 200_000:
            return False
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        handler.send_header("Content-Length", str(len(body) - start))
        handler.end_headers()
        handler.wfile.write(body[start : start + 100_000])
        handler.close_connection = True
        return True

    server.misbehave = cut
    download.fetch("emg-3dc", server.address)
    assert stored(folder) == CONTENT
    ranges = [r for path, r in server.requests if path == "Participant1/a.txt"]
    assert ranges == [None, "bytes=100000-", "bytes=200000-"]


def test_a_part_is_kept_after_the_last_attempt_and_resumed(server: Server, folder: Path) -> None:
    def stall(handler: BaseHTTPRequestHandler, path: str, body: bytes, start: int) -> bool:
        if path != "Participant1/a.txt":
            return False
        if start:
            handler.send_error(503)
        else:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body[:123_456])
            handler.close_connection = True
        return True

    server.misbehave = stall
    with pytest.raises(EdgebioError, match=r"a\.txt: gave up after 5 attempts \(HTTP 503 .*repeat"):
        download.fetch("emg-3dc", server.address)
    part = folder / "Participant1/a.txt.part"
    assert part.read_bytes() == CONTENT["Participant1/a.txt"][:123_456]
    assert not (folder / "Participant1/a.txt").exists()
    assert download.state("emg-3dc", folder) == "partly"

    server.misbehave = lambda *_: False
    server.requests.clear()
    download.fetch("emg-3dc", server.address)
    assert ("Participant1/a.txt", "bytes=123456-") in server.requests
    assert stored(folder) == CONTENT


def test_a_server_without_ranges_starts_over(server: Server, folder: Path) -> None:
    server.ranges = False
    part = folder / "Participant1/a.txt.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT["Participant1/a.txt"][:1000])
    download.fetch("emg-3dc", server.address)
    assert stored(folder) == CONTENT


@pytest.mark.parametrize("left", [b"x" * 1000, b"x" * 300_000, b"x" * 300_001])
def test_a_part_of_another_version_is_dropped(server: Server, folder: Path, left: bytes) -> None:
    part = folder / "Participant1/a.txt.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(left)
    download.fetch("emg-3dc", server.address)
    assert stored(folder) == CONTENT


@pytest.mark.parametrize("extra", [b"", b"tail"], ids=["same size", "longer"])
def test_other_bytes_are_refused_and_not_kept(server: Server, folder: Path, extra: bytes) -> None:
    body = bytearray(CONTENT["EMG_S1/握拳_1_x.mat"])
    body[5] ^= 1
    server.files["EMG_S1/握拳_1_x.mat"] = bytes(body) + extra
    with pytest.raises(EdgebioError, match="not the published bytes"):
        download.fetch("emg-3dc", server.address)
    assert not [name for name in stored(folder) if name.startswith("EMG_S1")]


def test_an_endless_answer_is_cut_short(server: Server, folder: Path) -> None:
    sent = 0

    def endless(handler: BaseHTTPRequestHandler, path: str, body: bytes, start: int) -> bool:
        nonlocal sent
        if path != "empty spaces/b.txt":
            return False
        handler.send_response(200)
        handler.end_headers()
        try:
            while sent < 400 << 20:
                handler.wfile.write(bytes(1 << 16))
                sent += 1 << 16
        except OSError:
            pass
        handler.close_connection = True
        return True

    server.misbehave = endless
    with pytest.raises(EdgebioError, match="not the published bytes"):
        download.fetch("emg-3dc", server.address)
    assert sent < 100 << 20


def test_a_missing_file_is_named_at_once(server: Server) -> None:
    del server.files["empty spaces/b.txt"]
    with pytest.raises(EdgebioError, match=r"empty%20spaces/b\.txt: HTTP 404 .*EDGEBIO_DATA"):
        download.fetch("emg-3dc", server.address)
    assert [path for path, _ in server.requests].count("empty spaces/b.txt") == 1


def test_a_server_that_does_not_answer_is_named(server: Server) -> None:
    server.close()
    with pytest.raises(EdgebioError, match=r"gave up after 5 attempts .*refused"):
        download.fetch("emg-3dc", server.address)
    assert download.state("emg-3dc", datasets.locate("emg-3dc")) == "no"


def test_only_web_addresses_are_accepted(server: Server) -> None:
    with pytest.raises(EdgebioError, match="starts with https"):
        download.fetch("emg-3dc", "file:///etc")


def test_a_computed_set_cannot_be_fetched() -> None:
    with pytest.raises(EdgebioError, match="emg-synthetic has no files to fetch"):
        download.fetch("emg-synthetic")


@pytest.mark.parametrize(("name", "files"), [("emg-3dc", 528), ("emg-myo-grips10", 60)])
def test_the_lists_match_the_published_checksums(name: str, files: int, data_folder: Path) -> None:
    listed = {file.path: file for file in download.list_files(name)}
    assert len(listed) == files
    rows = (data_folder / name / "SHA256SUMS").read_text().splitlines()
    published = {path: digest for digest, path in (row.split("  ", 1) for row in rows)}
    assert {path: file.sha256 for path, file in listed.items()} == published
    for path, file in listed.items():
        assert (data_folder / name / path).stat().st_size == file.size
