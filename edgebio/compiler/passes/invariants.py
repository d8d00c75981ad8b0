"""Invariants of every network that is compiled, whatever was dropped and fused.

Kernels check nothing: a window of no height writes nothing, and one too high reads outside its
input. So each layer is compared with the tensors that it reads and writes, and each window with its
image, before a kernel is chosen. A violation is a fault of the compiler, not of the model.
"""

import math
from collections.abc import Iterator

from edgebio.compiler.ir import layers
from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.network import Network
from edgebio.compiler.ir.window import Window
from edgebio.errors import EdgebioError


def check(network: Network) -> None:
    """Check that layers, their windows and their tensors fit together.

    Raises
    ------
    EdgebioError
        If they do not; names the layer and the violation.
    """
    computed = {*network.inputs, *network.states}
    for layer in network.layers:
        for violation in _order(network, layer, computed):
            raise _error(f"{_name(layer)} {violation}")
        check_layer(network, layer)
        computed.add(layer.output)
    if len(set(network.outputs)) < len(network.outputs):
        raise _error(f"two outputs are one tensor, {network.outputs}")
    for output, declared in zip(network.outputs, network.declared_outputs, strict=True):
        if output not in computed - set(network.inputs):
            raise _error(f"no layer writes the model's output, tensor {output}")
        if network.bytes(output) != network.bytes(declared):
            raise _error(
                f"tensor {output} of {network.bytes(output)} bytes stands for tensor {declared}, "
                f"the model's output, of {network.bytes(declared)}"
            )


def check_layer(network: Network, layer: Layer) -> None:
    """Check that a layer, its window and its tensors fit together.

    Raises
    ------
    EdgebioError
        If they do not; names the layer and the violation.
    """
    for violation in _violations(network, layer):
        raise _error(f"{_name(layer)} {violation}")


def check_fusion(second: Layer, fused: Layer) -> None:
    """Check that a layer made of two computes the image that the second one did.

    Raises
    ------
    EdgebioError
        If it does not; names the layer.
    """
    if isinstance(second, layers.Windowed):
        image = _without_ones(second)
        if not isinstance(fused, layers.Windowed) or _without_ones(fused) != image:
            raise _error(f"{_name(fused)} does not compute the image {image} of its last operator")


def _error(text: str) -> EdgebioError:
    return EdgebioError(f"internal error of the compiler, please report it: {text}")


def _name(layer: Layer) -> str:
    return f"the layer of operator {', '.join(map(str, layer.operators))} ({layer.kind})"


def _without_ones(layer: layers.Windowed) -> list[int]:
    """Shape of the computed image without axes of size 1, which do not change the order."""
    return [size for size in layer.image if size > 1]


def _order(network: Network, layer: Layer, computed: set[int]) -> Iterator[str]:
    """Violations of the order of the layers."""
    for index in layer.inputs:
        if index not in computed and not network.is_constant(index):
            yield f"reads tensor {index}, which no layer before it writes"
    if layer.output in computed and not network.tensors[layer.output].variable:
        yield f"writes tensor {layer.output}, which another layer has written"


def _violations(network: Network, layer: Layer) -> Iterator[str]:
    if isinstance(layer, layers.Windowed):
        yield from _window(layer.window)
        yield from _weights(layer)
    yield from _sizes(network, layer)


def _window(window: Window) -> Iterator[str]:
    """Violations in the geometry of a window."""
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


def _weights(layer: layers.Windowed) -> Iterator[str]:
    """Violations in the weights under a window, and in the fused pool."""
    window = layer.window
    if isinstance(layer, layers.Pool) and window.dilation != (1, 1):
        yield f"pools with dilation {window.dilation}"
    if isinstance(layer, layers.Conv2D) and min(*layer.pool, *layer.pooled) < 1:
        yield f"pools {layer.pool} of {window.output} pixels"
    if isinstance(layer, layers.Convolution):
        shape: tuple[int, ...] = (len(layer.weights), *window.size, window.channels)
        if isinstance(layer, layers.DepthwiseConv2D):
            shape = (*window.size, window.channels * layer.multiplier)
        if layer.weights.shape != shape:
            yield f"has weights {layer.weights.shape}, where its window takes {shape}"


def _sizes(network: Network, layer: Layer) -> Iterator[str]:
    """Violations in the number of elements that are read and written."""
    sizes = tuple(math.prod(network.tensors[index].shape) for index in layer.inputs)
    size = math.prod(network.tensors[layer.output].shape)
    reads, writes = layer.elements or ((size,), size)
    if reads != sizes:
        yield f"reads {reads} elements, where its inputs have {sizes}"
    if writes != size:
        yield f"writes {writes} elements, where its output has {size}"
    if isinstance(layer, layers.Weighted):
        channels, outputs = layer.channels, len(layer.products)
        for values in (channels.bias, channels.multiplier, channels.shift):
            if len(values) != outputs:
                yield f"requantizes {len(values)} outputs of {outputs}"
