"""Named data sets: found in their folders, read as published, refused where damaged."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio import datasets
from edgebio.datasets import emg_myo_grips10, emg_synthetic
from edgebio.errors import EdgebioError
from edgebio.recordings import save_recordings


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No data sets but in the cache, which is empty."""
    monkeypatch.delenv("EDGEBIO_DATA", raising=False)
    monkeypatch.setenv("EDGEBIO_CACHE", str(tmp_path / "cache"))
    return tmp_path


def small_3dc(root: Path, subjects: tuple[str, ...] = ("2",), rows: int = 30) -> Path:
    """An emg-3dc of `rows` samples per file, whose values encode the file."""
    for subject in subjects:
        for part in ("train", "test"):
            folder = root / "emg-3dc" / f"Participant{subject}" / part / "EMG"
            folder.mkdir(parents=True)
            for cycle in range(4):
                for gesture in range(11):
                    values = [int(subject), part == "test", cycle, gesture, -1, 0, 0, 0, 0, 32767]
                    row = ",".join(str(int(v)) for v in values) + "\n"
                    (folder / f"3dc_EMG_gesture_{cycle}_{gesture}.txt").write_text(row * rows)
    return root


def test_every_set_describes_itself() -> None:
    for name in datasets.names():
        dataset = datasets.get(name)
        assert dataset.name == name
        assert dataset.license
        assert dataset.citation
        assert dataset.rate > 0
        assert len(set(dataset.classes)) == len(dataset.classes) > 1
        assert ("synthetic" in dataset.title) == ("synthetic" in name)
        assert dataset.computed == ("synthetic" in name)
        assert dataset.computed or dataset.page


def test_unknown_names_and_missing_sets_name_the_remedy(nowhere: Path) -> None:
    with pytest.raises(EdgebioError, match=r"no data set 'xyz'; there are emg-3dc, "):
        datasets.load("xyz")
    with pytest.raises(EdgebioError, match=r"no data set 'emg-3dcc' .did you mean 'emg-3dc'"):
        datasets.load("emg-3dcc")
    with pytest.raises(EdgebioError, match=r"emg-3dc is not on this machine: run `edgebio data f"):
        datasets.load("emg-3dc")
    with pytest.raises(EdgebioError, match=r"has no folder emg-3dc: run `edgebio data fetch"):
        datasets.load("emg-3dc", nowhere)
    (nowhere / "emg-3dc").mkdir()
    with pytest.raises(EdgebioError, match=r"emg-3dc: no recordings of emg-3dc"):
        datasets.load("emg-3dc", nowhere)


