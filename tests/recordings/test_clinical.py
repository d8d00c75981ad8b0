"""EDF, BDF and WFDB: counts as written, annotations as labels, damage in one line."""

import contextlib
from pathlib import Path

import numpy as np
import pytest

from edgebio.errors import EdgebioError
from edgebio.recordings import files, wfdb
from edgebio.recordings.importing import gather
from edgebio.recordings.layout import Layout
from edgebio.recordings.layout import read as read_layout

from .test_readers import cut, edit, write_wfdb

edfio = pytest.importorskip("edfio", reason="the package edfio is not installed")
RNG = np.random.default_rng(0)
EVENTS = [(0.5, 0.5, "T1"), (1.5, None, "T0"), (2.0, 1.0, "T2"), (9.0, 1.0, "late")]


def write_edf(path: Path, kind="Edf", rates=(100, 100), ranges=((-3276.8, 3276.7),) * 2,
              units=("uV", "uV"), events=EVENTS, seconds=4) -> list[np.ndarray]:  # fmt: skip
    """A file whose first digital values are known; returns the digital values."""
    package = {"Edf": edfio.EdfSignal, "Bdf": edfio.BdfSignal}[kind]
    limits = (-32768, 32767) if kind == "Edf" else (-800000, 800000)
    if kind == "Bdf":
        ranges = ((-80000, 80000),) * 2
    signals, held = [], []
    for k, (rate, physical, unit) in enumerate(zip(rates, ranges, units, strict=True)):
        digital = RNG.integers(-2000, 2000, rate * seconds)
        digital[:3] = limits[0] if kind == "Edf" else -9000, k, 1999
        held.append(digital)
        signals.append(
            package.from_digital(
                digital.astype(np.int16 if kind == "Edf" else np.int32), rate, label=f"C{k}",
                physical_dimension=unit, physical_range=physical, digital_range=limits,
            )
        )  # fmt: skip
    notes = [edfio.EdfAnnotation(*event) for event in events]
    getattr(edfio, kind)(signals, annotations=notes).write(path)
    return held


@pytest.mark.parametrize("kind", ["Edf", "Bdf"])
def test_counts_are_the_converters_and_annotations_are_labels(tmp_path, kind) -> None:
    path = tmp_path / f"a.{kind.lower()}"
    held = write_edf(path, kind)
    (read,) = files.read(path, Layout())
    np.testing.assert_array_equal(read.samples, np.stack(held, axis=1))
    assert (read.rate, read.units, read.classes) == (100, "0.1 uV", ("T0", "T1", "T2"))
    expected = np.full(400, -1)
    expected[50:100], expected[150:200], expected[200:300] = 1, 0, 2
    np.testing.assert_array_equal(read.labels, expected)


def test_a_file_set_byte_by_byte_as_the_format_says(tmp_path) -> None:
    """Plain EDF of 1992, without a package: 256 bytes, 256 a signal, then records."""
    counts = RNG.integers(-2048, 2048, (3, 2, 50))  # records, signals, samples
    fields = ["0", "X", "X", "01.01.20", "00.00.00", "768", "", "3", "0.5", "2"]
    sizes = [8, 80, 80, 8, 8, 8, 44, 8, 8, 4]
    head = "".join(f"{f:<{n}}" for f, n in zip(fields, sizes, strict=True))
    for size, told in [(16, ("EEG Fz", "EEG Cz")), (80, ("", "")), (8, ("mV", "mV")),
                       (8, ("-1", "-1")), (8, ("1", "1")), (8, ("-2000", "-2000")),
                       (8, ("2000", "2000")), (80, ("", "")), (8, ("50", "50")),
                       (32, ("", ""))]:  # fmt: skip
        head += "".join(f"{field:<{size}}" for field in told)
    (tmp_path / "a.edf").write_bytes(head.encode() + counts.astype("<i2").tobytes())
    (read,) = files.read(tmp_path / "a.edf", Layout())
    np.testing.assert_array_equal(read.samples, counts.transpose(0, 2, 1).reshape(150, 2))
    assert (read.rate, read.units, read.classes) == (100, "0.0005 mV", ())


