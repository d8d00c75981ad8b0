"""Convolutions of 3x3 in tiles: every byte equals tflite-micro's, in any shape and at any limit."""

from typing import Any

import numpy as np
import pytest

from edgebio import compiler
from edgebio.compiler.host_model import HostModel
from edgebio.compiler.host_stream import HostStream
from edgebio.compiler.kernels import dsp_winograd
from tests.compiler.networks import STYLES, Net
from tests.compiler.reference import Run, assert_outputs_equal, emulated, sanitized

pytestmark = pytest.mark.usefixtures("tflite_micro")

FASTEST = compiler.Goal("fastest")


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles are chosen wherever they can be computed, even where they take more instructions."""
    monkeypatch.setattr(dsp_winograd, "_instructions", lambda *_: 0)


class Extreme(Net):
    """Weights at the limits of int8, of one sign in half of the channels."""

    def tensor(self, *args: Any, **options: Any) -> int:
        shape, _, _, _, _, data = (*args, *[None] * 6)[:6]
        if len(shape) == 4 and data is not None:
            data = np.where(data < 0, -127, 127).astype(np.int8)
            data[::2] = np.where(np.arange(len(data[::2])) % 2, 127, -127)[:, None, None, None]
            args = (*args[:5], data)
        return super().tensor(*args, **options)


def convolution(seed: int) -> bytes:
    """One that is computed in tiles: any size, padding, pool, activation and scale."""
    rng = np.random.default_rng(seed)
    make = Extreme if seed % 4 == 3 else Net
    channels = 4 * int(rng.choice([1, 2, 3, 4, 5, 8, 16]))
    height, width = (int(rng.integers(3, 12)) for _ in range(2))
    net = make(rng, (1, height, width, channels), STYLES[seed % len(STYLES)])
    size, one, same = [3, 3], [1, 1], bool(rng.integers(2))
    if rng.integers(4) == 0:
        net.pad()
    net.conv({"size": size, "stride": one, "dilation": one, "same": same}, int(rng.integers(1, 19)))
    if rng.integers(2) and min(net.shape_of(net.at)[1:3]) >= 2:
        two = [2, 2]
        net.pool({"size": two, "stride": two, "dilation": one, "same": False}, "MAX_POOL_2D")
    return net.finish()


def check(seeds: range, run: Run) -> None:
    models = [convolution(seed) for seed in seeds]
    used = [compiler.compile_model(model, "dsp", FASTEST).calls for model in models]
    tiled = sum(any("winograd" in call.function for call in calls) for calls in used)
    assert tiled >= 0.8 * len(models)  # the others are not proven to fit 32 bits, or padded apart
    assert_outputs_equal(models, seeds, run)


@pytest.mark.usefixtures("always")
def test_sanitizers_report_nothing() -> None:
    check(range(24), sanitized("dsp", FASTEST))


@pytest.mark.usefixtures("always")
def test_emulated_board_equals_tflite_micro() -> None:
    check(range(100, 130), emulated("mps2-an386", FASTEST))


@pytest.mark.slow
@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("start", range(1000, 1300, 60))
def test_three_hundred_more(start: int) -> None:
    check(range(start, start + 60), sanitized("dsp", FASTEST))


@pytest.mark.slow
@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("board", ["mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547"])
def test_emulated_boards_equal_tflite_micro(board: str) -> None:
    check(range(2000, 2060), emulated(board, FASTEST))


def test_tiles_are_given_up_where_flash_or_ram_is_short() -> None:
    net = Net(np.random.default_rng(1), (1, 12, 12, 16))
    for _ in range(2):
        window = {"size": [3, 3], "stride": [1, 1], "dilation": [1, 1], "same": True}
        net.conv(window, 16)
    data = net.finish()

    def tiled(program: compiler.Program) -> list[bool]:
        return ["winograd" in call.function for call in program.calls]

    fastest = compiler.compile_model(data, "dsp", FASTEST)
    direct = compiler.compile_model(data, "dsp")
    assert tiled(fastest) == [True, True]
    assert direct.plan.total < fastest.plan.total
    assert direct.constant_bytes < fastest.constant_bytes
    less_ram = compiler.Goal("fastest", state=direct.plan.total)
    assert tiled(compiler.compile_model(data, "dsp", less_ram)) == [False, False]
    less_flash = compiler.Goal("fastest", constants=fastest.constant_bytes - 1)
    assert sorted(tiled(compiler.compile_model(data, "dsp", less_flash))) == [False, True]


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("seed", range(6))
def test_streams_equal_whole_windows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames, hop, windows = int(rng.integers(8, 20)), int(rng.integers(1, 4)), 6
    net = Net(rng, (1, frames, int(rng.integers(3, 8)), 4))
    for same in (False, True):
        net.conv({"size": [3, 3], "stride": [1, 1], "dilation": [1, 1], "same": same}, 8)
    data = net.finish()
    stream, whole = HostStream(data, hop, "dsp", FASTEST), HostModel(data)
    count = (-(-frames // hop) + windows) * hop
    x = rng.integers(-128, 128, (count, *whole.input_shape[1:])).astype(np.int8)
    ends = range(count - windows * hop, count + 1, hop)
    expected = whole.run(np.stack([x[end - frames : end] for end in ends]))
    assert stream.push(x)[-len(ends) :].tobytes() == expected.tobytes()
