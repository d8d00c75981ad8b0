"""The protocols: who is trained on and who is tested on.

Splits are over recordings; windows are cut afterwards, as overlapping windows on both sides would
make any result look good.

The words are MOABB's (within-session, cross-session, cross-subject) and those of the EMG field:
one-to-one, all-to-one and transfer are tested on the same recordings, with a network that knows
only the wearer, only other people, or first the others and then the wearer; in a set where nobody
has a second session, these are the last quarter of the repetitions. In the pictures a row
is a person, a column a session, ``#`` is trained on, ``+`` is tuned on afterwards, ``?`` is tested
on, ``.`` is left alone; a block is a fold.
"""

from collections.abc import Hashable, Iterator, Sequence

import numpy as np

from edgebio.errors import EdgebioError
from edgebio.protocols.fold import Fold, group, hold_out
from edgebio.recordings.recording import Recording

Recordings = Sequence[Recording]

_DRAWN = 1  # seed of patient-wise
_MOST_FOLDS = 10  # of cross-validation; more repetitions than this are
_BLOCKS = 5  # gathered into so many blocks
# fmt: off
_DS1 = frozenset(str(record) for record in (
    101, 106, 108, 109, 112, 114, 115, 116, 118, 119, 122, 124, 201, 203, 205, 207, 208, 209, 215,
    220, 223, 230,
))
_DS2 = frozenset(str(record) for record in (
    100, 103, 105, 111, 113, 117, 121, 123, 200, 210, 212, 213, 214, 219, 221, 222, 228, 231, 232,
    233, 234,
))
# fmt: on


def one_to_one(recordings: Recordings) -> Iterator[Fold]:
    """Each person's first session against the same person's second: a fold a person.

    ::

        # ?     . .
        . .     # ?
    """
    once = _once(recordings)
    for person in _values(recordings, "subject"):
        own = _of(recordings, subject=person)
        sessions = _values(own, "session")
        if once:
            train, test = _last_quarter(own)
            yield Fold(person, train, test, apart="repetition")
        elif len(sessions) < 2:
            raise EdgebioError(
                f"one-to-one needs two sessions of each person, as others here have; person "
                f"{person} has only session {sessions[0]}"
            )
        else:
            yield Fold(
                name=person,
                train=_of(own, session=sessions[0]),
                test=_of(own, session=sessions[1]),
                apart="session",
            )


def all_to_one(recordings: Recordings) -> Iterator[Fold]:
    """All other people against each person's second session, or the only one: a fold a person.

    ::

        . ?     # #
        # #     . ?
    """
    once = _once(recordings)
    for person, others in _people(recordings, "all-to-one"):
        own = _of(recordings, subject=person)
        sessions = _values(own, "session")
        tested = sessions[min(1, len(sessions) - 1)]
        test = _last_quarter(own)[1] if once else _of(own, session=tested)
        yield Fold(name=person, train=others, test=test, apart="subject")


def transfer(recordings: Recordings) -> Iterator[Fold]:
    """All other people, then the first session of one, against that person's second.

    The network of all-to-one is tuned on what one-to-one is trained on. Where others have two
    sessions, people of a single one are learned from and not tested.

    ::

        + ?     # #
        # #     + ?
    """
    once = _once(recordings)
    for person, others in _people(recordings, "transfer"):
        own = _of(recordings, subject=person)
        sessions = _values(own, "session")
        if once:
            tune, test = _last_quarter(own)
            yield Fold(person, others, test, apart="subject", tune=tune, tuned_apart="repetition")
        elif len(sessions) > 1:
            yield Fold(
                name=person,
                train=others,
                test=_of(own, session=sessions[1]),
                apart="subject",
                tune=_of(own, session=sessions[0]),
            )


def cross_validation(recordings: Recordings) -> Iterator[Fold]:
    """Leave one repetition number out in turn, everybody and every session pooled.

    More than ten numbers are gathered into five blocks of neighbours, of each class and session by
    itself: files that are numbered one after the other can be of one recording.

    ::

        ?# ?#     #? #?     (each session: its repetitions)
        ?# ?#     #? #?
    """
    numbers = sorted({r.repetition for r in recordings})
    if len(numbers) < 2:
        raise EdgebioError(
            f"cross-validation needs at least two repetitions; these recordings have {len(numbers)}"
        )
    if len(numbers) <= _MOST_FOLDS:
        where = {r: r.repetition for r in recordings}
        named = {number: f"repetition {number}" for number in numbers}
    else:
        where = _blocks(recordings)
        named = {k: f"block {k + 1} of {_BLOCKS}" for k in range(_BLOCKS)}
    for tested, name in named.items():
        yield Fold(
            name=name,
            train=tuple(r for r in recordings if where[r] != tested),
            test=tuple(r for r in recordings if where[r] == tested),
            apart="repetition",
        )


