"""The protocols by name.

Their names are those of MOABB (within-session, cross-session, cross-subject) and of the EMG field:
one-to-one, all-to-one and transfer are tested on the same recordings, by a network trained on only
the wearer, on only other subjects, or first on the others and then on the wearer. Where nobody has
a second session, they are tested on the last quarter of the repetitions.
"""

import inspect
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence

from edgebio.errors import EdgebioError, EdgebioWarning
from edgebio.protocols import across_subjects, within_subject
from edgebio.protocols.fold import Fold, hold_out
from edgebio.protocols.selection import values
from edgebio.recipes import DataSettings
from edgebio.recordings.recording import Recording
from edgebio.suggest import nearest

_PROTOCOLS: dict[str, Callable[[Sequence[Recording]], Iterator[Fold]]] = {
    "one-to-one": within_subject.one_to_one,
    "all-to-one": across_subjects.all_to_one,
    "cross-validation": within_subject.cross_validation,
    "transfer": across_subjects.transfer,
    "cross-subject": across_subjects.cross_subject,
    "cross-session": within_subject.cross_session,
    "within-session": within_subject.within_session,
    "leave-one-repetition-out": within_subject.leave_one_repetition_out,
    "across-force": within_subject.across_force,
    "pre-training": across_subjects.pretraining,
    "patient-wise": across_subjects.patient_wise,
    "inter-patient": across_subjects.inter_patient,
}


def names() -> list[str]:
    """Names of the protocols."""
    return list(_PROTOCOLS)


def describe(name: str) -> str:
    """First line of a protocol's description."""
    return (_protocol(name).__doc__ or "").partition("\n")[0]


def diagram(name: str) -> str:
    """Diagram in a protocol's description; empty where it has none."""
    text = inspect.cleandoc(_protocol(name).__doc__ or "")
    return textwrap.dedent(text.partition("::\n")[2].strip("\n"))


def split(name: str, recordings: Sequence[Recording]) -> list[Fold]:
    """All folds of a protocol, by its name.

    Raises
    ------
    EdgebioError
        Where there is no such protocol, or the recordings have too few subjects, sessions or
        repetitions for it.
    """
    return list(_protocol(name)(recordings))


def split_for_training(data: DataSettings, recordings: Sequence[Recording]) -> Fold:
    """Divide recordings of all subjects as ``edgebio train`` does.

    Parameters
    ----------
    data
        ``[data]`` of the recipe. It names a protocol, whose first fold is taken; or sessions, or
        the number of last repetitions to test: then all subjects are pooled.

    Raises
    ------
    EdgebioError
        Where a session does not exist, or nothing is left to train or test on; see `split`.
    """
    if data.protocol:
        return split(data.protocol, recordings)[0]
    sessions = values(recordings, "session")
    if data.dataset.endswith(".npz") and {*data.train_sessions, *data.test_sessions} - {*sessions}:
        return _split_own_recordings(recordings, sessions)
    for session in (*data.train_sessions, *data.test_sessions):
        if session not in sessions:
            raise EdgebioError(
                f"no session {session!r} here; there are {', '.join(sessions)}: name a --protocol, "
                "or set data.train_sessions and data.test_sessions"
            )
    name = ", ".join(values(recordings, "subject"))
    if data.train_sessions:
        train = tuple(r for r in recordings if r.session in data.train_sessions)
    else:
        train = tuple(r for r in recordings if r.session not in data.test_sessions)
    if data.test_sessions:
        test = tuple(r for r in recordings if r.session in data.test_sessions)
        return Fold(name, train, test, group="session")
    if data.test_repetitions:
        return Fold(name, *hold_out(train, data.test_repetitions), group="repetition")
    raise EdgebioError(
        "the recipe names nothing to test on: set data.test_sessions or data.test_repetitions"
    )


def _split_own_recordings(recordings: Sequence[Recording], sessions: Sequence[str]) -> Fold:
    """Divide a user's recordings, whose sessions a recipe of another data set cannot name."""
    name = ", ".join(values(recordings, "subject"))
    if len(sessions) > 1:
        rule = f"session {sessions[-1]}"
        train = tuple(r for r in recordings if r.session != sessions[-1])
        test = tuple(r for r in recordings if r.session == sessions[-1])
        fold = Fold(name, train, test, group="session")
    else:
        rule = "the last repetition of each class"
        fold = Fold(name, *hold_out(recordings, 1), group="repetition")
    warnings.warn(
        f"the recipe names sessions of another data set: {rule} is tested, the others are trained "
        "on; name a --protocol for another split",
        EdgebioWarning,
        stacklevel=2,
    )
    return fold


def _protocol(name: str) -> Callable[[Sequence[Recording]], Iterator[Fold]]:
    if name not in _PROTOCOLS:
        raise EdgebioError(
            f"no protocol {name!r}{nearest(name, _PROTOCOLS)}; there are {', '.join(_PROTOCOLS)}"
        )
    return _PROTOCOLS[name]
