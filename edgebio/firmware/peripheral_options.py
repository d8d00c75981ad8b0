"""What a user chooses for an image that stands alone: a source, a sink, an overlay."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError

from edgebio.boards import Board
from edgebio.boards.peripherals import Sinks, Sources
from edgebio.errors import EdgebioError
from edgebio.section import Section, first_problem
from edgebio.suggest import nearest

Values = dict[str, Any]
_SectionT = TypeVar("_SectionT", bound=Section)


@dataclass(frozen=True)
class Choice:
    """A source or a sink, and its options as they were given."""

    kind: str
    options: Values


@dataclass(frozen=True)
class Standalone:
    """Request for an image that samples, decides and acts without a host.

    Attributes
    ----------
    source, sink
        ``kind`` or ``kind:key=value,...``; empty: that of the overlay, or the sink ``none``.
    overlay
        TOML file with ``[source]`` and ``[sink]``, and sections of a board file that it adds or
        replaces, ``[sources.*]`` and ``[sinks.*]``.
    """

    source: str = ""
    sink: str = ""
    overlay: Path | None = None


class Overlay(Section):
    """Content of an overlay."""

    source: Values = Field(default_factory=dict)
    sink: Values = Field(default_factory=dict)
    sources: Sources = Sources()
    sinks: Sinks = Sinks()

    def on(self, board: Board) -> Board:
        """Board with the sections of the overlay."""
        changes = {}
        for name in ("sources", "sinks"):
            own = {k: v for k, v in getattr(self, name) if v is not None}
            changes[name] = getattr(board, name).model_copy(update=own)
        return board.model_copy(update=changes)


def read_overlay(path: Path) -> Overlay:
    """Read an overlay.

    Raises
    ------
    EdgebioError
        If there is no such file, or a key is unknown or its value impossible; names the key.
    """
    try:
        return Overlay.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise EdgebioError(f"{path}: no such overlay: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EdgebioError(f"{path}: not TOML: {error}") from None
    except ValidationError as error:
        raise EdgebioError(f"{path}: {first_problem(error)}") from None


def parse(text: str, role: str) -> Choice:
    """Parse ``kind:key=value,...``; `role` is "source" or "sink", for messages.

    Raises
    ------
    EdgebioError
        If an option has no value or is given twice.
    """
    kind, _, rest = text.strip().partition(":")
    options: Values = {}
    for item in rest.split(",") if rest else ():
        key, equals, value = (part.strip() for part in item.partition("="))
        if not (key and equals and value):
            raise EdgebioError(
                f"--{role} {text}: {item!r} is not an option; give {kind}:key=value,key=value"
            )
        if key in options:
            raise EdgebioError(f"--{role} {text}: {key} is given twice")
        options[key] = value
    return Choice(kind, options)


def choose(text: str, overlay: Values, role: str, known: tuple[str, ...], board: Board) -> Choice:
    """Join the command line and the overlay; the command line wins, key by key.

    Raises
    ------
    EdgebioError
        If nothing was chosen, or the board does not offer it.
    """
    chosen = parse(text, role) if text else Choice("", {})
    options = dict(overlay)
    overlay_kind = str(options.pop("kind", ""))
    kind = chosen.kind or overlay_kind
    if not kind:
        if overlay:
            raise EdgebioError(f"overlay: [{role}] needs a kind: {', '.join(known)}")
        if role == "source":
            raise EdgebioError(f"give a --source; {board.name} offers {', '.join(known)}")
        kind = "none"
    if kind not in known:
        raise EdgebioError(
            f"{board.name} offers no {role} {kind!r}{nearest(kind, known)}; it has "
            f"{', '.join(known)}"
        )
    if overlay_kind not in ("", kind):
        options = {}
    return Choice(kind, options | chosen.options)


def read_options(section: type[_SectionT], choice: Choice, role: str) -> _SectionT:
    """Check the options of a source or sink against its section.

    Raises
    ------
    EdgebioError
        If a key is unknown or its value impossible; names the key.
    """
    try:
        return section.model_validate(choice.options)
    except ValidationError as error:
        raise EdgebioError(f"{role} {choice.kind}: {first_problem(error)}") from None
