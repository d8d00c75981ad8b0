import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio import protocols
from edgebio.errors import EdgebioError
from edgebio.protocols import Fold, by_sessions, digest, hold_out, split
from edgebio.recordings.recording import Recording

CLASSES = ("rest", "fist", "open")


def recording(subject="a", session="1", repetition=0, label=0, samples=None):
    if samples is None:
        # Every place of the set holds other samples, as real recordings do.
        seed = [ord(subject), ord(session), repetition, label]
        samples = np.random.default_rng(seed).integers(-99, 99, (20, 2)).astype(np.int16)
    return Recording(
        samples=samples,
        rate=1000.0,
        units="counts",
        labels=np.full(len(samples), label, np.int16),
        classes=CLASSES,
        subject=subject,
        session=session,
        repetition=repetition,
        source=f"{subject}/{session}/{repetition}/{label}",
    )


def made(people="ab", sessions="12", repetitions=3, labels=3):
    return [
        recording(p, s, r, c)
        for p in people
        for s in sessions
        for r in range(repetitions)
        for c in range(labels)
    ]


sets = st.builds(
    made,
    people=st.sampled_from(["ab", "abc", "ba"]),
    sessions=st.sampled_from(["12", "21", "123"]),
    repetitions=st.integers(2, 4),
    labels=st.integers(1, 3),
)


@given(sets, st.sampled_from(protocols.names()))
def test_no_recording_stands_on_both_sides_and_none_is_invented(recordings, name):
    for fold in split(name, recordings):
        train, test = ({id(r) for r in side} for side in (fold.train, fold.test))
        assert train
        assert test
        assert not train & test
        assert train | test <= {id(r) for r in recordings}
        assert len(fold.train) + len(fold.test) == len(train) + len(test)


@given(sets)
def test_cross_subject_tests_every_person_once_and_never_trains_on_them(recordings):
    folds = split("cross-subject", recordings)
    assert sorted(f.name for f in folds) == sorted({r.subject for r in recordings})
    for fold in folds:
        assert {r.subject for r in fold.test} == {fold.name}
        assert fold.name not in {r.subject for r in fold.train}
        assert len(fold.train) + len(fold.test) == len(recordings)


@given(sets)
def test_one_to_one_keeps_a_person_to_itself_and_goes_from_first_to_second(recordings):
    order = list(dict.fromkeys(r.session for r in recordings))
    for fold in split("one-to-one", recordings):
        assert {r.subject for r in (*fold.train, *fold.test)} == {fold.name}
        assert {r.session for r in fold.train} == {order[0]}
        assert {r.session for r in fold.test} == {order[1]}


@given(sets)
def test_cross_session_never_trains_on_the_tested_session(recordings):
    for fold in split("cross-session", recordings):
        assert {r.session for r in fold.test} == {fold.name}
        assert fold.name not in {r.session for r in fold.train}


@given(sets)
def test_within_session_tests_the_last_repetition_of_every_class(recordings):
    last = max(r.repetition for r in recordings)
    for fold in split("within-session", recordings):
        assert {r.repetition for r in fold.test} == {last}
        assert last not in {r.repetition for r in fold.train}
        assert {r.labels[0] for r in fold.test} == {r.labels[0] for r in fold.train}


@given(sets, st.integers(0, 1))
def test_hold_out_divides_by_repetition(recordings, repetitions):
    kept, held = hold_out(recordings, repetitions)
    assert {id(r) for r in kept} | {id(r) for r in held} == {id(r) for r in recordings}
    counts = {r.repetition for r in recordings}
    assert len(held) * len(counts) == len(recordings) * repetitions
    for group in {(r.subject, r.session, int(r.labels[0])) for r in held}:
        earlier = [r.repetition for r in kept if (r.subject, r.session, r.labels[0]) == group]
        later = [r.repetition for r in held if (r.subject, r.session, r.labels[0]) == group]
        assert max(earlier) < min(later)


def test_hold_out_counts_repetitions_by_class():
    recordings = [recording(repetition=r, label=0) for r in range(4)]
    recordings += [recording(repetition=r, label=1) for r in range(2)]
    kept, held = hold_out(recordings, 1)
    assert Fold("x", kept, held, "repetition")
    assert [(r.labels[0], r.repetition) for r in held] == [(0, 3), (1, 1)]


def test_hold_out_names_the_class_that_would_be_left_without():
    with pytest.raises(EdgebioError, match=r"fist of person a, session 1, has 1 repetition"):
        hold_out([recording(repetition=0), recording(repetition=1), recording(label=1)], 1)


@pytest.mark.parametrize(
    ("apart", "other", "said"),
    [
        ("subject", {"session": "2"}, "person a stands on both sides"),
        ("session", {"repetition": 1}, "person a, session 1 stands on both sides"),
        ("repetition", {}, "repetition 0 stands on both sides"),
    ],
)
def test_guard_refuses_what_the_name_forbids(apart, other, said):
    with pytest.raises(EdgebioError, match=said):
        Fold("x", (recording(),), (recording(**other),), apart)


def test_guard_refuses_a_copy_under_another_name():
    copied = recording("a")
    other = recording("b", samples=copied.samples.copy())
    with pytest.raises(EdgebioError, match=r"b/1/0/0 and a/1/0/0 hold the same samples"):
        split("cross-subject", [copied, other])


def test_guard_refuses_an_empty_side():
    with pytest.raises(EdgebioError, match="no recording on the test side"):
        Fold("x", (recording(),), (), "subject")


def test_digest_is_of_content_not_of_name():
    one = recording()
    assert digest(one) == digest(recording("b", samples=one.samples))
    assert digest(one) != digest(recording(label=1, samples=one.samples))
    assert digest(one) != digest(recording(samples=one.samples.reshape(40, 1)))


@pytest.mark.parametrize(
    ("name", "recordings", "said"),
    [
        ("cross-subject", made("a"), "at least two people"),
        ("one-to-one", made("ab", "1"), "person a has only session 1"),
        ("cross-session", made("ab", "1"), "at least two sessions"),
        ("within-session", made(repetitions=1), "leaves none to train on"),
        ("leave-nothing", made(), "no protocol 'leave-nothing'; there are one-to-one"),
        ("one-to-one", [], "no recordings"),
    ],
)
def test_what_cannot_be_split_is_said_in_one_line(name, recordings, said):
    with pytest.raises(EdgebioError, match=said) as error:
        split(name, recordings)
    assert "\n" not in str(error.value)


def test_a_recipe_names_sessions_or_repetitions():
    recordings = made()
    fold = by_sessions(recordings, ["1"], ["2"])
    assert {r.session for r in fold.train} == {"1"}
    assert {r.session for r in fold.test} == {"2"}
    assert by_sessions(recordings, [], ["2"]).train == fold.train
    repeated = by_sessions(recordings, ["1"], [], 1)
    assert {(r.session, r.repetition) for r in repeated.test} == {("1", 2)}
    with pytest.raises(EdgebioError, match="no session '3' here; there are 1, 2"):
        by_sessions(recordings, ["1"], ["3"])
    with pytest.raises(EdgebioError, match="names nothing to test on"):
        by_sessions(recordings, ["1"], [])
    with pytest.raises(EdgebioError, match="stands on both sides"):
        by_sessions(recordings, ["1", "2"], ["2"])


def test_every_protocol_is_described():
    for name in protocols.names():
        assert protocols.describe(name).endswith(".")
