"""Kinds of signal files, each made here from the same counts."""

from signal_kinds import binary, matlab, programs, text, wfdb
from signal_kinds.kind import Kind

__all__ = ["KINDS", "Kind"]

KINDS: tuple[Kind, ...] = (
    *text.KINDS, *programs.KINDS, *binary.KINDS, *matlab.KINDS, *wfdb.KINDS,
)  # fmt: skip
