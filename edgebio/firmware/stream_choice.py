"""Whether an image's network is a stream that computes only what is new."""

from typing import Final

from edgebio import compiler, tflite
from edgebio.errors import EdgebioError
from edgebio.tflite.metadata import read_metadata

_WORTH: Final = 0.5
"""Most multiply-accumulates of a decision, of those of the whole window."""


def stream_hop(
    graph: tflite.Graph, isa: compiler.KernelSet, wanted: bool | None = None
) -> int | None:
    """Frames between the decisions of a model's front end, if its network is to be a stream.

    Parameters
    ----------
    wanted
        None where it saves half of the multiply-accumulates: it takes more RAM.

    Raises
    ------
    EdgebioError
        If it is wanted and consecutive windows share nothing, or there is no front end.
    """
    metadata = read_metadata(graph)
    if wanted is False or (metadata is None and not wanted):
        return None
    if metadata is None:
        raise EdgebioError("a model without a front end gets whole windows: leave out --stream")
    hop = metadata.frontend.step_frames
    try:
        program = compiler.compile_model(graph, isa, hop=hop)
    except EdgebioError:
        if wanted:
            raise
        return None
    assert program.stream is not None
    return hop if wanted or program.stream.macs <= _WORTH * program.macs else None
