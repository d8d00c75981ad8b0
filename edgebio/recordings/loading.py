"""Files of any supported format to recordings."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgebio.errors import EdgebioError
from edgebio.progress import track
from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.importing.file_names import FileNameTemplate
from edgebio.recordings.importing.tables import recordings_from_table
from edgebio.recordings.preprocessing import unify_classes
from edgebio.recordings.readers import read_table
from edgebio.recordings.readers.bids import entities
from edgebio.recordings.recording import UNLABELED, Recording
from edgebio.recordings.recordings_file import is_recordings_file, read_recordings_file


def load_recordings(
    path: str | Path,
    rate: float | None = None,
    *,
    lsb: float | None = None,
    units: str | None = None,
    options: ImportOptions | None = None,
) -> list[Recording]:
    """Load the recordings of a file: edgebio's own NPZ, or CSV, NPZ, .mat, EDF, BDF or WFDB.

    Parameters
    ----------
    path
        The file; the header (.hea) of a WFDB record.
    rate
        Sampling rate in Hz, where the file does not state it.
    lsb, units
        Units of one count, and their name, for decimal numbers and for channels of several steps.
    options
        More about the file, such as `importing.mapping_file.read_mapping` reads; the other
        arguments take precedence.

    Raises
    ------
    EdgebioError
        Where the file is missing, damaged, ragged or not finite, or something is not known.
    """
    if not isinstance(path, str | Path):
        raise EdgebioError(f"path {path!r}; expected the path of a file")
    path = Path(path)
    if is_recordings_file(path):
        recordings = read_recordings_file(path)
        if rate is not None and rate != recordings[0].rate:
            raise EdgebioError(f"{path}: recorded at {recordings[0].rate:g} Hz, not {rate:g} Hz")
        return recordings
    options = (options or ImportOptions()).override(rate=rate, lsb=lsb, units=units)
    return recordings_from_table(read_table(path, options), options)


def load_recording(
    path: str | Path,
    rate: float | None = None,
    *,
    lsb: float | None = None,
    units: str | None = None,
    options: ImportOptions | None = None,
) -> Recording:
    """Load a file that holds one recording, and refuse one that holds several.

    See `load_recordings`.
    """
    recordings = load_recordings(path, rate, lsb=lsb, units=units, options=options)
    if len(recordings) != 1:
        raise EdgebioError(f"{path}: holds {len(recordings)} recordings; use load_recordings")
    return recordings[0]


def import_recordings(
    paths: Iterable[Path],
    options: ImportOptions,
    template: str | None = None,
    skipped: list[EdgebioError] | None = None,
) -> list[Recording]:
    """Load many files as recordings with one list of classes.

    `options` hold for every file that does not state otherwise; `template` is the pattern of the
    names (`FileNameTemplate`); those of BIDS need none. Without a ``{repetition}`` in it, files of
    one subject, session and label are numbered from the options' repetition; so are the runs of
    each label where files hold a label for every sample (`ImportOptions.repetitions`). A file that
    cannot be read is refused; with a list `skipped`, it is left out, and its error appended.
    """
    pattern = FileNameTemplate(template) if template else None
    numbering = _RepetitionNumbering(options.repetition)

    def read(path: Path) -> list[Recording]:
        fields = pattern.parse(path) if pattern else _named_by_bids(path, options)
        repetition = fields.pop("repetition", None)
        named = options.override(**fields)
        named = named.override(repetitions=named.repetitions or ("files" if repetition else "runs"))
        if named.label is not None and named.classes is not None:
            named = named.override(label=_class_name(path, named.label, named.classes))
        if repetition:
            named = named.override(repetition=int(repetition))
        loaded = load_recordings(path, options=named)
        if not repetition and named.repetition_column is None:
            loaded = numbering.number(loaded, named.repetitions == "runs")
        return loaded

    recordings: list[Recording] = []
    for path in track(list(paths), "reading"):
        try:
            recordings += read(path)
        except EdgebioError as error:
            if skipped is None:
                raise
            skipped.append(error)
    if not recordings:
        raise EdgebioError("no file was read: " + "; ".join(map(str, skipped or ())))
    return unify_classes(recordings)


def _named_by_bids(path: Path, options: ImportOptions) -> dict[str, str]:
    """Subject and session in a name of BIDS, where the options do not give them."""
    default = ImportOptions()
    return {
        field: name for field, name in entities(path).items()
        if getattr(options, field) == getattr(default, field)
    }  # fmt: skip


def _class_name(path: Path, label: str, classes: Mapping[str, str]) -> str:
    if label not in classes:
        present = ", ".join(classes) or "empty"
        raise EdgebioError(f"{path}: label {label!r} is not in [classes]: {present}")
    return classes[label]


class _RepetitionNumbering:
    """Numbers of repetitions, counted within each subject, session and class from `first` on."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def number(self, recordings: list[Recording], by_runs: bool) -> list[Recording]:
        """Number the recordings of one file: each by itself, or all alike."""
        names = [_only_class(r) for r in recordings]
        trials = [(r.subject, r.session, name) for r, name in zip(recordings, names, strict=True)]
        if not by_runs or (len(set(names)) == 1 and len(recordings) > 1):
            trials = [(r.subject, r.session, names[0]) for r in recordings]
        numbered = []
        for index, (recording, trial) in enumerate(zip(recordings, trials, strict=True)):
            number = self._first + self._counts[trial]
            numbered.append(replace(recording, repetition=number))
            if by_runs or trial not in trials[index + 1 :]:
                self._counts[trial] += 1
        return numbered


def _only_class(recording: Recording) -> str:
    """Class of a recording that has one; empty where it has several or none."""
    numbers = np.unique(recording.labels[recording.labels != UNLABELED])
    return recording.classes[int(numbers[0])] if len(numbers) == 1 else ""
