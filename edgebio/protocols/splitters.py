"""The protocols: who is trained on and who is tested on.

Splits are over recordings; windows are cut afterwards, as overlapping windows on both sides would
make any result look good.

The words are MOABB's (within-session, cross-session, cross-subject), and one-to-one is the EMG
field's own for one person's first sitting against the next. In the pictures a row is a person, a
column a session, ``#`` is trained on, ``?`` is tested on, ``.`` is left alone.
"""

from collections.abc import Iterator, Sequence

from edgebio.errors import EdgebioError
from edgebio.protocols.fold import Fold, hold_out
from edgebio.recordings.recording import Recording

Recordings = Sequence[Recording]


def one_to_one(recordings: Recordings) -> Iterator[Fold]:
    """Each person's first session against the same person's second: a fold a person.

    ::

        # ?     . .
        . .     # ?
    """
    for person in _values(recordings, "subject"):
        own = [r for r in recordings if r.subject == person]
        sessions = _values(own, "session")
        if len(sessions) < 2:
            raise EdgebioError(
                f"one-to-one needs two sessions of each person; person {person} has only "
                f"session {sessions[0]}"
            )
        yield Fold(
            name=person,
            train=_of(own, session=sessions[0]),
            test=_of(own, session=sessions[1]),
            apart="session",
        )


def cross_subject(recordings: Recordings) -> Iterator[Fold]:
    """Leave one person out: all sessions of the others against all of his or hers.

    ::

        ? ?     # #
        # #     ? ?
    """
    people = _values(recordings, "subject")
    if len(people) < 2:
        raise EdgebioError(
            f"cross-subject needs at least two people; these are recordings of person {people[0]}"
        )
    for person in people:
        yield Fold(
            name=person,
            train=tuple(r for r in recordings if r.subject != person),
            test=_of(recordings, subject=person),
            apart="subject",
        )


def cross_session(recordings: Recordings) -> Iterator[Fold]:
    """Leave one session out, everybody pooled: what a network for known wearers meets.

    ::

        ? #     # ?
        ? #     # ?
    """
    sessions = _values(recordings, "session")
    if len(sessions) < 2:
        raise EdgebioError(
            f"cross-session needs at least two sessions; these are all of session {sessions[0]}"
        )
    for session in sessions:
        yield Fold(
            name=session,
            train=tuple(r for r in recordings if r.session != session),
            test=_of(recordings, session=session),
            apart="session",
        )


def within_session(recordings: Recordings) -> Iterator[Fold]:
    """Leave one repetition out within each person's session: a fold a person and session.

    The last repetition of each class is tested on, the ones before it are trained on, as they
    would be in use. It says how well a network can do before anything drifts.

    ::

        ## ## #?     (one session: its repetitions)
    """
    for person in _values(recordings, "subject"):
        for session in _values(_of(recordings, subject=person), "session"):
            train, test = hold_out(_of(recordings, subject=person, session=session), 1)
            yield Fold(f"{person} session {session}", train, test, apart="repetition")


def by_sessions(
    recordings: Recordings,
    train_sessions: Sequence[str],
    test_sessions: Sequence[str],
    test_repetitions: int = 0,
) -> Fold:
    """Build the one fold that a recipe's ``[data]`` describes, everybody pooled.

    Parameters
    ----------
    recordings
        Recordings of everybody who is trained on.
    train_sessions, test_sessions
        Sessions of the two sides; no `train_sessions` takes all that are not tested on.
    test_repetitions
        Where no test session is named: the last repetitions, that are tested on.

    Raises
    ------
    EdgebioError
        Where a session is not there, or the recipe names no test side.
    """
    here = _values(recordings, "session")
    for session in (*train_sessions, *test_sessions):
        if session not in here:
            raise EdgebioError(f"no session {session!r} here; there are {', '.join(here)}")
    train = tuple(
        r
        for r in recordings
        if (r.session in train_sessions if train_sessions else r.session not in test_sessions)
    )
    if test_sessions:
        test = tuple(r for r in recordings if r.session in test_sessions)
        return Fold(_name(recordings), train, test, apart="session")
    if test_repetitions:
        kept, test = hold_out(train, test_repetitions)
        return Fold(_name(recordings), kept, test, apart="repetition")
    raise EdgebioError(
        "the recipe names nothing to test on: set data.test_sessions or data.test_repetitions"
    )


def _name(recordings: Recordings) -> str:
    return ", ".join(_values(recordings, "subject"))


def _values(recordings: Recordings, field: str) -> list[str]:
    """Values of a field in the order of the recordings, which is the data set's own."""
    if not recordings:
        raise EdgebioError("there are no recordings to split")
    return list(dict.fromkeys(str(getattr(r, field)) for r in recordings))


def _of(recordings: Recordings, **fields: str) -> tuple[Recording, ...]:
    return tuple(
        r for r in recordings if all(getattr(r, key) == value for key, value in fields.items())
    )
