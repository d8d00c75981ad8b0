"""The board on the bench: `pytest tests/hil --board B --port P`, or by default every emulator.

With --port the board must run the image of --image (`edgebio build MODEL --board B --hil -o IMAGE`,
`edgebio flash IMAGE`); without it, an image is built and the board emulated.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgebio import api, boards
from edgebio.boards import emulator
from edgebio.decision.spec import DecisionSettings
from edgebio.errors import MissingToolError
from edgebio.firmware import manifest
from edgebio.frontend.spec import FrontendSpec
from edgebio.parity import hil
from edgebio.runtime.device import Device
from tests.link.models import with_frontend

QUICK = ("mps2-an386",)
EMULATED = [name for name in boards.names() if boards.load(name).emulator]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hil", "hardware in the loop")
    group.addoption("--board", help="name of the board, default: every emulated one")
    group.addoption("--port", help="serial URL of a real board")
    group.addoption("--image", type=Path, help="folder of the image that the real board runs")
    group.addoption("--soak", type=float, default=2.0, help="seconds of streaming in real time")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "board" in metafunc.fixturenames:
        wanted = metafunc.config.getoption("--board", default=None)
        names = [wanted] if wanted else EMULATED
        metafunc.parametrize(
            "board",
            [pytest.param(name, marks=() if wanted or name in QUICK else pytest.mark.slow)
             for name in names],
            indirect=True, scope="session",
        )  # fmt: skip


def samples() -> np.ndarray:
    """Two channels too loud, two too quiet, four as they should be: int16 (500, 8)."""
    random = np.random.default_rng(3)
    loud = np.array([60_000, 40_000, 20, 2, 800, 900, 700, 600])
    return np.clip(random.normal(size=(500, 8)) * loud, -32768, 32767).astype(np.int16)


@pytest.fixture(scope="session")
def model(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ref_ds_cnn with a front end of 16 frames x 16 bins x 8 channels."""
    spec = FrontendSpec(
        rate=1000, channels=8, segment_length=64 + 15 * 10, hop_length=10, n_fft=64,
        step_frames=4, bins=(1, 17),
    )  # fmt: skip
    target = tmp_path_factory.mktemp("model") / "model.tflite"
    settings = DecisionSettings(votes=3, confidence=0.2, timeout=1000)
    return with_frontend(models_folder / "ref_ds_cnn.tflite", target, spec, samples(), settings)


@pytest.fixture(scope="session")
def board(request: pytest.FixtureRequest) -> boards.Board:
    return boards.load(request.param)


@pytest.fixture(scope="session")
def image(
    request: pytest.FixtureRequest, board: boards.Board, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Folder of the image on the bench."""
    folder: Path | None = request.config.getoption("--image", default=None)
    if request.config.getoption("--port", default=None):
        if folder is None:
            pytest.fail("--port needs --image, the folder of the image that the board runs")
        assert manifest.load(folder).board == board.name, "the image is for another board"
        return folder
    model: Path = request.getfixturevalue("model")
    folder = tmp_path_factory.mktemp(f"hil-{board.name}")
    api.build(model, board, folder, hooks="trace", allow_late=True)
    return folder


@pytest.fixture(scope="session")
def bench(
    request: pytest.FixtureRequest, board: boards.Board, image: Path
) -> Iterator[hil.Bench]:  # fmt: skip
    port = request.config.getoption("--port", default=None)
    if port is None:
        try:
            emulator.check_installed(board)
        except MissingToolError as error:
            pytest.skip(str(error))
    with Device(port) if port else Device.emulate_image(image) as device:
        yield hil.Bench(device, image)
