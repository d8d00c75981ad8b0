"""What a candidate costs before it has learned anything: its image is built, run and counted.

An untrained network of the same shape takes the same kernels, bytes and instructions as a trained
one, but for sums that only certain weights let overflow; so what is found here is held against the
trained network at the end.
"""

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from edgebio import firmware, storage, tflite
from edgebio.boards import Board, emulator
from edgebio.compiler import Optimize
from edgebio.errors import CheckFailedError
from edgebio.firmware.bench import bench
from edgebio.firmware.bench_frontend import DecisionCost, bench_decision
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.processes import subprocess_call
from edgebio.processes.native_output import silence_output
from edgebio.recipes import Recipe
from edgebio.tflite.metadata import ENTRY, ModelMetadata, require

_SEED: Final = 1
_CALIBRATION: Final = 16  # random images; what they are changes no cost
_ROOM: Final = 1 << 26  # bytes


@dataclass(frozen=True)
class Limits:
    """What a candidate may take at most; None for all that the board has.

    Attributes
    ----------
    latency
        Milliseconds of computing a decision, see `Cost`.
    flash, ram
        Bytes of the whole image.
    """

    latency: float | None = None
    flash: int | None = None
    ram: int | None = None

    def budget(self) -> firmware.Budget:
        """Give the budget of the fastest image within the limits."""
        return firmware.Budget("speed", self.flash, self.ram)

    def on(self, board: Board) -> "Limits":
        """Give the same limits, of which none is more than a board has."""
        flash, ram = board.memory.flash.bytes, board.memory.ram.bytes
        return replace(
            self,
            flash=flash if self.flash is None else min(self.flash, flash),
            ram=ram if self.ram is None else min(self.ram, ram),
        )


NO_LIMITS: Final = Limits()


