"""edgebio's NPZ gives back what it took; plain CSV and NPZ become counts or say why not."""

import contextlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio.errors import EdgebioError
from edgebio.recordings import Recording, files
from edgebio.recordings.layout import Layout


def recording(n: int = 50, label: int = 0, seed: int = 0, **changes: object) -> Recording:
    rng = np.random.default_rng(seed)
    fields = {
        "samples": rng.integers(-32768, 32768, (n, 3), np.int16),
        "rate": 500.0,
        "units": "counts",
        "labels": np.full(n, label, np.int16),
        "classes": ("rest", "Faust", "握拳"),
        "subject": "7",
        "session": "b",
        "repetition": 2,
        "source": "somewhere/x.csv",
    }
    return Recording(**{**fields, **changes})  # type: ignore[arg-type]


def same(a: Recording, b: Recording) -> bool:
    plain = ("rate", "units", "classes", "subject", "session", "repetition", "source")
    return (
        all(getattr(a, name) == getattr(b, name) for name in plain)
        and np.array_equal(a.samples, b.samples)
        and np.array_equal(a.labels, b.labels)
        and (a.beats is None) == (b.beats is None)
        and (a.beats is None or np.array_equal(a.beats, b.beats))
    )


def beats(n: int, every: int) -> np.ndarray | None:
    """Beats of a recording; none told for every third number."""
    return None if every % 3 == 0 else np.arange(0, n, every, dtype=np.int64)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(-1, 2), st.text(max_size=5)),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_saved_is_loaded(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[int, int, str]]
) -> None:
    path = tmp_path_factory.mktemp("npz") / "r.npz"
    # NumPy's fixed-width text cannot hold trailing NULs; names have none.
    written = [
        recording(n, label, n, subject=name.rstrip("\0"), beats=beats(n, 1 + n % 7))
        for n, label, name in made
    ]
    files.save(path, written)
    loaded = files.load(path)
    assert len(loaded) == len(written)
    assert all(same(a, b) for a, b in zip(loaded, written, strict=True))
    assert all(same(a, b) for a, b in zip(files.read(path, Layout()), written, strict=True))


def test_recordings_that_differ_do_not_go_into_one_file(tmp_path: Path) -> None:
    with pytest.raises(EdgebioError, match=r"rate 200\.0, but somewhere/x.csv has 500\.0"):
        files.save(tmp_path / "r.npz", [recording(), recording(rate=200.0)])
    with pytest.raises(EdgebioError, match="no recordings to write"):
        files.save(tmp_path / "r.npz", [])
    assert list(tmp_path.iterdir()) == []


def test_any_damage_is_one_line(tmp_path: Path) -> None:
    """Cut and flipped at many places: an `EdgebioError`, or (harmless damage) a right file."""
    path = tmp_path / "r.npz"
    files.save(path, [recording(40), recording(30, 1)])
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    messages = []
    for case in range(300):
        body = bytearray(whole[: rng.integers(0, len(whole))] if case % 3 == 0 else whole)
        for _ in range(case % 3):
            body[rng.integers(len(body))] ^= 1 << int(rng.integers(8))
        path.write_bytes(body)
        try:
            files.load(path)
        except EdgebioError as error:
            messages.append(str(error))
    assert len(messages) > 200
    assert not [m for m in messages if "\n" in m or not ("r.npz" in m or "somewhere" in m)]


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "r.npz"
    np.savez(path, samples=np.array([[1, "x"], [None, 2]], dtype=object))
    with pytest.raises(EdgebioError, match="samples is object of shape"):
        files.read(path, Layout(rate=100))


