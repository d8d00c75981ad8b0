"""Layer of UNIDIRECTIONAL_SEQUENCE_LSTM."""

import numpy as np

from edgebio.compiler import lstm
from edgebio.compiler import network as net
from edgebio.compiler.arithmetic import quantize_multiplier
from edgebio.compiler.source import Source, fold
from edgebio.errors import EdgebioError


def unidirectional_sequence_lstm(source: Source) -> net.Layer:
    first, hidden, cell = source.input(0), source.input(lstm.HIDDEN), source.input(lstm.CELL)
    steps = first.shape[0] * first.shape[1]  # one of them is the batch, of 1
    power = lstm.power_of_two(cell.scale[0])
    assert power is not None  # verified
    gates = [_gate(source, position) for position in range(len(lstm.GATES))]
    clip = float(np.float32(source.options["cell_clip"])) / float(cell.scale[0])
    return net.Lstm(
        *source.identity,
        steps=steps,
        columns=first.shape[2],
        units=source.output.shape[-1],
        gates=(gates[0], gates[1], gates[2], gates[3]),
        forget=quantize_multiplier(lstm.forget_factor()),
        update=quantize_multiplier(lstm.cell_factor(power)),
        hidden=quantize_multiplier(lstm.hidden_factor(hidden.scale[0])),
        zero_point=int(hidden.zero_point[0]),
        power=power,
        clip=int(min(clip, 32767.0)),
    )


def _gate(source: Source, gate: int) -> net.Gate:
    first, hidden = source.input(0), source.input(lstm.HIDDEN)
    positions = 1 + gate, 5 + gate
    weights, recurrent = (source.constant(p).astype(np.int8) for p in positions)
    bias, proven = fold(
        source.bias(12 + gate, len(weights)), weights.astype(np.int64), int(first.zero_point[0])
    )
    none = np.zeros(len(weights), np.int64)
    recurrent_bias, recurrent_proven = fold(
        none, recurrent.astype(np.int64), int(hidden.zero_point[0])
    )
    if not (proven and recurrent_proven):
        raise EdgebioError(
            f"operator {source.operator.index} ({source.operator.kind}): an accumulator of its "
            f"{lstm.GATES[gate]} gate can overflow 32 bits"
        )
    factors = (
        lstm.gate_factor(tensor.scale[0], source.input(position).scale[0])
        for tensor, position in zip((first, hidden), positions, strict=True)
    )
    rescale, recurrent_rescale = (quantize_multiplier(factor) for factor in factors)
    return net.Gate(weights, bias, rescale, recurrent, recurrent_bias, recurrent_rescale)