class Cost(BaseModel):
    """What one decision of a candidate costs on a board.

    Attributes
    ----------
    flash, ram : int
        Bytes of the image that ``edgebio build`` makes: network, front end, decision and link.
    network, frontend : int
        Instructions of an inference, and of the columns that are new with every decision.
    cycles : int or None
        Of both, estimated by Arm's table of timings; for Cortex-M4 only.
    latency : float
        Milliseconds of computing a decision: cycles by the board's clock, or where there is no
        estimate of them, instructions. Flash wait states are not in it.
    macs : int
        Multiply-accumulates of an inference.
    optimize : {"speed", "size"}
        How the kernels were chosen: the fastest that fit, or where none do, the smallest.
    fits : bool
        Whether the image does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    flash: int
    ram: int
    network: int
    frontend: int
    cycles: int | None
    latency: float
    macs: int
    optimize: Optimize
    fits: bool

    def over(self, limits: Limits) -> dict[str, float]:
        """By how much of each limit this is more than it; empty where all hold."""
        return {
            name: value / most - 1
            for name, most in asdict(limits).items()
            if most is not None and (value := getattr(self, name)) > most
        } or ({} if self.fits else {"board": 1.0})


@dataclass(frozen=True)
class Counter:
    """Counts candidates' costs on a board, each network and each front end once.

    Attributes
    ----------
    board
        An emulated board.
    limits
        What the images may take.
    folder
        Where counts are kept, under a key of what they depend on.
    """

    board: Board
    limits: Limits
    folder: Path

    def untrained(self, recipe: Recipe, spec: FrontendSpec, classes: tuple[str, ...]) -> Cost:
        """Count a recipe's network with random weights.

        Parameters
        ----------
        recipe
            The candidate.
        spec
            Its front end, with rate and channels.
        classes
            Names of its outputs.

        Raises
        ------
        EdgebioError
            Where the board has no emulator, or the network cannot be built.
        MissingToolError
            Where compiler or emulator are not installed.
        """
        about = spec.model_dump(), recipe.model.model_dump(), recipe.decision.model_dump()
        kept = self.folder / f"{self._key(*about, classes)}.json"
        if kept.is_file():
            return Cost.model_validate_json(kept.read_bytes())
        emulator.command(self.board, Path())  # what is missing is said before anything is made
        with tempfile.TemporaryDirectory(prefix="edgebio-search-") as scratch:
            made = Path(scratch) / "model.tflite"
            subprocess_call.call(_untrained, recipe, spec, classes, made)
            cost = self._count(made)
        storage.write_text(kept, cost.model_dump_json(indent=2) + "\n")
        return cost

    def trained(self, model: Path) -> Cost:
        """Count a model that carries its front end: the image, and one decision of it."""
        kept = self.folder / f"model-{self._key(storage.sha256(model))}.json"
        if kept.is_file():
            return Cost.model_validate_json(kept.read_bytes())
        cost = self._count(model)
        storage.write_text(kept, cost.model_dump_json(indent=2) + "\n")
        return cost

    def _count(self, model: Path) -> Cost:
        with tempfile.TemporaryDirectory(prefix="edgebio-search-") as scratch:
            folder = Path(scratch) / "image"
            optimize: Optimize = "speed"
            try:
                manifest = firmware.build(model, self.board, folder, budget=self.limits.budget())
            except CheckFailedError:
                optimize = "size"
                manifest = firmware.build(
                    model, _roomy(self.board), folder, budget=firmware.Budget("size")
                )
        graph = tflite.read(model)
        front = self._frontend(require(graph, "counting its front end").frontend)
        # One input is as good as many: what is executed hardly depends on it.
        shape = graph.tensors[graph.inputs[0]].shape[1:]
        x = np.random.default_rng(0).integers(-128, 128, (1, *shape), np.int8)
        budget = firmware.Budget(optimize, weights=manifest.weights)
        network = bench(_roomy(self.board), model, x, budget)
        cycles = None
        if network.cycles and front.cycles:
            cycles = network.cycles.estimate + front.cycles
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
        )

    def _frontend(self, spec: FrontendSpec) -> DecisionCost:
        kept = self.folder / f"frontend-{self._key(spec.model_dump())}.json"
        if kept.is_file():
            return DecisionCost.model_validate_json(kept.read_bytes())
        cost = bench_decision(self.board, spec)
        storage.write_text(kept, cost.model_dump_json(indent=2) + "\n")
        return cost

    def _key(self, *what: Any) -> str:
        about = [self.board.model_dump(mode="json"), asdict(self.limits), what]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:24]


def _roomy(board: Board) -> Board:
    """Give the same board with all the memory that one could want, to see what an image takes."""
    memory = board.memory
    return board.model_copy(
        update={
            "memory": memory.model_copy(
                update={
                    "flash": memory.flash.model_copy(update={"bytes": _ROOM}),
                    "ram": memory.ram.model_copy(update={"bytes": _ROOM}),
                }
            )
        }
    )


def _untrained(recipe: Recipe, spec: FrontendSpec, classes: tuple[str, ...], target: Path) -> None:
    """Write the .tflite of a recipe's network with random weights and statistics."""
    from edgebio import models
    from edgebio.models.keras import keras
    from edgebio.quantize import flatbuffer
    from edgebio.quantize.convert import to_float, to_int8

    keras.utils.set_random_seed(_SEED)
    network = models.build(recipe.model, spec.image_shape, len(classes))
    rng = np.random.default_rng(_SEED)
    # Biases of 0 would be rarer than any: as after training, none is.
    network.set_weights(
        [
            w + rng.normal(scale=0.05, size=w.shape).astype(w.dtype) ** 2
            for w in network.get_weights()
        ]
    )
    images = rng.integers(-128, 128, (_CALIBRATION, *spec.image_shape), np.int8)
    with silence_output():
        model = to_int8(to_float(network, spec.image_shape), images, 100.0)
    logs = rng.integers(0, 1 << 13, (64, spec.n_bins, spec.channels)).astype(np.int16)
    about = ModelMetadata(
        name=recipe.name,
        classes=classes,
        frontend=spec,
        standardization=Standardization.learn(spec, [logs]),
        decision=recipe.decision,
    )
    made = flatbuffer.with_metadata(model, ENTRY, about.model_dump_json().encode())
    storage.write_bytes(target, made)
