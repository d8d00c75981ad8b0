"""What holds for every network that is compiled, whatever was dropped and fused on the way.

Kernels check nothing: a window of no height writes nothing, and one too tall reads what is not
there. So each layer is held against the tensors that it reads and writes, and each window against
its image, before a kernel is chosen. What fails here is a fault of the compiler, not of the model.
"""

import math
from collections.abc import Iterator

from edgebio.compiler import network as net
from edgebio.errors import EdgebioError


def check(network: net.Network) -> None:
    """Check that layers, their windows and their tensors fit each other.

    Raises
    ------
    EdgebioError
        Where they do not; the text names the layer and what is wrong with it.
    """
    computed = {network.input}
    for layer in network.layers:
        for fault in _faults(network, layer, computed):
            raise _error(f"{_named(layer)} {fault}")
        computed.add(layer.output)
    output, declared = network.output, network.declared_output
    if output not in computed:
        raise _error(f"no layer writes the model's output, tensor {output}")
    if network.bytes(output) != network.bytes(declared):
        raise _error(
            f"tensor {output} of {network.bytes(output)} bytes stands for tensor {declared}, the "
            f"model's output, of {network.bytes(declared)}"
        )


def check_fusion(second: net.Layer, fused: net.Layer) -> None:
    """Check that a layer made of two computes the image that the second one did.

    Raises
    ------
    EdgebioError
        Where it does not; the text names the layer.
    """
    if not isinstance(second, net.Convolution | net.Pool):
        return
    wanted = _computed(second)
    if not isinstance(fused, net.Convolution | net.Pool) or _computed(fused) != wanted:
        raise _error(f"{_named(fused)} does not compute the image {wanted} of its last operator")


def _error(text: str) -> EdgebioError:
    return EdgebioError(f"internal error of the compiler, please report it: {text}")


def _named(layer: net.Layer) -> str:
    return f"the layer of operator {', '.join(map(str, layer.operators))} ({layer.kind})"


def _computed(layer: net.Convolution | net.Pool) -> list[int]:
    """Shape of the image that a layer computes, without axes of size 1: they move no element."""
    if isinstance(layer, net.Pool):
        shape = (*layer.window.output, layer.window.channels)
    elif isinstance(layer, net.Conv2D):
        shape = (*layer.pooled, len(layer.weights))
    else:
        shape = (*layer.window.output, int(layer.weights.shape[-1]))
    return [size for size in shape if size > 1]


def _faults(network: net.Network, layer: net.Layer, computed: set[int]) -> Iterator[str]:
    yield from _wiring(network, layer, computed)
    if isinstance(layer, net.Convolution | net.Pool):
        yield from _window(layer.window)
        yield from _weights(layer)
    yield from _sizes(network, layer)


def _wiring(network: net.Network, layer: net.Layer, computed: set[int]) -> Iterator[str]:
    """Find faults in the order of layers: what is read has been written, and nothing twice."""
    for index in layer.inputs:
        if index not in computed and network.tensors[index].data is None:
            yield f"reads tensor {index}, which no layer before it writes"
    if layer.output in computed:
        yield f"writes tensor {layer.output}, which another has written"


def _window(window: net.Window) -> Iterator[str]:
    """Find faults in the geometry of a window."""
    for name in ("input", "output", "size", "stride", "dilation"):
        if min(getattr(window, name)) < 1:
            yield f"has a window of {name} {getattr(window, name)}"
            return
    if window.channels < 1 or min(*window.before, *window.after) < 0:
        yield f"has {window.channels} channels and padding {window.before}, {window.after}"
    fits = tuple(
        (size + before + after - extent) // stride + 1
        for size, before, after, extent, stride in zip(
            window.input, window.before, window.after, window.extent, window.stride, strict=True
        )
    )
    if fits != window.output:
        yield f"computes {window.output} pixels, where its window fits {fits} times"


