"""Every kind of signal file is imported as it was written, or refused in one line."""

import importlib.util
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgebio.errors import EdgebioError
from edgebio.recordings import ImportOptions, import_recordings

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


@pytest.mark.parametrize("kind", signal_files.KINDS, ids=lambda kind: kind.name)
def test_a_damaged_file_of_a_kind_is_read_or_refused_in_one_line(kind: Any, tmp_path: Path) -> None:
    """Cuts, flipped bits and bytes that are not numbers never end in a traceback."""
    path = tmp_path / f"file{kind.suffix}"
    try:
        kind.write(path)
    except ModuleNotFoundError as error:
        pytest.skip(f"the package {error.name} is not installed")
    rng = np.random.default_rng(len(kind.name))
    files = {file: file.read_bytes() for file in sorted(tmp_path.iterdir())}
    for case in range(3):
        file = list(files)[rng.integers(len(files))]
        content = bytearray(files[file])
        if case == 0:
            content = content[: rng.integers(len(content) + 1)]
        elif case == 1:
            for _ in range(6):
                content[rng.integers(len(content))] ^= 1 << rng.integers(8)
        else:
            place = rng.integers(min(len(content), 500))
            content[place:place] = rng.bytes(9)
        file.write_bytes(content)
        message = ""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                recordings = import_recordings([path], ImportOptions(**kind.options))
                assert sum(r.samples.nbytes for r in recordings) < 10_000_000
            except EdgebioError as error:
                message = str(error)
        assert "\n" not in message
        file.write_bytes(files[file])
