"""Every kind of signal file is imported as it was written, or refused in one line."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
_spec = importlib.util.spec_from_file_location(
    "signal_files", Path(__file__).parents[2] / "tools" / "signal_files.py"
)
assert _spec is not None
assert _spec.loader is not None
signal_files: Any = importlib.util.module_from_spec(_spec)
sys.modules["signal_files"] = signal_files  # dataclasses look their module up
_spec.loader.exec_module(signal_files)


@pytest.mark.parametrize("kind", signal_files.KINDS, ids=lambda kind: kind.name)
def test_a_kind_of_file_is_imported_or_refused(kind: Any, tmp_path: Path) -> None:
    try:
        outcome = signal_files.try_kind(kind, tmp_path)
    except ModuleNotFoundError as error:
        pytest.skip(f"the package {error.name} is not installed")
    assert outcome.ok, outcome.note
