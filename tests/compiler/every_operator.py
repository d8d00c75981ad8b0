"""Random networks in which every operator occurs, compared with tflite-micro byte for byte.

Of ten networks, seven are chains on an image or a sequence, two have several inputs and outputs,
with splits and variables, and one is an SVDF, whose state lasts.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgebio import compiler, tflite
from edgebio.compiler.operators import OPERATORS
from edgebio.parity.reference_interpreter import ReferenceInterpreter
from edgebio.tflite.edges import inputs_of
from tests.compiler.networks import Net
from tests.compiler.random_networks import random_network
from tests.compiler.reference import Run
from tests.compiler.several_edges import random_edges
from tests.compiler.svdf_layer import svdf

INPUTS = 8
WITHOUT_REFERENCE = {"TILE"}
"""Operators that tflite-micro lacks."""


@dataclass
class Proof:
    """What was compared: networks, bytes, those that differ, seeds of these, operators by kind."""

    networks: int = 0
    bytes: int = 0
    differing: int = 0
    seeds: list[int] = field(default_factory=list)
    operators: Counter[str] = field(default_factory=Counter)

    @property
    def missing(self) -> set[str]:
        """Operators that no network had."""
        return {*OPERATORS} - {*self.operators} - WITHOUT_REFERENCE

    def __str__(self) -> str:
        return (
            f"{self.networks:,} networks of {len(self.operators)} operators x {INPUTS} inputs: "
            f"{self.differing} of {self.bytes:,} bytes differ"
            + (f", in the networks of seeds {self.seeds}" if self.seeds else "")
        )


def any_network(seed: int) -> bytes:
    """The network of a seed."""
    kind = seed % 10
    if kind < 7:
        return random_network(seed)
    if kind < 9:
        return random_edges(seed)
    net = Net(np.random.default_rng(seed), (1, seed % 17 + 1))
    for _ in range(1 + seed % 3):
        svdf(net, *(int(n) for n in net.rng.integers(1, 6, 3)), wide=seed % 4 > 0)
        net.unary()
    return net.finish()


def random_rows(data: bytes, seed: int) -> NDArray[np.uint8]:
    """Random inputs in the form of bytes, among them the smallest and the largest values."""
    edges = inputs_of(tflite.read(data))
    rows = np.random.default_rng(seed).integers(0, 256, (INPUTS, edges.bytes)).astype(np.uint8)
    rows[0], rows[1] = 128, 127
    used = np.zeros(edges.bytes, bool)
    for edge in edges.tensors:
        used[edge.offset : edge.offset + edge.bytes] = True
    rows[:, ~used] = 0
    return rows


def prove(seeds: range, run: Run, proof: Proof) -> None:
    """Compare the networks of some seeds, and add them to `proof`."""
    models = [any_network(seed) for seed in seeds]
    rows = [random_rows(data, seed) for data, seed in zip(models, seeds, strict=True)]
    for seed, data, x, y in zip(seeds, models, rows, run(models, rows), strict=True):  # type: ignore[arg-type]
        lasting = bool(compiler.compile_model(data).plan.states)
        expected = ReferenceInterpreter(data).run_packed(x, lasting=lasting)
        differing = int((expected != y).sum())
        proof.networks += 1
        proof.bytes += expected.size
        proof.differing += differing
        proof.seeds += [seed] if differing else []
        proof.operators.update(o.kind for o in tflite.read(data, static=False).operators)
