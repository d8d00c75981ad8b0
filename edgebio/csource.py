"""Frame of the C that edgebio writes: its license, and headers that C++ can include as well."""

from typing import Final

NOTICE: Final = """\
// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

"""
_OPEN: Final = '#ifdef __cplusplus\nextern "C" {\n#endif\n'
_CLOSE: Final = "#ifdef __cplusplus\n}\n#endif\n"


def header(
    comment: str, guard: str, *, includes: str = "", macros: str = "", declarations: str = ""
) -> str:
    """Text of a C header.

    Parameters
    ----------
    comment
        What the header is, as a C comment.
    guard
        Macro that keeps it from being read twice.
    includes
        Lines that include others.
    macros
        Lines that only the preprocessor sees.
    declarations
        Everything else: of C, for C++ as well.

    Returns
    -------
    str
        The text, each part of it set off by an empty line; absent parts leave nothing.
    """
    linked = (_OPEN, declarations, _CLOSE) if declarations else ()
    parts = (f"#ifndef {guard}\n#define {guard}\n", includes, macros, *linked, "#endif\n")
    return NOTICE + comment + "\n".join(part for part in parts if part)
