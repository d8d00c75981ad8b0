"""Random networks of which many channels are constant or have no effect."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.compiler.networks import STYLES, Net


class DeadChannelNet(Net):
    """A network whose weighted layers have outputs that are constant, and inputs without effect.

    As training leaves them: weights of zeros under any scale, or a scale so small that any sum is
    requantized to the same value, the bias included, which may be at the end of 32 bits.
    """

    def weighted(
        self, shape: tuple[int, ...], axis: int, outputs: int
    ) -> tuple[int, int, np.float32]:
        weights, bias, scale = super().weighted(shape, axis, outputs)
        share = float(self.rng.choice([0.2, 0.6, 0.9, 1.0]))
        values = np.moveaxis(self.constant(weights, np.int8).reshape(shape), axis, 0)
        scales = self.graph.tensors[weights].quantization.scale
        by_channel = len(scales) == outputs > 1
        for output in np.flatnonzero(self.rng.random(outputs) < share):
            kind = int(self.rng.integers(4))
            if kind < 2 or not by_channel:
                values[output] = 0
            if kind > 0 and by_channel:
                scales[output] = float(np.float32(10.0 ** self.rng.uniform(-14, -8)))
                if bias >= 0 and kind == 3:
                    self.constant(bias, np.int32)[output] = self.rng.choice([-(2**31), 2**31 - 1])
        if axis == 0 and self.rng.random() < 0.5:
            values[..., self.rng.random(shape[-1]) < share / 2] = 0
        return weights, bias, scale

    def constant(self, tensor: int, dtype: type) -> Any:
        """Values of a constant, to be changed in place."""
        buffer = self.model.buffers[self.graph.tensors[tensor].buffer]
        buffer.data = np.array(buffer.data)
        return buffer.data.view(dtype)


def dead_network(seed: int) -> bytes:
    """A network of convolutions, pools and sums, which pass removed channels on."""
    rng = np.random.default_rng(seed)
    shape = (1, int(rng.integers(2, 9)), int(rng.integers(2, 9)), int(rng.integers(1, 14)))
    net = DeadChannelNet(rng, shape, STYLES[seed % len(STYLES)])
    layers: list[Callable[[], None]] = [net.depthwise, net.depthwise, net.residual, net.residual]
    layers += [lambda: net.conv(outputs=int(rng.integers(1, 26)))] * 6
    layers += [net.pool, net.unary, net.add, net.grouped, net.prelu, net.smooth]
    layers += [lambda: net.pad([[0, 0], *rng.integers(0, 2, (2, 2)), [0, 0]])]
    for _ in range(int(rng.integers(2, 9))):
        layers[int(rng.integers(len(layers)))]()
    if seed % 3 == 0:
        net.mean([1, 2])
    if seed % 3 < 2:
        net.dense()
    return net.finish()
