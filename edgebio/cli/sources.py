"""``edgebio sources``: list the live sources that are there."""

from edgebio.cli.common import Document, Output, command


@command(example="edgebio sources")
def sources(out: Output) -> Document:
    """List the live sources: ports, LSL streams, BrainFlow, replays, and what others need.

    Their URLs go to edgebio record, live and studio. Options follow a question mark, such as
    serial:///dev/ttyUSB0?baud=230400&lsb=0.01: see the documentation of live sources.
    """
    from edgebio.sources.catalog import list_sources

    entries = list_sources()
    out.table(
        "", ["source", "what it is", "note"],
        [[e.url if e.available else f"({e.url})", e.name, e.hint] for e in entries],
    )  # fmt: skip
    return {"sources": [entry.document() for entry in entries]}
