"""Recordings as the command line names them: a file, or part of a data set."""

from pathlib import Path

from edgebio.errors import EdgebioError
from edgebio.recordings import Recording, datasets, files
from edgebio.recordings.layout import Layout


def select(text: str, root: Path | None = None, rate: float | None = None) -> list[Recording]:
    """Recordings that `text` names.

    Parameters
    ----------
    text
        A .csv or .npz file, or ``dataset:subject`` or ``dataset:subject:session``.
    root
        Folder of data sets; see `edgebio.recordings.datasets.locate`.
    rate
        Samples a second of a file that does not say.

    Raises
    ------
    EdgebioError
        Where there is nothing of that name.
    """
    path = Path(text)
    if path.suffix.lower() in (".csv", ".npz", ".txt") or path.is_file():
        return files.read(path, Layout(rate=rate))
    name, *parts = text.split(":")
    if not 1 <= len(parts) <= 2 or not all(parts):
        raise EdgebioError(
            f"{text!r}: expected a .csv or .npz file, dataset:subject or dataset:subject:session"
        )
    recordings = datasets.load(name, root, [parts[0]])
    if len(parts) == 1:
        return recordings
    chosen = [recording for recording in recordings if recording.session == parts[1]]
    if not chosen:
        there = ", ".join(dict.fromkeys(recording.session for recording in recordings))
        raise EdgebioError(f"{name}: subject {parts[0]} has no session {parts[1]!r}, only {there}")
    return chosen
