"""Reuse: which rows of each tensor a window shares with an earlier one.

Windows begin `hop` frames after one another. A row of a tensor is shared if all that it is computed
from lies in rows that are shared, or in padding on the same side for both windows; then it equals a
row of the earlier window, `shift` rows further. Where the hop is no multiple of a layer's step in
time, rows are shared with the window some hops before, the tensor's `phases`; each phase has its
own rows.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.network import Network
from edgebio.compiler.passes.row_maps import RowLayer, RowMap, row_layer
from edgebio.compiler.passes.row_slices import Span, read_span

MAX_PHASES: Final = 8
"""Most copies of a tensor's rows."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sharing:
    """What a tensor shares with the window `phases` hops before.

    Attributes
    ----------
    phases, shift : int
    shared : ndarray of bool (rows,)
        Row r equals row r + `shift` of that window.
    """

    phases: int
    shift: int
    shared: Mask

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.shared)

    def after(self, times: int) -> "Sharing":
        """What it shares with the window so many times `phases` hops before."""
        shared = self.shared
        for _ in range(times - 1):
            shared = self.shared & _moved(shared, self.shift)
        return Sharing(self.phases * times, self.shift * times, shared)

    def source_rows(self, rows: Mask) -> Mask:
        """`rows`, and all rows that they are shared from."""
        while True:
            more = rows.copy()
            more[self.shift :] |= (rows & self.shared)[: -self.shift]
            if (more == rows).all():
                return rows
            rows = more


def _moved(mask: Mask, shift: int) -> Mask:
    """Element r is element r + shift, False behind the end."""
    moved = np.zeros_like(mask)
    moved[: max(len(mask) - shift, 0)] = mask[shift:]
    return moved


@dataclass(frozen=True, eq=False)
class Reuse:
    """Rows of every tensor and layer.

    Attributes
    ----------
    sharing : mapping
        By tensor; tensors without rows are left out.
    layers : tuple of RowLayer or str
        For every layer, its row maps, or why it is computed from the whole window.
    """

    sharing: Mapping[int, Sharing]
    layers: tuple[RowLayer | str, ...]


def find_reuse(network: Network, hop: int) -> Reuse:
    """Find what consecutive windows share, `hop` frames apart.

    Raises
    ------
    EdgebioError
        If a layer reads time backwards.
    """
    frames = network.tensors[network.input].shape[1]
    sharing = {network.input: Sharing(1, hop, np.arange(frames) < frames - hop)}
    rows: list[RowLayer | str] = []
    for layer in network.layers:
        counts = {index: each.rows for index, each in sharing.items()}
        plan = row_layer(network, layer, counts)
        if isinstance(plan, RowLayer):
            shared = _shared(plan, sharing)
            if isinstance(shared, Sharing):
                sharing[layer.output] = shared
            else:
                plan = shared
        rows.append(plan)
    return Reuse(sharing, tuple(rows))


def _shared(plan: RowLayer, sharing: Mapping[int, Sharing]) -> Sharing | str:
    """What the output of a layer shares, or why it shares nothing."""
    if plan.rows == 1:
        return "its only row is computed from the whole window"
    least = math.lcm(*(sharing[index].phases for index in plan.maps))
    for phases in range(least, MAX_PHASES + 1, least):
        inputs = [
            (map_, sharing[index].after(phases // sharing[index].phases))
            for index, map_ in plan.maps.items()
        ]
        if all(each.shift % map_.step == 0 for map_, each in inputs):
            break
    else:
        steps = sorted({map_.step for map_ in plan.maps.values()})
        return f"its step of {', '.join(map(str, steps))} rows does not divide the hop"
    shifts = {each.shift // map_.step for map_, each in inputs}
    if len(shifts) > 1:
        return "its inputs move at different rates"
    (shift,) = shifts
    shared = np.arange(plan.rows) < plan.rows - shift
    for map_, each in inputs:
        shared &= [_is_shared(map_, row, each) for row in range(plan.rows)]
    if not shared.any():
        return "each of its rows is computed from a new one or from the border"
    return Sharing(phases, shift, shared)


def _is_shared(map_: RowMap, row: int, each: Sharing) -> bool:
    """Whether all rows under a row of the output are shared, or padding in both windows."""
    real = False
    for tap in map_.rows(row):
        if 0 <= tap < each.rows:
            real = True
            if not each.shared[tap]:
                return False
        elif tap < 0 <= tap + each.shift:
            return False
    return real


def needed_rows(network: Network, reuse: Reuse, whole: Mapping[int, bool]) -> dict[int, Mask]:
    """Rows of every tensor that must be there after each window, those they are shared from too.

    Parameters
    ----------
    whole
        For every tensor, whether all of its rows are computed anew for each window.
    """
    needed = {
        index: np.full(each.rows, index == network.output) for index, each in reuse.sharing.items()
    }
    for layer, plan in reversed(list(zip(network.layers, reuse.layers, strict=True))):
        if layer.output in needed:
            _close(needed, reuse, whole, layer.output)
        for index in layer.inputs:
            if index in needed:
                needed[index] |= _read(layer, plan, index, needed, reuse, whole)
    _close(needed, reuse, whole, network.input)
    return needed


def _close(needed: dict[int, Mask], reuse: Reuse, whole: Mapping[int, bool], index: int) -> None:
    if whole.get(index):
        needed[index][:] = True
    else:
        needed[index] = reuse.sharing[index].source_rows(needed[index])


def runs(mask: Mask) -> list[Span]:
    """First row of every run of marked rows, and the row behind its last one."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def _read(
    layer: Layer, plan: RowLayer | str, index: int, needed: Mapping[int, Mask], reuse: Reuse,
    whole: Mapping[int, bool],
) -> Mask:  # fmt: skip
    """Rows of an input that a layer reads for each window."""
    count = reuse.sharing[index].rows
    if not isinstance(plan, RowLayer) or whole.get(layer.output):
        return np.ones(count, np.bool_)
    read = np.zeros(count, np.bool_)
    for span in runs(needed[layer.output] & ~reuse.sharing[layer.output].shared):
        first, last = read_span(plan.maps[index], span, count)
        read[first:last] = True
    return read
