"""`edgebio data` as a user calls it."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edgebio import datasets, progress
from edgebio.cli import main
from edgebio.datasets import download

from ..recordings.test_datasets import small_3dc
from ..recordings.test_fetch import CONTENT, Server, folder, server
from ..recordings.test_mapping import NINAPRO
from ..recordings.test_ninapro import matrices, write

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


def test_list_says_what_is_here(tmp_path: Path) -> None:
    lines = edgebio("list").stdout
    for name in datasets.names():
        assert name in lines
    assert "edgebio data fetch NAME" in lines
    root = small_3dc(tmp_path / "data", ("4", "10"), rows=1)
    told = {d["name"]: d for d in document("list", "--data", root)["datasets"]}
    assert told["emg-3dc"]["state"] == "yes"
    assert told["emg-3dc"]["people"] == ["4", "10"]
    assert told["emg-myo-grips10"]["state"] == "no"
    assert told["emg-synthetic"]["state"] == "computed"


def test_info_gives_the_figures(tmp_path: Path) -> None:
    root = small_3dc(tmp_path / "data", ("4", "10"), rows=1000)
    told = document("info", "emg-3dc", "--data", root)
    assert told["held"]["recordings"] == 2 * 88
    assert told["held"]["seconds"] == 2 * 88
    assert (told["held"]["lowest"], told["held"]["highest"]) == (-1, 32767)
    assert [p["name"] for p in told["held"]["people"]] == ["4", "10"]
    assert document("info", "emg-3dc", "--data", root, "--subject", 4)["held"]["seconds"] == 88
    lines = edgebio("info", "emg-3dc", "--data", root).stdout
    for text in ("licence: none stated", "chuck grip", "1000 Hz, 10", "19 is byte-identical to 21"):
        assert text in lines


def test_absent_sets_are_one_line_and_exit_2() -> None:
    done = edgebio("info", "emg-3dc")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "run `edgebio data fetch emg-3dc`" in done.stderr
    assert done.stderr.count("\n") == 1
    assert edgebio("info", "emg").exit_code == 2
    assert edgebio("info", "none.npz").exit_code == 2


def test_fetch_brings_and_then_finds(
    server: Server, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEBIO_DATA", str(small_3dc(tmp_path / "data", rows=1)))
    told = document("fetch", "emg-3dc", "--from", server.address)
    assert told["fetched"] == told["files"] == len(CONTENT)
    assert told["folder"] == str(folder)
    again = edgebio("fetch", "emg-3dc", "--from", server.address)
    assert "0 files fetched, 3 were there" in again.stdout
    assert "licence: none stated" in again.stderr


def test_fetch_failing_is_one_line(server: Server) -> None:
    server.files.clear()
    done = edgebio("fetch", "emg-3dc", "--from", server.address, "-q")
    assert done.exit_code == 2
    assert "HTTP 404" in done.stderr
    assert done.stderr.count("\n") == 1
    assert edgebio("fetch", "emg-synthetic").exit_code == 2


def test_an_import_is_a_data_set(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    paths = []
    for subject in ("1", "2"):
        for label in ("rest", "fist"):
            path = tmp_path / f"S{subject}_{label}.csv"
            np.savetxt(path, rng.integers(-9, 9, (100, 2)) / 4, "%.2f", ",")
            paths.append(path)
    out = tmp_path / "mine"
    told = document("import", *paths, "--rate", 50, "--lsb", 0.25, "--units", "mV",
                    "--name", "S{subject}_{label}.csv", "-o", out)  # fmt: skip
    assert told["file"] == str(out) + ".npz"
    assert told["units"] == "0.25 mV"
    held = document("info", told["file"])["held"]
    assert held["seconds"] == 8
    assert [c["name"] for c in held["classes"]] == ["fist", "rest"]
    assert [p["name"] for p in held["people"]] == ["1", "2"]


def test_an_import_that_lacks_something_says_the_option(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("0.25,0.5\n0.75,1\n")
    done = edgebio("import", path, "-o", tmp_path / "o.npz")
    assert (done.exit_code, "add --rate HZ" in done.stderr) == (2, True)
    done = edgebio("import", path, "--rate", 10, "-o", tmp_path / "o.npz")
    assert (done.exit_code, "--lsb 0.25" in done.stderr) == (2, True)
    done = edgebio("import", path, "--rate", 0, "-o", tmp_path / "o.npz")
    assert done.exit_code == 2
    assert not (tmp_path / "o.npz").exists()


def test_files_of_the_lab_are_imported_by_a_mapping(tmp_path: Path) -> None:
    pytest.importorskip("scipy", reason="SciPy is not installed")
    for person in (3, 4):
        write(tmp_path / f"S{person}.mat", matrices(4, 5e-7) | {"subject": np.array([[person]])})
    (tmp_path / "lab.toml").write_text(NINAPRO)
    files = [tmp_path / f"S{person}.mat" for person in (3, 4)]
    told = document("import", *files, "--mapping", tmp_path / "lab.toml", "--rate", 1000,
                    "-o", tmp_path / "o.npz")  # fmt: skip
    assert (told["rate"], told["units"]) == (1000, "5e-07 V")  # an option goes before the mapping
    assert [p["name"] for p in told["people"]] == ["3", "4"]
    assert [c["name"] for c in told["classes"]] == ["E2 movement 1", "E2 movement 2", "rest"]
    assert told["recordings"] == 8
    (tmp_path / "lab.toml").write_text(NINAPRO.replace("labels", "label"))
    done = edgebio("import", *files, "--mapping", tmp_path / "lab.toml", "-o", tmp_path / "p.npz")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "lab.toml: variables.label: Extra inputs" in done.stderr


def test_an_edf_with_annotations_is_a_data_set(tmp_path: Path) -> None:
    pytest.importorskip("edfio", reason="the package edfio is not installed")
    from ..recordings.test_clinical import write_edf

    write_edf(tmp_path / "night.edf")
    told = document("import", tmp_path / "night.edf", "--columns", "C1", "-o", tmp_path / "n.npz")
    assert (told["rate"], told["channels"], told["units"]) == (100, 1, "0.1 uV")
    assert [(c["name"], c["seconds"]) for c in told["classes"]] == [
        ("T0", 0.5), ("T1", 0.5), ("T2", 1.0),
    ]  # fmt: skip


def test_every_listed_file_has_a_digest() -> None:
    for name in datasets.names():
        for file in download.listing(name):
            assert len(file.sha256) == 64
            assert file.size > 0
