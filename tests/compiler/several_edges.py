"""Random networks of several inputs and outputs, with splits and variables."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from tests.compiler.dead_channels import DeadChannelNet
from tests.compiler.layers_without_weights import any_of_them
from tests.compiler.model_builder import load_schema
from tests.compiler.networks import STYLES, Net
from tests.compiler.transpose_conv_layer import any_transpose_conv


def split(net: Net, axis: int, count: int) -> list[int]:
    """SPLIT into equal parts; the next layer takes the first one."""
    shape = list(net.shape_of(net.at))
    shape[axis] //= count
    where = net.tensor((), "INT32", data=np.array(axis, np.int32))
    return _parts(net, "SPLIT", [where, net.at], [tuple(shape)] * count, numSplits=count)


def split_v(net: Net, axis: int, sizes: list[int]) -> list[int]:
    """SPLIT_V into parts of some sizes, one of which may be -1."""
    shape, total = list(net.shape_of(net.at)), net.shape_of(net.at)[axis]
    shapes = []
    for size in sizes:
        shape[axis] = size if size >= 0 else total - sum(sizes) - 1
        shapes.append(tuple(shape))
    given = [
        net.tensor((len(sizes),), "INT32", data=np.array(sizes, np.int32)),
        net.tensor((), "INT32", data=np.array(axis, np.int32)),
    ]
    return _parts(net, "SPLIT_V", [net.at, *given], shapes, numSplits=len(sizes))


def unpack(net: Net, axis: int) -> list[int]:
    """UNPACK along an axis."""
    shape = list(net.shape_of(net.at))
    count = shape.pop(axis)
    return _parts(net, "UNPACK", [net.at], [tuple(shape)] * count, num=count, axis=axis)


def _parts(
    net: Net, kind: str, inputs: list[int], shapes: list[tuple[int, ...]], **options: int
) -> list[int]:
    scale, zero_point = net.scale_of(net.at), net.zero_of(net.at)
    outputs = [net.activation(shape, scale, zero_point) for shape in shapes]
    names = {"SPLIT": "SplitOptions", "SPLIT_V": "SplitVOptions", "UNPACK": "UnpackOptions"}
    net.operator(kind, inputs, outputs, names[kind], **options)
    net.at = outputs[0]
    return outputs


class Variables:
    """Variables of a network; `finish` writes the subgraph that gives them their first values."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.begin: dict[str, np.ndarray] = {}
        self.like: dict[str, int] = {}
        # CALL_ONCE comes first.
        net.operator("CALL_ONCE", [], [], "CallOnceOptions", initSubgraphIndex=1)

    def add(self, like: int, shape: tuple[int, ...] | None = None, *, zeros: bool = False) -> str:
        """A variable of the type and scale of a tensor."""
        name = f"v{len(self.begin)}"
        shape = shape or self.net.shape_of(like)
        fill = np.full(shape, self.net.zero_of(like), np.int8)
        values = self.net.rng.integers(-128, 128, shape).astype(np.int8)
        self.begin[name], self.like[name] = fill if zeros else values, like
        return name

    def handle(self, name: str) -> int:
        handle = self.net.tensor((), "RESOURCE")
        self.net.operator(
            "VAR_HANDLE", [], [handle], "VarHandleOptions", container="", sharedName=name
        )
        return handle

    def read(self, name: str) -> int:
        like = self.like[name]
        scale, zero_point = self.net.scale_of(like), self.net.zero_of(like)
        output = self.net.activation(self.begin[name].shape, scale, zero_point)
        self.net.operator("READ_VARIABLE", [self.handle(name)], [output], "ReadVariableOptions")
        return output

    def assign(self, name: str, value: int) -> None:
        inputs = [self.handle(name), value]
        self.net.operator("ASSIGN_VARIABLE", inputs, [], "AssignVariableOptions")

    def ring(self, axis: int, length: int) -> None:
        """The current tensor behind the last ones: a ring buffer as streaming layers have it."""
        net, source = self.net, self.net.at
        shape = list(net.shape_of(source))
        sizes = [*shape]
        sizes[axis] = length
        name = self.add(source, tuple(sizes), zeros=bool(net.rng.random() < 0.5))
        late, net.at = source, self.read(name)
        net.concatenation([late], axis)
        whole, total = net.at, length + shape[axis]
        begin = [total - length if each == axis else 0 for each in range(len(shape))]
        end = [total if each == axis else size for each, size in enumerate(shape)]
        net.strided_slice(begin, end, [1] * len(shape), tuple(sizes))
        self.assign(name, net.at)
        net.at = whole

    def finish(self) -> None:
        with subgraph(self.net):
            for name, values in self.begin.items():
                like = self.like[name]
                scale, zero_point = self._scales[like]
                data = self.net.tensor(values.shape, "INT8", scale, zero_point, data=values)
                self.assign(name, data)

    @property
    def _scales(self) -> dict[int, tuple[np.float32, int]]:
        tensors = self.net.model.subgraphs[0].tensors
        quantizations = {like: tensors[like].quantization for like in self.like.values()}
        return {
            like: (np.float32(each.scale[0]), int(each.zeroPoint[0]))
            for like, each in quantizations.items()
        }


