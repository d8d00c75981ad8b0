"""EDF and BDF: counts as written, annotations as labels, damage in one line."""

import numpy as np
import pytest

from edgebio.errors import EdgebioError
from edgebio.recordings import (
    ImportOptions,
    import_recordings,
    load_recording,
    load_recordings,
    save_recordings,
)
from edgebio.recordings.importing.mapping_file import read_mapping

from ..files import RNG, cut, edit, write_edf

edfio = pytest.importorskip("edfio", reason="the package edfio is not installed")


@pytest.mark.parametrize("kind", ["Edf", "Bdf"])
def test_counts_are_those_of_the_converter_and_annotations_are_labels(tmp_path, kind) -> None:
    path = tmp_path / f"a.{kind.lower()}"
    values = write_edf(path, kind)
    result = load_recording(path)
    np.testing.assert_array_equal(result.samples, np.stack(values, axis=1))
    assert (result.rate, result.units, result.classes) == (100, "0.1 uV", ("T1", "T2"))
    expected = np.full(400, -1)
    expected[50:100], expected[200:300] = 0, 1  # T0 has no duration: it is a moment
    np.testing.assert_array_equal(result.labels, expected)


def test_a_file_written_byte_by_byte_is_read(tmp_path) -> None:
    """Plain EDF of 1992, without a package: 256 bytes, 256 a signal, then records."""
    counts = RNG.integers(-2048, 2048, (3, 2, 50))  # records, signals, samples
    fields = ["0", "X", "X", "01.01.20", "00.00.00", "768", "", "3", "0.5", "2"]
    sizes = [8, 80, 80, 8, 8, 8, 44, 8, 8, 4]
    head = "".join(f"{f:<{n}}" for f, n in zip(fields, sizes, strict=True))
    for size, entries in [(16, ("EEG Fz", "EEG Cz")), (80, ("", "")), (8, ("mV", "mV")),
                       (8, ("-1", "-1")), (8, ("1", "1")), (8, ("-2000", "-2000")),
                       (8, ("2000", "2000")), (80, ("", "")), (8, ("50", "50")),
                       (32, ("", ""))]:  # fmt: skip
        head += "".join(f"{field:<{size}}" for field in entries)
    (tmp_path / "a.edf").write_bytes(head.encode() + counts.astype("<i2").tobytes())
    result = load_recording(tmp_path / "a.edf")
    np.testing.assert_array_equal(result.samples, counts.transpose(0, 2, 1).reshape(150, 2))
    assert (result.rate, result.units, result.classes) == (100, "0.0005 mV", ())


def test_annotations_are_renamed_or_replaced_by_one_label(tmp_path) -> None:
    write_edf(tmp_path / "a.edf")
    names = {"T0": "rest", "T1": "fist", "T2": "", "late": "fist"}
    result = load_recording(tmp_path / "a.edf", options=ImportOptions(classes=names))
    assert result.classes == ("fist",)
    assert np.bincount(result.labels + 1).tolist() == [350, 50]
    result = load_recording(tmp_path / "a.edf", options=ImportOptions(label="sleep"))
    assert (result.classes, set(result.labels.tolist())) == (("sleep",), {0})


def test_channels_are_selected_by_name_or_number(tmp_path) -> None:
    values = write_edf(tmp_path / "a.edf", rates=(100, 50))
    for column in ("C1", "2"):
        result = load_recording(tmp_path / "a.edf", options=ImportOptions(columns=(column,)))
        assert (result.channels, result.rate) == (1, 50)
        np.testing.assert_array_equal(result.samples[:, 0], values[1])


