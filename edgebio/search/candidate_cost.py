"""What a candidate costs, counted before it is trained: its image is built, run and counted.

An untrained network of the same shape takes the same kernels, bytes and instructions as a trained
one, except for sums that only certain weights let overflow; so the front is counted again with its
trained networks.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from edgebio import firmware, storage, tflite
from edgebio.boards import Board, qemu
from edgebio.compiler import Optimize
from edgebio.errors import CheckFailedError
from edgebio.firmware.bench import bench
from edgebio.firmware.bench_frontend import DecisionCost, bench_decision
from edgebio.firmware.stand_in import emulated_board
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.processes import subprocess_call
from edgebio.processes.native_output import silence_output
from edgebio.recipes import Recipe
from edgebio.tflite.metadata import ENTRY, ModelMetadata, require_metadata

_SEED: Final = 1
_CALIBRATION_IMAGES: Final = 16  # random: their content changes no cost
_AMPLE: Final = 1 << 26  # bytes

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class Limits:
    """What a candidate may take at most, as in `Cost`; None for all that the board has."""

    latency: float | None = None
    flash: int | None = None
    ram: int | None = None

    def budget(self) -> firmware.Budget:
        """Budget of the fastest image within the limits."""
        return firmware.Budget("speed", self.flash, self.ram)

    def on(self, board: Board) -> "Limits":
        """Return the limits, with none above what a board has."""
        flash, ram = board.memory.flash.bytes, board.memory.ram.bytes
        return replace(
            self,
            flash=flash if self.flash is None else min(self.flash, flash),
            ram=ram if self.ram is None else min(self.ram, ram),
        )


class Cost(BaseModel):
    """What one decision of a candidate costs on a board, and the image of ``edgebio build``.

    `latency` is in milliseconds: cycles, or instructions where they are not estimated, at the
    board's clock. Flash wait states are not included. Of a network that the image computes as a
    stream, a decision takes only what its new frames change.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    flash: int  # bytes of the image: network, front end, decision and link
    ram: int
    network: int  # instructions of a decision
    frontend: int  # instructions of the frames that are new with every decision
    cycles: int | None  # of both, estimated; None without a plugin of QEMU
    latency: float
    macs: int  # multiply-accumulates of a decision
    optimize: Optimize  # the fastest kernels that fit, or where none do, the smallest
    fits: bool  # whether the image fits the limits and the board
    hop_frames: int | None = None  # new frames of a decision, of a stream

    def over(self, limits: Limits) -> dict[str, float]:
        """By what share each limit is exceeded; empty where none is."""
        return {
            name: value / most - 1
            for name, most in asdict(limits).items()
            if most is not None and (value := getattr(self, name)) > most
        } or ({} if self.fits else {"board": 1.0})


