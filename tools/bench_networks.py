"""Instructions, flash and RAM of the reference networks compared with Arm's CMSIS-NN.

    python tools/bench_networks.py [--models FOLDER] [--json]

The baselines are executed instructions and bytes of the same networks, counted by the same plugin
on the same emulated boards: CMSIS-NN called directly with its best flags (-O2 and inline assembly
for requantization; on Cortex-M55 the ns-cmsis-nn fork, -O3), flash and RAM of its -O3 and -Os
builds. The README beside the models says how they were made. Exit 1 if a ratio exceeds its limit.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from edgebio import boards, firmware
from edgebio.compiler import Optimize
from edgebio.firmware.bench import Bench, bench

MODELS = ("emg_cnn", "emg_dscnn", "ecg_cnn", "kws_dscnn")

M4_INSTRUCTIONS = (1_787_612, 4_187_161, 5_339_457, 7_226_192)
M55_INSTRUCTIONS = (310_636, 1_140_048, 1_058_606, 1_758_023)
M4_FLASH = (34_556, 41_028, 67_280, 55_016)
M4_FLASH_OS = (30_600, 35_272, 63_272, 49_144)
M4_RAM = (7_296, 17_696, 21_632, 16_256)


@dataclass(frozen=True)
class Row:
    """A metric on a board with a goal: its baselines, and the highest ratio that is allowed."""

    metric: str
    board: str
    optimize: Optimize
    baseline: tuple[int, ...]
    limit: float

    def value(self, result: Bench) -> int:
        """Value of the metric in a measurement."""
        if self.metric == "flash":
            return result.flash.total
        if self.metric == "activations + scratch":
            return result.ram.activations + result.ram.scratch
        return result.instructions


ROWS = (
    Row("instructions", "mps2-an386", "speed", M4_INSTRUCTIONS, 0.38),
    Row("instructions", "mps2-an500", "speed", M4_INSTRUCTIONS, 0.40),
    Row("instructions", "mps2-an505", "speed", M4_INSTRUCTIONS, 0.40),
    Row("instructions", "mps3-an547", "speed", M55_INSTRUCTIONS, 0.60),
    Row("flash", "mps2-an386", "speed", M4_FLASH, 1.25),
    Row("flash", "mps2-an386", "size", M4_FLASH_OS, 0.90),
    Row("instructions", "mps2-an386", "size", M4_INSTRUCTIONS, 0.60),
    Row("activations + scratch", "mps2-an386", "speed", M4_RAM, 0.90),
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

    @property
    def ok(self) -> bool:
        """Whether the ratio is within its limit."""
        return self.ratio <= self.limit


def measure(models: Path) -> list[list[Measurement]]:
    """Measure all rows for all models; each image is built and run once."""
    results: dict[tuple[str, Optimize, str], Bench] = {}

    def measure_model(row: Row, name: str, baseline: int) -> Measurement:
        key = row.board, row.optimize, name
        if key not in results:
            path = models / f"{name}.tflite"
            x = np.load(path.with_suffix(".npz"))["x"]
            budget = firmware.Budget(row.optimize)
            results[key] = bench(boards.load(row.board), path, x, budget)
        value = row.value(results[key])
        ratio = round(value / baseline, 4)
        return Measurement(row.metric, *key, value, baseline, ratio, row.limit)

    return [
        [measure_model(row, *each) for each in zip(MODELS, row.baseline, strict=True)]
        for row in ROWS
    ]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    beside = Path(__file__).parents[2] / "shared" / "models"
    default = Path(os.environ.get("EDGEBIO_MODELS", beside))
    parser.add_argument("--models", type=Path, default=default, help="folder of the networks")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not (options.models / "emg_cnn.tflite").is_file():
        print(f"{options.models}: no reference models; see --models", file=sys.stderr)
        return 2
    table = measure(options.models)
    ok = all(each.ok for row in table for each in row)
    if options.json:
        document = [asdict(each) | {"ok": each.ok} for row in table for each in row]
        print(json.dumps(document, indent=2))
        return 0 if ok else 1
    print(f"{'':<22} {'board':<11} {'for':<9}" + "".join(f"{name:>19}" for name in MODELS))
    for row, measurements in zip(ROWS, table, strict=True):
        cells = "".join(
            f"{each.value:>11,} {each.ratio:.3f}{' ' if each.ok else '!'} " for each in measurements
        )
        print(f"{row.metric:<22} {row.board:<11} {row.optimize:<8}{cells} <= {row.limit}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
