"""Frame of generated C: the license notice, and headers that C++ can include, too."""

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
    """Text of a C header with a `guard`; its `declarations` get C linkage."""
    linked = (_OPEN, declarations, _CLOSE) if declarations else ()
    parts = (f"#ifndef {guard}\n#define {guard}\n", includes, macros, *linked, "#endif\n")
    return NOTICE + comment + "\n".join(part for part in parts if part)
