"""The cost model that chooses between kernels, against exact counts on an emulated Cortex-M4."""

from pathlib import Path

import numpy as np
import pytest

from edgebio import boards, compiler, firmware
from edgebio.boards import emulator
from edgebio.compiler import Optimize
from edgebio.errors import MissingToolError
from edgebio.firmware import counting
from edgebio.firmware.bench import bench
from tests.compiler.networks import Net


class Alternating(Net):
    """Every other layer has a RELU."""

    layers = 0

    def fused(self) -> int:
        self.layers += 1
        return self.layers % 2

    def zero_point(self) -> int:
        return -128 if self.layers % 2 == 0 else 3  # an activation is made before it is fused


def network() -> bytes:
    """Convolutions that differ in size, channels, padding and stride."""
    net = Alternating(np.random.default_rng(5), (1, 20, 14, 3), "ptq")
    one, same = [1, 1], {"size": [3, 3], "stride": [1, 1], "dilation": [1, 1], "same": True}
    net.conv({**same, "size": [5, 3]}, 12)
    net.conv(same, 24)
    net.pool({"size": [2, 2], "stride": [2, 2], "dilation": one, "same": False}, "MAX_POOL_2D")
    net.conv({**same, "size": one}, 40)
    net.conv(same, 40)
    net.conv({**same, "same": False}, 20)
    net.conv({**same, "stride": [2, 1]}, 32)
    net.conv({**same, "size": one}, 48)
    return net.finish()


@pytest.mark.slow
@pytest.mark.usefixtures("tflite_micro")
@pytest.mark.parametrize("optimize", ["size", "speed", "fastest"])
def test_estimates_are_within_three_percent_of_counts(optimize: Optimize, tmp_path: Path) -> None:
    board = boards.load("mps2-an386")
    try:
        emulator.check_installed(board)
    except MissingToolError as error:
        pytest.skip(str(error))
    if counting.plugin() is None:
        pytest.skip("QEMU takes no plugins")
    path = tmp_path / "model.tflite"
    path.write_bytes(network())
    calls = compiler.compile_model(path, "dsp", compiler.Goal(optimize)).calls
    result = bench(board, path, budget=firmware.Budget(optimize))
    compared = 0
    for call, layer in zip(calls, result.layers, strict=True):
        if call.layer.kind == "CONV_2D" and call.estimate and layer.instructions > 20_000:
            compared += 1
            assert call.estimate == pytest.approx(layer.instructions, rel=0.03), layer.description
    assert compared >= 5
