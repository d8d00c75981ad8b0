"""LSTM kernels of the DSP extension and of Helium: the products of a unit's four gates together."""

import dataclasses

import numpy as np

from edgebio.compiler.ir import layers
from edgebio.compiler.ir.kernel_call import Array, KernelCall
from edgebio.compiler.ir.network import Network
from edgebio.compiler.kernels import portable
from edgebio.compiler.kernels.layout import int8_array
from edgebio.compiler.kernels.registry import kernel


@kernel("dsp", layers.Lstm)
def lstm_dsp(network: Network, layer: layers.Lstm) -> KernelCall | str:
    """Four gates, four values at a time."""
    return _lstm(network, layer, "dsp", 4, "eb_dsp.h")


@kernel("mve", layers.Lstm)
def lstm_mve(network: Network, layer: layers.Lstm) -> KernelCall | str:
    """Four gates, sixteen values at a time."""
    return _lstm(network, layer, "mve", 16, "eb_mve.h")


def _lstm(network: Network, layer: layers.Lstm, isa: str, values: int, header: str) -> KernelCall:
    call, units = portable.lowered(network, layer), layer.parameters["units"]
    assert isinstance(units, int)
    arrays = tuple(
        _in_steps(array, units, values) if "weights" in array.name else array
        for array in call.arrays
    )
    call = portable.variant(call, isa, f"eb_lstm_{isa}.c", "eb_lstm.h", header)
    return dataclasses.replace(call, arrays=arrays)


def _in_steps(array: Array, units: int, values: int) -> Array:
    """Weights (units, inputs, gates) as (units, steps, gates, values), the last step padded."""
    weights = np.array(array.values, np.int8).reshape(units, -1, 4)
    weights = np.pad(weights, ((0, 0), (0, -weights.shape[1] % values), (0, 0)))
    steps = weights.reshape(len(weights), -1, values, 4).transpose(0, 1, 3, 2)
    return int8_array(array.name, steps, f"[units][steps][4 gates][{values}]")
