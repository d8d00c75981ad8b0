"""Time of a decision: against the counts of other modules, and what changes it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgebio import boards, storage, tflite
from edgebio.boards import Board
from edgebio.firmware import deadline
from edgebio.firmware.bench import bench
from edgebio.firmware.bench_frontend import bench_decision
from edgebio.firmware.image import Budget
from edgebio.firmware.manifest import Deadline
from edgebio.frontend.spec import FrontendSpec
from edgebio.tflite.metadata import require_metadata
from tests.firmware import wearable

M4 = boards.load("mps2-an386")


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An earlier run of these tests must not answer."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        original = storage.cache

        def cache(name: str = "") -> Path:
            if name != "deadlines":
                return original(name)
            (folder / name).mkdir(exist_ok=True)
            return folder / name

        patch.setattr(storage, "cache", cache)
        yield


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wearable.write(tmp_path_factory.mktemp("wearable") / "model.tflite")


def estimate(model: Path, board: Board, **more: float) -> Deadline:
    spec = require_metadata(tflite.read(model), "a test").frontend
    return deadline.estimate(model, board, spec, Budget(), **more).deadline  # type: ignore[arg-type]


def test_estimate_is_the_sum_of_what_bench_counts(model: Path) -> None:
    network = bench(M4, model).cycles
    front = bench_decision(M4, wearable.spec()).cycles
    assert network is not None
    assert front is not None
    micros = (network.estimate + front) / M4.clock_hz * 1e6
    result = estimate(model, M4)
    assert result.estimated_us == pytest.approx(micros, rel=0.03)  # other noise
    assert result.due_us == 48_000
    assert result.ok


def test_time_depends_on_clock_cpu_flash_and_interrupts(model: Path) -> None:
    base = estimate(model, M4)
    assert estimate(model, M4) == base
    twice = M4.model_copy(update={"clock_hz": 2 * M4.clock_hz})
    assert estimate(model, twice).estimated_us == pytest.approx(base.estimated_us / 2, abs=1)
    assert estimate(model, M4, busy=0.5).estimated_us == pytest.approx(2 * base.estimated_us, abs=1)
    waits = M4.model_copy(update={"timing": boards.load("nucleo-l476rg").timing})
    assert 1.1 * base.estimated_us < estimate(model, waits).estimated_us < 2 * base.estimated_us
    small = boards.load("mps2-an385")
    assert estimate(model, small).estimated_us > base.estimated_us
    assert estimate(model, boards.load("mps3-an547")).estimated_us < base.estimated_us


def test_a_stream_takes_less(model: Path) -> None:
    whole, stream = estimate(model, M4), estimate(model, M4, hop=wearable.spec().step_frames)
    assert stream.estimated_us < whole.estimated_us


def test_late_is_late(tmp_path: Path) -> None:
    """Twelve times the rate leaves a twelfth of the time."""
    spec: FrontendSpec = wearable.spec(rate=12_000.0)
    result = estimate(wearable.write(tmp_path / "model.tflite", spec), M4)
    assert result.due_us == 4000
    assert result.ok == (result.estimated_us <= 4000)
    slow = M4.model_copy(update={"clock_hz": M4.clock_hz // 2})
    assert not estimate(wearable.write(tmp_path / "model.tflite", spec), slow).ok
