"""EMG sets that need registration or are large, from small files written as published."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from edgebio import datasets, recipes
from edgebio.errors import EdgebioError
from edgebio.protocols import split

from ..recordings.files import cut, cut_signal, edit, write_mat
from .noise import check_damage

pytest.importorskip("wfdb", reason="the package wfdb is not installed")
RNG = np.random.default_rng(0)

HEADER = "\t".join(["time", *(f"channel{k}" for k in range(1, 9)), "class"])


def small_gestures(root: Path, subjects: tuple[int, ...] = (1, 36)) -> Path:
    """Rest, gestures 1 to 3, and 2 again, 20 rows each with 10 unmarked after it."""
    for subject in subjects:
        folder = root / "emg-uci-gestures" / "EMG_data_for_gestures-master" / f"{subject:02d}"
        folder.mkdir(parents=True)
        for series in (1, 2):
            classes = [0] * 7
            for gesture in (1, 2, 3, 2):
                classes += [gesture] * 20 + [0] * 10
            rows = [HEADER]
            for k, gesture in enumerate(classes):
                counts = [-128, 127, subject, series, gesture, k, 0, -1]
                values = "\t".join(f"{c * 1e-5:.6g}" for c in counts)
                rows.append(f"{k + 3}\t{values}\t{gesture}")
            (folder / f"{series}_raw_data_13-1{series}_22.03.16.txt").write_text("\r\n".join(rows))
    return folder / "2_raw_data_13-12_22.03.16.txt"


def grasps(trials: int, samples: int, first: float) -> dict[str, np.ndarray]:
    arrays = {}
    for g, name in enumerate(("spher", "tip", "palm", "lat", "cyl", "hook")):
        for channel in (1, 2):
            volts = RNG.uniform(-4, 4, (trials, samples))
            volts[:, 0] = first
            volts[:, 1] = channel
            volts[:, 2] = g / 8
            volts[:, 3] = np.arange(trials) / 16
            arrays[f"{name}_ch{channel}"] = volts
    return arrays


def small_basic_hand(root: Path) -> Path:
    folder = root / "emg-uci-basic-hand"
    for number, name in enumerate(("female_1", "female_2", "male_2")):
        write_mat(folder / "Database 1" / f"{name}.mat", grasps(3, 3000, number))
    for day in (1, 2, 3):
        write_mat(folder / "Database 2" / f"male_day_{day}.mat", grasps(2, 2500, -day))
    return folder / "Database 1" / "male_2.mat"


SIGNALS = [*(f"F{k}" for k in range(1, 17)), "U1", *(f"W{k}" for k in range(1, 7)), "U2", "U3",
           *(f"W{k}" for k in range(7, 13)), "U4"]  # fmt: skip


def write_grabmyo(path: Path, millivolts: np.ndarray, fs=2048, units="mV", names=SIGNALS) -> None:
    """A record of format 16 as published: each signal stretched to a gain and baseline of its own.

    The package wfdb writes the same, at a quarter of a second a file.
    """
    low, high = millivolts.min(axis=0), millivolts.max(axis=0)
    gains = 65000 / np.maximum(high - low, 1e-3)
    zeros = np.rint(-(high + low) / 2 * gains).astype(int)
    counts = np.rint(millivolts * gains + zeros).astype("<i2")
    counts.tofile(path.with_suffix(".dat"))
    lines = [f"{path.stem} {len(names)} {fs} {len(counts)}"]
    for k, name in enumerate(names):
        start, check = counts[0, k], counts[:, k].sum(dtype=np.int16)
        lines.append(
            f"{path.stem}.dat 16 {gains[k]}({zeros[k]})/{units} 16 0 {start} {check} 0 {name}"
        )
    path.write_text("\n".join(lines) + "\n")


def small_grabmyo(root: Path, subjects=(1,), sessions=(2,), gestures=(1, 17), trials=(7,)) -> Path:
    for session in sessions:
        for subject in subjects:
            stem = f"session{session}_participant{subject}"
            folder = root / "emg-grabmyo" / f"Session{session}" / stem
            folder.mkdir(parents=True)
            for gesture in gestures:
                for trial in trials:
                    counts = np.zeros((12, 32))
                    counts[0], counts[1] = 5000, -4000
                    counts[2] = np.arange(32)
                    counts[3:6] = np.array([[session], [gesture], [trial]])
                    path = folder / f"{stem}_gesture{gesture}_trial{trial}.hea"
                    write_grabmyo(path, counts * 2e-4 * (1 + np.arange(32) % 2))
    return folder / f"{stem}_gesture17_trial7.hea"


def small_amputees(root: Path, subjects: tuple[int, ...] = (1, 9)) -> Path:
    for subject in subjects:
        for grip in ("Th", "Ind", "ThInd", "ThIndMid", "LRMI", "Ball"):
            for level in ("low", "med", "high"):
                for trial in (1, 2):
                    volts = RNG.uniform(-4.9, 4.9, (50, 12 if subject == 9 else 8))
                    volts[0, :3] = subject * 5 / 32768, trial * 5 / 32768, -5
                    folder = (
                        root / "emg-amputee-grips6" / f"A{subject}_Force Exp" / f"{grip}_{level}"
                    )
                    name = (
                        f"A{subject}_{grip if subject == 9 else grip.lower()}_{level}_t{trial}.mat"
                    )
                    write_mat(folder / name, {f"t{trial}": volts})
    return root / "emg-amputee-grips6" / "A9_Force Exp" / "ThInd_med" / "A9_ThInd_med_t2.mat"


SMALL = {
    "emg-uci-gestures": small_gestures,
    "emg-uci-basic-hand": small_basic_hand,
    "emg-grabmyo": small_grabmyo,
    "emg-amputee-grips6": small_amputees,
}


def test_a_gesture_and_the_pause_after_it_are_a_recording(tmp_path: Path) -> None:
    small_gestures(tmp_path)
    result = datasets.load("emg-uci-gestures", tmp_path)
    assert [(r.subject, r.session) for r in result[::4]] == [
        ("1", "1"), ("1", "2"), ("36", "1"), ("36", "2"),
    ]  # fmt: skip
    first = [(r.repetition, sorted(set(r.labels.tolist())), len(r.samples)) for r in result[:4]]
    assert first == [(0, [-1, 0], 37), (0, [-1, 1], 30), (0, [-1, 2], 30), (1, [-1, 1], 30)]
    for r in result:
        assert (r.samples[:, :2] == [-128, 127]).all()
        assert (r.samples[:, 2] == int(r.subject)).all()
        assert (r.samples[:, 3] == int(r.session)).all()
        assert (r.samples[:, 4] == r.labels + 1).all()


def test_a_row_of_both_channels_is_a_recording(tmp_path: Path) -> None:
    small_basic_hand(tmp_path)
    result = datasets.load("emg-uci-basic-hand", tmp_path)
    assert list(dict.fromkeys(r.subject for r in result)) == ["female 1", "female 2", "male 2"]
    assert len(result) == 3 * 6 * 3
    days = datasets.load("emg-uci-basic-hand", tmp_path, ["male day"])
    assert [r.session for r in days] == [session for session in "123" for _ in range(12)]
    for r in [*result, *days]:
        first = -int(r.session) if r.subject == "male day" else round(r.samples[0, 0] / 1638.4)
        expected = [first, 0, r.labels[0] / 8, r.repetition / 16]
        volts = r.samples[:4] / 1638.4
        np.testing.assert_allclose(volts[1], [1, 2], atol=1e-3)
        np.testing.assert_allclose(volts[[0, 2, 3]].T, [np.delete(expected, 1)] * 2, atol=1e-3)
        assert len(r.samples) == (2500 if r.subject == "male day" else 3000)


def test_grabmyo_has_counts_of_one_size_and_no_empty_channels(tmp_path: Path) -> None:
    small_grabmyo(tmp_path, (2, 11), (1, 3), trials=(1, 2))
    result = datasets.load("emg-grabmyo", tmp_path)
    assert len(result) == 2 * 2 * 2 * 2
    columns = [SIGNALS.index(name) for name in SIGNALS if not name.startswith("U")]
    scale = 1 + np.array(columns) % 2
    for r in result:
        gesture, trial = int(r.labels[0]) + 1, r.repetition + 1
        rows = [[5000] * 28, [-4000] * 28, columns, *([v] * 28 for v in
                (int(r.session), gesture, trial))]  # fmt: skip
        assert np.abs(r.samples[:6] - np.array(rows) * scale).max() <= 1  # rounding in the file
    assert {(r.subject, r.session) for r in result} == {(p, s) for p in ("2", "11") for s in "13"}


def test_grips_levels_and_trials_of_amputees_are_read(tmp_path: Path) -> None:
    small_amputees(tmp_path)
    result = datasets.load("emg-amputee-grips6", tmp_path)
    assert len(result) == 2 * 6 * 3 * 2
    for r in result:
        assert r.samples[0, :3].tolist() == [int(r.subject), r.repetition + 1, -32768]
        assert r.channels == 8
    assert {(int(r.labels[0]), r.condition) for r in result} == {
        (grip, level) for grip in range(6) for level in ("low", "med", "high")
    }
    fold = split("across-force", result)[0]
    assert {r.condition for r in fold.test}.isdisjoint(r.condition for r in fold.train)


def changed(name: str, values: object):
    from scipy.io import loadmat

    def change(path: Path) -> None:
        arrays = {k: v for k, v in loadmat(path).items() if not k.startswith("__")}
        if values is None:
            del arrays[name]
        else:
            arrays[name] = values(arrays[name]) if callable(values) else values
        write_mat(path, arrays)

    return change


def with_value(row: int, column: int, value: float):
    def change(values: np.ndarray) -> np.ndarray:
        values = values.astype(float)
        values[row, column] = value
        return values

    return change


def rewrite(**changes):
    """Write the last record of GRABMyo anew, with something about it changed."""
    values = np.linspace(-1, 1, 12)[:, None] * np.ones(32)
    return lambda path: write_grabmyo(path, **{"millivolts": values, **changes})


def missing_sample(path: Path) -> None:
    signal = path.with_suffix(".dat")
    values = np.fromfile(signal, "<i2")
    values[32 * 3 + 5] = -32768
    values.tofile(signal)


GESTURES, GRASPS, GRABMYO, AMPUTEES = SMALL
DAMAGE = [
    (GESTURES, cut, "fields, expected 10|is not a number"),
    (GESTURES, lambda p: p.unlink(), "0 files 2_raw_data_.*; expected one per series"),
    (GESTURES, lambda p: shutil.copy(p, p.with_name("2_raw_data_x.txt")), "2 files 2_raw"),
    (GESTURES, edit("channel8\tclass", "class"), "line 1: columns time .*; expected time"),
    (GESTURES, edit("\t0.00127", "\tnan"), "line 2, field 3: nan"),
    (GESTURES, edit("0.00127", "127"), "does not fit a 16-bit sample"),
    (GESTURES, edit("-1e-05\t3", "-1e-05\t8"), "class 8; expected 0 to 7"),
    (GESTURES, edit("-1e-05\t3", "-1e-05\t2.5"), "class 2.5; expected 0 to 7"),
    (GESTURES, lambda p: p.write_text(HEADER + "\n"), "only column names"),
    (
        GESTURES,
        lambda p: p.write_text("\n".join([HEADER, *(f"{5 * k}" + "\t0" * 9 for k in range(9))])),
        "a row each 5 ms; expected one each ms",
    ),
    (GRASPS, cut, "cut or not a MATLAB 5 file|no lat_ch1; it holds"),
    (GRASPS, changed("lat_ch2", None), "no lat_ch2; it holds cyl_ch1"),
    (GRASPS, changed("lat_ch2", np.zeros((3, 99))), "lat_ch2 is 3 x 99; expected"),
    (GRASPS, changed("lat_ch2", np.zeros((2, 3000))), "lat_ch1 is 3 x 3000, lat_ch2"),
    (GRASPS, changed("lat_ch2", "text"), "lat_ch2 is char; expected numbers"),
    (GRASPS, changed("tip_ch2", with_value(1, 7, np.nan)), "tip_ch2 row 2, column 8: nan"),
    (GRASPS, changed("tip_ch2", with_value(1, 7, 99)), "not fit a 16-bit sample"),
    (GRASPS, lambda p: write_mat(p, {k: np.zeros((0, 3000)) for k in grasps(1, 4, 0)}),
     "spher_ch1 holds no trial|damaged"),
    (GRABMYO, cut, "not a WFDB header|does not state|states|no channel"),
    (GRABMYO, cut_signal(".dat"), "signal files cut or damaged"),
    (GRABMYO, lambda p: p.rename(p.with_name(p.name.replace("7.hea", "6.hea"))),
     "no trial 7 of gesture 17; others have it|no trial 6 of gesture 1; others have it"),
    (GRABMYO, lambda p: p.rename(p.with_name("session2_participant1_gesture18_trial7.hea")),
     "a name like session2_participant1_gesture1_trial1.hea, gestures 1 to 17"),
    (GRABMYO, missing_sample, "sample 3, channel F6: missing"),
    (GRABMYO, rewrite(fs=1000), "mV at 1000 Hz; expected mV at 2048"),
    (GRABMYO, rewrite(units="uV"), "uV at 2048 Hz; expected mV at 2048"),
    (GRABMYO, rewrite(names=["E1", *SIGNALS[1:]]), "no channel F1; it has E1, F2"),
    (GRABMYO, rewrite(millivolts=np.arange(384.0).reshape(12, 32)), "not fit a 16-bit sample"),
    (AMPUTEES, cut, "cut or not a MATLAB 5 file"),
    (AMPUTEES, lambda p: write_mat(p, {"t1": np.ones((9, 8))}), "no t2; it holds t1"),
    (AMPUTEES, lambda p: write_mat(p, {"t2": np.ones((9, 7))}), "t2 is 9 x 7; expected"),
    (AMPUTEES, lambda p: write_mat(p, {"t2": np.full((9, 8), np.nan)}), "row 1, column 1: nan"),
    (AMPUTEES, lambda p: write_mat(p, {"t2": np.full((9, 8), 1e-4)}), "below 0.0015; expected"),
    (AMPUTEES, lambda p: write_mat(p, {"t2": np.full((9, 8), 6.0)}), "not fit a 16-bit"),
    (AMPUTEES, lambda p: p.rename(p.with_name("A9_Fist_low_t1.mat")), "a name like A9_"),
    (AMPUTEES, lambda p: shutil.copy(p, p.parents[1] / p.name), "is also in"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "damage", "message"), DAMAGE)
def test_damage_is_reported_in_one_line_with_file_and_field(
    tmp_path, name, damage, message
) -> None:
    damage(SMALL[name](tmp_path))
    with pytest.raises(EdgebioError, match=message) as caught:
        datasets.load(name, tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", SMALL)
def test_noise_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    path = SMALL[name](tmp_path)
    subject = datasets.subjects(name, tmp_path)[-2 if name == "emg-uci-basic-hand" else -1]
    check_damage(path, name, tmp_path, subject, 18 if name == GRABMYO else 60)


@pytest.mark.parametrize(
    "protocol", ["one-to-one", "all-to-one", "cross-validation", "transfer", "across-force"]
)
def test_subjects_of_one_session_are_in_the_test_set_of_every_protocol(
    tmp_path: Path, protocol: str
) -> None:
    small_amputees(tmp_path)
    recordings = recipes.load("emg-grips").with_data("emg-amputee-grips6").recordings(tmp_path)
    folds = split(protocol, recordings)
    assert {r.subject for fold in folds for r in fold.test} == {"1", "9"}
    for fold in folds:
        assert {r.labels[-1] for r in fold.test} == set(range(6))


@pytest.mark.parametrize(("protocol", "name"), [
    ("cross-subject", "emg-grabmyo"), ("all-to-one", "emg-uci-basic-hand"),
    ("transfer", "emg-uci-gestures"), ("cross-subject", "emg-amputee-grips6"),
])  # fmt: skip
def test_protocols_that_need_two_subjects_refuse_one(tmp_path, protocol, name) -> None:
    SMALL[name](tmp_path)
    result = datasets.load(name, tmp_path, datasets.subjects(name, tmp_path)[:1])
    with pytest.raises(EdgebioError, match=f"{protocol} needs at least two people"):
        split(protocol, result)
