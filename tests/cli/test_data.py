"""`edgebio data` as a user calls it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edgebio import datasets, progress
from edgebio.cli import main
from edgebio.datasets import download

from ..datasets.test_download import CONTENT, Server, folder, server
from ..datasets.test_registry import small_3dc
from ..recordings.files import NINAPRO_MAPPING, ninapro_matrices, write_edf, write_mat

__all__ = ["folder", "server"]  # fixtures


def edgebio(*arguments: object) -> Result:
    done = CliRunner().invoke(main, ["data", *map(str, arguments)], catch_exceptions=False)
    assert "Traceback" not in done.output
    return done


def document(*arguments: object) -> dict:
    done = edgebio(*arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(autouse=True)
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(progress, "_enabled", False)  # a process runs one command; a test, many
    monkeypatch.delenv("EDGEBIO_DATA", raising=False)
    monkeypatch.setenv("EDGEBIO_CACHE", str(tmp_path / "cache"))


def test_list_shows_which_sets_are_here(tmp_path: Path) -> None:
    lines = edgebio("list").stdout
    for name in datasets.names():
        assert name in lines
    assert "edgebio data fetch NAME" in lines
    root = small_3dc(tmp_path / "data", ("4", "10"), rows=1)
    result = {d["name"]: d for d in document("list", "--data", root)["datasets"]}
    assert result["emg-3dc"]["state"] == "yes"
    assert result["emg-3dc"]["people"] == ["4", "10"]
    assert result["emg-myo-grips10"]["state"] == "no"
    assert result["emg-synthetic"]["state"] == "computed"


def test_info_gives_the_statistics(tmp_path: Path) -> None:
    root = small_3dc(tmp_path / "data", ("4", "10"), rows=1000)
    result = document("info", "emg-3dc", "--data", root)
    assert result["held"]["recordings"] == 2 * 88
    assert result["held"]["seconds"] == 2 * 88
    assert (result["held"]["lowest"], result["held"]["highest"]) == (-1, 32767)
    assert [p["name"] for p in result["held"]["people"]] == ["4", "10"]
    assert document("info", "emg-3dc", "--data", root, "--subject", 4)["held"]["seconds"] == 88
    lines = edgebio("info", "emg-3dc", "--data", root).stdout
    for text in ("license: none stated", "chuck grip", "1000 Hz, 10", "19 is byte-identical to 21"):
        assert text in lines


def test_keys_of_the_documents_are_stable(tmp_path: Path) -> None:
    """Fields have been renamed; the keys of the JSON have not."""
    root = small_3dc(tmp_path / "data", ("4",), rows=2)
    result = document("info", "emg-3dc", "--data", root)
    assert set(result) == {
        "name", "title", "licence", "citation", "rate", "channels", "units", "classes", "sessions",
        "page", "files", "computed", "left_out", "caveat", "held",
    }  # fmt: skip
    assert set(result["held"]) == {
        "recordings", "seconds", "unlabelled_seconds", "lowest", "highest", "rms", "levels",
        "people", "classes",
    }  # fmt: skip
    assert set(result["held"]["people"][0]) == {
        "name", "recordings", "sessions", "repetitions", "seconds",
    }  # fmt: skip
    assert set(document("list")["datasets"][0]) == {
        "name", "title", "rate", "channels", "classes", "people", "state", "folder",
    }  # fmt: skip


def test_missing_sets_are_reported_in_one_line_with_exit_code_2() -> None:
    done = edgebio("info", "emg-3dc")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "run `edgebio data fetch emg-3dc`" in done.stderr
    assert done.stderr.count("\n") == 1
    assert edgebio("info", "emg").exit_code == 2
    assert edgebio("info", "none.npz").exit_code == 2


def test_fetch_downloads_once(
    server: Server, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEBIO_DATA", str(small_3dc(tmp_path / "data", rows=1)))
    result = document("fetch", "emg-3dc", "--from", server.address)
    assert result["fetched"] == result["files"] == len(CONTENT)
    assert result["folder"] == str(folder)
    again = edgebio("fetch", "emg-3dc", "--from", server.address)
    assert "0 files fetched, 3 were there" in again.stdout
    assert "license: none stated" in again.stderr


def test_a_failed_download_is_reported_in_one_line(server: Server) -> None:
    server.files.clear()
    done = edgebio("fetch", "emg-3dc", "--from", server.address, "-q")
    assert done.exit_code == 2
    assert "HTTP 404" in done.stderr
    assert done.stderr.count("\n") == 1
    assert edgebio("fetch", "emg-synthetic").exit_code == 2


def test_an_imported_file_is_a_data_set(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    paths = []
    for subject in ("1", "2"):
        for label in ("rest", "fist"):
            path = tmp_path / f"S{subject}_{label}.csv"
            np.savetxt(path, rng.integers(-9, 9, (100, 2)) / 4, "%.2f", ",")
            paths.append(path)
    out = tmp_path / "mine"
    result = document("import", *paths, "--rate", 50, "--lsb", 0.25, "--units", "mV",
                    "--name", "S{subject}_{label}.csv", "-o", out)  # fmt: skip
    assert result["file"] == str(out) + ".npz"
    assert result["units"] == "0.25 mV"
    content = document("info", result["file"])["held"]
    assert content["seconds"] == 8
    assert [c["name"] for c in content["classes"]] == ["fist", "rest"]
    assert [p["name"] for p in content["people"]] == ["1", "2"]


def test_a_missing_rate_or_lsb_names_the_option(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("0.25,0.5\n0.75,1\n")
    done = edgebio("import", path, "-o", tmp_path / "o.npz")
    assert (done.exit_code, "add --rate HZ" in done.stderr) == (2, True)
    done = edgebio("import", path, "--rate", 10, "-o", tmp_path / "o.npz")
    assert (done.exit_code, "--lsb 0.25" in done.stderr) == (2, True)
    done = edgebio("import", path, "--rate", 0, "-o", tmp_path / "o.npz")
    assert done.exit_code == 2
    assert not (tmp_path / "o.npz").exists()


def test_a_mapping_imports_matlab_files(tmp_path: Path) -> None:
    pytest.importorskip("scipy", reason="SciPy is not installed")
    for subject in (3, 4):
        arrays = ninapro_matrices(4, 5e-7) | {"subject": np.array([[subject]])}
        write_mat(tmp_path / f"S{subject}.mat", arrays)
    (tmp_path / "lab.toml").write_text(NINAPRO_MAPPING)
    files = [tmp_path / f"S{subject}.mat" for subject in (3, 4)]
    result = document("import", *files, "--mapping", tmp_path / "lab.toml", "--rate", 1000,
                    "-o", tmp_path / "o.npz")  # fmt: skip
    assert (result["rate"], result["units"]) == (1000, "5e-07 V")  # options take precedence
    assert [p["name"] for p in result["people"]] == ["3", "4"]
    assert [c["name"] for c in result["classes"]] == ["E2 movement 1", "E2 movement 2", "rest"]
    assert result["recordings"] == 8
    (tmp_path / "lab.toml").write_text(NINAPRO_MAPPING.replace("labels", "label"))
    done = edgebio("import", *files, "--mapping", tmp_path / "lab.toml", "-o", tmp_path / "p.npz")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "lab.toml: variables.label: Extra inputs" in done.stderr


def test_an_edf_with_annotations_is_imported(tmp_path: Path) -> None:
    pytest.importorskip("edfio", reason="the package edfio is not installed")
    write_edf(tmp_path / "night.edf")
    result = document("import", tmp_path / "night.edf", "--columns", "C1", "-o", tmp_path / "n.npz")
    assert (result["rate"], result["channels"], result["units"]) == (100, 1, "0.1 uV")
    assert [(c["name"], c["seconds"]) for c in result["classes"]] == [
        ("T1", 0.5), ("T2", 1.0),
    ]  # fmt: skip


def test_files_of_a_folder_are_imported_and_bad_ones_left_out_on_request(tmp_path: Path) -> None:
    folder = tmp_path / "day1"
    folder.mkdir()
    for k in range(3):
        counts = np.random.default_rng(k).integers(-99, 99, (100, 2))
        np.savetxt(folder / f"trial{k}.csv", counts, "%d", ",")
    (folder / "broken.edf").write_bytes(b"0")
    for paths in ([folder], [folder / "**" / "*.*"]):
        arguments = ("import", *paths, "--rate", 50, "--force", "-o", tmp_path / "o.npz")
        done = edgebio(*arguments)
        assert done.exit_code == 2
        assert "broken.edf" in done.stderr
        result = document(*arguments, "--skip-bad")
        assert result["recordings"] == 3
        assert len(result["skipped"]) == 1
        assert "broken.edf" in result["skipped"][0]


def test_a_coarse_step_is_reported(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "a.csv", np.arange(200).reshape(100, 2) % 5, "%d", ",")
    done = edgebio("import", tmp_path / "a.csv", "--rate", 50, "-o", tmp_path / "o.npz")
    assert "counts from 0 to 4" in done.stdout
    assert "channel 1 has 5 different counts only" in done.stderr


def test_every_listed_file_has_a_digest() -> None:
    for name in datasets.names():
        for file in download.list_files(name):
            assert len(file.sha256) == 64
            assert file.size > 0


def test_a_step_that_rounds_everything_away_is_refused(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "a.csv", np.random.default_rng(0).normal(size=(100, 2)), "%.3f", ",")
    done = edgebio("import", tmp_path / "a.csv", "--rate", 50, "--lsb", 100, "-o", tmp_path / "o")
    assert done.exit_code == 2
    assert "too coarse a step" in done.stderr
    assert not (tmp_path / "o.npz").exists()


def imported(tmp_path: Path, content: str, *options: object) -> Result:
    path = tmp_path / "x.csv"
    path.write_text(content)
    return edgebio("import", path, "-o", tmp_path / "out.npz", "--force", *options)


def test_import_says_what_a_user_should_know_before_training(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(400, 1))
    content = "a,b,c\n" + "".join(f"{v:.3f},{v:.0f}.0,7.5\n" for v in rows[:, 0])
    result = imported(tmp_path, content, "--rate", 100, "--lsb", "0.001")
    assert result.exit_code == 0, result.output
    assert "counts from " in result.stdout
    assert ", each 0.001 counts; 1 to " in result.stdout
    assert "channels that never change: 3" in result.stderr
    assert "channel 2 has" in result.stderr
    assert "name it by --units" in result.stderr
    assert "no labels, which training needs" in result.stderr
    rows_of_text = "".join(f"{k * k % 99},x\n" for k in range(300))
    labeled = imported(tmp_path, "a (mV),label\n" + rows_of_text, "--rate", 100)
    assert "1 classes" in labeled.stdout
    assert "labels: column label" in labeled.stderr
    assert "no labels" not in labeled.stderr


def test_the_advised_step_is_that_of_the_whole_file(tmp_path: Path) -> None:
    content = "".join(f"{k / 7:.4f},1\n" for k in range(60_000)) + "-90000.5,1\n"
    refused = imported(tmp_path, content, "--rate", 100, "--columns", "1")
    assert refused.exit_code == 2
    advised = re.search(r"--lsb ([0-9.e+-]+)", refused.stderr)
    assert advised is not None
    result = imported(tmp_path, content, "--rate", 100, "--columns", "1", "--lsb", advised[1])
    assert result.exit_code == 0, result.output


def test_files_of_other_channel_counts_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2\n3,4\n")
    (tmp_path / "b.csv").write_text("1,2,3\n3,4,5\n")
    result = edgebio("import", tmp_path / "a.csv", tmp_path / "b.csv", "--rate", 9, "-o",
                     tmp_path / "out.npz")  # fmt: skip
    assert result.exit_code == 2
    assert "b.csv: channels 3, but" in result.stderr
    assert "internal" not in result.stderr
