"""Recordings as the command line names them: a file, or a part of a data set."""

from pathlib import Path

from edgebio import datasets
from edgebio.errors import EdgebioError
from edgebio.recordings import Recording, load_recordings
from edgebio.suggest import nearest


def select(text: str, root: Path | None = None, rate: float | None = None) -> list[Recording]:
    """Load a file, or ``dataset:subject``, with ``:session`` or ``:session:repetition`` after it.

    `root` is the folder of data sets (`edgebio.datasets.locate`), `rate` the sampling rate in Hz of
    a file that does not state it.
    """
    path = Path(text)
    if path.suffix.lower() in (".csv", ".npz", ".txt") or path.is_file():
        return load_recordings(path, rate)
    name, *parts = text.split(":")
    if not 1 <= len(parts) <= 3 or not all(parts):
        raise EdgebioError(
            f"{text!r}: expected a .csv or .npz file, dataset:subject, dataset:subject:session or "
            "dataset:subject:session:repetition"
        )
    recordings = datasets.load(name, root, [parts[0]])
    position = f"{name}: subject {parts[0]}"
    for field, value in zip(("session", "repetition"), parts[1:], strict=False):
        present = list(dict.fromkeys(str(getattr(r, field)) for r in recordings))
        if value not in present:
            raise EdgebioError(
                f"{position} has no {field} {value!r}, only {', '.join(present)}"
                f"{nearest(value, present)}"
            )
        recordings = [r for r in recordings if str(getattr(r, field)) == value]
        position += f", {field} {value},"
    return recordings