def test_an_lsb_scales_channels_of_several_steps(tmp_path) -> None:
    values = write_edf(tmp_path / "a.edf", ranges=((-3276.8, 3276.7), (-6553.6, 6553.4)))
    result = load_recording(tmp_path / "a.edf", options=ImportOptions(lsb=0.2))
    assert np.abs(result.samples[:, 0] - values[0] / 2).max() < 0.501
    np.testing.assert_array_equal(result.samples[:, 1], values[1])
    assert result.units == "0.2 uV"


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ({"rates": (100, 50)}, {}, "channels of several rates .50, 100 Hz.; choose ones of one"),
        (
            {"ranges": ((-1, 1), (-2, 2))},
            {},
            "a count is 3.052e-05 uV in one channel and 6",
        ),
        ({"units": ("uV", "mV")}, {}, "channels of several units .uV, mV.; choose"),
        ({}, {"columns": ("C9",)}, "no column 'C9'; it has C0, C1"),
        ({}, {"lsb": 1e-9}, "sample 0, channel C0: -3.2768e.12 does not fit a 16-bit sample"),
        ({}, {"classes": {"T0": "rest"}}, "label 'T1' is not in .classes.: T0"),
    ],
)
def test_channels_that_do_not_fit_are_refused(tmp_path, content, options, message) -> None:
    write_edf(tmp_path / "a.edf", **content)
    with pytest.raises(EdgebioError, match=message) as caught:
        load_recordings(tmp_path / "a.edf", options=ImportOptions(**options))
    assert str(tmp_path / "a.edf") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_24_bits_that_do_not_fit_16_ask_for_a_step(tmp_path) -> None:
    path = tmp_path / "a.bdf"
    signal = edfio.BdfSignal.from_digital(
        np.arange(-400000, 400000, 2000, dtype=np.int32), 100, label="A1", physical_dimension="uV",
        physical_range=(-262144, 262143), digital_range=(-(1 << 23), (1 << 23) - 1),
    )  # fmt: skip
    edfio.Bdf([signal]).write(path)
    with pytest.raises(EdgebioError, match=r"give a step of 0\.381\d* uV or more") as caught:
        load_recordings(path)
    assert str(path) in str(caught.value)
    result = load_recording(path, options=ImportOptions(lsb=0.4))
    microvolts = np.arange(-400000, 400000, 2000) / 32
    assert np.abs(result.samples[:, 0] * 0.4 - microvolts).max() < 1  # its range is not quite even


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
def test_a_damaged_file_is_refused_in_one_line(tmp_path, damage, message) -> None:
    path = tmp_path / "a.edf"
    write_edf(path)
    damage(path)
    with pytest.raises(EdgebioError, match=message) as caught:
        load_recordings(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["Edf", "Bdf"])
def test_noise_is_refused_in_one_line_and_little_memory(tmp_path, kind) -> None:
    path = tmp_path / f"a.{kind.lower()}"
    write_edf(path, kind)
    intact = path.read_bytes()
    rng = np.random.default_rng(0)
    messages = []
    for case in range(150):
        body = bytearray(intact[: rng.integers(len(intact))] if case % 3 == 0 else intact)
        for _ in range(case % 7):
            if body:
                body[rng.integers(min(len(body), 1100))] = rng.integers(32, 127)
        path.write_bytes(body)
        try:
            result = load_recordings(path)
            assert sum(r.samples.nbytes for r in result) <= 2 * len(intact)
        except EdgebioError as error:
            messages.append(str(error))
    assert len(messages) > 50
    assert not [message for message in messages if "\n" in message]


def test_files_of_several_rates_are_not_saved_in_one(tmp_path) -> None:
    for name, rate in (("a", 100), ("b", 50)):
        write_edf(tmp_path / f"{name}.edf", rates=(rate, rate))
    result = import_recordings([tmp_path / "a.edf", tmp_path / "b.edf"], ImportOptions())
    with pytest.raises(EdgebioError, match=r"b\.edf: rate 50.*, but .*a\.edf has 100"):
        save_recordings(tmp_path / "o.npz", result)
    assert not (tmp_path / "o.npz").exists()


def test_subjects_of_several_files_stay_apart(tmp_path) -> None:
    for name in ("ann", "bob"):
        write_edf(tmp_path / f"{name}.edf")
    mapping = tmp_path / "map.toml"
    mapping.write_text('[variables]\nsubject = "name"\n')
    paths = [tmp_path / "ann.edf", tmp_path / "bob.edf"]
    with pytest.raises(EdgebioError, match=r"ann\.edf: subject name: .*\{subject\} in --name"):
        import_recordings(paths, read_mapping(mapping))
    assert {r.subject for r in import_recordings(paths, ImportOptions(), "{subject}.edf")} == {
        "ann",
        "bob",
    }