def test_the_given_folder_comes_before_the_variable_and_the_cache(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = small_3dc(nowhere / "cache" / "data", ("7",))
    assert datasets.subjects("emg-3dc") == ["7"]
    variable = small_3dc(nowhere / "variable", ("8",))
    monkeypatch.setenv("EDGEBIO_DATA", str(variable))
    assert datasets.subjects("emg-3dc") == ["8"]
    assert datasets.subjects("emg-3dc", small_3dc(nowhere / "named", ("9",))) == ["9"]
    shutil.rmtree(variable / "emg-3dc")
    assert datasets.locate("emg-3dc") == cached / "emg-3dc"
    variable.rmdir()
    with pytest.raises(EdgebioError, match=r"EDGEBIO_DATA=.*variable: no such folder"):
        datasets.locate("emg-3dc")


def test_subjects_are_in_natural_order_without_the_excluded(nowhere: Path) -> None:
    root = small_3dc(nowhere, ("11", "2", "19", "9"), rows=2)
    result = datasets.load("emg-3dc", root)
    assert list(dict.fromkeys(r.subject for r in result)) == ["2", "9", "11"]
    assert {r.subject for r in datasets.load("emg-3dc", root, ["19"])} == {"19"}
    assert {r.subject for r in datasets.load("emg-3dc", root, [2, 9])} == {"2", "9"}  # type: ignore[list-item]
    with pytest.raises(EdgebioError, match="no subject '3' here; it has 2, 9, 11, 19"):
        datasets.load("emg-3dc", root, ["3"])
    with pytest.raises(EdgebioError, match=r"subjects='19'; expected a list of names: \['19'\]"):
        datasets.load("emg-3dc", root, "19")


def test_an_imported_file_is_a_data_set(tmp_path: Path) -> None:
    path = save_recordings(tmp_path / "mine.npz", emg_synthetic.generate(["1"], repetitions=1)[:3])
    dataset = datasets.get(str(path))
    assert dataset.classes == datasets.get("emg-synthetic").classes
    assert len(datasets.load(str(path))) == 3
    assert datasets.load(str(path), None, ["1"])[0].subject == "1"
    with pytest.raises(EdgebioError, match="no subject '2' here"):
        datasets.load(str(path), None, ["2"])


def test_3dc_files_become_recordings(nowhere: Path) -> None:
    result = datasets.load("emg-3dc", small_3dc(nowhere, ("2", "12")))
    assert len(result) == 2 * 2 * 4 * 11
    for r in result:
        part, label = int(r.session) - 1, int(r.labels[0])
        assert r.samples[0].tolist() == [int(r.subject), part, r.repetition, label, -1, 0, 0, 0, 0,
                                         32767]  # fmt: skip
        assert len(set(r.labels.tolist())) == 1
        assert r.rate == 1000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "missing; emg-3dc has 4 cycles of 11 gestures"),
        ("", "empty; expected one line per sample"),
        ("1,2,3,4,5,6,7,8,9,10\n1,2,3,4,5,6", "line 2: 6 fields, expected 10"),
        ("1,2,3,4,5,6,7,8,9,10,11\n", "line 1: 11 fields, expected 10"),
        ("1,2,3,4,5,6,7,8,9,nan\n", "line 1, field 10: 'nan' is not a whole number"),
        ("1,2,3,4,5,6,7,8,9,32768\n", "line 1, field 10: 32768 does not fit a 16-bit sample"),
    ],
)
def test_damage_of_3dc_is_named(nowhere: Path, content: str | None, message: str) -> None:
    root = small_3dc(nowhere)
    path = root / "emg-3dc/Participant2/test/EMG/3dc_EMG_gesture_3_10.txt"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(EdgebioError) as caught:
        datasets.load("emg-3dc", root)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_published_3dc_is_read(data_folder: Path) -> None:
    result = datasets.load("emg-3dc", data_folder)
    assert list(dict.fromkeys(r.subject for r in result)) == ["2", "6", "8", "9", "11", "12"]
    assert len(result) == 528
    assert {len(r.samples) for r in result} >= {4132, 6523}
    assert min(len(r.samples) for r in result) == 4132
    assert max(len(r.samples) for r in result) == 6523
    first = result[0]
    assert first.samples[0].tolist() == np.loadtxt(first.source, delimiter=",", max_rows=1).tolist()
    quiet = [r.samples.std() for r in result if r.labels[0] == 0]
    strong = [r.samples.std() for r in result if r.labels[0] == 4]
    assert np.median(strong) > 4 * np.median(quiet)


def bursts(seconds: float, starts: list[float], length: float, rate: int = 200) -> np.ndarray:
    """Noise of 2 counts, and of 40 counts in contractions."""
    rng = np.random.default_rng(0)
    time = np.arange(round(seconds * rate)) / rate
    active = np.any([(time >= s) & (time < s + length) for s in starts], axis=0)
    return (rng.normal(0, np.where(active, 40, 2)[:, None], (len(time), 8)) - 0.8).round()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(1.5, 4), min_size=3, max_size=8), st.floats(2, 3.2))
def test_contractions_are_found_where_they_are(rests: list[float], length: float) -> None:
    # The percentiles of the rule assume that rest and contraction both fill over a tenth.
    starts = (np.cumsum(rests) + length * np.arange(len(rests))).tolist()
    signal = bursts(starts[-1] + length + 3, starts, length).astype(np.int16)
    contractions = emg_myo_grips10.find_contractions(signal, 200.0)
    assert len(contractions) == len(starts)
    for (begin, end), start in zip(contractions, starts, strict=True):
        assert begin / 200 == pytest.approx(start, abs=0.15)
        assert end / 200 == pytest.approx(start + length, abs=0.15)


def test_short_gaps_are_bridged_and_short_bursts_are_dropped() -> None:
    signal = bursts(30, [5.0, 7.3, 15.0, 25.0], 2.0)  # 0.3 s between the first two
    signal[3120:3400] = bursts(1.4, [9.0], 1.0)  # leaves 0.6 s of the third
    contractions = emg_myo_grips10.find_contractions(signal.astype(np.int16), 200.0)
    assert [round(begin / 200) for begin, _ in contractions] == [5, 25]
    assert contractions[0][1] / 200 == pytest.approx(9.3, abs=0.15)


