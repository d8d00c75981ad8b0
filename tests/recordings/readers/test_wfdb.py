"""WFDB records: counts as written, annotations as labels, missing samples refused."""

import contextlib

import numpy as np
import pytest

from edgebio.errors import EdgebioError
from edgebio.recordings import ImportOptions, load_recording, load_recordings
from edgebio.recordings.readers import wfdb

from ..files import RNG, write_wfdb

pytest.importorskip("wfdb", reason="the package wfdb is not installed")


def test_a_record_and_its_annotations_are_read(tmp_path) -> None:
    samples = RNG.integers(-1000, 1000, (600, 2))
    symbols = [(40, "N"), (140, "V"), (240, "~"), (340, "N")]
    path = write_wfdb(tmp_path, "x", samples, leads=("I", "II"), gain=200, fmt="16", rate=360,
                      symbols=symbols)  # fmt: skip
    plain = load_recording(path)
    np.testing.assert_array_equal(plain.samples, samples)
    assert (plain.rate, plain.units, plain.classes) == (360, "0.005 mV", ())
    names = {"N": "normal", "V": "ventricular", "~": ""}
    result = load_recording(
        path, options=ImportOptions(label_column="atr", classes=names, columns=("II",))
    )
    np.testing.assert_array_equal(result.samples[:, 0], samples[:, 1])
    assert result.classes == ("normal", "ventricular")
    assert result.labels[[40, 89, 91, 239, 241, 340]].tolist() == [0, 0, 1, 1, 0, 0]
    assert result.beats is not None
    assert result.beats.tolist() == [40, 140, 340]
    with pytest.raises(EdgebioError, match=r"label '~' is not in \[classes\]: N, V"):
        load_recordings(
            path, options=ImportOptions(label_column="atr", classes={"N": "n", "V": "v"})
        )
    with pytest.raises(EdgebioError, match=r"x\.qrs: no such file"):
        load_recordings(path, options=ImportOptions(label_column="qrs"))


def test_a_record_of_several_gains_takes_a_step(tmp_path) -> None:
    samples = RNG.integers(-1000, 1000, (50, 2))
    path = write_wfdb(tmp_path, "x", samples, leads=("I", "II"), gain=200, fmt="16", rate=360)
    header = path.read_text().splitlines()
    header[2] = (
        header[2].replace("200.0(0)/mV", "400.0(100)/mV").replace("200(0)/mV", "400(100)/mV")
    )
    path.write_text("\n".join(header) + "\n")
    with pytest.raises(EdgebioError, match=r"a count is 0\.0025 mV in one channel and"):
        load_recordings(path)
    result = load_recording(path, options=ImportOptions(lsb=0.0025))
    np.testing.assert_array_equal(result.samples, np.stack([2 * samples[:, 0], samples[:, 1] - 100],
                                                         axis=1))  # fmt: skip


@pytest.mark.parametrize(("fmt", "bits"), [("80", 8), ("24", 24), ("32", 32), ("212", 12)])
def test_missing_samples_are_refused(tmp_path, fmt, bits) -> None:
    lowest = -(1 << bits - 1)
    samples = RNG.integers(-100, 100, (60, 2))
    samples[30, 1] = lowest + 1
    path = write_wfdb(tmp_path, "x", samples, leads=("I", "II"), gain=200, fmt=fmt, rate=360)
    np.testing.assert_array_equal(wfdb.read_record(path).digital, samples)
    samples[40, 1] = lowest
    write_wfdb(tmp_path, "x", samples, leads=("I", "II"), gain=200, fmt=fmt, rate=360)
    for result in (wfdb.read_record, load_recordings):
        with pytest.raises(EdgebioError, match=r"sample 40, channel II: missing"):
            result(path)


def test_codes_of_missing_samples_are_those_of_the_package() -> None:
    signal = pytest.importorskip("wfdb.io._signal")
    codes = {name: code for name, code in signal.INVALID_SAMPLE_VALUE.items() if code is not None}
    assert set(codes) == set(wfdb._BITS)
    for name, code in codes.items():
        marks = wfdb._missing(np.array([[code], [code + 1]]), [name])
        assert marks.tolist() == [[True], [False]]
    assert not wfdb._missing(np.array([[-128], [-(1 << 31)]]), ["8"]).any()


def test_headers_of_random_bytes_are_refused(tmp_path) -> None:
    rng = np.random.default_rng(1)
    path = tmp_path / "x.hea"
    for case in range(40):
        path.write_bytes(b"x 1 360 9\nx.dat 16 200 16 0 0 0 0 I\n"[:case] + rng.bytes(case % 5))
        with contextlib.suppress(EdgebioError):
            load_recordings(path)