@dataclass(frozen=True)
class CostCounter:
    """Counts costs on an emulated board; they are kept in a folder by what they depend on."""

    board: Board
    limits: Limits
    folder: Path

    def untrained(self, recipe: Recipe, spec: FrontendSpec, classes: tuple[str, ...]) -> Cost:
        """Count a recipe's network with random weights, behind a front end with rate and channels.

        Raises
        ------
        EdgebioError
            Where a tool is missing, or the network cannot be built.
        """

        def count() -> Cost:
            qemu.command(emulated_board(self.board), Path())  # report a missing tool first
            with tempfile.TemporaryDirectory(prefix="edgebio-search-") as scratch:
                model = Path(scratch) / "model.tflite"
                subprocess_call.call(_write_untrained, recipe, spec, classes, model)
                return self._count(model)

        settings = spec.model_dump(), recipe.model.model_dump(), recipe.decision.model_dump()
        return self._cached("", (*settings, classes), Cost, count)

    def trained(self, model: Path) -> Cost:
        """Count a model that carries its front end: the image, and one decision of it."""
        return self._cached("model-", storage.sha256(model), Cost, lambda: self._count(model))

    def _cached(
        self, prefix: str, key: Any, kind: type[_Model], count: Callable[[], _Model]
    ) -> _Model:
        content = [self.board.model_dump(mode="json"), asdict(self.limits), key]
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:24]
        path = self.folder / f"{prefix}{digest}.json"
        if path.is_file():
            return kind.model_validate_json(path.read_bytes())
        cost = count()
        storage.write_text(path, cost.model_dump_json(indent=2) + "\n")
        return cost

    def _count(self, model: Path) -> Cost:
        ample = _with_ample_memory(self.board)
        with tempfile.TemporaryDirectory(prefix="edgebio-search-") as scratch:
            folder = Path(scratch) / "image"
            optimize: Optimize = "speed"
            try:
                manifest = firmware.build(model, self.board, folder, budget=self.limits.budget())
            except CheckFailedError:
                optimize = "size"
                budget = firmware.Budget("size")
                manifest = firmware.build(model, ample, folder, budget=budget)
        graph = tflite.read(model)
        spec = require_metadata(graph, "counting its front end").frontend
        front = self._cached(
            "frontend-", spec.model_dump(), DecisionCost, lambda: bench_decision(self.board, spec)
        )
        # One input is enough: instruction counts hardly depend on it.
        shape = graph.tensors[graph.inputs[0]].shape[1:]
        x = np.random.default_rng(0).integers(-128, 128, (1, *shape), np.int8)
        budget = firmware.Budget(optimize, weights=manifest.weights)
        whole = bench(ample, model, x, budget, manifest.hop_frames)
        network, cycles = whole.stream or whole, None
        if whole.cycles:
            own = whole.stream.cycles if whole.stream else whole.cycles.estimate
            cycles = own + front.cycles
        ticks = cycles or network.instructions + front.instructions
        return Cost(
            flash=manifest.flash.total,
            ram=manifest.ram.total,
            network=network.instructions,
            frontend=front.instructions,
            cycles=cycles,
            latency=round(1000 * ticks / self.board.clock_hz, 3),
            macs=network.macs,
            optimize=optimize,
            fits=optimize == "speed",
            hop_frames=manifest.hop_frames,
        )


def _with_ample_memory(board: Board) -> Board:
    """Return the board with so much memory that any image fits, to see what it takes."""
    memory = board.memory
    flash, ram = (
        region.model_copy(update={"bytes": _AMPLE}) for region in (memory.flash, memory.ram)
    )
    update = {"memory": memory.model_copy(update={"flash": flash, "ram": ram})}
    return board.model_copy(update=update)


def _write_untrained(
    recipe: Recipe, spec: FrontendSpec, classes: tuple[str, ...], target: Path
) -> None:
    """Write the .tflite of a recipe's network with random weights and statistics."""
    from edgebio import models
    from edgebio.models.keras import keras
    from edgebio.quantization import flatbuffer
    from edgebio.quantization.convert import to_float, to_int8

    keras.utils.set_random_seed(_SEED)
    network = models.build(recipe.model, spec.image_shape, len(classes))
    rng = np.random.default_rng(_SEED)
    # After training no bias is 0, so none is here either.
    network.set_weights(
        [
            w + rng.normal(scale=0.05, size=w.shape).astype(w.dtype) ** 2
            for w in network.get_weights()
        ]
    )
    images = rng.integers(-128, 128, (_CALIBRATION_IMAGES, *spec.image_shape), np.int8)
    with silence_output():
        model = to_int8(to_float(network), images, 100.0)
    logs = rng.integers(0, 1 << 13, (64, spec.n_bins, spec.channels)).astype(np.int16)
    metadata = ModelMetadata(
        name=recipe.name,
        classes=classes,
        frontend=spec,
        standardization=Standardization.learn(spec, [logs]),
        decision=recipe.decision,
    )
    content = flatbuffer.with_metadata(model, ENTRY, metadata.model_dump_json().encode())
    storage.write_bytes(target, content)
