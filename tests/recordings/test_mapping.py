"""Mapping files, and the recordings that tables become by them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio import datasets
from edgebio.errors import EdgebioError
from edgebio.recordings import files, layout, table
from edgebio.recordings.layout import Layout

from .test_ninapro import matrices, write

NINAPRO = """
[variables]
samples = "emg"
labels = "restimulus"
repetition = "rerepetition"
subject = "subject"

[values]
rate = 2000
units = "V"
lsb = 5e-7
between = 0

[classes]
0 = "rest"
1 = "E2 movement 1"
2 = "E2 movement 2"
"""


def mapped(tmp_path: Path, text: str) -> Layout:
    path = tmp_path / "map.toml"
    path.write_text(text)
    return layout.read(path)


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_a_mapping_reads_ninapro_as_its_own_reader_does(tmp_path: Path, version: str) -> None:
    path = write(tmp_path / "ninapro-db2" / "S3_E2_A1.mat", matrices(12, 5e-7), version)
    own = datasets.load("ninapro-db2", tmp_path)
    read = files.read(path, mapped(tmp_path, NINAPRO))
    assert len(read) == len(own) == 4
    for mine, theirs in zip(read, own, strict=True):
        np.testing.assert_array_equal(mine.samples, theirs.samples)
        assert [mine.classes[k] for k in mine.labels] == [theirs.classes[k] for k in theirs.labels]
        assert (mine.subject, mine.rate, mine.units) == (theirs.subject, theirs.rate, "5e-07 V")
        assert mine.repetition == theirs.repetition + 1  # as the file has it


def test_the_same_of_an_npz_and_of_a_csv(tmp_path: Path) -> None:
    held = matrices(3, 1.0)
    told = {name: held[name].ravel() for name in ("restimulus", "rerepetition")}
    np.savez(
        tmp_path / "a.npz", emg=held["emg"].T, subject=np.array("7"), fs=np.array(100.0), **told
    )
    rows = np.column_stack([held["emg"], *told.values()]).astype(int)
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
        between = 0
        {values}
        [classes]
        0 = ""
        1 = "one"
        2 = "two"
    """
    by_npz = mapped(tmp_path, base.format(samples='"emg"', more='subject = "subject"\nrate = "fs"',
                                          values="transposed = true"))  # fmt: skip
    by_csv = mapped(tmp_path, base.format(samples='["a", "b", "c"]', more="",
                                          values='rate = 100\nsubject = "7"'))  # fmt: skip
    first, second = files.read(tmp_path / "a.npz", by_npz), files.read(tmp_path / "a.csv", by_csv)
    assert len(first) == 4
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.samples, b.samples)
        np.testing.assert_array_equal(a.labels, b.labels)
        assert (a.classes, a.subject, a.rate, a.repetition) == (
            b.classes, b.subject, b.rate, b.repetition,
        )  # fmt: skip
    assert {-1, 0, 1} == {k for r in first for k in r.labels.tolist()}


def test_people_and_sessions_in_one_csv(tmp_path: Path) -> None:
    rows = [f"{k},{who},{day}" for k, (who, day) in enumerate(
        [("ann", 1)] * 3 + [("ann", 2)] * 2 + [("bob", 2)] * 4)]  # fmt: skip
    (tmp_path / "a.csv").write_text("emg,who,day\n" + "\n".join(rows))
    read = files.read(
        tmp_path / "a.csv", Layout(rate=9, subject_column="who", session_column="day")
    )
    assert [(r.subject, r.session, len(r.samples)) for r in read] == [
        ("ann", "1", 3), ("ann", "2", 2), ("bob", "2", 4),
    ]  # fmt: skip
    assert np.concatenate([r.samples for r in read])[:, 0].tolist() == list(range(9))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), min_size=1, max_size=12))
