"""Dilated convolutions that a converter wrote as a convolution of blocks.

SPACE_TO_BATCH_ND deals the pixels of an image out to several smaller ones, each with every b-th
pixel, a convolution runs on all of them, and BATCH_TO_SPACE_ND puts its outputs together again:
together a convolution with a dilation of b on the image, padded by what the first of them pads
and cut by what the last one crops. The same products are summed, so every byte is the same.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler.arithmetic import same_padding
from edgebio.compiler.operators.common import Node
from edgebio.tflite import Graph, Operator, Tensor

_VIEWS: Final = ("EXPAND_DIMS", "RESHAPE", "SQUEEZE")
_CONVOLUTIONS: Final = ("CONV_2D", "DEPTHWISE_CONV_2D")
_SPLIT, _JOIN = "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"

Pair = tuple[int, int]


def merge_dilations(graph: Graph) -> Graph:
    """Graph in which each SPACE_TO_BATCH_ND with what follows it is a dilated convolution.

    Padding becomes a PAD, which a later pass fuses into the convolution.

    Raises
    ------
    EdgebioError
        If a SPACE_TO_BATCH_ND does not belong to a convolution; names it and the reason.
    """
    if all(operator.kind != _SPLIT for operator in graph.operators):
        return graph
    rewrite = _Rewrite(graph)
    for operator in graph.operators:
        if operator.kind == _SPLIT:
            rewrite.merge(operator)
    return replace(
        graph,
        tensors=tuple(rewrite.tensors),
        operators=tuple(rewrite.operators.values()),
    )


@dataclass
class _Rewrite:
    """The graph while it changes: operators by their index, and tensors."""

    graph: Graph
    tensors: list[Tensor] = field(init=False)
    operators: dict[int, Operator] = field(init=False)

    def __post_init__(self) -> None:
        self.tensors = list(self.graph.tensors)
        self.operators = {operator.index: operator for operator in self.graph.operators}
        self._readers = Counter(i for op in self.graph.operators for i in op.inputs)
        self._reader = {op.inputs[0]: op for op in self.graph.operators if op.inputs}

    def merge(self, split: Operator) -> None:
        """Replace the operators from `split` to its BATCH_TO_SPACE_ND."""
        node = Node(self.graph, split)
        blocks, pads = self._edges(node)
        chain = self._chain(node)
        conv = next(op for op in chain if op.kind not in _VIEWS)
        join = chain[-1]
        join_blocks, crops = self._edges(Node(self.graph, join))
        if join_blocks != blocks:
            node.refuse(f"blocks of {blocks} become blocks of {join_blocks}")
        for operator in (split, join):
            self._check_quantization(node, operator.inputs[0], operator.outputs[0])
        source = self.tensors[split.inputs[0]].shape
        for size, (before, after), block in zip(source[1:], pads, blocks, strict=False):
            if (before + size + after) % block:
                node.refuse(f"blocks of {blocks} do not divide {list(source)} with {pads}")
        image, computed = self.tensors[conv.inputs[0]].shape, self.tensors[conv.outputs[0]].shape
        axes = self._axes(node, self.tensors[split.outputs[0]].shape, image, len(blocks))
        if self._axes(node, self.tensors[join.inputs[0]].shape, computed, len(blocks)) != axes:
            node.refuse("its convolution is read along another axis than it is written")
        dilation = self._dilation(conv)
        total = [
            (before - first + inner[0] * block, after - last + inner[1] * block)
            for (before, after), (first, last), inner, block in zip(
                pads, crops, self._padding(node, conv, axes), blocks, strict=True
            )
        ]
        if min(map(min, total)) < 0:
            node.refuse(f"more is cropped, {crops}, than padded, {pads}")
        factors = list(dilation)
        for axis, block in zip(axes, blocks, strict=True):
            factors[axis] *= block
        self._replace(split, chain, conv, total, factors, axes)

    def _edges(self, node: Node) -> tuple[list[int], list[Pair]]:
        """Blocks and paddings or crops of SPACE_TO_BATCH_ND or BATCH_TO_SPACE_ND."""
        node.check_inputs(3, 3)
        blocks, edges = node.integers(1, "blocks"), node.constant(2, "edges")
        if len(blocks) not in (1, 2) or edges.shape != (len(blocks), 2) or min(blocks) < 1:
            node.refuse(f"blocks {blocks} and edges of shape {list(edges.shape)}")
        if edges.min() < 0:
            node.refuse(f"edges {edges.tolist()}")
        return blocks, [(int(before), int(after)) for before, after in edges]

    def _chain(self, node: Node) -> list[Operator]:
        """Operators behind a SPACE_TO_BATCH_ND, one reading the other, to its counterpart."""
        chain: list[Operator] = []
        at = node.outputs[0]
        while not chain or chain[-1].kind != _JOIN:
            operator = self._reader.get(at)
            is_only = self._readers[at] == 1 and at not in self.graph.outputs
            seen = any(each.kind in _CONVOLUTIONS for each in chain)
            expected = (_JOIN,) if seen else _CONVOLUTIONS
            if operator is None or not is_only or operator.kind not in (*_VIEWS, *expected):
                kind = operator.kind if operator else "the output of the model"
                node.refuse(
                    f"only around one convolution, with {_JOIN} behind it, is it supported; "
                    f"here is {kind}"
                )
            if len(operator.outputs) != 1:
                node.refuse(f"{operator.kind} behind it has {len(operator.outputs)} outputs")
            chain.append(operator)
            at = operator.outputs[0]
        return chain

    def _check_quantization(self, node: Node, first: int, second: int) -> None:
        a, b = self.tensors[first], self.tensors[second]
        for tensor in (a, b):
            node.check_int8(tensor)
        if (a.scale[0], a.zero_point[0]) != (b.scale[0], b.zero_point[0]):
            # The reference copies bytes: with another scale, they would mean something else.
            node.refuse(f"tensors {first} and {second} differ in scale or zero point")

    def _axes(
        self, node: Node, parts: tuple[int, ...], image: tuple[int, ...], count: int
    ) -> list[int]:
        """Which axes of a convolution's image, 0 or 1, are the `count` split ones of `parts`."""
        if len(image) == 4 and parts == image:
            return [0, 1][:count]
        if len(image) == 4 and count == 1 and len(parts) == 3:
            batch, size, channels = parts
            for axis, shape in ((1, (batch, 1, size, channels)), (0, (batch, size, 1, channels))):
                if shape == image:
                    return [axis]
        return node.refuse(f"parts of shape {list(parts)} are convolved as {list(image)}")

    def _dilation(self, conv: Operator) -> Pair:
        node = Node(self.graph, conv)
        if (node.options["stride_h"], node.options["stride_w"]) != (1, 1):
            node.refuse(f"stride {node.options['stride_h']} between {_SPLIT} and {_JOIN}")
        return int(node.options["dilation_h_factor"]), int(node.options["dilation_w_factor"])

    def _padding(self, node: Node, conv: Operator, axes: Sequence[int]) -> list[Pair]:
        """Padding of the convolution itself along split axes, in its own pixels."""
        if conv.options["padding"] != "SAME":
            return [(0, 0)] * len(axes)
        image, weights = (self.tensors[index].shape for index in conv.inputs[:2])
        if len(weights) != 4:
            node.refuse(f"its convolution has weights of shape {list(weights)}")
        dilation = self._dilation(conv)
        whole = [same_padding(image[1 + a], weights[1 + a], 1, dilation[a])[1:] for a in (0, 1)]
        if any(whole[axis] != (0, 0) for axis in (0, 1) if axis not in axes):
            node.refuse("its convolution is padded along another axis")
        return [whole[axis] for axis in axes]

    def _replace(
        self, split: Operator, chain: Sequence[Operator], conv: Operator, pads: Sequence[Pair],
        factors: Sequence[int], axes: Sequence[int],
    ) -> None:  # fmt: skip
        """Let the operators compute on the whole image."""
        source = self.tensors[split.inputs[0]]
        whole = list(source.shape)
        for axis, (before, after) in enumerate(pads, 1):
            whole[axis] += before + after
        if any(map(any, pads)):
            paddings = np.zeros((len(whole), 2), np.int32)
            paddings[1 : 1 + len(pads)] = pads
            inputs: tuple[int, ...] = (source.index, self._add_constant(paddings))
            self.operators[split.index] = replace(split, kind="PAD", inputs=inputs, options={})
        else:
            view = replace(split, kind="RESHAPE", inputs=(source.index,), options={})
            self.operators[split.index] = view
        self._reshape(split.outputs[0], whole)
        image = list(self.tensors[conv.inputs[0]].shape)
        joined = self.tensors[chain[-1].outputs[0]].shape
        computed = list(self.tensors[conv.outputs[0]].shape)
        image[0] = computed[0] = source.shape[0]
        for position, axis in enumerate(axes, 1):
            image[1 + axis], computed[1 + axis] = whole[position], joined[position]
        for operator in chain:
            if operator.kind in _VIEWS:
                view = replace(operator, kind="RESHAPE", inputs=operator.inputs[:1], options={})
                self.operators[operator.index] = view
        before_conv = chain[: chain.index(conv)]
        self._reshape(conv.inputs[0], image)
        for operator in before_conv[:-1]:
            self._reshape(operator.outputs[0], image)
        for operator in chain[chain.index(conv) : -1]:
            self._reshape(operator.outputs[0], computed)
        options = {
            **conv.options,
            "padding": "VALID",
            "dilation_h_factor": factors[0],
            "dilation_w_factor": factors[1],
        }
        self.operators[conv.index] = replace(conv, options=options)
        join = replace(chain[-1], kind="RESHAPE", inputs=chain[-1].inputs[:1], options={})
        self.operators[join.index] = join

    def _reshape(self, index: int, shape: Sequence[int]) -> None:
        self.tensors[index] = replace(self.tensors[index], shape=tuple(shape))

    def _add_constant(self, values: NDArray[np.int32]) -> int:
        none = np.zeros(0, np.float32), np.zeros(0, np.int64)
        index = len(self.tensors)
        self.tensors.append(Tensor(index, "", values.shape, "int32", *none, 0, values))
        return index
