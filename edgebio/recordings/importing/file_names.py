"""Files of folders and patterns; subject, session, repetition and label in their names."""

import re
from collections.abc import Iterable
from pathlib import Path

from edgebio.errors import EdgebioError
from edgebio.recordings.natural_order import sort_naturally
from edgebio.recordings.readers import SUFFIXES

_FIELDS = {"subject": "[^/]+?", "session": "[^/]+?", "repetition": "[0-9]{1,9}", "label": "[^/]+?"}
_MAX_SEGMENTS = 100_000
_BIDS_SIDECAR = re.compile(
    r"(participants|dataset_description|samples|.*_(events|channels|electrodes|scans|sessions|"
    r"coordsystem|emg|eeg|ecg|physio|motion|stim|beh))\.json|"
    r"(participants|samples|.*_(events|channels|electrodes|scans|sessions|optodes))\.tsv|"
    r".*_events\.csv|"
    r"(README|CHANGES|LICENSE)(\.txt|\.md)?",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"\{([a-z]+)\}|\*")


def find_files(paths: Iterable[Path]) -> list[Path]:
    """Files of any supported suffix in folders, files of patterns such as ``**/*.csv``, and files.

    Raises
    ------
    EdgebioError
        Where there is none.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            matches = [file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES]
            matches = _signal_files(matches)
        elif "*" in str(path) and not path.exists():
            root = Path(path.anchor) if path.is_absolute() else Path()
            matches = list(root.glob(str(path.relative_to(root))))
        elif path.is_file():
            files.append(path)
            continue
        else:
            raise EdgebioError(f"{path}: no such file")
        matches = [file for file in matches if file.is_file() and not file.name.startswith(".")]
        if not matches:
            raise EdgebioError(f"{path}: no files of recordings there")
        files += [Path(name) for name in sort_naturally(map(str, matches))]
    return files


def _signal_files(files: Iterable[Path]) -> list[Path]:
    """Leave out what belongs to another file: parts of WFDB records, and tables of BIDS."""
    files = [file for file in files if not _BIDS_SIDECAR.fullmatch(file.name)]
    names = {file.with_suffix("") for file in files if file.suffix.lower() == ".vhdr"}
    headers = {file.with_suffix("") for file in files if file.suffix.lower() == ".hea"}
    segments: set[Path] = set()
    for header in headers:
        segments |= {header.with_name(name) for name in _segment_names(header.with_suffix(".hea"))}
    return [
        file for file in files
        if (file.suffix.lower() == ".hea" or file.with_suffix("") not in headers)
        and file.with_suffix("") not in segments
        and (file.suffix.lower() != ".dat" or file.with_suffix("") not in names)
    ]  # fmt: skip


def _segment_names(header: Path) -> list[str]:
    """Segments of a WFDB record of several, which its first line states: ``name/segments``."""
    try:
        lines = header.read_text("latin-1").splitlines()[:_MAX_SEGMENTS]
    except OSError:
        return []
    fields = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    if not fields or "/" not in fields[0][0]:
        return []
    return [row[0] for row in fields[1:] if row[0] != "~"]


class FileNameTemplate:
    """Pattern of the end of a path: ``"S{subject}/C{label}_R{repetition}.csv"``.

    It may hold ``{subject}``, ``{session}``, ``{repetition}`` and ``{label}`` once each, and ``*``.
    """

    def __init__(self, template: str) -> None:
        names = [name for name in _PLACEHOLDER.findall(template) if name]
        for name in names:
            if name not in _FIELDS or names.count(name) > 1:
                raise EdgebioError(
                    f"--name {template}: {{{name}}}; it takes each of "
                    f"{', '.join('{' + field + '}' for field in _FIELDS)} once"
                )
        pattern, end = "(?:^|.*/)", 0
        for match in _PLACEHOLDER.finditer(template):
            pattern += re.escape(template[end : match.start()])
            pattern += f"(?P<{match[1]}>{_FIELDS[match[1]]})" if match[1] else "[^/]*?"
            end = match.end()
        self._template = template
        self._pattern = re.compile(pattern + re.escape(template[end:]))

    def parse(self, path: Path) -> dict[str, str]:
        """Return the fields in the name of a file; refuse a name that does not match."""
        match = self._pattern.fullmatch(path.as_posix())
        if not match:
            raise EdgebioError(f"{path}: does not match --name {self._template}")
        return match.groupdict()
