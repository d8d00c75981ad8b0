"""Random int8 layers for small networks."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.compiler.model_builder import Builder

STYLES = ("any", "ptq", "qat")


class Net(Builder):
    """Adds one random int8 layer after another; `at` is the tensor that the next one takes."""

    def __init__(
        self, rng: np.random.Generator, shape: tuple[int, ...], style: str = "any"
    ) -> None:
        super().__init__()
        self.rng = rng
        self.style = style
        self.at = self.activation(shape)
        self.graph.inputs = [self.at]

    # Scales as converters give them: of float32, with fractions of every kind.
    def scale(self, low: float = 0.003, high: float = 0.3) -> np.float32:
        return np.float32(math.exp(self.rng.uniform(math.log(low), math.log(high))))

    def zero_point(self) -> int:
        near_zero, any_value = int(self.rng.integers(-60, 60)), int(self.rng.integers(-128, 128))
        return int(self.rng.choice([-128, 0, near_zero, near_zero, near_zero, any_value]))

    def activation(
        self, shape: tuple[int, ...], scale: Any = None, zero_point: int | None = None
    ) -> int:
        scale = self.scale() if scale is None else scale
        if zero_point is None and self.style == "qat":
            scale, zero_point = self.nudged(scale)
        zero_point = self.zero_point() if zero_point is None else zero_point
        return self.tensor(shape, "INT8", scale, zero_point)

    def nudged(self, scale: Any) -> tuple[np.float32, int]:
        """Scale and zero point of a fake quantizer of about that scale: its range holds zero."""
        span = 255 * float(scale)
        low = -span * float(self.rng.choice([0.0, 0.5, self.rng.uniform(0, 1)]))
        scale = (low + span - low) / 255
        return np.float32(scale), int(np.clip(round(-128 - low / scale), -128, 127))

    def shape_of(self, index: int) -> tuple[int, ...]:
        return tuple(int(n) for n in self.graph.tensors[index].shape)

    def scale_of(self, index: int) -> np.float32:
        return np.float32(self.graph.tensors[index].quantization.scale[0])

    def zero_of(self, index: int) -> int:
        return int(self.graph.tensors[index].quantization.zeroPoint[0])

    def fused(self) -> int:
        """NONE, RELU, RELU_N1_TO_1 or RELU6."""
        return int(self.rng.choice([0, 0, 1, 1, 2, 3]))

    def weighted(
        self, shape: tuple[int, ...], axis: int, outputs: int
    ) -> tuple[int, int, np.float32]:
        """Weights and bias, and an output scale that neither saturates nor vanishes."""
        rng, products = self.rng, math.prod(shape) // outputs
        count = 1 if rng.random() < 0.3 else outputs
        if self.style == "ptq":
            count = outputs
        elif self.style == "qat":  # one a channel, but for FULLY_CONNECTED
            count = 1 if len(shape) == 2 else outputs
        scales = np.array([self.scale(0.001, 0.05) for _ in range(count)], np.float32)
        low = int(rng.choice([-127, -30, -1]))
        data = rng.integers(low, -low + 1, shape).astype(np.int8)
        weights = self.tensor(shape, "INT8", scales, 0, axis, data)
        product = np.float64(self.scale_of(self.at)) * scales.astype(np.float64)
        spread = 60 * max(-low, 2) * math.sqrt(products)
        sums = rng.integers(-int(spread), int(spread) + 1, outputs).astype(np.int32)
        bias = -1
        if rng.random() < 0.9:
            bias = self.tensor((outputs,), "INT32", product.astype(np.float32), 0, 0, sums)
        output = np.float32(product.max() * spread / 50 * math.exp(rng.uniform(-1.5, 1.5)))
        return weights, bias, output

    def window(self, height: int, width: int, most: int) -> dict[str, Any]:
        """Random window, stride, dilation and padding that fit an image."""
        rng = self.rng
        size, dilation = [], []
        same = bool(rng.random() < 0.5)
        for n in (height, width):
            k = int(rng.integers(1, most + 1))
            d = int(rng.integers(1, 4)) if rng.random() < 0.3 else 1
            while not same and (k - 1) * d + 1 > n:
                k, d = max(k - 1, 1), max(d - 1, 1)
            size.append(k)
            dilation.append(d)
        stride = [int(rng.choice([1, 1, 2, 3])) for _ in range(2)]
        return {"size": size, "stride": stride, "dilation": dilation, "same": same}

    @staticmethod
    def sizes(image: tuple[int, ...], window: dict[str, Any]) -> tuple[int, int]:
        def one(n: int, k: int, s: int, d: int) -> int:
            return -(-n // s) if window["same"] else (n - (k - 1) * d - 1) // s + 1

        h, w = (
            one(image[1 + i], window["size"][i], window["stride"][i], window["dilation"][i])
            for i in range(2)
        )
        return h, w

    def conv(
        self, window: dict[str, Any] | None = None, outputs: int | None = None, groups: int = 1
    ) -> None:
        image = self.shape_of(self.at)
        window = window or self.window(image[1], image[2], 5)
        outputs = outputs or groups * int(self.rng.integers(1, max(3, 11 // groups)))
        shape = (outputs, *window["size"], image[3] // groups)
        weights, bias, scale = self.weighted(shape, 0, outputs)
        self.windowed("CONV_2D", "Conv2DOptions", window, [weights, bias], outputs, scale)

    def grouped(self, window: dict[str, Any] | None = None) -> None:
        """A convolution of groups of channels."""
        channels = self.shape_of(self.at)[3]
        groups = [n for n in range(1, channels + 1) if channels % n == 0]
        self.conv(window, groups=int(self.rng.choice(groups)))

    def depthwise(
        self, multiplier: int | None = None, window: dict[str, Any] | None = None
    ) -> None:
        image = self.shape_of(self.at)
        window = window or self.window(image[1], image[2], 5)
        multiplier = multiplier or int(self.rng.choice([1, 1, 1, 2, 3]))
        outputs = image[3] * multiplier
        weights, bias, scale = self.weighted((1, *window["size"], outputs), 3, outputs)
        self.windowed(
            "DEPTHWISE_CONV_2D",
            "DepthwiseConv2DOptions",
            window,
            [weights, bias],
            outputs,
            scale,
            depthMultiplier=multiplier,
        )

    def residual(self) -> None:
        """A depthwise convolution and the way around it."""
        trunk = self.at
        channels = self.shape_of(trunk)[3]
        window = {"size": [3, 3], "stride": [1, 1], "dilation": [1, 1], "same": True}
        weights, bias, scale = self.weighted((1, 3, 3, channels), 3, channels)
        self.windowed(
            "DEPTHWISE_CONV_2D",
            "DepthwiseConv2DOptions",
            window,
            [weights, bias],
            channels,
            scale,
            depthMultiplier=1,
        )
        # Scales far apart would make the smaller one vanish.
        output = self.activation(self.shape_of(trunk), np.float32(self.near(self.at) * 1.5))
        self.operator(
            "ADD", [self.at, trunk], [output], "AddOptions", fusedActivationFunction=self.fused()
        )
        self.at = output

    def windowed(
        self,
        kind: str,
        options: str,
        window: dict[str, Any],
        constants: list[int],
        outputs: int,
        scale: Any,
        **extra: Any,
    ) -> None:
        image = self.shape_of(self.at)
        output = self.activation((image[0], *self.sizes(image, window), outputs), scale)
        self.operator(
            kind,
            # Without a bias: tflite-micro takes an index of -1 in FULLY_CONNECTED only.
            [self.at, *(index for index in constants if index >= 0)],
            [output],
            options,
            padding=0 if window["same"] else 1,
            strideH=window["stride"][0],
            strideW=window["stride"][1],
            dilationHFactor=window["dilation"][0],
            dilationWFactor=window["dilation"][1],
            fusedActivationFunction=self.fused(),
            **extra,
        )
        self.at = output

    def pool(self, window: dict[str, Any] | None = None, kind: str | None = None) -> None:
        image = self.shape_of(self.at)
        window = window or self.window(image[1], image[2], 4)
        window["dilation"] = [1, 1]
        kind = kind or str(self.rng.choice(["MAX_POOL_2D", "AVERAGE_POOL_2D"]))
        output = self.activation(
            (1, *self.sizes(image, window), image[3]),
            self.scale_of(self.at),
            self.zero_of(self.at),
        )
        self.operator(
            kind,
            [self.at],
            [output],
            "Pool2DOptions",
            padding=0 if window["same"] else 1,
            strideH=window["stride"][0],
            strideW=window["stride"][1],
            filterHeight=window["size"][0],
            filterWidth=window["size"][1],
            fusedActivationFunction=self.fused(),
        )
        self.at = output
        if self.style == "qat" and kind == "AVERAGE_POOL_2D":
            output = self.activation(self.shape_of(self.at), self.near(self.at))
            self.operator("QUANTIZE", [self.at], [output])
            self.at = output

    def dense(self) -> None:
        shape = self.shape_of(self.at)
        rows = len(shape) > 2 and self.rng.random() < 0.3
        inputs = shape[-1] if rows else math.prod(shape)
        outputs = int(self.rng.integers(1, 11))
        weights, bias, scale = self.weighted((outputs, inputs), 0, outputs)
        output = self.activation((*shape[:-1], outputs) if rows else (1, outputs), scale)
        self.operator(
            "FULLY_CONNECTED",
            [self.at, weights, bias],
            [output],
            "FullyConnectedOptions",
            fusedActivationFunction=self.fused(),
            keepNumDims=rows,
        )
        self.at = output

    def mean(self, chosen: list[int] | None = None, *, keep: bool | None = None) -> None:
        """MEAN over some axes; random ones by default."""
        shape = self.shape_of(self.at)
        axes = [[len(shape) - 1]]
        if len(shape) == 4:
            axes = [[1, 2], [2, 1], [1], [2], [3], [1, 3], [1, 2, 3], [-1], [-3, -2]]
        elif len(shape) == 3:
            axes = [[1], [1], [2], [1, 2], [-2]]
        chosen = chosen or axes[int(self.rng.integers(len(axes)))]
        keep = bool(self.rng.random() < 0.5) if keep is None else keep
        reduced = {axis % len(shape) for axis in chosen}
        remaining = tuple(
            1 if axis in reduced else size
            for axis, size in enumerate(shape)
            if keep or axis not in reduced
        )
        axis = self.tensor((len(chosen),), "INT32", data=np.array(chosen, np.int32))
        output = self.activation(remaining, self.near(self.at))
        self.operator("MEAN", [self.at, axis], [output], "ReducerOptions", keepDims=keep)
        self.at = output

    def near(self, index: int, spread: float = 0.7) -> np.float32:
        """A scale close to that of a tensor, sometimes the same."""
        factor = 1.0 if self.rng.random() < 0.2 else math.exp(self.rng.uniform(-spread, spread))
        return np.float32(self.scale_of(index) * factor)

    def add(self) -> None:
        """A constant, a broadcast constant, the tensor itself, or a table of it."""
        shape = self.shape_of(self.at)
        choice = int(self.rng.integers(4))
        if choice == 0:
            other = self.at
        elif choice == 1:
            trunk = self.at
            self.unary()
            other, self.at = self.at, trunk
        else:
            wanted = shape if choice == 2 else shape[-1:]
            data = self.rng.integers(-128, 128, wanted).astype(np.int8)
            other = self.tensor(wanted, "INT8", self.near(self.at), self.zero_point(), data=data)
        inputs = [self.at, other] if self.rng.random() < 0.5 else [other, self.at]
        output = self.activation(shape, np.float32(self.near(self.at) * 1.5))
        self.operator("ADD", inputs, [output], "AddOptions", fusedActivationFunction=self.fused())
        self.at = output

    def unary(self) -> None:
        kind = str(self.rng.choice(["QUANTIZE", "RELU", "RELU6"]))
        shape = self.shape_of(self.at)
        output = self.activation(shape, self.near(self.at))
        self.operator(kind, [self.at], [output])
        self.at = output

    def table(self, kind: str) -> None:
        """LOGISTIC, TANH, HARD_SWISH or LEAKY_RELU, one int8 to one int8."""
        shape = self.shape_of(self.at)
        scale, zero_point = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}.get(
            kind, (self.near(self.at), self.zero_point())
        )
        if kind == "HARD_SWISH":  # its output must not be finer than 1/128 of its input
            scale = np.float32(self.scale_of(self.at) * self.rng.uniform(0.4, 1.5))
        output = self.activation(shape, scale, zero_point)
        if kind == "LEAKY_RELU":
            alpha = float(self.rng.choice([0.0, 0.01, 0.2, 0.3, 1.7]))
            self.operator(kind, [self.at], [output], "LeakyReluOptions", alpha=alpha)
        else:
            self.operator(kind, [self.at], [output])
        self.at = output

    def smooth(self) -> None:
        kinds = ["LOGISTIC", "TANH", "HARD_SWISH", "LEAKY_RELU"]
        # Products of products may have any scale; those three are made for a few units.
        fits = 2.0**-20 < self.scale_of(self.at) < 16
        self.table(str(self.rng.choice(kinds)) if fits else kinds[-1])

    def prelu(self, slopes: tuple[int, ...] | None = None) -> None:
        shape = self.shape_of(self.at)
        slopes = slopes or (1,) * (len(shape) - 2) + shape[-1:]
        data = self.rng.integers(-128, 128, slopes).astype(np.int8)
        alpha = self.tensor(slopes, "INT8", self.scale(0.002, 0.02), self.zero_point(), data=data)
        output = self.activation(shape, self.near(self.at))
        self.operator("PRELU", [self.at, alpha], [output])
        self.at = output

    def binary(self, kind: str, other: int | None = None, *, first: bool = True) -> None:
        """ADD, SUB or MUL with another tensor, or with a random constant one a channel."""
        shape = self.shape_of(self.at)
        if other is None:
            data = self.rng.integers(-128, 128, shape[-1:]).astype(np.int8)
            scale = self.near(self.at)
            other = self.tensor(shape[-1:], "INT8", scale, self.zero_point(), data=data)
        if kind == "MUL":
            scale = self.scale_of(self.at) * self.scale_of(other) * self.rng.uniform(20, 200)
        else:
            scale = max(self.scale_of(self.at), self.scale_of(other)) * self.rng.uniform(0.7, 2)
        broadcast = np.broadcast_shapes(shape, self.shape_of(other))
        output = self.activation(broadcast, np.float32(scale), int(self.rng.integers(-70, 70)))
        self.operator(
            kind,
            [self.at, other] if first else [other, self.at],
            [output],
            kind.title() + "Options",
            fusedActivationFunction=self.fused(),
        )
        self.at = output

    def concatenation(self, others: list[int], axis: int) -> None:
        """Join with tensors of the same scale and zero point."""
        tensors = [self.at, *others]
        shape = list(self.shape_of(self.at))
        shape[axis] = sum(self.shape_of(index)[axis] for index in tensors)
        output = self.activation(tuple(shape), self.scale_of(self.at), self.zero_of(self.at))
        self.operator("CONCATENATION", tensors, [output], "ConcatenationOptions", axis=axis)
        self.at = output

    def branches(self) -> None:
        """Two branches of one tensor, concatenated along the channels."""
        trunk = self.at
        shape = self.shape_of(trunk)
        scale, zero_point = self.near(trunk), self.zero_point()
        outputs = []
        for kind in ("QUANTIZE", "RELU"):
            outputs.append(self.activation(shape, scale, zero_point))
            self.operator(kind, [trunk], [outputs[-1]])
        self.at = outputs[0]
        self.concatenation(outputs[1:], len(shape) - 1)

    def transpose(self, order: list[int] | None = None) -> None:
        shape = self.shape_of(self.at)
        order = order or [0, *(1 + int(i) for i in self.rng.permutation(len(shape) - 1))]
        axes = self.tensor((len(shape),), "INT32", data=np.array(order, np.int32))
        output = self.activation(
            tuple(shape[axis] for axis in order), self.scale_of(self.at), self.zero_of(self.at)
        )
        self.operator("TRANSPOSE", [self.at, axes], [output], "TransposeOptions")
        self.at = output

    def strided_slice(
        self, begin: list[int], end: list[int], strides: list[int], shape: tuple[int, ...],
        **masks: int,
    ) -> None:  # fmt: skip
        given = [
            self.tensor((len(values),), "INT32", data=np.array(values, np.int32))
            for values in (begin, end, strides)
        ]
        output = self.activation(shape, self.scale_of(self.at), self.zero_of(self.at))
        self.operator("STRIDED_SLICE", [self.at, *given], [output], "StridedSliceOptions", **masks)
        self.at = output

    def thinned(self) -> None:
        """A random STRIDED_SLICE that leaves something of every axis."""
        shape = self.shape_of(self.at)
        ranges = [range(shape[0])]
        for size in shape[1:]:
            first, last = sorted(int(i) for i in self.rng.integers(0, size, 2))
            step = int(self.rng.choice([1, 1, 2, 3]))
            backwards = self.rng.random() < 0.2
            ranges.append(
                range(last, first - 1, -step) if backwards else range(first, last + 1, step)
            )
        # An end of -1 would count from the end: the mask marks walks that end before 0.
        mask = sum(1 << axis for axis, r in enumerate(ranges) if r.stop < 0)
        self.strided_slice(
            [r.start for r in ranges],
            [r.stop for r in ranges],
            [r.step for r in ranges],
            tuple(len(r) for r in ranges),
            endMask=mask,
        )

    def lstm(
        self, units: int, *, time_major: bool = False, clip: float = 0.0, power: int = -11
    ) -> None:
        """UNIDIRECTIONAL_SEQUENCE_LSTM as the converter writes it, with sums of a few units."""
        rng, source = self.rng, self.at
        shape = self.shape_of(source)
        hidden_scale, hidden_zero = np.float32(1 / 128 * rng.uniform(0.6, 1)), self.zero_point()
        weights: list[int] = []
        biases: list[int] = []
        for columns, scale_in in ((shape[2], self.scale_of(source)), (units, hidden_scale)):
            for _ in range(4):
                # Most gates between -4 and 4, where they are not saturated.
                scale = np.float32(rng.uniform(0.5, 3) / (scale_in * 80 * 73 * math.sqrt(columns)))
                data = rng.integers(-127, 128, (units, columns)).astype(np.int8)
                weights.append(self.tensor((units, columns), "INT8", scale, 0, 0, data))
                if len(biases) < 4:
                    spread = 0.5 / (scale * scale_in)
                    sums = rng.normal(0, spread, units).astype(np.int32)
                    biases.append(self.tensor((units,), "INT32", scale * scale_in, 0, 0, sums))
        hidden = self.tensor((1, units), "INT8", hidden_scale, hidden_zero)
        cell = self.tensor((1, units), "INT16", 2.0**power, 0)
        for state in (hidden, cell):
            self.graph.tensors[state].isVariable = True
        output = self.activation((*shape[:2], units), hidden_scale, hidden_zero)
        none = -1
        self.operator(
            "UNIDIRECTIONAL_SEQUENCE_LSTM",
            [source, *weights, none, none, none, *biases, none, none, hidden, cell, *[none] * 4],
            [output],
            "UnidirectionalSequenceLSTMOptions",
            fusedActivationFunction=4,  # TANH
            cellClip=clip,
            timeMajor=time_major,
        )
        self.at = output

    def pad(self, pads: Any = None) -> None:
        """PAD by so many elements before and after along each axis; random ones by default."""
        shape = self.shape_of(self.at)
        if pads is None:
            pads = self.rng.integers(0, 3, (len(shape), 2))
            pads[0] = 0
            if self.rng.random() < 0.7:
                pads[-1] = 0
        pads = np.array(pads, np.int32)
        paddings = self.tensor((len(shape), 2), "INT32", data=pads)
        padded = tuple(n + int(p.sum()) for n, p in zip(shape, pads, strict=True))
        output = self.activation(padded, self.scale_of(self.at), self.zero_of(self.at))
        self.operator("PAD", [self.at, paddings], [output], "PadOptions")
        self.at = output

    def reshape(self, shape: tuple[int, ...]) -> None:
        target = self.tensor((len(shape),), "INT32", data=np.array(shape, np.int32))
        output = self.activation(shape, self.scale_of(self.at), self.zero_of(self.at))
        self.operator("RESHAPE", [self.at, target], [output], "ReshapeOptions")
        self.at = output

    def expand(self, axis: int, kind: str | None = None) -> None:
        """Insert an axis of size 1, by EXPAND_DIMS or RESHAPE, as versions of the converter do."""
        shape = list(self.shape_of(self.at))
        shape.insert(axis, 1)
        kind = kind or str(self.rng.choice(["EXPAND_DIMS", "RESHAPE"]))
        if kind == "RESHAPE":
            return self.reshape(tuple(shape))
        where = self.tensor((1,), "INT32", data=np.array([axis], np.int32))
        output = self.activation(tuple(shape), self.scale_of(self.at), self.zero_of(self.at))
        self.operator("EXPAND_DIMS", [self.at, where], [output], "ExpandDimsOptions")
        self.at = output
        return None

    def squeeze(self, axis: int, kind: str | None = None) -> None:
        """Remove an axis of size 1, by SQUEEZE or RESHAPE."""
        shape = list(self.shape_of(self.at))
        assert shape.pop(axis) == 1
        kind = kind or str(self.rng.choice(["SQUEEZE", "RESHAPE"]))
        if kind == "RESHAPE":
            return self.reshape(tuple(shape))
        output = self.activation(tuple(shape), self.scale_of(self.at), self.zero_of(self.at))
        self.operator("SQUEEZE", [self.at], [output], "SqueezeOptions", squeezeDims=[axis])
        self.at = output
        return None

    # Layers on a sequence (1, steps, channels), as converters lower them to layers on images: the
    # sequence is a row for Conv1D, and a column for the pools.

    def line(self, axis: int, most: int, **given: Any) -> dict[str, Any]:
        """Window along an axis of an image; random by default."""
        random = self.window(1, self.shape_of(self.at)[1 + axis], most)
        window: dict[str, Any] = {"same": random["same"]}
        for name in ("size", "stride", "dilation"):
            window[name] = [1, 1]
            window[name][axis] = random[name][1]
        for name, value in given.items():
            window[name] = value if name == "same" else [1, 1]
            if name != "same":
                window[name][axis] = value
        return window

    def conv_1d(
        self, outputs: int | None = None, *, causal: bool | None = None, kind: str | None = None,
        layer: Callable[..., None] | None = None, **given: Any,
    ) -> None:  # fmt: skip
        """Conv1D; given are size, stride, dilation and whether its padding is SAME."""
        if causal is None:
            causal = bool(self.rng.random() < 0.3)
        if causal:
            size = int(given.setdefault("size", self.rng.integers(1, 5)))
            dilation = int(given.setdefault("dilation", self.rng.choice([1, 1, 2, 3])))
            given["same"] = False
            self.pad([[0, 0], [(size - 1) * dilation, 0], [0, 0]])
        self.expand(1, kind)
        window = self.line(1, 5, **given)
        layer(window=window) if layer else self.conv(window, outputs)
        self.squeeze(1, kind)

    def pool_1d(self, *, kind: str | None = None, pool: str | None = None, **given: Any) -> None:
        """MaxPooling1D or AveragePooling1D; given are size, stride and the padding."""
        self.expand(2, kind)
        self.pool(self.line(0, 4, **given), pool)
        self.squeeze(2, kind)

    def halving_pool_1d(self) -> None:
        """MaxPooling1D as most networks use it."""
        size = int(self.rng.integers(1, min(4, 1 + self.shape_of(self.at)[1])))
        self.pool_1d(pool="MAX_POOL_2D", size=size, stride=size, same=False)

    def zero_padding_1d(self) -> None:
        self.pad([[0, 0], self.rng.integers(0, 5, 2), [0, 0]])

    def refolded(self) -> None:
        """RESHAPE of an image to another, or of a row to a column."""
        shape = self.shape_of(self.at)
        sizes = [1, 1, 1]
        for factor in _factors(math.prod(shape)):
            sizes[int(self.rng.integers(3))] *= factor
        if self.rng.random() < 0.5:
            rows = math.prod(shape[1:-1])
            sizes = [rows, 1, shape[-1]] if self.rng.random() < 0.5 else [1, rows, shape[-1]]
        self.reshape((1, *sizes))

    def softmax(self) -> None:
        shape = self.shape_of(self.at)
        output = self.activation(shape, 1 / 256, -128)
        beta = float(self.rng.choice([1.0, 0.5, 2.0]))
        self.operator("SOFTMAX", [self.at], [output], "SoftmaxOptions", beta=beta)
        self.at = output

    def finish(self) -> bytes:
        self.graph.outputs = [self.at]
        return self.build()


def _factors(number: int) -> list[int]:
    """Prime factors."""
    for factor in range(2, math.isqrt(number) + 1):
        if number % factor == 0:
            return [factor, *_factors(number // factor)]
    return [number] if number > 1 else []
