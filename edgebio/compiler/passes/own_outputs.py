"""Own outputs: a layer that writes each output, and that only."""

import dataclasses
import math

from edgebio.compiler.ir.layers import KernelLayer
from edgebio.compiler.ir.network import Network
from edgebio.errors import EdgebioError
from edgebio.tflite import Tensor


def own_outputs(network: Network) -> Network:
    """Copy outputs that are an input too, or the same as an output before them.

    Raises
    ------
    EdgebioError
        If such an output is not int8.
    """
    tensors, outputs = list(network.tensors), list[int]()
    copies: list[KernelLayer] = []
    for index in network.outputs:
        if index in network.inputs or index in outputs:
            copies.append(_copy(tensors[index], len(tensors)))
            tensors.append(dataclasses.replace(tensors[index], index=len(tensors)))
            index = tensors[-1].index
        outputs.append(index)
    return dataclasses.replace(
        network,
        tensors=tuple(tensors),
        layers=(*network.layers, *copies),
        outputs=tuple(outputs),
    )


def _copy(tensor: Tensor, output: int) -> KernelLayer:
    if tensor.dtype != "int8":
        raise EdgebioError(
            f"tensor {tensor.index}: as an output, it is an input or another output, too, and "
            f"{tensor.dtype}; int8 is supported"
        )
    size = math.prod(tensor.shape)
    return KernelLayer(
        (),
        "COPY",
        (tensor.index,),
        output,
        kernel="copy",
        parameters={"start": 0, "size": (1, 1, 1, size), "step": (0, 0, 0, 1)},
        elements=((size,), size),
    )