def test_size_is_checked_before_memory_is_taken(tmp_path: Path) -> None:
    """A few bytes that claim to hold 8 TB."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<i2", "fortran_order": False, "shape": (1 << 40, 4)}
    )
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("samples.npy", header.getvalue())
    with pytest.raises(EdgebioError, match="array samples is 8,796,093,022,208 bytes; up to"):
        files.read(path, Layout(rate=100))


def test_a_stranger_is_told_how_to_be_imported(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, samples=np.zeros((4, 2), np.int16))
    with pytest.raises(EdgebioError, match=r"not a file of edgebio's.*edgebio data import"):
        files.load(path)
    path.write_text("1,2\n")
    with pytest.raises(EdgebioError, match="not an NPZ file, or cut"):
        files.load(path)
    with pytest.raises(EdgebioError, match="no such file"):
        files.load(tmp_path / "none.npz")


# --- plain files ---------------------------------------------------------------------------------


def csv(tmp_path: Path, content: str, **layout: object) -> Recording:
    path = tmp_path / "x.csv"
    path.write_text(content)
    (read,) = files.read(path, Layout(**layout))  # type: ignore[arg-type]
    return read


def test_whole_numbers_are_counts(tmp_path: Path) -> None:
    read = csv(tmp_path, "1,-2\n3,4\n", rate=200, subject="p", session="s", repetition=3)
    assert read.samples.tolist() == [[1, -2], [3, 4]]
    assert read.labels.tolist() == [-1, -1]
    assert (read.rate, read.units, read.classes) == (200, "counts", ())
    assert (read.subject, read.session, read.repetition) == ("p", "s", 3)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_names_labels_and_separators(tmp_path: Path, separator: str) -> None:
    content = "t,a,grip,b\n0.1,1,fist,2\n0.2,3,,4\n0.3,5,10,6\n0.4,7,9.0,8\n"
    read = csv(
        tmp_path,
        content.replace(",", separator),
        rate=100,
        label_column="grip",
        columns=("b", "2"),
    )
    assert read.samples.tolist() == [[2, 1], [4, 3], [6, 5], [8, 7]]
    assert read.classes == ("9", "10", "fist")
    assert read.labels.tolist() == [2, -1, 1, 0]


def test_one_label_for_the_file(tmp_path: Path) -> None:
    read = csv(tmp_path, "1\n2\n", rate=100, label="rest")
    assert read.classes == ("rest",)
    assert read.labels.tolist() == [0, 0]


def test_decimals_need_the_size_of_a_count(tmp_path: Path) -> None:
    content = "0.5,1.0\n-0.25,0.75\n"
    with pytest.raises(EdgebioError, match=r"decimal numbers; .* --lsb 0\.25 "):
        csv(tmp_path, content, rate=100)
    read = csv(tmp_path, content, rate=100, lsb=0.25, units="mV")
    assert read.samples.tolist() == [[2, 4], [-1, 3]]
    assert read.units == "0.25 mV"


@pytest.mark.parametrize(
    ("content", "layout", "message"),
    [
        ("1,2\n", {}, "does not say its rate; add --rate HZ"),
        ("1,2\n3,nan\n", {"rate": 1, "lsb": 1}, "line 2, field 2: nan; expected a finite number"),
        ("1,2\n3,inf\n", {"rate": 1}, "line 2, field 2: inf; expected a finite number"),
        ("a,b\n1,2\n3,x\n", {"rate": 1}, "line 3, field 2: 'x' is not a number"),
        ("a,b\n1,2\n3\n", {"rate": 1}, "line 3: 1 fields, expected 2"),
        ("a,b\n1,2\n3\n", {"rate": 1, "label_column": "b"}, "line 3: 1 fields, expected 2"),
        ("a,b\n", {"rate": 1}, "only a line of names"),
        ("1,40000\n", {"rate": 1}, "line 1, field 2: 40000 does not fit a 16-bit sample"),
        ("1.5,9e9\n", {"rate": 1, "lsb": 0.5}, "line 1, field 2: 1.8e+10 does not fit a 16-bit"),
        ("a,b\n1,2\n", {"rate": 1, "label_column": "c"}, "no column 'c'; it has columns a, b"),
        ("1,2\n", {"rate": 1, "columns": ("3",)}, "no column '3'; it has 2 columns without names"),
        ("1\n2\n", {"rate": 1, "label_column": "1"}, "no column besides the labels"),
        ("1,a\n2,NaN\n", {"rate": 1, "label_column": "2"}, "line 2, field 2: NaN; expected labels"),
        ("1,2\n", {"rate": -5}, "a rate is above 0"),
        ("1,2\n", {"rate": float("nan")}, "a rate is above 0"),
    ],
)
def test_bad_files_are_one_line(
    tmp_path: Path, content: str, layout: dict[str, object], message: str
) -> None:
    with pytest.raises(EdgebioError) as caught:
        csv(tmp_path, content, **layout)
    assert message in str(caught.value)
    assert "x.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.none() | st.sampled_from(["1", "2", "a"]))
def test_no_bytes_make_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, column: str | None
) -> None:
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    path.write_bytes(content)
    with contextlib.suppress(EdgebioError):
        (read,) = files.read(path, Layout(rate=100, lsb=0.5, label_column=column))
        assert len(read.samples) == len(read.labels) > 0


def npz(tmp_path: Path, arrays: dict[str, object], **layout: object) -> Recording:
    path = tmp_path / "x.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    (read,) = files.read(path, Layout(**layout))  # type: ignore[arg-type]
    return read


def test_plain_npz(tmp_path: Path) -> None:
    counts = np.array([[1, 2], [3, 4], [5, 6]])
    arrays = {"emg": counts.astype(np.float32), "rate": 250, "y": np.array(["b", "a", "b"])}
    read = npz(tmp_path, arrays, label_column="y")
    assert read.samples.tolist() == counts.tolist()
    assert (read.rate, read.classes, read.labels.tolist()) == (250, ("a", "b"), [1, 0, 1])
    scaled = npz(tmp_path, {"samples": counts / 8, "other": counts}, rate=9, lsb=0.125)
    assert scaled.samples.tolist() == counts.tolist()


@pytest.mark.parametrize(
    ("arrays", "layout", "message"),
    [
        ({"a": np.zeros((3, 2)), "b": np.zeros((3, 2))}, {"rate": 1}, "or a single 2-D array"),
        ({"a": np.zeros(3)}, {"rate": 1}, "or a single 2-D array"),
        ({"a": np.zeros((0, 2))}, {"rate": 1}, "no samples"),
        ({"a": np.full((3, 2), np.nan)}, {"rate": 1, "lsb": 1}, "sample 0, channel 0: nan"),
        ({"a": np.full((3, 2), 0.5)}, {"rate": 1}, "decimal numbers"),
        ({"a": np.full((3, 2), 70000)}, {"rate": 1}, "sample 0, channel 0: 70000 does not fit"),
        ({"a": np.zeros((3, 2), complex)}, {"rate": 1}, "expected 2 dimensions of numbers"),
        ({"a": np.zeros((3, 2), int)}, {}, "does not say its rate"),
        ({"a": np.zeros((3, 2), int)}, {"rate": 1, "label_column": "y"}, "no array 'y'"),
        (
            {"a": np.zeros((3, 2), int), "y": np.zeros(2, int)},
            {"rate": 1, "label_column": "y"},
            "2 labels for 3 samples",
        ),
    ],
)
def test_bad_npz_is_one_line(
    tmp_path: Path, arrays: dict[str, object], layout: dict[str, object], message: str
) -> None:
    with pytest.raises(EdgebioError) as caught:
        npz(tmp_path, arrays, **layout)
    assert message in str(caught.value)
    assert "x.npz" in str(caught.value)


def test_classes_of_several_files_become_one_list() -> None:
    first = recording(2, labels=np.array([0, 1], np.int16), classes=("10", "rest"))
    second = recording(2, labels=np.array([0, -1], np.int16), classes=("9",))
    a, b = files.unify([first, second])
    assert a.classes == b.classes == ("9", "10", "rest")
    assert a.labels.tolist() == [1, 2]
    assert b.labels.tolist() == [0, -1]


def test_beats_that_do_not_add_up_are_refused(tmp_path: Path) -> None:
    path = files.save(tmp_path / "r", [recording(50, beats=np.array([3, 9]))])
    with np.load(path) as whole:
        arrays = dict(whole)
    for counts in ([3], [-2], [2, 0]):
        np.savez(path, **{**arrays, "beat_counts": np.array(counts)})
        with pytest.raises(EdgebioError, match="do not add up to the 2 beats of 1"):
            files.load(path)
    del arrays["beat_counts"]
    np.savez(path, **arrays)
    assert files.load(path)[0].beats is None


@pytest.mark.parametrize("beats", [[3, 3], [9, 3], [-1, 3], [3, 50]])
def test_beats_rise_within_the_recording(beats: list[int]) -> None:
    with pytest.raises(EdgebioError, match="beats must be int64 and rise within the 50 samples"):
        recording(50, beats=np.array(beats, np.int64))
