"""Full disks, folders that cannot be written, and files of the user: one line, nothing lost."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edgebio.cli import main
from tests import tiny


def edgebio(*arguments: object) -> Result:
    done = CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False)
    assert "Traceback" not in done.output
    return done


@contextmanager
def small_disk(size: int) -> Iterator[None]:
    """No file can become larger than `size` bytes, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.fixture
def signal(tmp_path: Path) -> Path:
    path = tmp_path / "signal.csv"
    np.savetxt(path, np.random.default_rng(0).integers(-999, 999, (9000, 2)), "%d", ",")
    return path


@pytest.fixture(scope="module")
def model() -> Path:
    tiny.quantized()
    return tiny.run() / "model.tflite"


@pytest.fixture
def inputs(model: Path, tmp_path: Path) -> Path:
    from edgebio import tflite

    graph = tflite.read(model)
    shape = graph.tensors[graph.inputs[0]].shape[1:]
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((500, *shape), np.int8))
    return path


def test_a_full_disk_is_one_line_and_leaves_what_was_there(
    signal: Path, model: Path, inputs: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old.npz"
    assert edgebio("data", "import", signal, "--rate", 100, "-o", old).exit_code == 0
    before = old.read_bytes()
    outputs = tmp_path / "y.npy"
    for arguments in (
        ("data", "import", signal, "--rate", 100, "--force", "-o", old),
        ("infer", model, "--inputs", inputs, "-o", outputs),
        ("golden", model, "-o", tmp_path / "golden"),
    ):
        with small_disk(512):
            done = edgebio(*arguments, "-q")
        assert done.exit_code in (1, 2), arguments
        assert done.stderr.count("\n") == 1, done.stderr
        assert "internal error" not in done.stderr
    assert old.read_bytes() == before
    assert not outputs.exists()


@pytest.mark.parametrize("place", ["/proc/edgebio", "file/run"])
def test_a_folder_that_cannot_be_written_is_refused_before_the_work(
    place: str, signal: Path, model: Path, inputs: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    target = tmp_path / place
    for arguments in (
        ("data", "import", signal, "--rate", 100, "-o", target / "x.npz"),
        ("infer", model, "--inputs", inputs, "-o", target / "y.npy"),
        ("golden", model, "-o", target),
        ("build", model, "--board", "mps2-an386", "-o", target),
        ("train", "emg-grips", "--dataset", "emg-synthetic", "-o", target),
    ):
        done = edgebio(*arguments, "-q")
        assert done.exit_code in (1, 2), arguments
        assert done.stderr.count("\n") == 1, done.stderr
        assert "internal error" not in done.stderr, done.stderr
    assert (tmp_path / "file").read_text() == "mine"


def test_files_are_replaced_on_request_only(
    signal: Path, model: Path, inputs: Path, tmp_path: Path
) -> None:
    for name, arguments in (
        ("x.npz", ("data", "import", signal, "--rate", 100, "-o", tmp_path / "x.npz")),
        ("y.npy", ("infer", model, "--inputs", inputs, "-o", tmp_path / "y.npy")),
    ):
        (tmp_path / name).write_text("mine")
        done = edgebio(*arguments)
        assert done.exit_code == 2
        assert f"{name}: exists already; give another name, or --force" in done.stderr
        assert (tmp_path / name).read_text() == "mine"
        assert edgebio(*arguments, "--force").exit_code == 0
        assert (tmp_path / name).read_bytes() != b"mine"


def test_folders_of_the_user_are_not_taken_for_edgebios_own(model: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    (mine / "src").mkdir(parents=True)
    (mine / "src" / "thesis.c").write_text("mine")
    (mine / "manifest.json").write_text("{}")
    (mine / "README.md").write_text("mine")
    done = edgebio("build", model, "--board", "mps2-an386", "-o", mine)
    assert done.exit_code == 2
    assert "was not made by edgebio build" in done.stderr
    done = edgebio("golden", model, "-o", mine)
    assert done.exit_code == 2
    assert "holds files and no golden.json" in done.stderr
    assert (mine / "src" / "thesis.c").read_text() == "mine"
    assert (mine / "README.md").read_text() == "mine"
