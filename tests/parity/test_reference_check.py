"""No unproven image: a network whose C differs from tflite-micro is not built."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from edgebio.cli import main
from edgebio.compiler.host_model import HostModel
from edgebio.errors import CheckFailedError
from edgebio.parity.reference_check import check_against_reference
from tests import tiny

pytest.importorskip("tflite_micro", reason="tflite-micro is not installed")


@pytest.fixture(scope="module")
def model() -> Path:
    tiny.quantized()
    return tiny.run() / "model.tflite"


@pytest.fixture
def wrong_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    right = HostModel.run_packed

    def run(self, rows):  # one bit of one output is wrong
        y = right(self, rows)
        y[3, 0] ^= 1
        return y

    monkeypatch.setattr(HostModel, "run_packed", run)


@pytest.mark.parametrize("isa", ["portable", "dsp", "mve"])
def test_a_right_network_passes_with_every_kernel_set(model: Path, isa) -> None:
    result = check_against_reference(model, isa)
    assert str(result) == "checked: 8 inputs, 0 bytes differ"


@pytest.mark.usefixtures("wrong_kernel")
def test_one_wrong_bit_is_a_failed_check(model: Path) -> None:
    with pytest.raises(CheckFailedError, match=r"differs from tflite-micro in 1 bytes of 8"):
        check_against_reference(model)


@pytest.mark.usefixtures("wrong_kernel")
def test_no_image_is_built_of_it_unless_asked(model: Path, tmp_path: Path) -> None:
    image = tmp_path / "image"
    arguments = ["build", str(model), "--board", "mps2-an386", "-o", str(image)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    assert "--no-check builds all the same" in done.stderr
    assert not image.exists()
    done = CliRunner().invoke(main, [*arguments, "--no-check"])
    assert done.exit_code == 0, done.stderr


def test_the_check_is_reported(model: Path, tmp_path: Path) -> None:
    arguments = ["build", str(model), "--board", "mps2-an386", "-o", str(tmp_path / "image")]
    done = CliRunner().invoke(main, arguments)
    assert "checked: 8 inputs, 0 bytes differ" in done.stderr
