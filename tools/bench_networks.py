"""Instructions, flash and RAM of the reference networks compared with Arm's CMSIS-NN.

    python tools/bench_networks.py [--models FOLDER] [--board BOARD] [--forms] [--json]

The baselines are executed instructions and bytes of the same networks, counted by the same plugin
on the same emulated boards: CMSIS-NN called directly with its best flags (-O2 and inline assembly
for requantization; on Cortex-M55 -O3), flash and RAM of its -O3 and -Os builds. Those of MLPerf
Tiny are its int8 reference models; its streaming wakeword is also a stream of frames, compared with
our own whole window. The README beside the models says how they were made. Exit 1 if a ratio
exceeds its limit.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from edgebio import boards, firmware
from edgebio.compiler import Optimize
from edgebio.firmware.bench import Bench, bench

MODELS = ("emg_cnn", "emg_dscnn", "ecg_cnn", "kws_dscnn")
MLPERF_TINY = ("kws", "ic", "vww", "ad", "sww")

M4_INSTRUCTIONS = (1_787_612, 4_187_161, 5_339_457, 7_226_192)
M55_INSTRUCTIONS = (339_472, 1_147_963, 1_175_089, 1_785_003)
M4_FLASH = (34_556, 41_028, 67_280, 55_016)
M4_FLASH_OS = (30_600, 35_272, 63_272, 49_144)
M4_RAM = (7_296, 17_696, 21_632, 16_256)

MLPERF_M4_INSTRUCTIONS = (7_224_649, 28_501_654, 22_599_128, 570_383, 2_113_303)
MLPERF_M55_INSTRUCTIONS = (1_783_502, 4_807_469, 6_423_023, 147_059, 404_337)
MLPERF_M4_FLASH = (45_520, 98_676, 260_580, 275_716, 68_620)  # the smallest of all flags
SWW_WINDOW = 1_140_040  # of our own, when it was first compared


@dataclass(frozen=True)
class Row:
    """A metric on a board with a goal: its baselines, and the highest ratio that is allowed."""

    metric: str
    board: str
    optimize: Optimize
    baseline: tuple[int, ...]
    limits: tuple[float, ...]
    models: tuple[str, ...] = MODELS

    def value(self, result: Bench) -> int:
        """Value of the metric in a measurement."""
        if self.metric == "flash":
            return result.flash.total
        if self.metric == "activations + scratch":
            return result.ram.activations + result.ram.scratch
        if self.metric == "a new frame":
            assert result.stream
            return result.stream.instructions
        return result.instructions


MLPERF = tuple(f"mlperf-tiny/{name}" for name in MLPERF_TINY)
M4, M55 = "mps2-an386", "mps3-an547"

ROWS = (
    Row("instructions", M4, "speed", M4_INSTRUCTIONS, (0.38, 0.38, 0.38, 0.38)),
    Row("instructions", "mps2-an500", "speed", M4_INSTRUCTIONS, (0.40, 0.40, 0.40, 0.40)),
    Row("instructions", "mps2-an505", "speed", M4_INSTRUCTIONS, (0.40, 0.40, 0.40, 0.40)),
    Row("instructions", M55, "speed", M55_INSTRUCTIONS, (0.31, 0.30, 0.26, 0.32)),
    Row("flash", M4, "speed", M4_FLASH, (1.25, 1.25, 1.25, 1.25)),
    Row("flash", M4, "size", M4_FLASH_OS, (0.90, 0.90, 0.90, 0.90)),
    Row("instructions", M4, "size", M4_INSTRUCTIONS, (0.60, 0.60, 0.60, 0.60)),
    Row("activations + scratch", M4, "speed", M4_RAM, (0.90, 0.90, 0.90, 0.90)),
    Row(
        "instructions", M4, "speed", MLPERF_M4_INSTRUCTIONS, (0.38, 0.42, 0.27, 0.67, 0.40), MLPERF
    ),
    Row(
        "instructions",
        M55,
        "speed",
        MLPERF_M55_INSTRUCTIONS,
        (0.32, 0.40, 0.21, 0.32, 0.41),
        MLPERF,
    ),
    Row("flash", M4, "speed", MLPERF_M4_FLASH, (1.40, 1.25, 0.33, 1.00, 1.70), MLPERF),
    Row("instructions", M4, "fastest", M4_INSTRUCTIONS, (0.30, 0.36, 0.28, 0.36)),
    Row(
        "instructions",
        M4,
        "fastest",
        MLPERF_M4_INSTRUCTIONS,
        (0.36, 0.34, 0.30, 0.55, 0.40),
        MLPERF,
    ),
    Row("a new frame", M4, "speed", (SWW_WINDOW,), (0.08,), ("mlperf-tiny/sww",)),
)


@dataclass(frozen=True)
class Measurement:
    """Value of a row for a model."""

    metric: str
    board: str
    optimize: Optimize
    model: str
    value: int
    baseline: int
    ratio: float
    limit: float
    flash: int  # of the image
    ram: int  # activations and scratch

    @property
    def ok(self) -> bool:
        """Whether the ratio is within its limit."""
        return self.ratio <= self.limit


def measure(rows: Sequence[Row], models: Path) -> list[list[Measurement]]:
    """Measure rows for all models; each image is built and run once."""
    results: dict[tuple[str, Optimize, str], Bench] = {}

    def measure_model(row: Row, name: str, baseline: int, limit: float) -> Measurement:
        key = row.board, row.optimize, name
        streams = row.metric == "a new frame"
        if key not in results or streams:
            path = models / f"{name}.tflite"
            inputs = path.with_suffix(".npz")
            x = np.load(inputs)["x"] if inputs.is_file() else None  # random ones
            budget = firmware.Budget(row.optimize)
            results[key] = bench(boards.load(row.board), path, x, budget, 1 if streams else None)
        result = results[key]
        value = row.value(result)
        return Measurement(
            metric=row.metric,
            board=row.board,
            optimize=row.optimize,
            model=name,
            value=value,
            baseline=baseline,
            ratio=round(value / baseline, 4),
            limit=limit,
            flash=result.flash.total,
            ram=result.ram.activations + result.ram.scratch,
        )

    return [
        [
            measure_model(row, *each)
            for each in zip(row.models, row.baseline, row.limits, strict=True)
        ]
        for row in rows
    ]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    beside = Path(__file__).parents[2] / "shared" / "models"
    default = Path(os.environ.get("EDGEBIO_MODELS", beside))
    parser.add_argument("--models", type=Path, default=default, help="folder of the networks")
    parser.add_argument("--board", choices=sorted({row.board for row in ROWS}))
    forms = "only instructions, for speed and fastest"
    parser.add_argument("--forms", action="store_true", help=forms)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not (options.models / "emg_cnn.tflite").is_file():
        print(f"{options.models}: no reference models; see --models", file=sys.stderr)
        return 2
    rows = [
        row
        for row in ROWS
        if options.board in (None, row.board)
        and (
            not options.forms
            or (row.metric == "instructions" and row.optimize in ("speed", "fastest"))
        )
    ]
    table = measure(rows, options.models)
    ok = all(each.ok for row in table for each in row)
    if options.json:
        document = [
            asdict(each) | {"network": each.model.rpartition("/")[2], "ok": each.ok}
            for row in table
            for each in row
        ]
        print(json.dumps(document, indent=2))
        return 0 if ok else 1
    print(f"{'':<22} {'board':<11} {'for':<6} {'model':<16} {'value':>11}  ratio  limit")
    for each in (measurement for row in table for measurement in row):
        print(
            f"{each.metric:<22} {each.board:<11} {each.optimize:<6} {each.model:<16} "
            f"{each.value:>11,}  {each.ratio:.3f}  {each.limit:.2f}{'' if each.ok else ' !'}"
        )
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
