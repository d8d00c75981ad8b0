"""Recordings as the command line names them: a file, or part of a data set."""

from pathlib import Path

from edgebio import datasets
from edgebio.errors import EdgebioError
from edgebio.recordings import Recording, files
from edgebio.recordings.layout import Layout


def select(text: str, root: Path | None = None, rate: float | None = None) -> list[Recording]:
    """Recordings that `text` names.

    Parameters
    ----------
    text
        A .csv or .npz file, or ``dataset:subject``, ``dataset:subject:session`` or
        ``dataset:subject:session:repetition``.
    root
        Folder of data sets; see `edgebio.datasets.locate`.
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
    if not 1 <= len(parts) <= 3 or not all(parts):
        raise EdgebioError(
            f"{text!r}: expected a .csv or .npz file, dataset:subject, dataset:subject:session or "
            "dataset:subject:session:repetition"
        )
    chosen = datasets.load(name, root, [parts[0]])
    whose = f"{name}: subject {parts[0]}"
    for field, value in zip(("session", "repetition"), parts[1:], strict=False):
        there = list(dict.fromkeys(str(getattr(r, field)) for r in chosen))
        if value not in there:
            raise EdgebioError(f"{whose} has no {field} {value!r}, only {', '.join(there)}")
        chosen = [r for r in chosen if str(getattr(r, field)) == value]
        whose += f", {field} {value},"
    return chosen
