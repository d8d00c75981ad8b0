"""`tools/link_noise.py`: no wrong frame is accepted, and errors in the firmware are counted."""

import json
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgebio import storage

TOOL = Path(__file__).resolve().parents[2] / "tools" / "link_noise.py"
ZEROES = ("accepted_wrong", "lost_sync", "repeated_effect")


@pytest.fixture(scope="module")
def run() -> Callable[..., dict[str, Any]]:
    path: Callable[..., dict[str, Any]] = runpy.run_path(str(TOOL))["run"]
    return path


@pytest.fixture
def changed_link(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """A copy of the firmware's link with one change."""

    def change(file: str, before: str, after: str) -> Path:
        shutil.copytree(storage.assets("firmware_assets") / "link", tmp_path / "link")
        path = tmp_path / "link" / file
        text = path.read_text()
        assert text.count(before) == 1
        path.write_text(text.replace(before, after))
        return tmp_path / "link"

    return change


def test_no_wrong_frame_is_accepted() -> None:
    command = [sys.executable, str(TOOL), "--frames", "30000", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    counted = json.loads(done.stdout)
    assert counted["frames"] >= 30_000
    assert {counted[name] for name in ZEROES} == {0}
    assert counted["damaged"] > 5000
    assert min(counted["events"].values()) > 200
    assert min(counted["to_device"], counted["to_host"], counted["asked_again"]) > 5000


def test_same_seed_gives_the_same_run(run: Callable[..., dict[str, Any]]) -> None:
    first, again, other = (run(2000, seed, 0.005) | {"seconds": 0} for seed in (5, 5, 6))
    assert first == again != other


def test_no_request_is_repeated_without_noise(run: Callable[..., dict[str, Any]]) -> None:
    counted = run(1000, 1, 0.0)
    assert counted["asked_again"] == counted["damaged"] == 0
    assert counted["requests"] == 500


@pytest.mark.parametrize(
    ("counter", "file", "before", "after"),
    [
        ("accepted_wrong", "eb_link.c", "if (eb_crc32(0, raw, end) != crc) {", "if (0) {"),
        ("lost_sync", "eb_link.c", "        parser->damaged++;\n    }\n    restart(parser);\n",
         "        parser->damaged++;\n        return false;\n    }\n    restart(parser);\n"),
        ("repeated_effect", "eb_server.c", "ahead >= 0x8000u) &&", "ahead >= 0x8000u) && 0 &&"),
    ],
    ids=["no CRC", "no resynchronization", "no memory"],
)  # fmt: skip
def test_errors_in_the_firmware_are_counted(
    run: Callable[..., dict[str, Any]], changed_link: Callable[[str, str, str], Path],
    counter: str, file: str, before: str, after: str,
) -> None:  # fmt: skip
    assert run(3000, 2, 0.005, changed_link(file, before, after))[counter] > 0
