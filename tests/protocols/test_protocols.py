import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio import protocols
from edgebio.errors import EdgebioError
from edgebio.protocols import Fold, across_subjects, digest, hold_out, split, split_for_training
from edgebio.recipes import DataSettings
from edgebio.recordings.recording import Recording

CLASSES = ("rest", "fist", "open")


def recording(subject="a", session="1", repetition=0, label=0, samples=None, condition=""):
    if samples is None:
        # Each recording has its own samples, as real ones do.
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


def data_set(subjects="ab", sessions="12", repetitions=3, labels=3, conditions=("",)):
    return [
        recording(p, s, r, c, condition=f)
        for f in conditions
        for p in subjects
        for s in sessions
        for r in range(repetitions)
        for c in range(labels)
    ]


sets = st.builds(
    data_set,
    subjects=st.sampled_from(["ab", "abc", "ba"]),
    sessions=st.sampled_from(["12", "21", "123"]),
    repetitions=st.integers(2, 4),
    labels=st.integers(1, 3),
)
all_protocols_sets = st.builds(
    data_set,
    subjects=st.lists(
        st.sampled_from(["100", "101", "103", "106", "201", "999"]),
        min_size=3, max_size=6, unique=True,
    ).map(lambda names: ["105", "108", "pre 1", "eval 1", *names]),
    sessions=st.sampled_from(["12", "21", "123"]),
    repetitions=st.integers(2, 3),
    labels=st.integers(1, 2),
    conditions=st.sampled_from([("20", "50"), ("low", "high", "all")]),
)  # fmt: skip
GROUPS = {
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
@given(all_protocols_sets)
@pytest.mark.parametrize("name", protocols.names())
def test_training_and_test_set_share_no_group(name, recordings):
    folds = split(name, recordings)
    assert folds
    for fold in folds:
        learned = [*fold.train, *fold.tune, *fold.validation]
        train, test = ({id(r) for r in part} for part in (learned, fold.test))
        assert train
        assert test
        assert not train & test
        assert train | test <= {id(r) for r in recordings}
        assert len(learned) + len(fold.test) == len(train) + len(test)
        for group in GROUPS[name]:
            assert not {KEYS[group](r) for r in learned} & {KEYS[group](r) for r in fold.test}


@given(sets)
def test_one_to_one_all_to_one_and_transfer_share_their_test_sets(recordings):
    own, others, transfer = (
        split(name, recordings) for name in ("one-to-one", "all-to-one", "transfer")
    )
    for a, b, c in zip(own, others, transfer, strict=True):
        assert a.test == b.test == c.test
        assert (b.train, a.train) == (c.train, c.tune)


single_session_sets = st.builds(
    data_set,
    subjects=st.sampled_from(["ab", "abc"]),
    sessions=st.sampled_from("12"),
    repetitions=st.integers(2, 9),
    conditions=st.sampled_from([("",), ("low", "high")]),
)


@given(single_session_sets)
def test_single_sessions_are_tested_on_their_last_quarter(recordings):
    own, others, transfer, within = (
        split(name, recordings)
        for name in ("one-to-one", "all-to-one", "transfer", "within-session")
    )
    for a, b, c, d in zip(own, others, transfer, within, strict=True):
        assert a.test == b.test == c.test == d.test
        assert (b.train, a.train) == (c.train, c.tune)
        assert {r.subject for r in a.train} == {a.name}
        assert a.name not in {r.subject for r in b.train}


def test_tuning_and_test_set_share_no_repetition():
    other, own = data_set("b", "1"), data_set("a", "1")
    with pytest.raises(EdgebioError, match="repetition 0 is in the tuning set"):
        Fold("a", tuple(other), tuple(own[:1]), "subject", tuple(own), tune_group="repetition")


def test_transfer_trains_on_subjects_with_one_session_but_does_not_test_them():
    recordings = [*data_set("ab", "12"), *data_set("c", "1")]
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
def test_many_repetitions_are_tested_in_five_blocks_of_neighbors_of_each_class(few, many):
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
    folds = split("across-force", data_set(conditions=("20", "50", "80")))
    assert [f.name for f in folds][:3] == ["a at 20", "a at 50", "a at 80"]
    assert {r.condition for r in folds[0].train} == {"20"}
    assert {r.condition for r in folds[0].test} == {"50", "80"}
    assert {r.subject for r in (*folds[0].train, *folds[0].test)} == {"a"}


@given(st.integers(3, 40), st.randoms())
def test_patient_wise_is_70_15_15_in_any_order_of_subjects(count, random):
    subjects = [f"p{k}" for k in range(count)]
    (fold,) = split("patient-wise", data_set(subjects, "1", 1, 1))
    random.shuffle(subjects)
    (other,) = split("patient-wise", data_set(subjects, "1", 1, 1))
    parts = [
        [{r.subject for r in part} for part in (f.train, f.validation, f.test)]
        for f in (fold, other)
    ]
    assert parts[0] == parts[1]
    for part, share in zip(parts[0], (0.70, 0.15, 0.15), strict=True):
        assert abs(len(part) - share * count) <= 1.1


def test_inter_patient_is_de_chazals_division_with_both_records_of_a_subject_in_ds1():
    records = [*across_subjects._DS1, *across_subjects._DS2, "102", "104", "107", "217"]
    (fold,) = split("inter-patient", [*data_set(records, "1", 1, 1), recording("201", "2")])
    assert len(fold.train) == 23
    assert len(fold.test) == 21
    assert {r.subject for r in fold.train} == across_subjects._DS1
    assert not across_subjects._DS1 & across_subjects._DS2


def test_tuning_and_validation_set_are_disjoint_from_the_test_set():
    with pytest.raises(EdgebioError, match="person a, session 1 is in the tuning set"):
        Fold("x", (recording("b"),), (recording(),), "subject", tune=(recording(repetition=1),))
    with pytest.raises(EdgebioError, match="person a is in the validation set"):
        Fold("x", (recording("b"),), (recording(),), "subject",
             validation=(recording(session="2"),))  # fmt: skip


@given(sets)
def test_cross_subject_tests_every_subject_once_and_never_trains_on_it(recordings):
    folds = split("cross-subject", recordings)
    assert sorted(f.name for f in folds) == sorted({r.subject for r in recordings})
    for fold in folds:
        assert {r.subject for r in fold.test} == {fold.name}
        assert fold.name not in {r.subject for r in fold.train}
        assert len(fold.train) + len(fold.test) == len(recordings)


@given(sets)
def test_one_to_one_goes_from_first_to_second_session_of_a_subject(recordings):
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


def test_cross_session_does_not_use_subjects_with_one_session():
    folds = split("cross-session", [*data_set("a", "12"), *data_set("b", "1")])
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
    for fold in split("within-session", data_set(repetitions=repetitions, conditions=("20", "50"))):
        assert {r.repetition for r in fold.test} == set(range(repetitions - tested, repetitions))
        assert {r.repetition for r in fold.train} == set(range(repetitions - tested))


@given(st.integers(2, 60), st.integers(0, 3), st.sampled_from([0.0, 0.1, 0.25]))
def test_share_is_held_out_where_it_is_more(count, few, share):
    recordings = data_set("a", "1", count, 2)
    if few >= count:
        return
    remaining, held_out = hold_out(recordings, few, share)
    assert len(held_out) == (2 * max(few, int(share * count)) if few else 0)
    assert len(remaining) + len(held_out) == len(recordings)
    assert max((r.repetition for r in remaining), default=-1) < min(
        (r.repetition for r in held_out), default=count
    )


def test_pretraining_goes_from_one_part_of_the_set_to_the_other():
    (fold,) = split("pre-training", data_set(["pre Male0", "eval Male0", "pre Male1"], "12"))
    assert {r.subject for r in fold.train} == {"pre Male0", "pre Male1"}
    assert {r.subject for r in fold.test} == {"eval Male0"}
    assert {r.session for r in (*fold.train, *fold.test)} == {"1"}


@given(sets, st.integers(0, 1))
def test_hold_out_divides_by_repetition(recordings, repetitions):
    remaining, held_out = hold_out(recordings, repetitions)
    assert {id(r) for r in remaining} | {id(r) for r in held_out} == {id(r) for r in recordings}
    counts = {r.repetition for r in recordings}
    assert len(held_out) * len(counts) == len(recordings) * repetitions
    for group in {(r.subject, r.session, int(r.labels[0])) for r in held_out}:
        earlier = [r.repetition for r in remaining if (r.subject, r.session, r.labels[0]) == group]
        later = [r.repetition for r in held_out if (r.subject, r.session, r.labels[0]) == group]
        assert max(earlier) < min(later)


def test_hold_out_counts_repetitions_by_class():
    recordings = [recording(repetition=r, label=0) for r in range(4)]
    recordings += [recording(repetition=r, label=1) for r in range(2)]
    remaining, held_out = hold_out(recordings, 1)
    assert Fold("x", remaining, held_out, "repetition")
    assert [(r.labels[0], r.repetition) for r in held_out] == [(0, 3), (1, 1)]


def test_hold_out_names_the_class_with_too_few_repetitions():
    with pytest.raises(EdgebioError, match=r"fist of person a, session 1, has 1 repetition"):
        hold_out([recording(repetition=0), recording(repetition=1), recording(label=1)], 1)


@pytest.mark.parametrize(
    ("group", "other", "message"),
    [
        ("subject", {"session": "2"}, "person a is in the training set"),
        ("session", {"repetition": 1}, "person a, session 1 is in the training set"),
        ("repetition", {}, "repetition 0 is in the training set"),
    ],
)
def test_leakage_between_training_and_test_set_is_refused(group, other, message):
    with pytest.raises(EdgebioError, match=message):
        Fold("x", (recording(),), (recording(**other),), group)


def test_copy_under_another_name_is_refused():
    original = recording("a")
    other = recording("b", samples=original.samples.copy())
    with pytest.raises(EdgebioError, match=r"b/1/0/0 and a/1/0/0 hold the same samples"):
        split("cross-subject", [original, other])


def test_empty_test_set_is_refused():
    with pytest.raises(EdgebioError, match="no recording in the test set"):
        Fold("x", (recording(),), (), "subject")


def test_digest_is_of_content_not_of_name():
    one = recording()
    assert digest(one) == digest(recording("b", samples=one.samples))
    assert digest(one) != digest(recording(label=1, samples=one.samples))
    assert digest(one) != digest(recording(samples=one.samples.reshape(40, 1)))


@pytest.mark.parametrize(
    ("name", "recordings", "message"),
    [
        ("cross-subject", data_set("a"), "at least two people"),
        ("one-to-one", [*data_set("a", "1"), *data_set("b")], "person a has only session 1"),
        (
            "cross-session",
            data_set("ab", "1"),
            "two sessions of a person; each person here has one",
        ),
        ("within-session", data_set(repetitions=1), "leaves none to train on"),
        ("all-to-one", data_set("a"), "all-to-one needs at least two people"),
        ("transfer", data_set("a", "1"), "transfer needs at least two people"),
        ("one-to-one", data_set("ab", "1", repetitions=1), "leaves none to train on"),
        ("cross-validation", data_set(repetitions=1), "at least two repetitions"),
        ("leave-one-repetition-out", data_set(repetitions=1), "person a, session 1 has 1"),
        ("across-force", data_set(), "person a has none that is named"),
        ("across-force", data_set(conditions=("20",)), "person a has 20"),
        (
            "pre-training",
            data_set(["pre a", "b"]),
            "no person is named 'eval ...' here; there are pre a, b",
        ),
        ("patient-wise", data_set("ab"), "at least three people; these are recordings of 2"),
        ("inter-patient", data_set(["100"]), "records of DS1 .* there are people 100"),
        (
            "leave-one-rep",
            data_set(),
            r"'leave-one-rep' \(did you mean 'leave-one-repetition-out'\?\); there are one-to-one",
        ),
        ("one-to-one", [], "no recordings"),
    ],
)
def test_unsuitable_recordings_are_refused_in_one_line(name, recordings, message):
    with pytest.raises(EdgebioError, match=message) as error:
        split(name, recordings)
    assert "\n" not in str(error.value)


def test_recipe_splits_by_sessions_or_last_repetitions():
    recordings = data_set()

    def split_by(train=(), test=(), repetitions=0):
        data = DataSettings(train_sessions=train, test_sessions=test, test_repetitions=repetitions)
        return split_for_training(data, recordings)

    fold = split_by(["1"], ["2"])
    assert {r.session for r in fold.train} == {"1"}
    assert {r.session for r in fold.test} == {"2"}
    assert split_by([], ["2"]).train == fold.train
    last = split_by(["1"], [], 1)
    assert {(r.session, r.repetition) for r in last.test} == {("1", 2)}
    with pytest.raises(EdgebioError, match="no session '3' here; there are 1, 2"):
        split_by(["1"], ["3"])
    with pytest.raises(EdgebioError, match="names nothing to test on"):
        split_by(["1"])
    with pytest.raises(EdgebioError, match="is in the training set"):
        split_by(["1", "2"], ["2"])


def test_every_protocol_has_a_description_and_a_diagram():
    for name in protocols.names():
        assert protocols.describe(name).endswith(".")
        assert "?" in protocols.diagram(name)
        assert "#" in protocols.diagram(name)
