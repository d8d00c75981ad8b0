"""What BIDS puts beside a signal file, and into its name."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from edgebio.errors import EdgebioError
from edgebio.recordings.readers.damage import check_file

_MAX_BYTES = 1 << 20
_NAME = re.compile(r"sub-(?P<subject>[^_]+)_(?:ses-(?P<session>[^_]+)_)?.*")
_TABLE = re.compile(r"(.*_(?:emg|eeg|ecg|physio|stim|motion))\.tsv(?:\.gz)?")


@dataclass(frozen=True)
class Sidecar:
    """Rate in Hz, and names of the columns, that the JSON beside a table states."""

    rate: float
    names: tuple[str, ...]


def entities(path: Path) -> dict[str, str]:
    """Subject and session in a name such as ``sub-01_ses-2_task-grip_emg.edf``; empty otherwise."""
    match = _NAME.fullmatch(path.name)
    return {key: value for key, value in match.groupdict().items() if value} if match else {}


def read_sidecar(path: Path) -> Sidecar | None:
    """Read the JSON beside a table of samples, which has no header line itself; None without one.

    Raises
    ------
    EdgebioError
        If it states no rate or no columns.
    """
    match = _TABLE.fullmatch(path.name)
    if not match or not (sidecar := path.with_name(f"{match[1]}.json")).is_file():
        return None
    check_file(sidecar, _MAX_BYTES, "JSON file beside a table")
    try:
        content = json.loads(sidecar.read_bytes())
        return Sidecar(
            float(content["SamplingFrequency"]), tuple(str(name) for name in content["Columns"])
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        raise EdgebioError(
            f"{sidecar}: expected SamplingFrequency and Columns, as BIDS has them"
        ) from None
