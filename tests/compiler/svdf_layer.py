"""A random SVDF, added to a network."""

import numpy as np

from tests.compiler.networks import Net


def svdf(net: Net, units: int, rank: int, memory: int, *, wide: bool = True) -> None:
    """SVDF with features and sums of a few units of their scales."""
    rng, source = net.rng, net.at
    inputs, filters = net.shape_of(source)[1], units * rank
    dtype, values = ("INT16", np.int16) if wide else ("INT8", np.int8)
    limit = 30_000 if wide else 127
    features = rng.integers(-127, 128, (filters, inputs)).astype(np.int8)
    feature_scale = net.scale(0.001, 0.02)
    spread = float(net.scale_of(source) * feature_scale) * 70 * 70 * np.sqrt(inputs)
    state_scale = np.float32(spread / (limit / 3))
    state_zero = 0 if wide else int(rng.integers(-20, 20))
    over_time = rng.integers(-limit // 200, limit // 200 + 2, (filters, memory)).astype(values)
    time_scale = net.scale(0.001, 0.02)
    product = np.float32(state_scale * time_scale)
    sums = float(limit / 3 * max(limit / 200, 1) * np.sqrt(memory * rank))
    bias = rng.integers(-int(sums) - 1, int(sums) + 1, units).astype(np.int32)
    constants = [
        net.tensor((filters, inputs), "INT8", feature_scale, 0, data=features),
        net.tensor((filters, memory), dtype, time_scale, 0, data=over_time),
        net.tensor((units,), "INT32", product, 0, data=bias),
    ]
    state = net.tensor((1, filters * memory), dtype, state_scale, state_zero)
    net.graph.tensors[state].isVariable = True
    output = net.activation((1, units), np.float32(float(product) * sums / 50))
    net.operator(
        "SVDF", [source, *constants, state], [output], "SVDFOptions",
        rank=rank, fusedActivationFunction=1,
    )  # fmt: skip
    net.at = output
