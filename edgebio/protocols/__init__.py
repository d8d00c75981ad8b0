"""Protocols: splitters over recordings, by name."""

import inspect
import textwrap
from collections.abc import Callable, Iterator, Sequence

from edgebio.errors import EdgebioError
from edgebio.protocols import splitters
from edgebio.protocols.fold import Fold, Unit, digest, hold_out
from edgebio.protocols.splitters import by_sessions
from edgebio.recipes import DataSettings
from edgebio.recordings.recording import Recording

__all__ = [
    "Fold",
    "Unit",
    "by_sessions",
    "describe",
    "digest",
    "hold_out",
    "names",
    "of_job",
    "picture",
    "split",
]

_SPLITTERS: dict[str, Callable[[Sequence[Recording]], Iterator[Fold]]] = {
    "one-to-one": splitters.one_to_one,
    "all-to-one": splitters.all_to_one,
    "cross-validation": splitters.cross_validation,
    "transfer": splitters.transfer,
    "cross-subject": splitters.cross_subject,
    "cross-session": splitters.cross_session,
    "within-session": splitters.within_session,
    "leave-one-repetition-out": splitters.leave_one_repetition_out,
    "across-force": splitters.across_force,
    "pre-training": splitters.pretraining,
    "patient-wise": splitters.patient_wise,
    "inter-patient": splitters.inter_patient,
}


def names() -> list[str]:
    """Names of the protocols."""
    return list(_SPLITTERS)


def describe(name: str) -> str:
    """First line of a protocol's description."""
    return (_splitter(name).__doc__ or "").partition("\n")[0]


def picture(name: str) -> str:
    """Picture in a protocol's description; empty where it has none."""
    text = inspect.cleandoc(_splitter(name).__doc__ or "")
    drawn = text.partition("::\n")[2].strip("\n")
    return textwrap.dedent(drawn)


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


def of_job(data: DataSettings, recordings: Sequence[Recording]) -> Fold:
    """Divide recordings as ``edgebio train`` does: by the protocol or the sessions that are named.

    Parameters
    ----------
    data
        ``[data]`` of the recipe.
    recordings
        Everybody.

    Raises
    ------
    EdgebioError
        See `split` and `by_sessions`.
    """
    if data.protocol:
        return split(data.protocol, recordings)[0]
    return by_sessions(recordings, data.train_sessions, data.test_sessions, data.test_repetitions)


def _splitter(name: str) -> Callable[[Sequence[Recording]], Iterator[Fold]]:
    if name not in _SPLITTERS:
        raise EdgebioError(f"no protocol {name!r}; there are {', '.join(_SPLITTERS)}")
    return _SPLITTERS[name]
