"""Time and energy: estimates by cycles and a published figure, labeled with its source."""

from pathlib import Path

import pytest

from edgebio import boards
from edgebio.boards.board import Board, Energy
from edgebio.firmware.bench import bench
from edgebio.firmware.time_and_energy import energy_of, time_of
from edgebio.tasks.measurement_sections import cost_section

FIGURE = Energy(pj_per_cycle=(100.0, 110.0), source="a publication")


@pytest.fixture(scope="module")
def board() -> Board:
    return boards.load("nucleo-l476rg").model_copy(update={"energy": FIGURE})


def test_energy_is_cycles_by_the_published_figure(board: Board) -> None:
    energy = energy_of(board, 2_000_000)
    assert energy is not None
    assert (energy.low, energy.high, energy.source) == (200.0, 220.0, "a publication")
    assert time_of(board, 2_000_000).estimate == 25_000  # at 80 MHz
    assert energy_of(boards.load("mps2-an386"), 2_000_000) is None  # none is invented


def test_a_figure_has_its_range_in_order_and_a_source() -> None:
    with pytest.raises(ValueError, match="lower figure"):
        Energy(pj_per_cycle=(2.0, 1.0), source="a publication")
    with pytest.raises(ValueError, match="source"):
        Energy.model_validate({"pj_per_cycle": (1.0, 2.0)})


def test_boards_state_the_board_clock_and_supply_of_their_figure() -> None:
    for name in boards.names():
        loaded = boards.load(name)
        if loaded.energy:
            source = loaded.energy.source
            assert f"{loaded.clock_hz // 1_000_000} MHz" in source
            assert " V" in source


def test_a_decision_of_a_stream_takes_less_time_and_energy(
    board: Board, models_folder: Path
) -> None:
    """The waits for flash are those of the board, not of the one that executes its code."""
    model = models_folder / "mlperf-tiny" / "sww.tflite"
    whole = bench(board, model, hop=1)
    stream = whole.stream
    assert whole.cycles
    assert whole.time_us
    assert whole.energy_uj
    assert stream
    assert stream.time_us
    assert stream.energy_uj
    for cycles, time, energy in (
        (whole.cycles.estimate, whole.time_us, whole.energy_uj),
        (stream.cycles, stream.time_us, stream.energy_uj),
    ):
        waited = time.estimate * 80
        assert cycles < waited < 3 * cycles
        assert energy.low == pytest.approx(waited * 100 / 1e6, rel=0.01)
        assert energy.high == pytest.approx(1.1 * energy.low, rel=0.01)
    assert stream.time_us.estimate < 0.2 * whole.time_us.estimate
    rows = str(cost_section(whole.document()))
    assert "energy per inference" in rows
    assert "energy per decision every 1 of 30 frames" in rows
    assert rows.count("(estimate: a publication)") == 2
