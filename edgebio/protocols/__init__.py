"""Protocols: splitters over recordings, by name."""

from collections.abc import Callable, Iterator, Sequence

from edgebio.errors import EdgebioError
from edgebio.protocols import splitters
from edgebio.protocols.fold import Fold, Unit, digest, hold_out
from edgebio.protocols.splitters import by_sessions
from edgebio.recordings.recording import Recording

__all__ = ["Fold", "Unit", "by_sessions", "describe", "digest", "hold_out", "names", "split"]

_SPLITTERS: dict[str, Callable[[Sequence[Recording]], Iterator[Fold]]] = {
    "one-to-one": splitters.one_to_one,
    "cross-subject": splitters.cross_subject,
    "cross-session": splitters.cross_session,
    "within-session": splitters.within_session,
}


def names() -> list[str]:
    """Names of the protocols."""
    return list(_SPLITTERS)


def describe(name: str) -> str:
    """First line of a protocol's description."""
    return (_splitter(name).__doc__ or "").partition("\n")[0]


def split(name: str, recordings: Sequence[Recording]) -> list[Fold]:
    """All folds of a protocol.

    Parameters
    ----------
    name
        A name of `names`.
    recordings
        What is divided.

    Raises
    ------
    EdgebioError
        Where there is no such protocol, or the recordings have too few people, sessions or
        repetitions for it.
    """
    return list(_splitter(name)(recordings))


def _splitter(name: str) -> Callable[[Sequence[Recording]], Iterator[Fold]]:
    if name not in _SPLITTERS:
        raise EdgebioError(f"no protocol {name!r}; there are {', '.join(_SPLITTERS)}")
    return _SPLITTERS[name]
