"""Files of anybody's to recordings of one set: what their names tell, and one class list."""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from edgebio.errors import EdgebioError
from edgebio.recordings import files
from edgebio.recordings.layout import Layout
from edgebio.recordings.recording import Recording

_FIELDS = ("subject", "session", "repetition", "label")
_FIELD = re.compile(r"\{([a-z]+)\}|\*")


def gather(paths: Iterable[Path], layout: Layout, template: str | None = None) -> list[Recording]:
    """Read files into recordings with one class list, ready for `files.save`.

    Parameters
    ----------
    paths
        CSV, NPZ, or files of edgebio's; see `files.read`.
    layout
        What holds for every file that does not say it itself.
    template
        How the end of a path is made up, of ``{subject}``, ``{session}``, ``{repetition}``,
        ``{label}`` and ``*``: ``"S{subject}/C{label}_R{repetition}.csv"``. Without a
        ``{repetition}``, plain files of one person, session and label are counted from the
        layout's.

    Raises
    ------
    EdgebioError
        Where a file is bad, or its path does not match.
    """
    pattern = _compiled(template) if template else None
    counted: dict[tuple[str, str, str | None], int] = {}
    recordings: list[Recording] = []
    for path in paths:
        told = _told(path, pattern, template) if pattern else {}
        named = replace(
            layout,
            subject=told.get("subject", layout.subject),
            session=told.get("session", layout.session),
            label=told.get("label", layout.label),
        )
        trial = (named.subject, named.session, named.label)
        number = (
            int(told["repetition"])
            if "repetition" in told
            else (layout.repetition + counted.get(trial, 0))
        )
        counted[trial] = counted.get(trial, 0) + 1
        recordings += files.read(path, replace(named, repetition=number))
    return files.unify(recordings)


def _compiled(template: str) -> re.Pattern[str]:
    """Regular expression of a template, for the end of a path with forward slashes."""
    names = [name for name in _FIELD.findall(template) if name]
    for name in names:
        if name not in _FIELDS or names.count(name) > 1:
            raise EdgebioError(
                f"--name {template}: {{{name}}}; it takes each of "
                f"{', '.join('{' + field + '}' for field in _FIELDS)} once"
            )
    parts: list[str] = []
    end = 0
    for field in _FIELD.finditer(template):
        parts.append(re.escape(template[end : field.start()]))
        name = field[1]
        wanted = "[0-9]{1,9}" if name == "repetition" else "[^/]+?" if name else "[^/]*?"
        parts.append(f"(?P<{name}>{wanted})" if name else wanted)
        end = field.end()
    parts.append(re.escape(template[end:]))
    return re.compile("(?:^|.*/)" + "".join(parts))


def _told(path: Path, pattern: re.Pattern[str], template: str | None) -> dict[str, str]:
    found = pattern.fullmatch(path.as_posix())
    if not found:
        raise EdgebioError(f"{path}: does not match --name {template}")
    return found.groupdict()
