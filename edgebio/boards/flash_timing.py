"""Section ``[timing]`` of a board file: what code and constants in flash cost."""

from typing import Annotated

from pydantic import Field

from edgebio.section import Section

Bytes = Annotated[int, Field(ge=0, lt=1 << 24)]


class FlashTiming(Section):
    """How long the CPU waits for flash; a board that runs from RAM has no such section.

    Attributes
    ----------
    stall : int
        Cycles that the CPU waits for a line that is in no cache.
    line_bytes : int
        Bytes that one access to flash brings.
    code_cache, data_cache : int
        Bytes of the caches for instructions and for constants; 0 for none.
    shared : bool
        Whether both are the same memory.
    source : str
        The vendor's manual and chapter.
    """

    stall: Annotated[int, Field(ge=0, le=1000)]
    line_bytes: Annotated[int, Field(ge=4, le=64)]
    code_cache: Bytes = 0
    data_cache: Bytes = 0
    shared: bool = False
    source: str
