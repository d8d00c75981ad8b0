"""The device application as C: what a build compiles besides the network, front end and port."""

from dataclasses import dataclass
from pathlib import Path

from edgebio import storage
from edgebio.decision import firmware as decision
from edgebio.decision.outputs import Outputs
from edgebio.errors import EdgebioError
from edgebio.link.messages import MESSAGES
from edgebio.tflite import Graph
from edgebio.tflite.metadata import metadata


@dataclass(frozen=True)
class ImageIdentity:
    """What an image says of itself (message ``identify``).

    Attributes
    ----------
    board, core
        Names: of the board file, of the core.
    clock_hz
        Core clock.
    build
        16 bytes that name what the image was built from.
    """

    board: str
    core: str
    clock_hz: int
    build: bytes


@dataclass(frozen=True)
class ApplicationSources:
    """What a build compiles for the application: sources and header folders."""

    own: tuple[Path, ...]
    include: tuple[Path, ...]


TRACE_FLAGS = ("-DEB_LINK_TRACE", "-include", "eb_trace.h")
"""Flags of every source of an application that is written with ``traced``."""


def write(
    folder: Path, graph: Graph, identity: ImageIdentity, *, traced: bool = False
) -> ApplicationSources:
    """Write the configuration of ``app/main.c`` for one model and one board into `folder`.

    Parameters
    ----------
    folder
        Where ``app_config.h`` and, for a model with a front end, ``decision_config.{h,c}`` go.
    graph
        The model.
    identity
        What the image answers when asked.
    traced
        For hardware in the loop: layers and stages can be traced over the link.

    Returns
    -------
    ApplicationSources
        Sources of the application, the link and the decision; those of the network
        (``model.h``), the front end (``frontend_config.h``) and the port (``port.h``) are compiled
        with them.

    Raises
    ------
    EdgebioError
        Where a name does not fit its field, or the outputs cannot be decided by.
    """
    lengths = {f.name: f.size for f in MESSAGES["identify"].answer.fields}  # type: ignore[union-attr]
    for field, value in (("board", identity.board), ("core", identity.core)):
        if len(value.encode()) > lengths[field]:
            raise EdgebioError(f"{field} name {value!r} is longer than {lengths[field]} bytes")
    if len(identity.build) != lengths["build"]:
        raise EdgebioError(f"a build is named by {lengths['build']} bytes")
    build = ", ".join(f"0x{byte:02x}" for byte in identity.build)
    storage.write_text(
        folder / "app_config.h",
        f"""\
/* What the image says of itself. Generated. */
#ifndef EB_APP_CONFIG_H
#define EB_APP_CONFIG_H

#define EB_APP_BOARD "{identity.board}"
#define EB_APP_CORE "{identity.core}"
#define EB_APP_CLOCK_HZ {identity.clock_hz}u
#define EB_APP_BUILD {{{build}}}

#endif
""",
    )
    assets = storage.assets("firmware_assets")
    own = [*sorted((assets / "link").glob("*.c")), assets / "app" / "main.c"]
    own += [
        assets / "app" / f"eb_{name}.c" for name in ("network", "run", "sha256", "stream", "work")
    ]
    own += [assets / "app" / "eb_trace.c"] if traced else []
    include = [assets / "link", assets / "app", folder]
    known = metadata(graph)
    if known is not None:
        sources = decision.write(folder, known.decision, Outputs.of(graph))
        own += sources.own
        include += sources.include
    return ApplicationSources(tuple(own), tuple(dict.fromkeys(include)))
