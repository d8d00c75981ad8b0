import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio import protocols
from edgebio.errors import EdgebioError
from edgebio.protocols import Fold, by_sessions, digest, hold_out, split, splitters
from edgebio.recordings.recording import Recording

CLASSES = ("rest", "fist", "open")


def recording(subject="a", session="1", repetition=0, label=0, samples=None, condition=""):
    if samples is None:
        # Every place of the set holds other samples, as real recordings do.
        seed = [*subject.encode(), *session.encode(), repetition, label, *condition.encode()]
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
        condition=condition,
    )


def made(people="ab", sessions="12", repetitions=3, labels=3, conditions=("",)):
    return [
        recording(p, s, r, c, condition=f)
        for f in conditions
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
anything = st.builds(
    made,
    people=st.lists(
        st.sampled_from(["100", "101", "103", "106", "201", "999"]),
        min_size=3, max_size=6, unique=True,
    ).map(lambda people: ["105", "108", "pre 1", "eval 1", *people]),
    sessions=st.sampled_from(["12", "21", "123"]),
    repetitions=st.integers(2, 3),
    labels=st.integers(1, 2),
    conditions=st.sampled_from([("20", "50"), ("low", "high", "all")]),
)  # fmt: skip
UNITS = {
    "one-to-one": {"session"},
    "all-to-one": {"subject", "session", "repetition"},
    "cross-validation": {"repetition"},
    "transfer": {"session", "repetition"},
    "cross-subject": {"subject", "session", "repetition"},
    "cross-session": {"session"},
    "within-session": {"repetition"},
    "leave-one-repetition-out": {"repetition"},
    "across-force": {"condition", "repetition"},
    "pre-training": {"subject", "session", "repetition"},
    "patient-wise": {"subject", "session", "repetition"},
    "inter-patient": {"subject", "session", "repetition"},
}
KEYS = {
    "subject": lambda r: r.subject,
    "session": lambda r: (r.subject, r.session),
    "condition": lambda r: (r.subject, r.condition),
    "repetition": lambda r: (r.subject, r.session, r.condition, r.labels[0], r.repetition),
}


@settings(max_examples=15)
@given(anything)
@pytest.mark.parametrize("name", protocols.names())
def test_nothing_stands_on_both_sides_that_the_name_forbids(name, recordings):
    folds = split(name, recordings)
    assert folds
    for fold in folds:
        learned = [*fold.train, *fold.tune, *fold.validation]
        train, test = ({id(r) for r in side} for side in (learned, fold.test))
        assert train
        assert test
        assert not train & test
        assert train | test <= {id(r) for r in recordings}
        assert len(learned) + len(fold.test) == len(train) + len(test)
        for unit in UNITS[name]:
            assert not {KEYS[unit](r) for r in learned} & {KEYS[unit](r) for r in fold.test}


@given(sets)
def test_one_to_one_all_to_one_and_transfer_are_tested_on_the_same(recordings):
    alone, others, tuned = (
        split(name, recordings) for name in ("one-to-one", "all-to-one", "transfer")
    )
    for a, b, c in zip(alone, others, tuned, strict=True):
        assert a.test == b.test == c.test
        assert (b.train, a.train) == (c.train, c.tune)


once = st.builds(
    made,
    people=st.sampled_from(["ab", "abc"]),
    sessions=st.sampled_from("12"),
    repetitions=st.integers(2, 9),
    conditions=st.sampled_from([("",), ("low", "high")]),
)


@given(once)
def test_where_nobody_has_a_second_session_they_are_tested_on_the_last_quarter(recordings):
    alone, others, tuned, within = (
        split(name, recordings)
        for name in ("one-to-one", "all-to-one", "transfer", "within-session")
    )
    for a, b, c, d in zip(alone, others, tuned, within, strict=True):
        assert a.test == b.test == c.test == d.test
        assert (b.train, a.train) == (c.train, c.tune)
        assert {r.subject for r in a.train} == {a.name}
        assert a.name not in {r.subject for r in b.train}


def test_who_is_tuned_on_a_repetition_is_not_tested_on_it():
    other, own = made("b", "1"), made("a", "1")
    with pytest.raises(EdgebioError, match="repetition 0 stands on both sides"):
        Fold("a", tuple(other), tuple(own[:1]), "subject", tuple(own), tuned_apart="repetition")


def test_transfer_learns_from_people_of_a_single_session_and_does_not_test_them():
    recordings = [*made("ab", "12"), *made("c", "1")]
    folds = split("transfer", recordings)
    assert [fold.name for fold in folds] == ["a", "b"]
    for fold in folds:
        assert "c" in {r.subject for r in fold.train}


@given(sets)
def test_cross_validation_tests_every_recording_once(recordings):
    folds = split("cross-validation", recordings)
    assert sorted(id(r) for f in folds for r in f.test) == sorted(map(id, recordings))
    assert all(len(f.train) + len(f.test) == len(recordings) for f in folds)


@given(st.integers(11, 40), st.integers(11, 40))
def test_many_repetitions_are_tested_in_five_blocks_of_neighbours_of_each_class(few, many):
    recordings = [
        recording(repetition=number, label=label)
        for label, count in ((0, few), (1, many))
        for number in range(count)
    ]
    folds = split("cross-validation", recordings)
    assert [f.name for f in folds] == [f"block {k} of 5" for k in range(1, 6)]
    assert sorted(id(r) for f in folds for r in f.test) == sorted(map(id, recordings))
    for fold in folds:
        for label, count in ((0, few), (1, many)):
            own = [r.repetition for r in fold.test if r.labels[0] == label]
            assert own == list(range(own[0], own[0] + len(own)))
            assert count // 5 <= len(own) <= count // 5 + 1


@given(sets)
def test_leave_one_repetition_out_tests_every_recording_once_and_within_its_session(recordings):
    folds = split("leave-one-repetition-out", recordings)
    assert sorted(id(r) for f in folds for r in f.test) == sorted(map(id, recordings))
    for fold in folds:
        assert len({(r.subject, r.session) for r in (*fold.train, *fold.test)}) == 1


def test_across_force_goes_from_each_level_to_the_others():
    folds = split("across-force", made(conditions=("20", "50", "80")))
    assert [f.name for f in folds][:3] == ["a at 20", "a at 50", "a at 80"]
    assert {r.condition for r in folds[0].train} == {"20"}
    assert {r.condition for r in folds[0].test} == {"50", "80"}
    assert {r.subject for r in (*folds[0].train, *folds[0].test)} == {"a"}


@given(st.integers(3, 40), st.randoms())
def test_patient_wise_is_70_15_15_whatever_the_order(count, random):
    people = [f"p{k}" for k in range(count)]
    (fold,) = split("patient-wise", made(people, "1", 1, 1))
    random.shuffle(people)
    (other,) = split("patient-wise", made(people, "1", 1, 1))
    sides = [
        [{r.subject for r in side} for side in (f.train, f.validation, f.test)]
        for f in (fold, other)
    ]
    assert sides[0] == sides[1]
    for side, share in zip(sides[0], (0.70, 0.15, 0.15), strict=True):
        assert abs(len(side) - share * count) <= 1.1


def test_inter_patient_is_de_chazals_and_keeps_one_person_together():
    records = [*splitters._DS1, *splitters._DS2, "102", "104", "107", "217"]
    (fold,) = split("inter-patient", [*made(records, "1", 1, 1), recording("201", "2")])
    assert len(fold.train) == 23
    assert len(fold.test) == 21
    assert {r.subject for r in fold.train} == splitters._DS1
    assert not splitters._DS1 & splitters._DS2


def test_the_wearers_tested_session_is_never_tuned_on():
    with pytest.raises(EdgebioError, match="person a, session 1 stands on both sides"):
        Fold("x", (recording("b"),), (recording(),), "subject", tune=(recording(repetition=1),))
    with pytest.raises(EdgebioError, match="person a stands on both sides"):
        Fold("x", (recording("b"),), (recording(),), "subject",
             validation=(recording(session="2"),))  # fmt: skip


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
        (tested,) = {(r.subject, r.session) for r in fold.test}
        assert fold.name == "{} session {}".format(*tested)
        assert {r.subject for r in fold.train} == {tested[0]}
        assert {r.session for r in fold.train} == {r.session for r in recordings} - {tested[1]}


def test_cross_session_leaves_people_of_a_single_session_alone():
    folds = split("cross-session", [*made("a", "12"), *made("b", "1")])
    assert [fold.name for fold in folds] == ["a session 1", "a session 2"]


@given(sets)
def test_within_session_tests_the_last_repetition_of_every_class(recordings):
    last = max(r.repetition for r in recordings)
    for fold in split("within-session", recordings):
        assert {r.repetition for r in fold.test} == {last}
        assert last not in {r.repetition for r in fold.train}
        assert {r.labels[0] for r in fold.test} == {r.labels[0] for r in fold.train}


@pytest.mark.parametrize(("repetitions", "tested"), [(2, 1), (4, 1), (8, 2), (20, 5)])
def test_within_session_tests_the_last_quarter(repetitions, tested):
    for fold in split("within-session", made(repetitions=repetitions, conditions=("20", "50"))):
        assert {r.repetition for r in fold.test} == set(range(repetitions - tested, repetitions))
        assert {r.repetition for r in fold.train} == set(range(repetitions - tested))


@given(st.integers(2, 60), st.integers(0, 3), st.sampled_from([0.0, 0.1, 0.25]))
def test_a_share_is_held_out_where_it_is_more(there, few, share):
    recordings = made("a", "1", there, 2)
    if few >= there:
        return
    kept, held = hold_out(recordings, few, share)
    assert len(held) == (2 * max(few, int(share * there)) if few else 0)
    assert len(kept) + len(held) == len(recordings)
    assert max((r.repetition for r in kept), default=-1) < min(
        (r.repetition for r in held), default=there
    )


def test_pretraining_goes_from_one_part_of_the_set_to_the_other():
    (fold,) = split("pre-training", made(["pre Male0", "eval Male0", "pre Male1"], "12"))
    assert {r.subject for r in fold.train} == {"pre Male0", "pre Male1"}
    assert {r.subject for r in fold.test} == {"eval Male0"}
    assert {r.session for r in (*fold.train, *fold.test)} == {"1"}


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
        ("one-to-one", [*made("a", "1"), *made("b")], "person a has only session 1"),
        ("cross-session", made("ab", "1"), "two sessions of a person; here everybody has one"),
        ("within-session", made(repetitions=1), "leaves none to train on"),
        ("all-to-one", made("a"), "all-to-one needs at least two people"),
        ("transfer", made("a", "1"), "transfer needs at least two people"),
        ("one-to-one", made("ab", "1", repetitions=1), "leaves none to train on"),
        ("cross-validation", made(repetitions=1), "at least two repetitions"),
        ("leave-one-repetition-out", made(repetitions=1), "person a, session 1 has 1"),
        ("across-force", made(), "person a has none that is named"),
        ("across-force", made(conditions=("20",)), "person a has 20"),
        ("pre-training", made(["pre a", "b"]), "nobody here is called 'eval ...', but pre a, b"),
        ("patient-wise", made("ab"), "at least three people; these are recordings of 2"),
        ("inter-patient", made(["100"]), "records of DS1 .* there are people 100"),
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
        assert "?" in protocols.picture(name)
        assert "#" in protocols.picture(name)