def cross_subject(recordings: Recordings) -> Iterator[Fold]:
    """Leave one person out: all sessions of the others against all of his or hers.

    ::

        ? ?     # #
        # #     ? ?
    """
    for person, others in _people(recordings, "cross-subject"):
        yield Fold(
            name=person,
            train=others,
            test=_of(recordings, subject=person),
            apart="subject",
        )


def cross_session(recordings: Recordings) -> Iterator[Fold]:
    """Each person's sessions but one against that one: a fold a person and session.

    People of a single session are left alone.

    ::

        ? #     # ?     . .     . .
        . .     . .     ? #     # ?
    """
    if _once(recordings):
        raise EdgebioError("cross-session needs two sessions of a person; here everybody has one")
    for person in _values(recordings, "subject"):
        own = _of(recordings, subject=person)
        sessions = _values(own, "session")
        for session in sessions if len(sessions) > 1 else ():
            yield Fold(
                name=f"{person} session {session}",
                train=tuple(r for r in own if r.session != session),
                test=_of(own, session=session),
                apart="session",
            )


def within_session(recordings: Recordings) -> Iterator[Fold]:
    """Last quarter of the repetitions within each person's session: a fold a person and session.

    The last repetition of four, the last five of twenty, of each class and level of force are
    tested on; the ones before are trained on, as they would be in use. It says how well a network
    can do before anything drifts.

    ::

        ## ## ## ??     (one session: its repetitions)
    """
    for person in _values(recordings, "subject"):
        for session in _values(_of(recordings, subject=person), "session"):
            train, test = _last_quarter(_of(recordings, subject=person, session=session))
            yield Fold(f"{person} session {session}", train, test, apart="repetition")


def leave_one_repetition_out(recordings: Recordings) -> Iterator[Fold]:
    """Leave each repetition out in turn, within each person's session.

    ::

        ?## ... ...     #?# ... ...     (each session: its repetitions)
    """
    for person in _values(recordings, "subject"):
        for session in _values(_of(recordings, subject=person), "session"):
            own = _of(recordings, subject=person, session=session)
            numbers = sorted({r.repetition for r in own})
            if len(numbers) < 2:
                raise EdgebioError(
                    f"leave-one-repetition-out needs two repetitions; person {person}, session "
                    f"{session} has {len(numbers)}"
                )
            for number in numbers:
                yield Fold(
                    name=f"{person} session {session} repetition {number}",
                    train=tuple(r for r in own if r.repetition != number),
                    test=tuple(r for r in own if r.repetition == number),
                    apart="repetition",
                )


def across_force(recordings: Recordings) -> Iterator[Fold]:
    """Each person at one level of force against the same person at all others.

    ::

        #?? ...     ?#? ...     ??# ...     (a person: the levels)
        ... ...     ... ...     ... ...
    """
    for person in _values(recordings, "subject"):
        own = _of(recordings, subject=person)
        levels = _values(own, "condition")
        if len(levels) < 2:
            raise EdgebioError(
                "across-force needs recordings at two levels of force of each person; person "
                f"{person} has {levels[0] or 'none that is named'}"
            )
        for level in levels:
            yield Fold(
                name=f"{person} at {level}",
                train=_of(own, condition=level),
                test=tuple(r for r in own if r.condition != level),
                apart="condition",
            )


