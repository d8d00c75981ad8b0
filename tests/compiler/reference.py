"""tflite-micro's reference kernels, which generated C must equal in every byte."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgebio import boards, compiler, tflite
from edgebio.boards import emulator
from edgebio.compiler.host_model import HostModel
from edgebio.errors import MissingToolError
from edgebio.firmware import toolchain
from edgebio.parity.reference_model import static_model
from tests.compiler import batch_of_networks
from tests.compiler.networks import Net

KERNEL_SETS: tuple[compiler.KernelSet, ...] = ("portable", "dsp", "mve")
Inputs = NDArray[np.int8]
Build = Callable[[Net], None]
"""Adds layers to a network."""
Run = Callable[[list[bytes], Sequence[NDArray[Any]]], list[NDArray[np.uint8]]]
"""Runs some networks, each on its inputs."""


def reference_outputs(
    model: bytes, x: NDArray[Any], tensors: Sequence[int] = (), *, resolve: bool = True
) -> tuple[NDArray[Any], list[NDArray[Any]]]:
    """The model's output and the values of `tensors` for every input, as tflite-micro computes.

    `resolve` for what it does not do as TensorFlow Lite defines it, see `static_model`.
    """
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(
        static_model(model) if resolve else model,
        arena_size=1 << 20,
        intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
    )

    def rows() -> Iterator[list[NDArray[Any]]]:
        for image in x:
            interpreter.reset()  # an LSTM starts from zero state
            interpreter.set_input(image[None], 0)
            interpreter.invoke()
            yield [
                interpreter.get_output(0).copy(),
                *(interpreter.GetTensor(index, 0)["tensor_data"].copy() for index in tensors),
            ]

    output, *layers = (np.stack(column) for column in zip(*rows(), strict=True))
    return output, layers


def input_shape(model: bytes) -> tuple[int, ...]:
    graph = tflite.read(model)
    return graph.tensors[graph.inputs[0]].shape[1:]


def random_inputs(shape: tuple[int, ...], seed: int = 0, count: int = 8) -> Inputs:
    """Random images, among them one of the smallest and one of the largest value."""
    x = np.random.default_rng(seed).integers(-128, 128, (count, *shape)).astype(np.int8)
    x[0], x[1] = -128, 127
    return x


def assert_layers_equal(models: Sequence[HostModel], data: bytes, x: NDArray[Any]) -> bool:
    """Compare what every layer writes in some builds of a network; whether all layers vary."""
    outputs = [call.layer.output for call in models[0].program.calls]
    y, layers = reference_outputs(data, x, outputs)
    for model in models:
        for description, call, expected, layer in zip(
            model.describe(), model.program.calls, layers, model.layers(x), strict=True
        ):
            want, have = model.program.network.remaining(call.layer.output, expected, layer)
            assert want.tobytes() == have.tobytes(), f"{call.function}: {description}"
        assert y.tobytes() == model.run(x).tobytes()
    return all(len(np.unique(layer)) > 1 for layer in layers)


def build_network(build: Build, shape: tuple[int, ...], seed: int = 0) -> bytes:
    net = Net(np.random.default_rng(seed), shape)
    build(net)
    return net.finish()


def assert_equal(build: Build, shape: tuple[int, ...], seeds: int = 2) -> HostModel:
    """Compare what every layer of a small network writes; returns the last model."""
    varies = False
    for seed in range(seeds):
        data = build_network(build, shape, seed)
        model = HostModel(data)
        varies |= assert_layers_equal([model], data, random_inputs(model.input_shape, seed, 6))
    assert varies  # a network with constant outputs proves little
    return model


def kinds(model: HostModel) -> list[str]:
    return [call.layer.kind for call in model.program.calls]


def builds(data: bytes) -> list[HostModel]:
    """A network with the kernels of every kernel set, and with small and large constants.

    The instructions of the extensions are replaced by plain C here.
    """
    forms = [HostModel(data, "dsp", compiler.Goal(each)) for each in ("size", "fastest")]
    return [*(HostModel(data, isa) for isa in KERNEL_SETS), *forms]


def assert_outputs_equal(
    models: Sequence[bytes], seeds: Sequence[int], run: Run, least_values: int = 1
) -> None:
    """Compare the outputs that `run` computes for random inputs; they have several values."""
    x = [random_inputs(input_shape(m), seed) for m, seed in zip(models, seeds, strict=True)]
    outputs = run(list(models), x)
    for seed, model, images, output in zip(seeds, models, x, outputs, strict=True):
        expected, _ = reference_outputs(model, images)
        assert len(np.unique(expected)) >= least_values
        assert expected.tobytes() == output.tobytes(), f"seed {seed}"


def sanitized(isa: compiler.KernelSet, goal: compiler.Goal = compiler.SPEED) -> Run:
    """Run on this machine under the sanitizers, with warnings as errors."""
    return lambda models, x: batch_of_networks.run_sanitized(models, x, isa, goal)


def emulated(name: str, goal: compiler.Goal = compiler.SPEED) -> Run:
    """Run on an emulated board; skips the test if there is no emulator or compiler for it."""
    try:
        board = boards.load(name)
        emulator.check_installed(board)
        toolchain.tool("gcc")
    except MissingToolError as error:
        pytest.skip(str(error))
    return lambda models, x: batch_of_networks.run_emulated(board, models, x, goal)
