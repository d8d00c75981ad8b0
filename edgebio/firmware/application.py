"""C of the device application: link, decision and main loop, configured for a model and board."""

from dataclasses import dataclass
from pathlib import Path

from edgebio import generated_c, storage
from edgebio.decision import c_source as decision
from edgebio.decision.outputs import Outputs
from edgebio.errors import EdgebioError
from edgebio.link.messages import MESSAGES
from edgebio.tflite import Graph
from edgebio.tflite.metadata import read_metadata

TRACE_FLAGS = ("-DEB_LINK_TRACE", "-include", "eb_trace.h")
"""Flags for all sources of an application that is written with ``traced``."""

LIVE_FLAGS = ("-include", "eb_progress.h")
"""Flags for all sources of an application that is written with ``live``."""

_MODULES = ("information", "network", "sha256")
_LINKED = ("run", "stream", "work")
_LIVE = ("live", "watch")


@dataclass(frozen=True)
class ImageIdentity:
    """Answer of an image to ``identify``."""

    board: str
    cpu: str
    clock_hz: int
    build: bytes  # 16 bytes of the hash of everything that the image is built from


@dataclass(frozen=True)
class ApplicationSources:
    """Sources of the application, and folders of its headers."""

    own: tuple[Path, ...]
    include: tuple[Path, ...]


def write(
    folder: Path,
    graph: Graph,
    identity: ImageIdentity,
    *,
    traced: bool = False,
    live: bool = False,
) -> ApplicationSources:
    """Write the configuration of the application for a model and a board.

    Parameters
    ----------
    folder
        Gets ``app_config.h`` and, for a model with a front end, ``decision_config.{h,c}``.
    traced
        For hardware in the loop: layers and stages can be traced over the link.
    live
        For an image that stands alone. It also needs a source and a sink with their headers
        (``source_config.h``, ``sink_config.h``).

    Returns
    -------
    ApplicationSources
        Application, link and decision. They need the headers of the network (``model.h``), the
        front end (``frontend_config.h``) and the port (``port.h``).
    """
    answer = MESSAGES["identify"].answer
    assert answer is not None
    lengths = {field.name: field.size for field in answer.fields}
    for field, value in (("board", identity.board), ("cpu", identity.cpu)):
        if len(value.encode()) > lengths[field]:
            raise EdgebioError(f"{field} name {value!r} is longer than {lengths[field]} bytes")
    if len(identity.build) != lengths["build"]:
        raise EdgebioError(f"the hash of a build has {lengths['build']} bytes")
    build = ", ".join(f"0x{byte:02x}" for byte in identity.build)
    storage.write_text(
        folder / "app_config.h",
        generated_c.header(
            "/* Answer of the image to `identify`. Generated. */\n",
            "EB_APP_CONFIG_H",
            macros=f"""\
#define EB_APP_BOARD "{identity.board}"
#define EB_APP_CPU "{identity.cpu}"
#define EB_APP_CLOCK_HZ {identity.clock_hz}u
#define EB_APP_BUILD {{{build}}}
""",
        ),
    )
    assets = storage.assets("firmware_assets")
    own = [*sorted((assets / "link").glob("*.c"))]
    own += [assets / "app" / ("main_live.c" if live else "main.c")]
    modules = (*_MODULES, *(_LIVE if live else _LINKED), *(("trace",) if traced else ()))
    own += [assets / "app" / f"eb_{name}.c" for name in modules]
    include = [assets / "link", assets / "app", folder]
    if live:
        include += [assets / "sources", assets / "sinks"]
    metadata = read_metadata(graph)
    if metadata is not None:
        own.append(assets / "app" / "eb_settings.c")
        own += decision.write(folder, metadata.decision, Outputs.from_graph(graph))
        include += [decision.FOLDER]
    return ApplicationSources(tuple(own), tuple(include))
