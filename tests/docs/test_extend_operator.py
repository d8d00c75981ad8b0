"""The page "Add an operator", followed to the letter; the list of operators is up to date."""

import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from edgebio.compiler.operators import OPERATORS
from tests.docs.markdown import blocks
from tests.docs.overlay import copy_package, run_python, write_blocks
from tests.test_house import ROOT

PAGE = ROOT / "docs" / "extend" / "operator.md"


def test_add_operators(tmp_path: Path) -> None:
    """In a copy of the checkout, the page's files compile, and its tests pass."""
    pytest.importorskip("tflite_micro", reason="tflite-micro, the reference, is not installed")
    root = copy_package(tmp_path / "checkout")
    (root / "firmware_assets").unlink()  # the page adds a kernel
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("firmware_assets", "tests"):
        shutil.copytree(ROOT / name, root / name, ignore=ignore)
    shutil.copyfile(ROOT / "pyproject.toml", root / "pyproject.toml")
    page_blocks = list(blocks(PAGE))
    write_blocks(root, page_blocks)
    (test,) = (block.title for block in page_blocks if block.title.startswith("tests/"))
    run_python(root, root, "-m", "pytest", "-q", test)
    code = "from edgebio.compiler.operators import OPERATORS; print(*OPERATORS)"
    assert "SQUARED_DIFFERENCE" in run_python(root, root, "-c", code).split()
    assert "SQUARED_DIFFERENCE" not in OPERATORS  # the page would teach nothing new


def test_abs_is_as_shown() -> None:
    (block,) = (block for block in blocks(PAGE) if block.title.endswith("/abs.py"))
    assert (ROOT / block.title).read_text("utf-8").strip() == block.text.strip()


def test_the_list_of_operators_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "tools/operators.py", "--check"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", sorted({each.__module__ for each in OPERATORS.values()}))
def test_the_docstring_of_an_operator_names_what_it_registers(module: str) -> None:
    registered = {name for name, each in OPERATORS.items() if each.__module__ == module}
    text = import_module(module).__doc__ or ""
    assert set(re.findall(r"[A-Z0-9_]{3,}", text.partition(":")[0])) == registered
