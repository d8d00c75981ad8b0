"""SVDF: every byte equals tflite-micro's, from one inference to the next."""

import numpy as np
import pytest

from tests.compiler.changes import (
    Change,
    assert_refused,
    set_options,
    set_quantization,
    set_tensor,
)
from tests.compiler.networks import Net
from tests.compiler.reference import Run, emulated, sanitized
from tests.compiler.svdf_layer import svdf
from tests.compiler.test_several_edges import check_host, expected_rows, random_rows

pytestmark = pytest.mark.usefixtures("tflite_micro")


def network(seed: int, *, wide: bool = True, count: int = 1) -> bytes:
    rng = np.random.default_rng(seed)
    net = Net(rng, (1, int(rng.integers(1, 20))))
    for _ in range(count):
        units, rank, memory = (int(n) for n in rng.integers(1, 7, 3))
        svdf(net, units, rank, memory, wide=wide)
        net.unary()
    return net.finish()


@pytest.mark.parametrize("wide", [True, False])
def test_svdf(wide: bool) -> None:
    for seed in range(4):
        model = check_host(network(seed, wide=wide), seed)
        assert model.program.plan.states


def test_one_behind_the_other() -> None:
    for seed in range(2):
        check_host(network(seed, count=3), seed)


@pytest.mark.parametrize("wide", [True, False])
def test_outputs_depend_on_what_came_before(wide: bool) -> None:
    net = Net(np.random.default_rng(0), (1, 5))
    svdf(net, 3, 2, 4, wide=wide)
    data = net.finish()
    rows = random_rows(data, 0)
    model = check_host(data)
    model.reset()
    first = model.run_packed(rows)
    assert (model.run_packed(rows) != first).any()


def check_run(run: Run) -> None:
    models = [network(seed, wide=seed % 2 == 0, count=1 + seed % 2) for seed in range(6)]
    rows = [random_rows(data, seed) for seed, data in enumerate(models)]
    for data, x, y in zip(models, rows, run(models, rows), strict=True):  # type: ignore[arg-type]
        assert (expected_rows(data, x) == y).all()


def test_sanitizers_report_nothing() -> None:
    check_run(sanitized("portable"))


def test_emulated_m4_equals_tflite_micro() -> None:
    check_run(emulated("mps2-an386"))


# Tensors: 0 input, 1 features, 2 weights over time, 3 bias, 4 state, 5 output.
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_options(rank=0), "rank 0 of 6 filters"),
        (set_options(rank=4), "rank 4 of 6 filters"),
        (set_options(rank=3), "output has shape [1, 3], [1, 2] is computed"),
        (set_options(fusedActivationFunction=3), "fused activation RELU6 is not supported"),
        (set_tensor(4, isVariable=False), "its state, tensor 4, is not a variable"),
        (set_tensor(4, type=9), "state in int8 and weights over time in int16"),
        (set_tensor(4, shape=[1, 23]), "do not fit 6 filters"),
        (set_tensor(0, shape=[1, 6]), "input has shape [1, 6]; [1, 5] is required"),
        (set_quantization(2, zeroPoint=[1]), "weights over time, tensor 2, are no constant around"),
        (set_quantization(4, scale=[0.0]), "tensor 4 has scale 0"),
        (set_quantization(4, zeroPoint=[40_000]), "its state, tensor 4, has zero point 40000"),
        (set_quantization(5, scale=[1e-29]), "its scales require a factor of"),
    ],
)
def test_refused(change: Change, reason: str) -> None:
    net = Net(np.random.default_rng(0), (1, 5))
    svdf(net, 3, 2, 4)
    change(net)
    assert_refused(net, "operator 0 (SVDF): ")
    assert_refused(net, reason)
