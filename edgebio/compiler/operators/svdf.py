"""SVDF: features of the newest frames, whose memory lasts from one inference to the next."""

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler.arithmetic import INT8_MAX, INT8_MIN, quantize_multiplier
from edgebio.compiler.ir.kernel_call import Array
from edgebio.compiler.ir.layer import Range
from edgebio.compiler.ir.layers import KernelLayer
from edgebio.compiler.kernels.layout import int8_array, range_members, rescale_members
from edgebio.compiler.operators.common import Node, operator, weighted_sums
from edgebio.tflite import Tensor

# Positions among the inputs.
_FEATURES, _TIME, _BIAS, _STATE = range(1, 5)


@operator("SVDF", states=(_STATE,))
def svdf(node: Node) -> KernelLayer:
    """`tflite::EvalInt16SvdfReference` and `EvalInt8SvdfReference` (micro/kernels/svdf_common.cc).

    They compute no fused activation; converters give the output a range without it.
    """
    node.check_inputs(5, 5)
    source, output = node.check_int8(node.input(0)), node.check_int8(node.output)
    features_tensor, features = weighted_sums.read_weights(node, _FEATURES, axes=2, axis=0)
    filters, inputs = features.shape
    rank = int(node.options["rank"])
    if not 1 <= rank <= filters or filters % rank:
        node.refuse(f"rank {rank} of {filters} filters")
    if source.shape != (1, inputs):
        node.refuse(f"input has shape {list(source.shape)}; {[1, inputs]} is required")
    units, memory = filters // rank, int(node.input(_TIME).shape[-1])
    node.check_shape((1, units))
    state, weights = _check_memory(node, filters, memory)
    if len(features_tensor.scale) != 1:
        node.refuse(f"weights have {len(features_tensor.scale)} scales; 1 is required")
    if node.activation not in ("NONE", "RELU"):
        node.refuse(f"fused activation {node.activation} is not supported")
    bias = weighted_sums.read_bias(node, _BIAS, units)
    folded, proven = weighted_sums.fold_zero_point(
        np.zeros(filters, np.int64), features, node.zero_point(0)
    )
    if not proven or not _fits(weights, bias, state, rank):
        node.refuse("a sum can overflow 32 bits")
    # Products of scales in float32, as is their quotient.
    time_scale = node.input(_TIME).scale[0]
    with np.errstate(over="ignore", under="ignore"):
        first = float(source.scale[0] * features_tensor.scale[0] / state.scale[0])
        second = float(state.scale[0] * time_scale / output.scale[0])
    return KernelLayer(
        *node.fields(),
        states=(state.index,),
        activation=node.activation,
        kernel="svdf",
        parameters={
            "feature_weights": "@feature_weights",
            "feature_bias": "@feature_bias",
            "time_weights": "@time_weights",
            "bias": "@bias",
            "inputs": inputs,
            "units": units,
            "rank": rank,
            "memory": memory,
            "wide": int(state.dtype == "int16"),
            **rescale_members(quantize_multiplier(node.check_factor(first)), prefix="feature_"),
            **rescale_members(quantize_multiplier(node.check_factor(second))),
            "state_zero_point": int(state.zero_point[0]),
            **range_members(Range(node.output_zero_point, INT8_MIN, INT8_MAX)),
        },
        arrays=(
            int8_array("feature_weights", features, "[filters][inputs]"),
            Array("feature_bias", "int32_t", folded, "of the zero point"),
            Array("time_weights", "int16_t", tuple(weights.ravel().tolist()), "[filters][memory]"),
            Array("bias", "int32_t", tuple(bias.tolist()), "of each unit"),
        ),
        elements=((inputs,), units),
        macs=filters * (inputs + memory),
    )


def _check_memory(node: Node, filters: int, memory: int) -> tuple[Tensor, NDArray[np.int64]]:
    """Check state and weights over time, which are both int16 or both int8; gives both."""
    state, time = node.input(_STATE), node.input(_TIME)
    if not state.variable or state.data is not None:
        node.refuse(f"its state, tensor {state.index}, is not a variable")
    if (state.dtype, time.dtype) not in (("int8", "int8"), ("int16", "int16")):
        node.refuse(f"state in {state.dtype} and weights over time in {time.dtype}")
    if time.data is None or time.zero_point.any():
        node.refuse(f"weights over time, tensor {time.index}, are no constant around zero")
    if time.shape != (filters, memory) or state.shape != (1, filters * memory):
        node.refuse(
            f"weights over time of shape {list(time.shape)} and a state of "
            f"{list(state.shape)} do not fit {filters} filters"
        )
    for tensor in (state, time):
        node.check_one_scale(tensor)
    limits = np.iinfo(state.dtype)
    if not limits.min <= state.zero_point[0] <= limits.max:
        node.refuse(f"its state, tensor {state.index}, has zero point {state.zero_point[0]}")
    return state, time.data.astype(np.int64)


def _fits(weights: NDArray[np.int64], bias: NDArray[np.int64], state: Tensor, rank: int) -> bool:
    """Whether no sum of a unit can exceed 32 bits."""
    limits = np.iinfo(state.dtype)
    reach = max(limits.max - int(state.zero_point[0]), int(state.zero_point[0]) - limits.min)
    sums = np.abs(weights).sum(axis=1).reshape(-1, rank).sum(axis=1) * reach
    return bool((np.abs(bias) + sums < 1 << 31).all())
