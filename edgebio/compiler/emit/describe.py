"""Descriptions of kernel calls in one line."""

from edgebio.compiler.ir import layers
from edgebio.compiler.ir.kernel_call import KernelCall
from edgebio.compiler.ir.program import Program
from edgebio.compiler.ir.window import Window


def describe_call(program: Program, call: KernelCall) -> str:
    """One line that describes a layer: what it is, its input shapes and its output shape."""
    layer, tensors = call.layer, program.network.tensors
    shapes = [describe_shape(tensors[index].shape) for index in layer.inputs]
    words = [layer.kind]
    if isinstance(layer, layers.Windowed):
        words += _window(layer.window)
        # Its input tensor may have another shape.
        shapes = [describe_shape((1, *layer.window.input, layer.window.channels))]
    if isinstance(layer, layers.Conv2D) and layer.groups > 1:
        words.append(f"of {layer.groups} groups")
    if layer.activation != "NONE":
        words += ["+", layer.activation]
    if isinstance(layer, layers.Conv2D) and layer.pool != (1, 1):
        words += ["+", f"MAX_POOL_2D {layer.pool[0]}x{layer.pool[1]}"]
    output = describe_shape(tensors[layer.output].shape)
    return f"{' '.join(words)}: {' and '.join(shapes)} -> {output}"


def describe_shape(shape: tuple[int, ...]) -> str:
    """A shape without its batch."""
    return f"[{', '.join(map(str, shape[1:] or shape))}]"


def _window(window: Window) -> list[str]:
    words = [f"{window.size[0]}x{window.size[1]}"]
    if window.stride != (1, 1):
        words.append(f"stride {window.stride[0]}x{window.stride[1]}")
    if window.dilation != (1, 1):
        words.append(f"dilation {window.dilation[0]}x{window.dilation[1]}")
    if window.padded:
        (top, left), (bottom, right) = window.before, window.after
        words.append(f"pad {top},{left},{bottom},{right}")
    return words