@contextmanager
def subgraph(net: Net) -> Iterator[None]:
    """Add tensors and operators to another subgraph."""
    graph = load_schema().SubGraphT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [], [], []
    net.model.subgraphs.append(graph)
    main, net.graph = net.graph, graph
    try:
        yield
    finally:
        net.graph = main


def two_by_five() -> bytes:
    """Two inputs; five outputs, among them an input, and one twice."""
    net = Net(np.random.default_rng(5), (1, 6, 6, 4))
    first, second = net.at, net.activation((1, 6, 6, 2))
    net.graph.inputs = [first, second]
    net.conv({"size": [3, 3], "stride": [1, 1], "dilation": [1, 1], "same": True}, 2)
    read_later = net.at
    net.binary("ADD", second)
    parts = split(net, 1, 3)
    net.dense()
    net.graph.outputs = [net.at, parts[1], read_later, first, net.at]
    return net.build()


def ring_net() -> tuple[Net, Variables]:
    """A ring buffer of four frames, and a convolution on it."""
    net = Net(np.random.default_rng(3), (1, 2, 3, 4))
    state = Variables(net)
    state.ring(1, 4)
    net.conv({"size": [3, 3], "stride": [1, 1], "dilation": [1, 1], "same": False})
    return net, state


def ring_model() -> bytes:
    """The same as a file."""
    net, state = ring_net()
    state.finish()
    return net.finish()


def random_edges(seed: int) -> bytes:
    """A network of one to three inputs and one to four outputs; half of them have variables.

    A third has channels that are constant or without effect.
    """
    rng = np.random.default_rng(seed)
    shapes = [
        (1, *(int(n) for n in rng.integers(1, 9, 2)), int(rng.integers(1, 13)))
        for _ in range(int(rng.integers(1, 4)))
    ]
    make = DeadChannelNet if seed % 3 == 0 else Net
    net = make(rng, shapes[0], STYLES[seed // 3 % len(STYLES)])
    inputs = [net.at, *(net.activation(shape) for shape in shapes[1:])]
    net.graph.inputs = inputs
    state = Variables(net) if rng.random() < 0.5 else None
    pool: list[int] = []
    for index in inputs:
        net.at = index
        for _ in range(int(rng.integers(1, 5))):
            _layer(net, pool, state)
        pool.append(net.at)
    if state and not state.begin:
        state.ring(1, 3)
        pool.append(net.at)
    net.smooth()  # views alone may leave nothing to compute
    pool.append(net.at)
    if state:
        state.finish()
    count = int(rng.integers(1, 5))
    batch = [index for index in {*pool, *inputs} if net.shape_of(index)[:1] == (1,)]
    # The last one is computed; inputs and the same tensor again may be others.
    net.graph.outputs = [*(int(i) for i in rng.choice(batch, count - 1)), pool[-1]]
    return net.build()


def _layer(net: Net, pool: list[int], state: Variables | None) -> None:
    """Add one random layer; what else it makes goes into the pool."""
    rng, shape = net.rng, net.shape_of(net.at)
    axis = int(rng.integers(1, 4))
    size = shape[axis]
    match int(rng.integers(12)):
        case 0 | 1:
            counts = [n for n in range(1, min(size, 6) + 1) if size % n == 0]
            pool += split(net, axis, int(rng.choice(counts)))
        case 2:
            cut = int(rng.integers(1, size)) if size > 1 else size
            sizes = [cut, size - cut] if cut < size else [size]
            if rng.random() < 0.5:
                sizes[int(rng.integers(len(sizes)))] = -1
            pool += split_v(net, axis, sizes)
        case 3 if size <= 8:
            parts = unpack(net, axis)
            pool += parts
            net.at = parts[int(rng.integers(len(parts)))]
            net.reshape((*net.shape_of(net.at), 1))
        case 4 | 5 if state:
            state.ring(axis, int(rng.integers(1, 5)))
        case 6 if state:
            # Read, computed and assigned again; perhaps read once more.
            name = state.add(net.at)
            value = state.read(name)
            net.binary("ADD", value)
            result = net.at
            state.assign(name, result)
            if rng.random() < 0.5:
                net.binary("ADD", state.read(name))
        case 7 | 8:
            net.conv()
            pool.append(net.at)
        case _:
            layers: list[Callable[[], None]] = [
                net.depthwise,
                net.pool,
                net.add,
                net.unary,
                net.residual,
                net.smooth,
            ]
            layers += [net.prelu, net.pad, net.thinned, net.branches, net.grouped]
            layers += [lambda: any_of_them(net)] * 5 + [lambda: any_transpose_conv(net)]
            layers[int(rng.integers(len(layers)))]()
            pool.append(net.at)