def test_a_mapping_names_and_leaves_out_and_a_label_holds_for_all(tmp_path) -> None:
    write_edf(tmp_path / "a.edf")
    names = {"T0": "rest", "T1": "fist", "T2": "", "late": "fist"}
    (read,) = files.read(tmp_path / "a.edf", Layout(classes=names))
    assert read.classes == ("fist", "rest")
    assert np.bincount(read.labels + 1).tolist() == [300, 50, 50]
    (read,) = files.read(tmp_path / "a.edf", Layout(label="sleep"))
    assert (read.classes, set(read.labels.tolist())) == (("sleep",), {0})


def test_channels_are_chosen_by_name_or_number(tmp_path) -> None:
    held = write_edf(tmp_path / "a.edf", rates=(100, 50))
    for column in ("C1", "2"):
        (read,) = files.read(tmp_path / "a.edf", Layout(columns=(column,)))
        assert (read.channels, read.rate) == (1, 50)
        np.testing.assert_array_equal(read.samples[:, 0], held[1])


def test_one_step_for_channels_of_several(tmp_path) -> None:
    held = write_edf(tmp_path / "a.edf", ranges=((-3276.8, 3276.7), (-6553.6, 6553.4)))
    (read,) = files.read(tmp_path / "a.edf", Layout(lsb=0.2))
    assert np.abs(read.samples[:, 0] - held[0] / 2).max() < 0.501
    np.testing.assert_array_equal(read.samples[:, 1], held[1])
    assert read.units == "0.2 uV"


@pytest.mark.parametrize(
    ("written", "layout", "message"),
    [
        ({"rates": (100, 50)}, {}, "channels of several rates .50, 100 Hz.; choose ones of one"),
        (
            {"ranges": ((-1, 1), (-2, 2))},
            {},
            "a count is 3.052e-05 uV of one channel and 6",
        ),
        ({"units": ("uV", "mV")}, {}, "channels of several units .uV, mV.; choose"),
        ({}, {"columns": ("C9",)}, "no channel 'C9'; it has C0, C1"),
        ({}, {"lsb": 1e-9}, "sample 0, channel C0: -3.2768e.12 does not fit a 16-bit sample"),
        ({}, {"classes": {"T0": "rest"}}, "label 'T1' is none of .classes.: T0"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, written, layout, message) -> None:
    write_edf(tmp_path / "a.edf", **written)
    with pytest.raises(EdgebioError, match=message) as caught:
        files.read(tmp_path / "a.edf", Layout(**layout))
    assert str(tmp_path / "a.edf") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_24_bits_that_do_not_fit_ask_for_a_step(tmp_path) -> None:
    path = tmp_path / "a.bdf"
    signal = edfio.BdfSignal.from_digital(
        np.arange(-400000, 400000, 2000, np.int32), 100, label="A1", physical_dimension="uV",
        physical_range=(-262144, 262143), digital_range=(-(1 << 23), (1 << 23) - 1),
    )  # fmt: skip
    edfio.Bdf([signal]).write(path)
    with pytest.raises(EdgebioError, match=r"say a step of 0\.381\d* uV or more") as caught:
        files.read(path, Layout())
    assert str(path) in str(caught.value)
    (read,) = files.read(path, Layout(lsb=0.4))
    microvolts = np.arange(-400000, 400000, 2000) / 32
    assert np.abs(read.samples[:, 0] * 0.4 - microvolts).max() < 1  # its range is not quite even


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut, "cut or not an EDF or BDF file .Incomplete data record|header indicates"),
        (lambda p: p.write_bytes(b""), "cut or not an EDF or BDF file"),
        (lambda p: p.write_bytes(b"0".ljust(8) + bytes(600)), "cut or not an EDF or BDF file"),
        (edit("EDF+C", "EDF+D"), "has gaps ..D.; cut it into continuous files"),
        (edit("-3276.8 ", "nan     "), "expected a range|cut or not"),
        (edit("-32768  ", "99999   "), "expected a range|cut or not"),
        (lambda p: p.unlink(), "no such file"),
    ],
)
def test_damage_is_one_line(tmp_path, damage, message) -> None:
    path = tmp_path / "a.edf"
    write_edf(path)
    damage(path)
    with pytest.raises(EdgebioError, match=message) as caught:
        files.read(path, Layout())
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["Edf", "Bdf"])
def test_noise_never_makes_a_traceback_or_much_memory(tmp_path, kind) -> None:
    path = tmp_path / f"a.{kind.lower()}"
    write_edf(path, kind)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for case in range(150):
        body = bytearray(whole[: rng.integers(len(whole))] if case % 3 == 0 else whole)
        for _ in range(case % 7):
            if body:
                body[rng.integers(min(len(body), 1100))] = rng.integers(32, 127)
        path.write_bytes(body)
        said = ""
        try:
            read = files.read(path, Layout())
            assert sum(r.samples.nbytes for r in read) <= 2 * len(whole)
        except EdgebioError as error:
            said = str(error)
        refused += bool(said)
        assert "\n" not in said
    assert refused > 50


