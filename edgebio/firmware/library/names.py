"""Names of one library: C identifiers and files with its prefix, so that two models link together.

The C of edgebio and CMSIS-DSP is taken over as it is, but for its prefix: ``eb_decide`` becomes
``hand_decide``, ``arm_rfft_q15`` becomes ``hand_arm_rfft_q15``, and ``eb_library_push``, the public
function, ``hand_push``.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from edgebio.errors import EdgebioError

INTERNAL = PurePosixPath("src/internal")
"""Folder of all C but the public header."""

VENDOR = INTERNAL / "cmsis-dsp"
"""Folder of CMSIS-DSP's C."""

_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,23}")
# A public header of such a name would hide the compiler's own; the others are the C's own prefixes.
_TAKEN = {
    "arm", "assert", "complex", "ctype", "eb", "errno", "fenv", "float", "inttypes", "iso646",
    "limits", "locale", "math", "setjmp", "signal", "stdalign", "stdarg", "stdatomic", "stdbool",
    "stddef", "stdint", "stdio", "stdlib", "stdnoreturn", "string", "tgmath", "threads", "time",
    "uchar", "wchar", "wctype",
}  # fmt: skip
_QUOTED = re.compile(r'^(\s*#\s*include\s+)"([^"]+)"', re.MULTILINE)
_SYSTEM = re.compile(r"^\s*#\s*include\s*<.*$", re.MULTILINE)
_NAME = re.compile(r"\b(eb_library_|EB_LIBRARY_|eb_|arm_(?=\w))")


def check_prefix(prefix: str) -> None:
    """Raise `EdgebioError` unless a prefix can begin C names and be the name of a header."""
    if not _PREFIX.fullmatch(prefix):
        raise EdgebioError(
            f"--prefix {prefix!r}: give 1 to 24 lower-case letters, digits and underscores, a "
            "letter first"
        )
    if prefix in _TAKEN:
        raise EdgebioError(
            f"--prefix {prefix}: taken by C or by a part of the library; choose another"
        )


@dataclass(frozen=True)
class Names:
    """Names with a prefix."""

    prefix: str

    @property
    def macro(self) -> str:
        """Prefix of macros and enumerators."""
        return self.prefix.upper()

    @property
    def header(self) -> PurePosixPath:
        """The public header."""
        return PurePosixPath("src") / f"{self.prefix}.h"

    def path(self, name: str, folder: PurePosixPath = INTERNAL) -> PurePosixPath:
        """Path in the library of a file by the name that it has in edgebio."""
        if name == "eb_library.h":
            return self.header
        return folder / f"{self.prefix}_{name.removeprefix('eb_library_').removeprefix('eb_')}"

    def rename(self, text: str, path: PurePosixPath, files: Mapping[str, PurePosixPath]) -> str:
        """C text of the file `path` with this prefix.

        `files` gives the path of every file of the library by its old name. An include of one of
        them becomes relative, so that no include path of a program can lead to another file.
        """
        lines: list[str] = []

        def relative(match: re.Match[str]) -> str:
            target = files.get(PurePosixPath(match[2]).name)
            if target is None:
                return keep(match[0])
            return keep(f'{match[1]}"{os.path.relpath(target, path.parent)}"')

        def keep(line: str) -> str:
            lines.append(line)
            return f"\0{len(lines) - 1}\0"

        text = _QUOTED.sub(relative, text)
        text = _SYSTEM.sub(lambda match: keep(match[0]), text)
        text = _NAME.sub(self._renamed, text)
        return re.sub("\0(\\d+)\0", lambda match: lines[int(match[1])], text)

    def _renamed(self, match: re.Match[str]) -> str:
        return {
            "eb_library_": f"{self.prefix}_",
            "EB_LIBRARY_": f"{self.macro}_",
            "eb_": f"{self.prefix}_",
            "arm_": f"{self.prefix}_arm_",
        }[match[0]]
