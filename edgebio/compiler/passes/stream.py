"""Stream: compile the form of a network that takes new frames and computes only what they change.

Every layer runs its own kernel on the rows that changed; the rows that it shares with an earlier
window are moved to where that kernel and the next one expect them. So each decision equals that of
the whole window by construction.

The first windows are not special: rows of frames before the first one hold anything, and have left
every window by the time that a whole one has been pushed.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from edgebio.compiler.ir import layers
from edgebio.compiler.ir.kernel_call import KERNEL_SETS, KernelCall, KernelSet
from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.memory_plan import Buffer, round_up
from edgebio.compiler.ir.network import Network
from edgebio.compiler.ir.stream import (
    AddPixels,
    CopySums,
    FinishMean,
    Move,
    Rows,
    Step,
    Stream,
    StreamLayer,
    View,
)
from edgebio.compiler.passes import invariants
from edgebio.compiler.passes.plan_memory import place
from edgebio.compiler.passes.reuse import Mask, Reuse, find_reuse, needed_rows, runs
from edgebio.compiler.passes.row_maps import RowLayer
from edgebio.compiler.passes.row_slices import Span, read_span, slice_rows
from edgebio.compiler.passes.schedule import fastest_call
from edgebio.errors import EdgebioError
from edgebio.tflite import Tensor


def make_stream(network: Network, calls: Sequence[KernelCall], isa: KernelSet, hop: int) -> Stream:
    """Compile a network as a stream whose windows begin `hop` frames after one another.

    Parameters
    ----------
    calls
        Of the whole window, one per layer.

    Raises
    ------
    EdgebioError
        If consecutive windows share nothing that is computed; says why.
    """
    if network.states:
        raise EdgebioError(
            "no stream: the network has a state of its own, and takes one input after another"
        )
    if len(network.inputs) > 1 or len(network.outputs) > 1:
        raise EdgebioError(
            f"no stream: the network has {len(network.inputs)} inputs and "
            f"{len(network.outputs)} outputs; one of each is supported"
        )
    shape = network.tensors[network.input].shape
    if len(shape) < 3:
        raise EdgebioError(f"no stream: the input {list(shape[1:])} has no axis of time")
    if not 1 <= hop < shape[1]:
        raise EdgebioError(
            f"no stream: windows of {shape[1]} frames that begin {hop} apart share no frame; the "
            f"hop is 1 to {shape[1] - 1}"
        )
    reuse = find_reuse(network, hop)
    stream = _Builder(network, calls, isa, hop, reuse).build()
    if not any(layer.reused for layer in stream.layers):
        reasons = (layer.reason for layer in stream.layers if layer.reason)
        first = network.layers[0]
        raise EdgebioError(
            f"no stream: with a hop of {hop} frames nothing can be reused: operator "
            f"{first.operators[0]} ({first.kind}): {next(reasons, 'all of its rows change')}"
        )
    return stream


@dataclass(eq=False)
class _Builder:
    network: Network
    calls: Sequence[KernelCall]
    isa: KernelSet
    hop: int
    reuse: Reuse
    tensors: list[Tensor] = field(init=False)
    views: dict[int, View] = field(default_factory=dict)
    rows: dict[int, Rows] = field(default_factory=dict)
    needed: dict[int, Mask] = field(init=False)
    whole: dict[int, bool] = field(init=False)
    leaving: dict[int, AddPixels] = field(default_factory=dict)
    totals: dict[int, int] = field(default_factory=dict)
    """Layer that uses a tensor of sums and discards it."""

    def __post_init__(self) -> None:
        self.tensors = list(self.network.tensors)
        self.whole = {
            layer.output: not plan.sliceable
            for layer, plan in zip(self.network.layers, self.reuse.layers, strict=True)
            if isinstance(plan, RowLayer)
        }
        self.needed = needed_rows(self.network, self.reuse, self.whole)
        for index, sharing in self.reuse.sharing.items():
            used = np.flatnonzero(self.needed[index])
            first, last = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, 0)
            persistent = not self.whole.get(index) and bool(
                (self.needed[index] & sharing.shared).any()
            )
            if index == self.network.input and not persistent:
                first, last = sharing.rows - self.hop, sharing.rows
            size = self.network.bytes(index) // sharing.rows
            self.rows[index] = Rows(
                first, last, size, persistent, sharing.phases if persistent else 1
            )

    def build(self) -> Stream:
        # Sums over rows that leave the window are formed before the rows are moved.
        means = [self._running_mean(layer, i) for i, layer in enumerate(self.network.layers)]
        stream_layers = tuple(
            self._layer(index, layer, means[index])
            for index, layer in enumerate(self.network.layers)
        )
        counters = self._tensor((2,), "int32")
        self.rows[counters] = Rows(0, 1, 8, persistent=True)
        input_steps = tuple(self._input_steps())
        network = dataclasses.replace(self.network, tensors=tuple(self.tensors))
        buffers = list(self._buffers(stream_layers))
        return Stream(
            hop=self.hop,
            window=self.reuse.sharing[self.network.input].rows,
            network=network,
            views=self.views,
            rows=self.rows,
            input_steps=input_steps,
            layers=stream_layers,
            counters=counters,
            plan=place(buffers, len(stream_layers)),
        )

    def _tensor(self, shape: tuple[int, ...], dtype: str) -> int:
        index, none = len(self.tensors), np.array([])
        floats, integers = none.astype(np.float32), none.astype(np.int64)
        self.tensors.append(Tensor(index, "", shape, dtype, floats, integers, 0, None))
        return index

    def _view(self, tensor: int, span: Span) -> int:
        """Tensor that is rows `span` of another one."""
        rows, stored = self.rows[tensor], self.tensors[tensor]
        if span == (0, self.reuse.sharing[tensor].rows) and span == (rows.first, rows.last):
            return tensor
        row = stored.shape[2:] if stored.shape[1] == self.reuse.sharing[tensor].rows else None
        size = np.dtype(stored.dtype).itemsize
        shape = (1, span[1] - span[0], *(row if row is not None else (rows.bytes // size,)))
        index = self._tensor(shape, stored.dtype)
        self.views[index] = View(tensor, (span[0] - rows.first) * rows.bytes)
        return index

    def _input_steps(self) -> Iterator[Step]:
        index = self.network.input
        if self.rows[index].persistent:
            yield from self._moves(index)

    def _moves(self, tensor: int) -> Iterator[Step]:
        """Moves of the rows that a tensor keeps, after those that leave it are subtracted."""
        if tensor in self.leaving:
            yield self.leaving[tensor]
        rows, sharing = self.rows[tensor], self.reuse.sharing[tensor]
        for first, last in runs(self.needed[tensor] & sharing.shared):
            target = (first - rows.first) * rows.bytes
            source = target + sharing.shift * rows.bytes
            yield Move(tensor, target, source, (last - first) * rows.bytes)

    def _layer(self, index: int, layer: Layer, mean: tuple[Step, ...] | None) -> StreamLayer:
        plan, call = self.reuse.layers[index], self.calls[index]
        if mean is not None:
            return StreamLayer(mean, 0, 1, 0, self._state(mean))
        if not isinstance(plan, RowLayer):
            return StreamLayer((call,), 0, 1, layer.macs, 0, plan)
        output = layer.output
        if self.whole[output]:
            return StreamLayer((call,), 0, plan.rows, layer.macs, 0, "it only copies rows")
        rows, sharing = self.rows[output], self.reuse.sharing[output]
        computed = self.needed[output] & ~sharing.shared
        slices = [self._slice(plan, span, call) for span in runs(computed)]
        moves = self._moves(output) if rows.persistent else ()
        recomputed = int(computed.sum())
        return StreamLayer(
            (*moves, *slices),
            plan.rows - recomputed,
            recomputed,
            sum(each.layer.macs for each in slices),
            rows.size * rows.phases if rows.persistent else 0,
        )

    def _slice(self, plan: RowLayer, span: Span, call: KernelCall) -> KernelCall:
        """Call of a layer for some of its rows."""
        counts = {index: self.reuse.sharing[index].rows for index in plan.maps}
        views = {
            index: self._view(index, read_span(map_, span, counts[index]))
            for index, map_ in plan.maps.items()
        }
        output = self._view(plan.layer.output, span)
        layer = slice_rows(plan, span, counts, views, output)
        network = dataclasses.replace(self.network, tensors=tuple(self.tensors))
        invariants.check_layer(network, layer)
        sliced = fastest_call(network, layer, self.isa)
        # The form that the whole window has, so that both share their constants.
        forms = [form() for form in (sliced.smaller, sliced.faster) if form]
        return next((form for form in forms if form.function == call.function), sliced)

    def _running_mean(self, layer: Layer, index: int) -> tuple[Step, ...] | None:
        """Steps of a MEAN over time from sums that follow the window, if that is less work."""
        if not isinstance(layer, layers.Mean) or isinstance(self.reuse.layers[index], RowLayer):
            return None
        source = layer.inputs[0]
        sharing = self.reuse.sharing.get(source)
        if sharing is None or layer.runs[:3] != (1, 1, 1) or not self.rows[source].persistent:
            return None
        spans = runs(sharing.shared)
        if len(spans) != 1 or self.needed[source].sum() < sharing.rows or source in self.leaving:
            return None
        (first, last), shift, count = spans[0], sharing.shift, sharing.rows
        inside = (first, last + shift)
        outside = [span for span in ((0, inside[0]), (inside[1], count)) if span[0] < span[1]]
        if 2 * shift + sum(b - a for a, b in outside) >= count:
            return None
        channels = layer.runs[4]
        pixels = self.rows[source].bytes // channels  # of a row

        def add(sums: int, span: Span, *, subtract: bool = False) -> AddPixels:
            rows = (span[1] - span[0]) * pixels
            dsp = "dsp" in KERNEL_SETS[self.isa] and channels % 4 == 0
            return AddPixels(sums, self._view(source, span), rows, channels, dsp, subtract)

        sums = self._tensor((1, channels), "int32")
        self.rows[sums] = Rows(0, 1, 4 * channels, persistent=True, phases=sharing.phases)
        self.leaving[source] = add(sums, (first, first + shift), subtract=True)
        steps: list[Step] = [add(sums, (last, last + shift))]
        total = sums
        if outside:
            total = self._tensor((1, channels), "int32")
            self.rows[total] = Rows(0, 1, 4 * channels, persistent=False)
            self.totals[total] = index
            steps.append(CopySums(total, sums, channels))
            steps += [add(total, span) for span in outside]
        return (*steps, FinishMean(layer, total))

    def _state(self, steps: Sequence[Step]) -> int:
        sums = {step.sums for step in steps if isinstance(step, AddPixels)}
        rows = [self.rows[index] for index in sums]
        return sum(each.size * each.phases for each in rows if each.persistent)

    def _buffers(self, stream_layers: Sequence[StreamLayer]) -> Iterator[Buffer]:
        """Buffers, whose calls are the layers, each at offset 0."""
        end = len(stream_layers) - 1
        network = self.network
        for index, rows in self.rows.items():
            if rows.persistent:
                yield Buffer(index, 0, round_up(rows.size) * rows.phases, 0, end)
        for index, user in self.totals.items():
            yield Buffer(index, 0, self.rows[index].size, user, user)
        readers = {index: i for i, layer in enumerate(network.layers) for index in layer.inputs}
        for position, (layer, each) in enumerate(zip(network.layers, stream_layers, strict=True)):
            calls = [step for step in each.steps if isinstance(step, KernelCall)]
            scratch = max((call.scratch for call in calls), default=0)
            if scratch:
                yield Buffer(None, 0, scratch, position, position)
            output = layer.output
            stored = self.rows.get(output)
            if output != network.output and not (stored and stored.persistent):
                size = stored.size if stored else network.bytes(output)
                yield Buffer(output, 0, size, position, readers.get(output, position))
