"""A copy of the package to which a page's code blocks are applied, as its reader would."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.docs.markdown import Block
from tests.test_house import ROOT

APPEND = "at the end of "


def apply_diff(text: str, diff: str) -> str:
    """Insert the added lines of a diff behind the context line before each of them."""
    lines = text.splitlines()
    position = 0
    for line in diff.splitlines():
        if line.startswith("+"):
            lines.insert(position, line[1:])
        else:
            position = lines.index(line[1:])
        position += 1
    return "\n".join(lines) + "\n"


def write_blocks(root: Path, blocks: Sequence[Block]) -> None:
    """Write the titled blocks of a page: new files, ends of files, and diffs."""
    for block in blocks:
        path = root / block.title.removeprefix(APPEND)
        if not block.title:
            continue
        if block.language == "diff":
            path.write_text(apply_diff(path.read_text("utf-8"), block.text), "utf-8")
        elif block.title.startswith(APPEND):
            path.write_text(path.read_text("utf-8") + "\n\n" + block.text, "utf-8")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, "utf-8")


def copy_package(folder: Path) -> Path:
    """Copy the package into `folder`; boards and C are linked."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "edgebio", folder / "edgebio", ignore=ignore)
    for name in ("boards", "firmware_assets"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def run_python(package: Path, cwd: Path, *arguments: str) -> str:
    """Run Python with the copied package; returns what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(package)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