def test_silence_and_short_files_have_no_contraction() -> None:
    assert emg_myo_grips10.find_contractions(np.zeros((0, 8), np.int16), 200.0) == []
    assert emg_myo_grips10.find_contractions(np.zeros((100, 8), np.int16), 200.0) == []
    assert emg_myo_grips10.find_contractions(np.zeros((4000, 8), np.int16), 200.0) == []


def small_grips(root: Path, matrix: str = "data1") -> Path:
    from scipy.io import savemat

    folder = root / "emg-myo-grips10" / "EMG_S3"
    folder.mkdir(parents=True)
    for number in range(1, 11):
        values = np.clip(bursts(20, [4.0, 11.0], 3.0), -128, 127) / 128
        name = {1: "握拳", 6: "Tripod"}.get(number, "x")
        savemat(folder / f"{name}_{number}_x.mat", {matrix: values}, do_compression=number > 3)
    return folder


@pytest.mark.parametrize("matrix", ["data1", "data"])
def test_grips_become_recordings(nowhere: Path, matrix: str) -> None:
    small_grips(nowhere, matrix)
    result = datasets.load("emg-myo-grips10", nowhere)
    assert [(int(r.labels[0]), r.repetition) for r in result] == [
        (label, repetition) for label in range(10) for repetition in range(2)
    ]
    assert {r.subject for r in result} == {"3"}
    assert max(abs(int(r.samples.min())) for r in result) > 90


def _save(path: Path, **arrays: object) -> None:
    from scipy.io import savemat

    savemat(path, arrays)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: p.unlink(), "no file of class 6 (tripod), *_6_x.mat"),
        (lambda p: p.rename(p.with_name("Tripod_16_x.mat")), "ends in _<class 1-10>_x.mat"),
        (lambda p: shutil.copy(p, p.with_name("other_6_x.mat")), "class 6 is also in "),
        (lambda p: p.write_bytes(p.read_bytes()[:5000]), "cut or not a MATLAB 5 file"),
        (lambda p: p.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM" + bytes(400)),
         "MATLAB 7.3 file"),
        (lambda p: p.write_bytes(b""), "cut or not a MATLAB 5 file"),
        (lambda p: _save(p, other=np.zeros((9, 8))), "holds other; expected data1 or data"),
        (lambda p: _save(p, data1=np.zeros((9, 7))), "9 x 7; expected a matrix of 8 columns"),
        (lambda p: _save(p, data1=np.full((9, 8), np.nan)), "row 1, column 1: nan is not an 8-bit"),
        (lambda p: _save(p, data1=np.full((9, 8), 0.3)), "row 1, column 1: 0.3 is not an 8-bit"),
        (lambda p: _save(p, data1=np.full((9, 8), 1.0)), "row 1, column 1: 1 is not an 8-bit"),
        (lambda p: _save(p, data1="text"), "holds nothing; expected data1"),
        (lambda p: _save(p, data1=np.array([[{}] * 8] * 3, object)), "holds nothing"),
    ],
)  # fmt: skip
def test_damage_of_grips_is_named(nowhere: Path, damage: object, message: str) -> None:
    damage(small_grips(nowhere) / "Tripod_6_x.mat")  # type: ignore[operator]
    with pytest.raises(EdgebioError) as caught:
        datasets.load("emg-myo-grips10", nowhere)
    assert message in str(caught.value)
    assert "EMG_S3" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_noise_in_grips_is_refused(nowhere: Path) -> None:
    path = small_grips(nowhere) / "Tripod_6_x.mat"
    intact = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for case in range(120):
        body = bytearray(intact[: rng.integers(len(intact))] if case % 2 else intact)
        for _ in range(case % 4):
            if body:
                body[rng.integers(min(len(body), 400))] ^= 1 << int(rng.integers(8))
        path.write_bytes(body)
        try:
            emg_myo_grips10._read(path)
        except EdgebioError:
            refused += 1
    assert refused > 60


def test_published_grips_have_20_contractions_each(data_folder: Path) -> None:
    result = datasets.load("emg-myo-grips10", data_folder)
    numbers_of: dict[tuple[str, int], list[int]] = {}
    for r in result:
        numbers_of.setdefault((r.subject, int(r.labels[0])), []).append(r.repetition)
        assert 1 <= r.seconds < 7
    assert len(numbers_of) == 6 * 10
    assert all(numbers == list(range(20)) for numbers in numbers_of.values())