def test_files_of_several_rates_are_not_put_into_one(tmp_path) -> None:
    for name, rate in (("a", 100), ("b", 50)):
        write_edf(tmp_path / f"{name}.edf", rates=(rate, rate))
    read = gather([tmp_path / "a.edf", tmp_path / "b.edf"], Layout())
    with pytest.raises(EdgebioError, match=r"b\.edf: rate 50.*, but .*a\.edf has 100"):
        files.save(tmp_path / "o.npz", read)
    assert not (tmp_path / "o.npz").exists()


SAID = {
    "samples": ({"samples": "emg"}, "samples emg: {} has none; name its channels: --columns"),
    "labels": ({"label_column": "y"}, "labels y: {} has none; its annotations are labels"),
    "repetition": ({"repetition_column": "r"}, "repetition r: {} has none; say --repetition"),
    "subject": ({"subject_column": "who"}, "subject who: {} has none; say --subject, or {{subj"),
    "session": ({"session_column": "day"}, "session day: {} has none; say --session"),
    "rate": ({"rate_column": "fs"}, "rate fs: {} has none; it says its own"),
    "between": ({"between": 0}, "between 0: {} has none; leave it out"),
    "transposed": ({"transposed": True}, "transposed True: {} has none; leave it out"),
}  # fmt: skip


@pytest.mark.parametrize("what", SAID)
@pytest.mark.parametrize("kind", ["edf", "bdf", "hea"])
def test_what_a_format_cannot_tell_is_refused_by_name(tmp_path, kind, what) -> None:
    path = tmp_path / f"a.{kind}"
    if kind == "hea":
        write_wfdb(tmp_path, "a", RNG.integers(-9, 9, (50, 2)), leads=("I", "II"), gain=200,
                   fmt="16", rate=360)  # fmt: skip
    else:
        write_edf(path, kind.title())
    layout, message = SAID[what]
    with pytest.raises(EdgebioError) as caught:
        files.read(path, Layout(**layout))
    if (kind, what) == ("hea", "labels"):  # its annotators are what labels are named by
        assert str(caught.value) == f"{tmp_path / 'a.y'}: no such file"
        return
    said = message.format("a WFDB record" if kind == "hea" else "an EDF or BDF file")
    assert str(caught.value).startswith(f"{path}: {said}")
    assert "\n" not in str(caught.value)


def test_people_of_several_files_do_not_become_one(tmp_path) -> None:
    """By a mapping that names a variable of theirs; the names of files tell them apart."""
    for name in ("ann", "bob"):
        write_edf(tmp_path / f"{name}.edf")
    mapping = tmp_path / "map.toml"
    mapping.write_text('[variables]\nsubject = "who"\n')
    paths = [tmp_path / "ann.edf", tmp_path / "bob.edf"]
    with pytest.raises(EdgebioError, match=r"ann\.edf: subject who: .*\{subject\} in --name"):
        gather(paths, read_layout(mapping))
    assert {r.subject for r in gather(paths, Layout(), "{subject}.edf")} == {"ann", "bob"}


@pytest.mark.parametrize(
    ("name", "layout", "message"),
    [
        ("a.csv", {"samples": "emg"}, "samples emg: a CSV has none; name its channels"),
        ("a.csv", {"transposed": True}, "transposed True: a CSV has none"),
        ("a.npz", {"columns": ("C1", "C2")}, "columns C1, C2: an NPZ has none; name its array"),
        ("a.mat", {"columns": ("C1",)}, r"columns C1: a \.mat has none; name its array"),
    ],
)
def test_what_plain_files_cannot_tell_is_refused_by_name(tmp_path, name, layout, message) -> None:
    (tmp_path / "a.csv").write_text("1,2\n3,4\n")
    np.savez(tmp_path / "a.npz", samples=np.ones((9, 2)))
    with pytest.raises(EdgebioError, match=message):
        files.read(tmp_path / name, Layout(rate=9, **layout))


