"""Subject, session, repetition and label in the names of files."""

import re
from pathlib import Path

from edgebio.errors import EdgebioError

_FIELDS = {"subject": "[^/]+?", "session": "[^/]+?", "repetition": "[0-9]{1,9}", "label": "[^/]+?"}
_PLACEHOLDER = re.compile(r"\{([a-z]+)\}|\*")


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