def _weights(layer: net.Convolution | net.Pool) -> Iterator[str]:
    """Find faults in what lies under a window, and in the pool behind it."""
    window = layer.window
    wanted: tuple[int, ...] = window.size
    if isinstance(layer, net.Pool):
        if window.dilation != (1, 1):
            yield f"pools with dilation {window.dilation}"
        return
    if isinstance(layer, net.DepthwiseConv2D):
        wanted = (*window.size, window.channels * layer.multiplier)
    elif isinstance(layer, net.Conv2D):
        if min(*layer.pool, *layer.pooled) < 1:
            yield f"pools {layer.pool} of {window.output} pixels"
        wanted = (len(layer.weights), *window.size, window.channels)
    if layer.weights.shape != wanted:
        yield f"has weights {layer.weights.shape}, where its window takes {wanted}"


def _sizes(network: net.Network, layer: net.Layer) -> Iterator[str]:
    """Find faults in the number of elements that are read and written."""
    sizes = tuple(math.prod(network.tensors[index].shape) for index in layer.inputs)
    size = math.prod(network.tensors[layer.output].shape)
    if isinstance(layer, net.Copy):
        first, last = layer.view.bounds
        if len(sizes) != 1 or first < 0 or last >= sizes[0]:
            yield f"reads the elements {first} to {last} of {sizes}"
        reads = sizes
    else:
        reads = _reads(layer, size)
    if reads != sizes:
        yield f"reads {reads} elements, where its inputs have {sizes}"
    if (writes := _writes(layer, size)) != size:
        yield f"writes {writes} elements, where its output has {size}"
    if isinstance(layer, net.Prelu):
        slopes = _broadcast(layer.shape, layer.steps)
        if layer.slopes.size != slopes:
            yield f"reads {slopes} slopes, where it has {layer.slopes.size}"
    if isinstance(layer, net.Convolution | net.FullyConnected):
        axis = -1 if isinstance(layer, net.DepthwiseConv2D) else 0
        channels = layer.channels
        for values in (channels.bias, channels.multiplier, channels.shift):
            if len(values) != layer.weights.shape[axis]:
                yield f"requantizes {len(values)} outputs of {layer.weights.shape[axis]}"


def _reads(layer: net.Layer, size: int) -> tuple[int, ...]:
    """Count the elements that a layer with an output of `size` reads of each input."""
    match layer:
        case net.Convolution() | net.Pool():
            return (math.prod(layer.window.input) * layer.window.channels,)
        case net.FullyConnected():
            return (layer.rows * int(layer.weights.shape[1]),)
        case net.Mean():
            return (math.prod(layer.runs),)
        case net.Add() | net.Mul():
            return tuple(_broadcast(layer.shape, steps) for steps in layer.steps)
        case net.Concatenation():
            return tuple(layer.rows * block for block in layer.blocks)
        case net.Lstm():
            return (layer.steps * layer.columns,)
        case net.Softmax():
            return (layer.rows * layer.classes,)
        case net.Prelu() | net.Pad():
            return (math.prod(layer.shape),)
        case net.Table() | net.Quantize() | net.Dequantize() | net.Reshape():
            return (size,)
    raise AssertionError(f"no count of elements for {layer.kind}")


def _broadcast(shape: tuple[int, ...], steps: tuple[int, ...]) -> int:
    """Count the elements of what is repeated along the axes of step 0."""
    return math.prod(size for size, step in zip(shape, steps, strict=True) if step)


def _writes(layer: net.Layer, size: int) -> int:
    """Count the elements that a layer with an output of `size` writes."""
    match layer:
        case net.Conv2D():
            return math.prod(layer.pooled) * len(layer.weights)
        case net.DepthwiseConv2D():
            return math.prod(layer.window.output) * int(layer.weights.shape[-1])
        case net.Pool():
            return math.prod(layer.window.output) * layer.window.channels
        case net.FullyConnected():
            return layer.rows * len(layer.weights)
        case net.Mean():
            outer, _, middle, _, inner = layer.runs
            return outer * middle * inner
        case net.Add() | net.Mul() | net.Prelu():
            return math.prod(layer.shape)
        case net.Concatenation():
            return layer.rows * sum(layer.blocks)
        case net.Copy():
            return math.prod(layer.view.sizes)
        case net.Lstm():
            return layer.steps * layer.units
        case net.Softmax():
            return layer.rows * layer.classes
        case net.Pad():
            return math.prod(layer.padded)
        case net.Table() | net.Quantize() | net.Dequantize() | net.Reshape():
            return size
    raise AssertionError(f"no count of elements for {layer.kind}")
