"""Selections of recordings that several protocols share."""

from collections.abc import Iterator, Sequence

from edgebio.errors import EdgebioError
from edgebio.protocols.fold import Recordings, hold_out
from edgebio.recordings.recording import Recording


def values(recordings: Sequence[Recording], field: str) -> list[str]:
    """Values of a field in the order of the recordings, which is the data set's own."""
    if not recordings:
        raise EdgebioError("there are no recordings to split")
    return list(dict.fromkeys(str(getattr(r, field)) for r in recordings))


def select(recordings: Sequence[Recording], **fields: str) -> Recordings:
    """Recordings whose fields have these values."""
    return tuple(
        r for r in recordings if all(getattr(r, key) == value for key, value in fields.items())
    )


def by_subject(recordings: Sequence[Recording]) -> Iterator[tuple[str, Recordings]]:
    """Each subject, and the recordings of it."""
    for subject in values(recordings, "subject"):
        yield subject, select(recordings, subject=subject)


def by_session(recordings: Sequence[Recording]) -> Iterator[tuple[str, str, Recordings]]:
    """Each subject and session, and the recordings of it."""
    for subject, own in by_subject(recordings):
        for session in values(own, "session"):
            yield subject, session, select(own, session=session)


def have_single_sessions(recordings: Sequence[Recording]) -> bool:
    """Whether every subject has a single session."""
    return len({(r.subject, r.session) for r in recordings}) == len(values(recordings, "subject"))


def split_last_quarter(session: Sequence[Recording]) -> tuple[Recordings, Recordings]:
    """Split a session before the last quarter of its repetitions, of each class and condition."""
    return hold_out(session, 1, 0.25)
