"""Protocols that test on other subjects than they train on.

Signs of the diagrams: see `edgebio.protocols.within_subject`.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from edgebio.errors import EdgebioError
from edgebio.protocols import selection
from edgebio.protocols.fold import Fold, Recordings
from edgebio.recordings.recording import Recording

_PATIENT_SEED = 1
_EVALUATION_SHARE = 0.15  # of the subjects, for the validation set and for the test set
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


def all_to_one(recordings: Sequence[Recording]) -> Iterator[Fold]:
    """Train on all other subjects, test on each subject's second session, or the only one.

    ::

        . ?     # #
        # #     . ?
    """
    single_sessions = selection.have_single_sessions(recordings)
    for subject, own, others in _leave_one_out(recordings, "all-to-one"):
        test = selection.select(own, session=selection.values(own, "session")[:2][-1])
        if single_sessions:
            test = selection.split_last_quarter(own)[1]
        yield Fold(subject, others, test, group="subject")


def transfer(recordings: Sequence[Recording]) -> Iterator[Fold]:
    """Train on all other subjects, tune on one's first session, test on the second.

    The network of all-to-one is tuned on what one-to-one is trained on. Where others have two
    sessions, subjects with a single one are trained on and not tested.

    ::

        + ?     # #
        # #     + ?
    """
    single_sessions = selection.have_single_sessions(recordings)
    for subject, own, others in _leave_one_out(recordings, "transfer"):
        sessions = selection.values(own, "session")
        if single_sessions:
            tune, test = selection.split_last_quarter(own)
            yield Fold(subject, others, test, "subject", tune, tune_group="repetition")
        elif len(sessions) > 1:
            tune, test = (selection.select(own, session=session) for session in sessions[:2])
            yield Fold(subject, others, test, "subject", tune)


def cross_subject(recordings: Sequence[Recording]) -> Iterator[Fold]:
    """Leave one subject out in turn, with all sessions.

    ::

        ? ?     # #
        # #     ? ?
    """
    for subject, own, others in _leave_one_out(recordings, "cross-subject"):
        yield Fold(subject, others, own, group="subject")


def pretraining(recordings: Sequence[Recording]) -> Iterator[Fold]:
    """One fold: train on a set's pre-training part, test on its evaluation part.

    Only first sessions are used, since those exist in both parts (emg-myo-transfer7). The part is
    the first word of a subject's name: ``pre`` or ``eval``.

    ::

        # . .     (subjects of the pre-training part)
        ? . .     (subjects of the evaluation part)
    """
    parts: dict[str, list[Recording]] = {"pre": [], "eval": []}
    for r in recordings:
        parts.get(r.subject.partition(" ")[0], []).append(r)
    for part, own in parts.items():
        if not own:
            raise EdgebioError(
                f"pre-training needs people of both parts; no person is named '{part} ...' here; "
                f"there are {', '.join(selection.values(recordings, 'subject'))}"
            )
    train, test = (
        selection.select(own, session=selection.values(own, "session")[0]) for own in parts.values()
    )
    yield Fold("pre-training", train, test, group="subject")


def patient_wise(recordings: Sequence[Recording]) -> Iterator[Fold]:
    """One fold: train on 70 % of the subjects, stop by 15 %, test on 15 %.

    The draw depends only on the subjects' names.

    ::

        # # # # # # #   v v   ? ?     (subjects; v: validation)
    """
    subjects = sorted(selection.values(recordings, "subject"))
    if len(subjects) < 3:
        raise EdgebioError(
            f"patient-wise needs at least three people; these are recordings of {len(subjects)}"
        )
    order = np.random.default_rng(_PATIENT_SEED).permutation(len(subjects))
    drawn = [subjects[k] for k in order]
    count = max(1, round(_EVALUATION_SHARE * len(subjects)))
    test, validation = drawn[:count], drawn[count : 2 * count]
    yield Fold(
        name="patient-wise",
        train=tuple(r for r in recordings if r.subject not in {*test, *validation}),
        test=tuple(r for r in recordings if r.subject in test),
        group="subject",
        validation=tuple(r for r in recordings if r.subject in validation),
    )


def inter_patient(recordings: Sequence[Recording]) -> Iterator[Fold]:
    """One fold: train on DS1 of the MIT-BIH Arrhythmia Database, test on DS2.

    The division is that of P. de Chazal et al., IEEE Trans. Biomed. Eng. 51(7):1196-1206, 2004,
    except for record 202 of its DS2: it is of the subject of record 201, which is in DS1, and goes
    with it. Paced records (102, 104, 107, 217) are in neither set.

    ::

        # # # # # #   ? ? ? ? ? ?     (subjects)
        ----DS1----   ----DS2----
    """
    for name, records in (("DS1", _DS1), ("DS2", _DS2)):
        if not any(r.subject in records for r in recordings):
            raise EdgebioError(
                f"inter-patient needs records of {name} of the MIT-BIH Arrhythmia Database; there "
                f"are people {', '.join(selection.values(recordings, 'subject'))}"
            )
    train, test = (tuple(r for r in recordings if r.subject in records) for records in (_DS1, _DS2))
    yield Fold("inter-patient", train, test, group="subject")


def _leave_one_out(
    recordings: Sequence[Recording], protocol: str
) -> Iterator[tuple[str, Recordings, Recordings]]:
    """Each subject, its recordings, and those of all other subjects."""
    subjects = selection.values(recordings, "subject")
    if len(subjects) < 2:
        raise EdgebioError(
            f"{protocol} needs at least two people; these are recordings of person {subjects[0]}"
        )
    for subject, own in selection.by_subject(recordings):
        yield subject, own, tuple(r for r in recordings if r.subject != subject)