def pretraining(recordings: Recordings) -> Iterator[Fold]:
    """One fold: the people of a set's pre-training part against those of its evaluation part.

    Their first sessions are taken, as a set has for both (emg-myo-transfer7). The part is the
    first word of a person's name: ``pre`` or ``eval``.

    ::

        # . .     (people of the pre-training part)
        ? . .     (people of the evaluation part)
    """
    parts: dict[str, list[Recording]] = {"pre": [], "eval": []}
    for r in recordings:
        parts.get(r.subject.partition(" ")[0], []).append(r)
    for part, own in parts.items():
        if not own:
            raise EdgebioError(
                f"pre-training needs people of both parts; nobody here is called '{part} ...', but "
                f"{', '.join(_values(recordings, 'subject'))}"
            )
    train, test = (_of(own, session=_values(own, "session")[0]) for own in parts.values())
    yield Fold("pre-training", train, test, apart="subject")


def patient_wise(recordings: Recordings) -> Iterator[Fold]:
    """One fold: 70 % of the people are trained on, 15 % tell when to stop, 15 % are tested.

    Who is where is drawn once and for all: it depends on the people's names alone.

    ::

        # # # # # # #   v v   ? ?     (people; v: validation)
    """
    people = sorted(_values(recordings, "subject"))
    if len(people) < 3:
        raise EdgebioError(
            f"patient-wise needs at least three people; these are recordings of {len(people)}"
        )
    drawn = [people[k] for k in np.random.default_rng(_DRAWN).permutation(len(people))]
    few = max(1, round(0.15 * len(people)))
    test, validation = drawn[:few], drawn[few : 2 * few]
    yield Fold(
        name="patient-wise",
        train=tuple(r for r in recordings if r.subject not in {*test, *validation}),
        test=tuple(r for r in recordings if r.subject in test),
        apart="subject",
        validation=tuple(r for r in recordings if r.subject in validation),
    )


def inter_patient(recordings: Recordings) -> Iterator[Fold]:
    """One fold: the people of DS1 of the MIT-BIH Arrhythmia Database against those of DS2.

    The division is that of P. de Chazal et al., IEEE Trans. Biomed. Eng. 51(7):1196-1206, 2004,
    but for record 202 of its DS2: it is of the person of record 201, which is in DS1, and goes
    with it. Paced records (102, 104, 107, 217) are on neither side.

    ::

        # # # # # #   ? ? ? ? ? ?     (people)
        ----DS1----   ----DS2----
    """
    for name, records in (("DS1", _DS1), ("DS2", _DS2)):
        if not any(r.subject in records for r in recordings):
            raise EdgebioError(
                f"inter-patient needs records of {name} of the MIT-BIH Arrhythmia Database; there "
                f"are people {', '.join(_values(recordings, 'subject'))}"
            )
    yield Fold(
        name="inter-patient",
        train=tuple(r for r in recordings if r.subject in _DS1),
        test=tuple(r for r in recordings if r.subject in _DS2),
        apart="subject",
    )


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
            raise EdgebioError(
                f"no session {session!r} here; there are {', '.join(here)}: name a --protocol, or "
                "set data.train_sessions and data.test_sessions"
            )
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


def _once(recordings: Recordings) -> bool:
    """Whether everybody has a single session."""
    return len({(r.subject, r.session) for r in recordings}) == len(_values(recordings, "subject"))


def _last_quarter(
    session: Recordings,
) -> tuple[tuple[Recording, ...], tuple[Recording, ...]]:
    """Cut a session before the last quarter of its repetitions, of each class and condition."""
    return hold_out(session, 1, 0.25)


def _people(recordings: Recordings, protocol: str) -> Iterator[tuple[str, tuple[Recording, ...]]]:
    """Each person, and the recordings of all others."""
    people = _values(recordings, "subject")
    if len(people) < 2:
        raise EdgebioError(
            f"{protocol} needs at least two people; these are recordings of person {people[0]}"
        )
    for person in people:
        yield person, tuple(r for r in recordings if r.subject != person)


def _blocks(recordings: Recordings) -> dict[Recording, int]:
    """Number of the block that each recording is in: its group's repetitions in order, cut."""
    where: dict[Recording, int] = {}
    for members in _groups(recordings).values():
        numbers = sorted({r.repetition for r in members})
        block = {number: k * _BLOCKS // len(numbers) for k, number in enumerate(numbers)}
        where |= {r: block[r.repetition] for r in members}
    return where


def _groups(recordings: Recordings) -> dict[Hashable, list[Recording]]:
    """Recordings whose repetitions are counted together."""
    groups: dict[Hashable, list[Recording]] = {}
    for r in recordings:
        groups.setdefault(group(r), []).append(r)
    return groups


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
