"""TRANSPOSE_CONV: any stride and padding."""

import math

import numpy as np

from edgebio.compiler.arithmetic import quantize_multiplier, same_padding
from edgebio.compiler.ir.kernel_call import Array
from edgebio.compiler.ir.layers import KernelLayer
from edgebio.compiler.kernels.layout import int8_array, range_members
from edgebio.compiler.operators.common import MAX_SIZE, Node, operator, weighted_sums


@operator("TRANSPOSE_CONV")
def transpose_conv(node: Node) -> KernelLayer:
    """`tflite::reference_integer_ops::TransposeConv` (integer_ops/transpose_conv.h).

    The shape of the output is that of its tensor; input 0 repeats it. Each output is computed from
    the inputs that reach it, where the reference adds each input to the outputs that it reaches.
    """
    node.check_inputs(3, 4)
    source = node.check_image(node.check_int8(node.input(2)))
    output = node.check_image(node.check_int8(node.output))
    tensor, weights = weighted_sums.read_weights(node, 1, axes=4, axis=0)
    outputs, window_h, window_w, channels = weights.shape
    if (channels, outputs) != (source.shape[3], output.shape[3]):
        node.refuse(
            f"weights of shape {list(weights.shape)} from {source.shape[3]} to {output.shape[3]} "
            "channels"
        )
    stride = [int(node.options[f"stride_{axis}"]) for axis in "hw"]
    if any(not 1 <= step <= MAX_SIZE for step in stride):
        node.refuse(f"stride of {min(stride)}")
    pads = []
    for size, length, step in zip(output.shape[1:3], (window_h, window_w), stride, strict=True):
        same = node.options["padding"] == "SAME"
        pads.append(same_padding(size, length, step, 1)[1] if same else 0)
    bound = 255 * np.abs(weights.astype(np.int64)).reshape(outputs, -1).sum(axis=1).max()
    if bound >= 1 << 31:
        node.refuse("an accumulator can overflow 32 bits")
    bias = weighted_sums.read_bias(node, 3, outputs)
    factors = [
        node.check_factor(float(source.scale[0]) * float(each) / float(output.scale[0]))
        for each in np.broadcast_to(tensor.scale, outputs)
    ]
    rows = [(int(b), *quantize_multiplier(f)) for b, f in zip(bias, factors, strict=True)]
    index, kind, _, result = node.fields()
    return KernelLayer(
        index,
        kind,
        (source.index,),
        result,
        activation=node.activation,
        kernel="transpose_conv",
        parameters={
            "weights": "@weights",
            "channels": "@channels",
            "input_h": source.shape[1],
            "input_w": source.shape[2],
            "depth": channels,
            "output_h": output.shape[1],
            "output_w": output.shape[2],
            "outputs": outputs,
            "window_h": window_h,
            "window_w": window_w,
            "stride_h": stride[0],
            "stride_w": stride[1],
            "pad_h": pads[0],
            "pad_w": pads[1],
            "zero_point": node.zero_point(2),
            **range_members(node.range()),
        },
        arrays=(
            int8_array("weights", weights, "[outputs][window height][window width][channels]"),
            Array("channels", "eb_channel", tuple(rows), "bias, multiplier, shift"),
        ),
        elements=((math.prod(source.shape),), math.prod(output.shape)),
        macs=math.prod(source.shape[1:3]) * weights.size,
    )