def test_repetitions_keep_every_sample_and_rest_goes_with_the_one_before(runs) -> None:
    numbers = np.repeat([k for k, _ in runs], [n for _, n in runs])
    values = np.arange(len(numbers))[:, None]
    made = table.Table(Path("x"), values, lambda r, c: "x", {"repetition": table.words(numbers)})
    how = Layout(rate=1, between=0)
    if not numbers.any():
        with pytest.raises(EdgebioError, match="repetition is 0 throughout"):
            table.recordings(made, how)
        return
    read = table.recordings(made, how)
    assert np.concatenate([r.samples for r in read]).ravel().tolist() == values.ravel().tolist()
    begun = [k for k, number in enumerate(numbers)
             if number and (k == 0 or numbers[k - 1] != number)]  # fmt: skip
    assert len(read) == len(begun)
    for r, start in zip(read, begun, strict=True):
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
def test_a_bad_mapping_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "map.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(EdgebioError) as caught:
        layout.read(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def wrong(**changed: object):
    held = {"emg": np.arange(24.0).reshape(12, 2), "y": np.ones((12, 1)), "r": np.ones((12, 1))}
    return {k: v for k, v in {**held, **changed}.items() if v is not None}


@pytest.mark.parametrize("version", ["5", "7.3"])
@pytest.mark.parametrize(
    ("held", "how", "message"),
    [
        (wrong(emg=None), {}, "no array 'emg'; it has r, y"),
        (wrong(y=None), {}, "no y; it holds emg, r"),
        (wrong(y=np.ones((9, 1))), {}, "9 labels for 12 samples"),
        (wrong(y=np.ones((12, 2))), {}, "y is 12 x 2; expected one row or one column"),
        (wrong(y=np.full((12, 1), np.nan)), {}, "labels, sample 0: nan; expected a number"),
        (wrong(emg=np.full((12, 2), np.nan)), {}, "sample 0, channel 0: nan; expected a finite"),
        (wrong(emg=np.full((12, 2), 0.5)), {}, "decimal numbers"),
        (wrong(emg=np.ones((2, 12))), {}, "emg is 2 x 12, which is more channels than samples"),
        (wrong(r=np.full((12, 1), 0.5)), {}, "repetition '0.5'; expected whole numbers from 0"),
        (wrong(r=np.full((12, 1), -1)), {}, "repetition '-1'; expected whole numbers from 0"),
        (wrong(), {"classes": {"0": "rest"}}, "label '1' is none of [classes]: 0"),
        (wrong(), {"rate": None}, "does not say its rate"),
        (wrong(), {"rate": None, "rate_column": "y"}, None),
        (wrong(y=np.arange(12.0)[:, None]), {"rate": None, "rate_column": "y"}, "y holds 12 rates"),
        (wrong(b=np.ones((3, 3)), emg=np.ones((12, 2))), {"samples": None}, "it has b, emg, r, y"),
    ],
)
def test_bad_matrices_are_one_line(tmp_path, version, held, how, message) -> None:
    path = write(tmp_path / "a.mat", held, version)
    base = {"rate": 9, "samples": "emg", "label_column": "y", "repetition_column": "r"}
    if message is None:
        assert files.read(path, Layout(**{**base, **how}))[0].rate == 1
        return
    with pytest.raises(EdgebioError) as caught:
        files.read(path, Layout(**{**base, **how}))
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_column_of_something_else_is_no_repetition(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(table, "MOST_RECORDINGS", 100)
    (tmp_path / "a.csv").write_text("\n".join(f"1,{k}" for k in range(200)))
    with pytest.raises(EdgebioError, match=r"200 changes of repetition.*up to 100 recordings"):
        files.read(tmp_path / "a.csv", Layout(rate=1, repetition_column="2"))


def test_noise_never_makes_a_traceback(tmp_path) -> None:
    """Flipped bits and cuts of a .mat that is read by a mapping."""
    how = mapped(tmp_path, NINAPRO)
    path = tmp_path / "a.mat"
    whole = write(path, matrices(2, 5e-7)).read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for case in range(100):
        body = bytearray(whole[: rng.integers(len(whole))] if case % 2 else whole)
        for _ in range(case % 5):
            if body:
                body[rng.integers(len(body))] = rng.integers(256)
        path.write_bytes(body)
        said = ""
        try:
            files.read(path, how)
        except EdgebioError as error:
            said = str(error)
        refused += bool(said)
        assert "\n" not in said
    assert refused > 40
