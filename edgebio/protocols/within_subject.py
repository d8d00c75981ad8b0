"""Protocols that train and test on the same subjects.

In the diagrams a row is a subject, a column a session, ``#`` is trained on, ``+`` is tuned on
afterwards, ``?`` is tested on, ``.`` is not used; a block is a fold.
"""

from collections.abc import Iterator, Sequence

from edgebio.errors import EdgebioError
from edgebio.protocols import selection
from edgebio.protocols.fold import Fold, repetition_group
from edgebio.recordings.recording import Recording

_MOST_FOLDS = 10  # of cross-validation; more repetitions than these
_BLOCKS = 5  # are gathered into so many blocks


def one_to_one(recordings: Sequence[Recording]) -> Iterator[Fold]:
    """Train on each subject's first session, test on the second: a fold per subject.

    ::

        # ?     . .
        . .     # ?
    """
    single_sessions = selection.have_single_sessions(recordings)
    for subject, own in selection.by_subject(recordings):
        sessions = selection.values(own, "session")
        if single_sessions:
            train, test = selection.split_last_quarter(own)
            yield Fold(subject, train, test, group="repetition")
        elif len(sessions) < 2:
            raise EdgebioError(
                f"one-to-one needs two sessions of each person, as others here have; person "
                f"{subject} has only session {sessions[0]}"
            )
        else:
            train, test = (selection.select(own, session=session) for session in sessions[:2])
            yield Fold(subject, train, test, group="session")


def cross_session(recordings: Sequence[Recording]) -> Iterator[Fold]:
    """Leave one session of a subject out in turn: a fold per subject and session.

    Subjects with a single session are not used.

    ::

        ? #     # ?     . .     . .
        . .     . .     ? #     # ?
    """
    if selection.have_single_sessions(recordings):
        raise EdgebioError("cross-session needs two sessions of a person; each person here has one")
    for subject, session, test in selection.by_session(recordings):
        train = tuple(r for r in recordings if r.subject == subject and r.session != session)
        if train:
            yield Fold(f"{subject} session {session}", train, test, group="session")


def within_session(recordings: Sequence[Recording]) -> Iterator[Fold]:
    """Test on the last quarter of each session's repetitions: a fold per subject and session.

    That is the last repetition of four and the last five of twenty, of each class and condition.
    As in use, training comes first. It shows how well a network can do before anything drifts.

    ::

        ## ## ## ??     (one session: its repetitions)
    """
    for subject, session, own in selection.by_session(recordings):
        train, test = selection.split_last_quarter(own)
        yield Fold(f"{subject} session {session}", train, test, group="repetition")


def leave_one_repetition_out(recordings: Sequence[Recording]) -> Iterator[Fold]:
    """Leave each repetition out in turn, within each subject's session.

    ::

        ?## ... ...     #?# ... ...     (each session: its repetitions)
    """
    for subject, session, own in selection.by_session(recordings):
        numbers = sorted({r.repetition for r in own})
        if len(numbers) < 2:
            raise EdgebioError(
                f"leave-one-repetition-out needs two repetitions; person {subject}, session "
                f"{session} has {len(numbers)}"
            )
        for number in numbers:
            yield Fold(
                name=f"{subject} session {session} repetition {number}",
                train=tuple(r for r in own if r.repetition != number),
                test=tuple(r for r in own if r.repetition == number),
                group="repetition",
            )


def across_force(recordings: Sequence[Recording]) -> Iterator[Fold]:
    """Train on each subject at one level of force, test on all other levels.

    ::

        #?? ...     ?#? ...     ??# ...     (a subject: the levels)
        ... ...     ... ...     ... ...
    """
    for subject, own in selection.by_subject(recordings):
        levels = selection.values(own, "condition")
        if len(levels) < 2:
            raise EdgebioError(
                "across-force needs recordings at two levels of force of each person; person "
                f"{subject} has {levels[0] or 'none that is named'}"
            )
        for level in levels:
            yield Fold(
                name=f"{subject} at {level}",
                train=selection.select(own, condition=level),
                test=tuple(r for r in own if r.condition != level),
                group="condition",
            )


def cross_validation(recordings: Sequence[Recording]) -> Iterator[Fold]:
    """Leave one repetition number out in turn, all subjects and sessions pooled.

    More than ten numbers are gathered into five blocks of neighbors, of each class and session by
    itself: files that are numbered one after the other can come from one recording.

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
        block_of = {r: r.repetition for r in recordings}
        names = {number: f"repetition {number}" for number in numbers}
    else:
        block_of = _blocks(recordings)
        names = {k: f"block {k + 1} of {_BLOCKS}" for k in range(_BLOCKS)}
    for block, name in names.items():
        yield Fold(
            name=name,
            train=tuple(r for r in recordings if block_of[r] != block),
            test=tuple(r for r in recordings if block_of[r] == block),
            group="repetition",
        )


def _blocks(recordings: Sequence[Recording]) -> dict[Recording, int]:
    """Block of each recording: the repetitions of its group, cut into equal parts."""
    groups: dict[object, list[Recording]] = {}
    for r in recordings:
        groups.setdefault(repetition_group(r), []).append(r)
    blocks: dict[Recording, int] = {}
    for members in groups.values():
        numbers = sorted({r.repetition for r in members})
        block = {number: k * _BLOCKS // len(numbers) for k, number in enumerate(numbers)}
        blocks |= {r: block[r.repetition] for r in members}
    return blocks
