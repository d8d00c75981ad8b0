"""Fast kernels of ADD, SUB, MUL and CONCATENATION: in plain C and on emulated CPUs."""

import numpy as np
import pytest

from edgebio import compiler
from edgebio.compiler.host_model import HostModel
from tests.compiler.networks import Net
from tests.compiler.reference import (
    assert_layers_equal,
    assert_outputs_equal,
    emulated,
    random_inputs,
    sanitized,
)

pytestmark = pytest.mark.usefixtures("tflite_micro")

SEEDS = range(8)
KERNELS = ("add_rows", "concatenation", "mul", "sub")
BOARDS: dict[compiler.KernelSet, str] = {"dsp": "mps2-an386", "mve": "mps3-an547"}


def network(seed: int) -> bytes:
    """Operators on constants that are repeated along some axes, and on two branches."""
    rng = np.random.default_rng(seed)
    shape = (1, *(int(n) for n in rng.integers(1, 8, 2)), int(rng.integers(1, 34)))
    net = Net(rng, shape)
    for _ in range(4):
        kind = str(rng.choice(["ADD", "SUB", "MUL"]))
        if rng.random() < 0.3:
            trunk = net.at
            net.unary()
            net.binary(kind, trunk)
            continue
        if rng.random() < 0.3:
            net.concatenation([net.at], int(rng.integers(1, 4)))
        axes = [n if rng.random() < 0.6 else 1 for n in net.shape_of(net.at)]
        data = rng.integers(-128, 128, axes).astype(np.int8)
        scale = net.scale_of(net.at) if rng.random() < 0.3 else net.near(net.at)
        other = net.tensor(tuple(axes), "INT8", scale, net.zero_point(), data=data)
        net.binary(kind, other, first=bool(rng.random() < 0.5))
    return net.finish()


@pytest.mark.parametrize("isa", BOARDS)
def test_every_layer_equals_tflite_micro(isa: compiler.KernelSet) -> None:
    used = set()
    for seed in SEEDS:
        data = network(seed)
        model = HostModel(data, isa)
        assert_layers_equal([model], data, random_inputs(model.input_shape, seed, 6))
        used |= {call.function for call in model.program.calls}
    assert used >= {f"eb_run_{name}_{isa}" for name in KERNELS}


@pytest.mark.parametrize("isa", BOARDS)
def test_sanitizers_report_nothing(isa: compiler.KernelSet) -> None:
    assert_outputs_equal([network(seed) for seed in SEEDS], SEEDS, sanitized(isa))


@pytest.mark.parametrize(
    "seeds", [SEEDS, *(pytest.param(range(100, 140), marks=pytest.mark.slow) for _ in "1")]
)
@pytest.mark.parametrize("isa", BOARDS)
def test_emulated_cpu_equals_tflite_micro(isa: compiler.KernelSet, seeds: range) -> None:
    run = emulated(BOARDS[isa])
    assert_outputs_equal([network(seed) for seed in seeds], seeds, run)
