"""Random networks: every byte that a layer writes equals tflite-micro's."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgebio import boards, compiler, tflite
from edgebio.boards import qemu
from edgebio.compiler import arithmetic
from edgebio.compiler.host import HostModel
from edgebio.errors import EdgebioError, MissingToolError
from edgebio.firmware import toolchain
from tests.compiler import many, networks, oracle
from tests.compiler.conftest import SANITIZE, STRICT

pytestmark = pytest.mark.usefixtures("tflite_micro")

CORES: tuple[compiler.Core, ...] = ("portable", "dsp", "mve")
Runner = Callable[..., NDArray[Any]]


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hundreds of networks that nobody runs again do not belong into the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBIO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def compare(seed: int) -> None:
    compare_layers(networks.random_network(seed), seed)


def compare_layers(data: bytes, seed: int) -> None:
    # The extensions' instructions are spelled out in C here.
    models = [HostModel(data, core) for core in CORES]
    models.append(HostModel(data, "dsp", compiler.Goal("size")))
    steps = models[0].program.steps
    x = inputs(seed, models[0].input_shape)
    y, layers = oracle.outputs(data, x, [step.layer.output for step in steps])
    for model in models:
        for what, step, wanted, found in zip(
            model.describe(), model.program.steps, layers, model.layers(x), strict=True
        ):
            assert wanted.tobytes() == found.tobytes(), f"seed {seed}, {step.function}: {what}"
        assert y.tobytes() == model.run(x).tobytes(), f"seed {seed}"


def inputs(seed: int, shape: tuple[int, ...]) -> NDArray[np.int8]:
    x = np.random.default_rng(seed).integers(-128, 128, (8, *shape)).astype(np.int8)
    x[0], x[1] = -128, 127
    return x


@pytest.mark.parametrize("seed", range(20))
def test_every_layer_equals_tflite_micro(seed: int) -> None:
    compare(seed)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1000, 1300, 20))
def test_every_layer_of_three_hundred_more(start: int) -> None:
    for seed in range(start, start + 20):
        compare(seed)


@pytest.mark.parametrize("core", CORES)
def test_sanitizers_find_nothing(core: compiler.Core) -> None:
    sanitized(range(100, 106), core)


@pytest.mark.slow
@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("start", range(2000, 2300, 50))
def test_sanitizers_find_nothing_in_three_hundred_more(start: int, core: compiler.Core) -> None:
    sanitized(range(start, start + 50), core)


def sanitized(seeds: Sequence[int], core: compiler.Core) -> None:
    right(seeds, lambda models, x: many.sanitized(models, x, core, (*STRICT, *SANITIZE)))


@pytest.mark.parametrize("board", ["mps2-an386", "mps2-an505", "mps3-an547"])
def test_boards_are_right(board: str) -> None:
    on_board(range(200, 212), board)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("board", "start"),
    [
        *(("mps2-an386", start) for start in range(2000, 2300, 60)),
        *(("mps2-an500", start) for start in range(2000, 2060, 60)),
        *(("mps2-an505", start) for start in range(2000, 2060, 60)),
        *(("mps3-an547", start) for start in range(2000, 2120, 60)),
        *(("mps2-an385", start) for start in range(2000, 2060, 60)),
    ],
)
def test_boards_are_right_of_sixty_at_a_time(board: str, start: int) -> None:
    on_board(range(start, start + 60), board)


def on_board(seeds: Sequence[int], name: str) -> None:
    board = emulated_board(name)
    right(seeds, lambda models, x: many.emulated(board, models, x))


def emulated_board(name: str) -> boards.Board:
    """Skip where there is no emulator of the board, or no compiler for it."""
    try:
        board = boards.load(name)
        qemu.command(board, Path())
        toolchain.tool("gcc")
    except MissingToolError as error:
        pytest.skip(str(error))
    return board


def right(
    seeds: Sequence[int],
    run: Callable[[list[bytes], list[NDArray[np.int8]]], list[NDArray[np.uint8]]],
) -> None:
    """Hold what `run` makes of 8 inputs of each network against tflite-micro."""
    models = [networks.random_network(seed) for seed in seeds]
    x = [inputs(seed, shape_of(model)) for seed, model in zip(seeds, models, strict=True)]
    for seed, model, given, found in zip(seeds, models, x, run(models, x), strict=True):
        wanted, _ = oracle.outputs(model, given)
        assert wanted.tobytes() == found.tobytes(), f"seed {seed}"


def shape_of(model: bytes) -> tuple[int, ...]:
    graph = tflite.read(model)
    return graph.tensors[graph.inputs[0]].shape[1:]


@pytest.mark.slow
def test_what_is_accepted_of_damaged_files_runs_clean(run_sanitized: Runner) -> None:
    """Whatever passes the checks must give C that compiles and stays in its memory."""
    rng = np.random.default_rng(7)
    ran = 0
    for seed in range(400):
        damaged = bytearray(networks.random_network(3000 + seed % 20))
        damaged[rng.integers(len(damaged))] = rng.integers(256)
        try:
            graph = tflite.read(bytes(damaged))
            program = compiler.compile_model(graph)
        except EdgebioError:
            continue
        if program.plan.total > 1 << 20 or program.macs > 1 << 26:
            continue
        size = program.network.bytes(program.network.input)
        run_sanitized(graph, rng.integers(-128, 128, (2, size)).astype(np.int8), "dsp")
        ran += 1
        if ran == 60:
            break
    assert ran == 60


WINDOWS = (
    # size, stride, dilation, SAME; on an image of 13 x 12 that shrinks only towards the end
    ((3, 3), (1, 1), (1, 2), True),
    ((3, 3), (1, 1), (2, 1), True),
    ((2, 4), (1, 1), (3, 2), True),
    ((1, 1), (1, 1), (1, 1), True),
    ((4, 1), (1, 1), (1, 1), True),
    ((1, 5), (2, 1), (1, 1), True),
    ((3, 2), (1, 1), (1, 3), False),
    ((2, 2), (1, 2), (2, 2), False),
    ((1, 1), (2, 2), (1, 1), False),
)


@pytest.mark.parametrize("layer", ["conv", "depthwise"])
def test_windows(layer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net = networks.Net(np.random.default_rng(3), (1, 13, 12, 6))
    for size, stride, dilation, same in WINDOWS:
        window = {"size": size, "stride": stride, "dilation": dilation, "same": same}
        monkeypatch.setattr(net, "window", lambda *_, window=window: window)
        monkeypatch.setattr(net, "fused", lambda: 0)
        multiplier = 1 if net.shape_of(net.at)[3] > 10 else 2
        net.depthwise(multiplier) if layer == "depthwise" else net.conv()
    compare_layers(net.finish(), 3)


def single(build: Callable[[networks.Net], None], shape: tuple[int, ...]) -> None:
    for seed in range(2):
        net = networks.Net(np.random.default_rng(seed), shape)
        build(net)
        data = net.finish()
        model = HostModel(data)
        x = inputs(seed, model.input_shape)
        y, _ = oracle.outputs(data, x)
        assert y.tobytes() == model.run(x).tobytes(), f"seed {seed}"


def test_squeeze_and_expand_dims_are_names() -> None:
    def build(net: networks.Net) -> None:
        net.unary()
        axis = net.tensor((1,), "INT32", data=np.array([1], np.int32))
        for kind, inputs, shape in (
            ("SQUEEZE", [], (1, 6)),
            ("EXPAND_DIMS", [axis], (1, 1, 6)),
        ):
            output = net.activation(shape, net.scale_of(net.at), net.zero_of(net.at))
            options = "SqueezeOptions" if kind == "SQUEEZE" else "ExpandDimsOptions"
            extra = {"squeezeDims": [1]} if kind == "SQUEEZE" else {}
            net.operator(kind, [net.at, *inputs], [output], options, **extra)
            net.at = output
        net.dense()

    single(build, (1, 1, 6))


@pytest.mark.parametrize("axes", [[1], [2], [3], [1, 2], [1, 3], [2, 3], [1, 2, 3]])
def test_mean_over_any_axes(axes: list[int]) -> None:
    def build(net: networks.Net) -> None:
        shape = net.shape_of(net.at)
        left = tuple(size for axis, size in enumerate(shape) if axis not in axes)
        axis = net.tensor((len(axes),), "INT32", data=np.array(axes, np.int32))
        output = net.activation(left, net.near(net.at))
        net.operator("MEAN", [net.at, axis], [output], "ReducerOptions", keepDims=False)
        net.at = output

    single(build, (1, 5, 7, 3))


def test_softmax_over_511_classes() -> None:
    """The most that is accepted; all equal logits give the largest sum."""

    def build(net: networks.Net) -> None:
        net.softmax()

    single(build, (1, 511))


def test_layers_that_nobody_reads_are_left_out() -> None:
    net = networks.Net(np.random.default_rng(1), (1, 5, 5, 3))
    trunk = net.at
    net.conv()
    net.at = trunk
    net.dense()
    model = HostModel(net.finish())
    assert [step.layer.kind for step in model.program.steps] == ["FULLY_CONNECTED"]


def test_pad_goes_into_the_convolution() -> None:
    net = networks.Net(np.random.default_rng(2), (1, 6, 6, 3))
    paddings = net.tensor((4, 2), "INT32", data=np.array([[0, 0], [2, 1], [0, 3], [0, 0]], "i4"))
    output = net.activation((1, 9, 9, 3), net.scale_of(net.at), net.zero_of(net.at))
    net.operator("PAD", [net.at, paddings], [output], "PadOptions")
    net.at = output
    net.conv()
    data = net.finish()
    model = HostModel(data)
    assert [step.layer.operators for step in model.program.steps] == [(0, 1)]
    x = inputs(2, model.input_shape)
    assert oracle.outputs(data, x)[0].tobytes() == model.run(x).tobytes()


@pytest.mark.parametrize("kind", ["RELU", "RELU6"])
@pytest.mark.parametrize("layer", ["conv", "pool", "add", "dense"])
def test_a_clamp_goes_into_the_layer_before_it(layer: str, kind: str) -> None:
    def build(net: networks.Net) -> None:
        getattr(net, layer)()
        if layer != "pool":  # whose output has its input's zero point
            net.graph.tensors[net.at].quantization.zeroPoint = [-20]  # at -128, RELU does nothing
        output = net.activation(net.shape_of(net.at), net.scale_of(net.at), net.zero_of(net.at))
        net.operator(kind, [net.at], [output])
        net.at = output

    net = networks.Net(np.random.default_rng(0), (1, 6, 6, 3))
    build(net)
    last = HostModel(net.finish()).program.steps[-1].layer
    assert last.operators[-1] == len(net.graph.operators) - 1
    assert last.activation.endswith(kind)
    single(build, (1, 6, 6, 3))


def test_a_clamp_stays_where_both_values_are_read() -> None:
    def build(net: networks.Net) -> None:
        net.conv()
        trunk = net.at
        scale, zero_point = net.scale_of(trunk), net.zero_of(trunk)
        clamped = net.activation(net.shape_of(trunk), scale, zero_point)
        net.operator("RELU", [trunk], [clamped])
        net.at = net.activation(net.shape_of(trunk), np.float32(2 * scale))
        net.operator("ADD", [trunk, clamped], [net.at], "AddOptions")

    single(build, (1, 6, 6, 3))


@pytest.mark.parametrize("shape", [(1, 5, 1, 3), (1, 1, 4, 1), (1,), (4, 3), (1, 5, 4, 1)])
@pytest.mark.parametrize("first", [True, False])
def test_add_repeats_the_smaller_input(shape: tuple[int, ...], first: bool) -> None:
    def build(net: networks.Net) -> None:
        data = net.rng.integers(-128, 128, shape).astype(np.int8)
        other = net.tensor(shape, "INT8", net.near(net.at), net.zero_point(), data=data)
        output = net.activation(net.shape_of(net.at), np.float32(net.near(net.at) * 1.5))
        inputs = [net.at, other] if first else [other, net.at]
        net.operator("ADD", inputs, [output], "AddOptions", fusedActivationFunction=net.fused())
        net.at = output

    single(build, (1, 5, 4, 3))


@pytest.mark.parametrize("kind", ["FULLY_CONNECTED", "FULLY_CONNECTED each", "CONV_2D"])
def test_the_last_bit_of_a_multiplier(kind: str) -> None:
    """Sums that round apart when scales are multiplied in float32 instead of float64."""
    source, weight, output = np.float32(0.0123), np.float32(2.1e-6), np.float32(0.0456)
    wide = float(source) * float(weight) / float(output)
    right = arithmetic.quantize_multiplier(wide)
    wrong = arithmetic.quantize_multiplier(float(source * weight) / float(output))
    around = (round((k + 0.5) / wide) + step for k in range(1, 120) for step in range(-40, 40))
    sums = [
        value
        for value in around
        if arithmetic.requantize(value, *right) != arithmetic.requantize(value, *wrong)
    ][:40]
    assert len(sums) == 40

    net = networks.Net(np.random.default_rng(0), (1, 1, 1, 2))
    net.graph.tensors[0].quantization.scale = [float(source)]
    scales = [float(weight)] * (1 if kind == "FULLY_CONNECTED" else 40)
    shape = (40, 1, 1, 2) if kind == "CONV_2D" else (40, 2)
    weights = net.tensor(shape, "INT8", scales, 0, 0, np.zeros(shape, np.int8))
    bias = net.tensor((40,), "INT32", source * weight, data=np.array(sums, np.int32))
    net.at = net.activation((1, 1, 1, 40) if kind == "CONV_2D" else (1, 40), output, 0)
    options = {"strideH": 1, "strideW": 1} if kind == "CONV_2D" else {}
    name = "Conv2DOptions" if kind == "CONV_2D" else "FullyConnectedOptions"
    net.operator(kind.split()[0], [0, weights, bias], [net.at], name, **options)
    data = net.finish()
    x = np.zeros((1, 1, 1, 2), np.int8)
    y, _ = oracle.outputs(data, x)
    assert y.ravel().tolist() == [arithmetic.requantize(value, *right) for value in sums]
    assert y.tobytes() == HostModel(data).run(x).tobytes()
