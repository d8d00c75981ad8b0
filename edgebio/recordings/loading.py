"""Files of any supported format to recordings."""

from collections.abc import Iterable
from pathlib import Path

from edgebio.errors import EdgebioError
from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.importing.file_names import FileNameTemplate
from edgebio.recordings.importing.tables import recordings_from_table
from edgebio.recordings.preprocessing import unify_classes
from edgebio.recordings.readers import read_table
from edgebio.recordings.recording import Recording
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
    paths: Iterable[Path], options: ImportOptions, template: str | None = None
) -> list[Recording]:
    """Load many files as recordings with one list of classes.

    `options` hold for every file that does not state otherwise; `template` is the pattern of the
    names (`FileNameTemplate`). Without a ``{repetition}`` in it, files of one subject, session and
    label are numbered from the options' repetition.
    """
    pattern = FileNameTemplate(template) if template else None
    counts: dict[tuple[str, str, str | None], int] = {}
    recordings: list[Recording] = []
    for path in paths:
        fields = pattern.parse(path) if pattern else {}
        repetition = fields.pop("repetition", None)
        named = options.override(**fields)
        trial = (named.subject, named.session, named.label)
        number = int(repetition) if repetition else options.repetition + counts.get(trial, 0)
        counts[trial] = counts.get(trial, 0) + 1
        recordings += load_recordings(path, options=named.override(repetition=number))
    return unify_classes(recordings)
