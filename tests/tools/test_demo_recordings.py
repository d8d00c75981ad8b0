"""Recordings of ``make demo``: local ones, one person's from a real HTTP server, or synthetic."""

import hashlib
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from edgebio.cli import main
from edgebio.datasets import download
from edgebio.errors import EdgebioError
from tests.datasets.test_download import Server
from tests.test_house import ROOT

CONTENT = {
    "Participant2/train/EMG/a.txt": b"1,2\n" * 9000,
    "Participant2/test/EMG/b.txt": b"3,4\n" * 50,
    "Participant22/train/EMG/a.txt": b"5,6\n",
}
OWN = {path for path in CONTENT if path.startswith("Participant2/")}


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    files = [download.File(p, len(b), hashlib.sha256(b).hexdigest()) for p, b in CONTENT.items()]
    monkeypatch.setattr(download, "list_files", lambda name: files)
    monkeypatch.setattr(download, "_PAUSE", 0.001)
    monkeypatch.delenv("EDGEBIO_DATA", raising=False)
    monkeypatch.setenv("EDGEBIO_CACHE", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(ROOT / "tools")
    monkeypatch.delitem(sys.modules, "demo_recordings", raising=False)
    import demo_recordings

    return demo_recordings


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    running.files = dict(CONTENT)
    yield running
    running.close()


def test_one_person_is_fetched_and_used(demo: Any, server: Server, capsys: Any) -> None:
    chosen, text = demo.choose_recordings(server.address)
    assert chosen == demo.REAL
    assert text.startswith("real recordings: ")
    assert "fetching one person of emg-3dc" in capsys.readouterr().out
    assert {path for path, _ in server.requests} == OWN
    server.requests.clear()
    assert demo.choose_recordings(server.address) == (chosen, text)
    assert server.requests == []  # they are here now


def test_recordings_beside_the_checkout_are_used(
    demo: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in OWN:
        file = tmp_path / "data" / "emg-3dc" / path
        file.parent.mkdir(parents=True)
        file.write_bytes(CONTENT[path])
    monkeypatch.setenv("EDGEBIO_DATA", str(tmp_path / "data"))
    chosen, text = demo.choose_recordings("http://127.0.0.1:1/")
    assert (chosen, text) == (demo.REAL, f"real recordings: {tmp_path / 'data' / 'emg-3dc'}")


def test_a_refused_connection_costs_one_line_and_no_time(demo: Any, server: Server) -> None:
    server.close()
    start = time.monotonic()
    chosen, text = demo.choose_recordings(server.address)
    assert chosen == demo.SYNTHETIC
    assert text == ("SYNTHETIC EMG, as emg-3dc is not here: no answer from its source within 20 s")
    assert time.monotonic() - start < 5


def test_a_source_that_is_silent_is_given_up(demo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "BEGIN_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        chosen, _ = demo.choose_recordings(f"http://127.0.0.1:{silent.getsockname()[1]}/set")
    assert chosen == demo.SYNTHETIC
    assert 0.4 < time.monotonic() - start < 3


def test_a_source_that_breaks_off_is_named(demo: Any, server: Server) -> None:
    del server.files["Participant2/test/EMG/b.txt"]
    chosen, text = demo.choose_recordings(server.address)
    assert chosen == demo.SYNTHETIC
    assert "b.txt: HTTP 404" in text
    assert len(text.splitlines()) == 1


def test_fetch_of_a_subject_by_the_command(demo: Any, server: Server) -> None:
    words = ["data", "fetch", "emg-3dc", "--from", server.address, "--subject"]
    done = CliRunner().invoke(main, [*words, "2"])
    assert done.exit_code == 0, done.output
    assert "2 files fetched" in done.output
    assert {path for path, _ in server.requests} == OWN
    wrong = CliRunner().invoke(main, [*words, "3"])
    assert wrong.exit_code == 2
    assert "no subject '3' to fetch; there are 2, 22" in wrong.output
    with pytest.raises(EdgebioError, match="its files do not tell subjects apart"):
        download.files_of("ecg-mitbih", ["100"])
