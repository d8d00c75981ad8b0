"""LSTM kernels of every kernel set: in plain C and on emulated CPUs."""

from functools import partial

import pytest

from edgebio import compiler
from tests.compiler.networks import Net
from tests.compiler.reference import (
    assert_layers_equal,
    assert_outputs_equal,
    build_network,
    builds,
    emulated,
    random_inputs,
    sanitized,
)

pytestmark = pytest.mark.usefixtures("tflite_micro")

SIZES = [(3, 5), (16, 16), (17, 4), (40, 33), (1, 1), (33, 20)]
"""Values of a step and units: multiples of sixteen and others."""


def networks() -> list[bytes]:
    def add(net: Net, units: int) -> None:
        net.lstm(units)

    return [
        build_network(partial(add, units=units), (1, 6, columns), seed)
        for seed, (columns, units) in enumerate(SIZES)
    ]


def test_every_kernel_set_equals_tflite_micro() -> None:
    used = set()
    for seed, (data, (columns, _)) in enumerate(zip(networks(), SIZES, strict=True)):
        models = builds(data)
        assert_layers_equal(models, data, random_inputs((6, columns), seed, 6))
        used |= {call.function for model in models for call in model.program.calls}
    assert used == {"eb_run_lstm", "eb_run_lstm_dsp", "eb_run_lstm_mve"}


@pytest.mark.parametrize("isa", ["dsp", "mve"])
def test_sanitizers_report_nothing(isa: compiler.KernelSet) -> None:
    assert_outputs_equal(networks(), range(len(SIZES)), sanitized(isa), 10)


@pytest.mark.parametrize("board", ["mps2-an386", "mps3-an547"])
def test_emulated_cpus_equal_tflite_micro(board: str) -> None:
    assert_outputs_equal(networks(), range(len(SIZES)), emulated(board), 10)