# --- WFDB ----------------------------------------------------------------------------------------


def test_a_wfdb_record_with_annotations(tmp_path) -> None:
    samples = RNG.integers(-1000, 1000, (600, 2))
    marks = [(40, "N"), (140, "V"), (240, "~"), (340, "N")]
    path = write_wfdb(tmp_path, "x", samples, leads=("I", "II"), gain=200, fmt="16", rate=360,
                      symbols=marks)  # fmt: skip
    (plain,) = files.read(path, Layout())
    np.testing.assert_array_equal(plain.samples, samples)
    assert (plain.rate, plain.units, plain.classes) == (360, "0.005 mV", ())
    names = {"N": "normal", "V": "ventricular", "~": ""}
    (read,) = files.read(path, Layout(label_column="atr", classes=names, columns=("II",)))
    np.testing.assert_array_equal(read.samples[:, 0], samples[:, 1])
    assert read.classes == ("normal", "ventricular")
    assert read.labels[[40, 89, 91, 239, 241, 340]].tolist() == [0, 0, 1, 1, 0, 0]
    assert read.beats is not None
    assert read.beats.tolist() == [40, 140, 340]
    with pytest.raises(EdgebioError, match=r"label '~' is none of \[classes\]: N, V"):
        files.read(path, Layout(label_column="atr", classes={"N": "n", "V": "v"}))
    with pytest.raises(EdgebioError, match=r"x\.qrs: no such file"):
        files.read(path, Layout(label_column="qrs"))


def test_a_wfdb_record_of_several_gains_takes_a_step(tmp_path) -> None:
    samples = RNG.integers(-1000, 1000, (50, 2))
    path = write_wfdb(tmp_path, "x", samples, leads=("I", "II"), gain=200, fmt="16", rate=360)
    header = path.read_text().splitlines()
    header[2] = (
        header[2].replace("200.0(0)/mV", "400.0(100)/mV").replace("200(0)/mV", "400(100)/mV")
    )
    path.write_text("\n".join(header) + "\n")
    with pytest.raises(EdgebioError, match=r"a count is 0\.0025 mV of one channel and"):
        files.read(path, Layout())
    (read,) = files.read(path, Layout(lsb=0.0025))
    np.testing.assert_array_equal(read.samples, np.stack([2 * samples[:, 0], samples[:, 1] - 100],
                                                         axis=1))  # fmt: skip


@pytest.mark.parametrize(("fmt", "bits"), [("80", 8), ("24", 24), ("32", 32), ("212", 12)])
def test_the_code_of_a_missing_sample_is_no_sample(tmp_path, fmt, bits) -> None:
    lowest = -(1 << bits - 1)
    samples = RNG.integers(-100, 100, (60, 2))
    samples[30, 1] = lowest + 1
    path = write_wfdb(tmp_path, "x", samples, leads=("I", "II"), gain=200, fmt=fmt, rate=360)
    np.testing.assert_array_equal(wfdb.converted(path).values, samples)
    samples[40, 1] = lowest
    write_wfdb(tmp_path, "x", samples, leads=("I", "II"), gain=200, fmt=fmt, rate=360)
    for read in (wfdb.read, lambda header: files.read(header, Layout())):
        with pytest.raises(EdgebioError, match=r"sample 40, channel II: missing"):
            read(path)


def test_codes_of_missing_samples_are_those_of_the_package() -> None:
    signal = pytest.importorskip("wfdb.io._signal", reason="the package wfdb is not installed")
    codes = {name: code for name, code in signal.INVALID_SAMPLE_VALUE.items() if code is not None}
    assert set(codes) == set(wfdb._BITS)
    for name, code in codes.items():
        marked = wfdb._missing(np.array([[code], [code + 1]]), [name])
        assert marked.tolist() == [[True], [False]]
    assert not wfdb._missing(np.array([[-128], [-(1 << 31)]]), ["8"]).any()


def test_a_record_named_by_bytes_of_anybody(tmp_path) -> None:
    rng = np.random.default_rng(1)
    path = tmp_path / "x.hea"
    for case in range(40):
        path.write_bytes(b"x 1 360 9\nx.dat 16 200 16 0 0 0 0 I\n"[:case] + rng.bytes(case % 5))
        with contextlib.suppress(EdgebioError):
            files.read(path, Layout())
