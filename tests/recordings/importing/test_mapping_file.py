"""Mapping files, and the recordings that they make of tables."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio import datasets
from edgebio.errors import EdgebioError
from edgebio.recordings import ImportOptions, load_recordings
from edgebio.recordings.importing import tables
from edgebio.recordings.importing.mapping_file import read_mapping
from edgebio.recordings.readers.table import Table, categorize

from ..files import NINAPRO_MAPPING, ninapro_matrices, write_mat


def mapping(tmp_path: Path, text: str) -> ImportOptions:
    path = tmp_path / "map.toml"
    path.write_text(text)
    return read_mapping(path)


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_a_mapping_reads_ninapro_as_the_data_set_does(tmp_path: Path, version: str) -> None:
    path = tmp_path / "ninapro-db2" / "S3_E2_A1.mat"
    write_mat(path, ninapro_matrices(12, 5e-7), version)
    expected = datasets.load("ninapro-db2", tmp_path)
    result = load_recordings(path, options=mapping(tmp_path, NINAPRO_MAPPING))
    assert len(result) == len(expected) == 4
    for a, b in zip(result, expected, strict=True):
        np.testing.assert_array_equal(a.samples, b.samples)
        assert [a.classes[k] for k in a.labels] == [b.classes[k] for k in b.labels]
        assert (a.subject, a.rate, a.units) == (b.subject, b.rate, "5e-07 V")
        assert a.repetition == b.repetition + 1  # as the file has it


def test_the_former_key_of_rest_repetition_is_read(tmp_path: Path) -> None:
    former = NINAPRO_MAPPING.replace("rest_repetition", "between")
    assert mapping(tmp_path, former) == mapping(tmp_path, NINAPRO_MAPPING)


def test_an_npz_and_a_csv_of_the_same_content_give_the_same_recordings(tmp_path: Path) -> None:
    content = ninapro_matrices(3, 1.0)
    columns = {name: content[name].ravel() for name in ("restimulus", "rerepetition")}
    arrays = {"emg": content["emg"].T, "subject": np.array("7"), "fs": np.array(100.0), **columns}
    np.savez(tmp_path / "a.npz", allow_pickle=False, **arrays)
    rows = np.column_stack([content["emg"], *columns.values()]).astype(int)
    head = "a,b,c,restimulus,rerepetition\n"
    body = "\n".join(",".join(map(str, row)) for row in rows.tolist())
    (tmp_path / "a.csv").write_text(head + body)
    base = """
        [variables]
        labels = "restimulus"
        repetition = "rerepetition"
        samples = {samples}
        {more}
        [values]
        rest_repetition = 0
        {values}
        [classes]
        0 = ""
        1 = "one"
        2 = "two"
    """
    of_npz = mapping(tmp_path, base.format(samples='"emg"', more='subject = "subject"\nrate = "fs"',
                                           values="transposed = true"))  # fmt: skip
    of_csv = mapping(tmp_path, base.format(samples='["a", "b", "c"]', more="",
                                           values='rate = 100\nsubject = "7"'))  # fmt: skip
    first = load_recordings(tmp_path / "a.npz", options=of_npz)
    second = load_recordings(tmp_path / "a.csv", options=of_csv)
    assert len(first) == 4
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.samples, b.samples)
        np.testing.assert_array_equal(a.labels, b.labels)
        assert (a.classes, a.subject, a.rate, a.repetition) == (
            b.classes, b.subject, b.rate, b.repetition,
        )  # fmt: skip
    assert {-1, 0, 1} == {k for r in first for k in r.labels.tolist()}


def test_subjects_and_sessions_of_one_csv_are_separated(tmp_path: Path) -> None:
    rows = [f"{k},{name},{day}" for k, (name, day) in enumerate(
        [("ann", 1)] * 3 + [("ann", 2)] * 2 + [("bob", 2)] * 4)]  # fmt: skip
    (tmp_path / "a.csv").write_text("emg,name,day\n" + "\n".join(rows))
    result = load_recordings(
        tmp_path / "a.csv",
        options=ImportOptions(rate=9, subject_column="name", session_column="day"),
    )
    assert [(r.subject, r.session, len(r.samples)) for r in result] == [
        ("ann", "1", 3), ("ann", "2", 2), ("bob", "2", 4),
    ]  # fmt: skip
    assert np.concatenate([r.samples for r in result])[:, 0].tolist() == list(range(9))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), min_size=1, max_size=12))
def test_repetitions_keep_every_sample_and_rest_belongs_to_the_one_before(runs) -> None:
    numbers = np.repeat([k for k, _ in runs], [n for _, n in runs])
    values = np.arange(len(numbers))[:, None]
    table = Table(Path("x"), values, lambda r, c: "x", {"repetition": categorize(numbers)})
    options = ImportOptions(rate=1, rest_repetition=0)
    if not numbers.any():
        with pytest.raises(EdgebioError, match="repetition is 0 throughout"):
            tables.recordings_from_table(table, options)
        return
    result = tables.recordings_from_table(table, options)
    assert np.concatenate([r.samples for r in result]).ravel().tolist() == values.ravel().tolist()
    starts = [k for k, number in enumerate(numbers)
             if number and (k == 0 or numbers[k - 1] != number)]  # fmt: skip
    assert len(result) == len(starts)
    for r, start in zip(result, starts, strict=True):
        inside = numbers[r.samples.ravel()]
        assert set(inside.tolist()) - {0} == {r.repetition} == {numbers[start]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[variables]\nsample = 'emg'", "variables.sample: Extra inputs are not permitted"),
        ("[values]\nrate = 0", "values.rate: Input should be greater than 0"),
        ("[values]\nrate = inf", "values.rate: Input should be a finite number"),
        ("[values]\nlsb = 'x'", "values.lsb: Input should be a valid number"),
        ("[classes]\n0 = 1", "classes.0: Input should be a valid string"),
        ("rate = 2000", "rate: Extra inputs are not permitted"),
        ("[values", "not TOML"),
        ("\udcff", "not TOML"),
    ],
)
def test_a_bad_mapping_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "map.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(EdgebioError) as caught:
        read_mapping(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def changed(**changes: object):
    arrays = {"emg": np.arange(24.0).reshape(12, 2), "y": np.ones((12, 1)), "r": np.ones((12, 1))}
    return {k: v for k, v in {**arrays, **changes}.items() if v is not None}


@pytest.mark.parametrize("version", ["5", "7.3"])
@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        (changed(emg=None), {}, "no array 'emg'; it has r, y"),
        (changed(y=None), {}, "no array 'y'; it has emg, r"),
        (changed(y=np.ones((9, 1))), {}, "9 labels for 12 samples"),
        (changed(y=np.ones((12, 2))), {}, "y is 12 x 2; expected one row or one column"),
        (changed(y=np.full((12, 1), np.nan)), {}, "labels, sample 0: nan; expected a number"),
        (changed(emg=np.full((12, 2), np.nan)), {}, "sample 0, channel 1: nan; expected a finite"),
        (changed(emg=np.full((12, 2), 0.5)), {}, "decimal numbers"),
        (changed(emg=np.ones((2, 12))), {}, "emg is 2 x 12, which is more channels than samples"),
        (changed(r=np.full((12, 1), 0.5)), {}, "repetition '0.5'; expected whole numbers from 0"),
        (changed(r=np.full((12, 1), -1)), {}, "repetition '-1'; expected whole numbers from 0"),
        (changed(), {"classes": {"0": "rest"}}, "label '1' is not in [classes]: 0"),
        (changed(), {"rate": None}, "does not state its rate"),
        (changed(), {"rate": None, "rate_column": "y"}, None),
        (
            changed(y=np.arange(12.0)[:, None]),
            {"rate": None, "rate_column": "y"},
            "y holds 12 rates",
        ),
        (
            changed(b=np.ones((3, 3)), c=np.ones((12, 2)), emg=None),
            {"samples": None},
            "it has b, c, r, y",
        ),
    ],
)
def test_bad_matrices_are_refused_in_one_line(tmp_path, version, arrays, options, message) -> None:
    path = write_mat(tmp_path / "a.mat", arrays, version)
    base = {"rate": 9, "samples": "emg", "label_column": "y", "repetition_column": "r"}
    if message is None:
        assert load_recordings(path, options=ImportOptions(**{**base, **options}))[0].rate == 1
        return
    with pytest.raises(EdgebioError) as caught:
        load_recordings(path, options=ImportOptions(**{**base, **options}))
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_column_of_too_many_repetitions_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(tables, "MAX_RECORDINGS", 100)
    (tmp_path / "a.csv").write_text("\n".join(f"1,{k}" for k in range(200)))
    with pytest.raises(EdgebioError, match=r"200 changes of repetition.*may hold 100 recordings"):
        load_recordings(tmp_path / "a.csv", options=ImportOptions(rate=1, repetition_column="2"))


def test_a_damaged_matrix_is_refused_in_one_line(tmp_path) -> None:
    """Flipped bits and cuts of a .mat that is read by a mapping."""
    options = mapping(tmp_path, NINAPRO_MAPPING)
    path = tmp_path / "a.mat"
    intact = write_mat(path, ninapro_matrices(2, 5e-7)).read_bytes()
    rng = np.random.default_rng(0)
    messages = []
    for case in range(100):
        body = bytearray(intact[: rng.integers(len(intact))] if case % 2 else intact)
        for _ in range(case % 5):
            if body:
                body[rng.integers(len(body))] = rng.integers(256)
        path.write_bytes(body)
        try:
            load_recordings(path, options=options)
        except EdgebioError as error:
            messages.append(str(error))
    assert len(messages) > 40
    assert not [message for message in messages if "\n" in message]
