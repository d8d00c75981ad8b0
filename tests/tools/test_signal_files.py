"""Every kind of signal file is imported as it was written, or refused in one line."""

from pathlib import Path

import pytest

from tools.signal_files import KINDS, Kind, try_kind


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_of_file_is_imported_or_refused(kind: Kind, tmp_path: Path) -> None:
    outcome = try_kind(kind, tmp_path)
    assert outcome.ok, outcome.note
