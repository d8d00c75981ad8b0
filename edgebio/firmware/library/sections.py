"""Marks in C of what a program may want in a section of its own: hot code and constants.

The C of edgebio has its functions and tables at the beginning of a line, in clang-format's layout.
"""

import re

_FUNCTION = re.compile(
    r"^(?!static inline|EB_INLINE|EB_LAYER)"
    r"(?=(?:(?:EB_[A-Z]+|static|const|__attribute__\(\(\w+\)\))\s)*"
    r"\w+ \*?\s?\w+\([^;{}#]*\)\n\{)",
    re.MULTILINE,
)
_TABLE = re.compile(r"^(?=(?:_Alignas\(\d+\) )?static const )", re.MULTILINE)

MACROS = """\
#ifdef @_CODE_SECTION
#define EB_HOT __attribute__((section(@_CODE_SECTION)))
#else
#define EB_HOT
#endif
#define ARM_DSP_ATTRIBUTE EB_HOT

#ifdef @_WEIGHTS_SECTION
#define EB_CONSTANTS __attribute__((section(@_WEIGHTS_SECTION)))
#else
#define EB_CONSTANTS
#endif
"""
"""Definitions of the marks; ``@`` stands for the library's prefix of macros."""


def mark_functions(text: str) -> str:
    """C of kernels or front end with its functions marked as hot."""
    return _FUNCTION.sub("EB_HOT ", text)


def mark_constants(text: str) -> str:
    """Generated C with its tables marked."""
    return _TABLE.sub("EB_CONSTANTS ", text)
