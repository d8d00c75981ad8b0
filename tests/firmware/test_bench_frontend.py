import re

import pytest
from click.testing import CliRunner

from edgebio import boards
from edgebio.cli import main
from edgebio.firmware import bench_frontend, counting


@pytest.fixture(scope="module")
def counted():
    if counting.plugin() is None:
        pytest.skip("QEMU with plugins and a C compiler are needed to count")
    return bench_frontend.bench_frontend(boards.load("mps2-an386"))


def test_board_equals_the_twin(counted):
    assert counted.compared > 100_000
    assert counted.differing == 0


@pytest.mark.parametrize(("n_fft", "most"), [(64, 4344), (128, 8168), (256, 20096)])
def test_a_frame_takes_at_most_twice_its_fft(counted, n_fft, most):
    """Of the bare FFT as CMSIS-DSP's users call it on a Cortex-M4."""
    cost = next(cost for cost in counted.frames if cost.n_fft == n_fft)
    assert cost.fft_instructions < cost.instructions <= most


def test_front_end_takes_at_most_7_kilobytes(counted):
    assert all(3000 < cost.flash <= 7 * 1024 for cost in counted.frames if cost.n_fft <= 256)


def test_counts_are_the_same_every_time(counted, monkeypatch):
    monkeypatch.setattr(bench_frontend, "LENGTHS", (64,))
    again = bench_frontend.bench_frontend(boards.load("mps2-an386"))
    assert again.frames[0] == next(cost for cost in counted.frames if cost.n_fft == 64)


def test_bench_needs_a_model_or_the_front_end():
    for words in (["bench", "--board", "x"], ["bench", "m.tflite", "--frontend", "--board", "x"]):
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 2
        assert re.search("give a MODEL to count, or --frontend", done.stderr)
