"""Instructions, flash and RAM of the reference networks against Arm's CMSIS-NN.

    python tools/bench_networks.py [--models FOLDER] [--json]

The baselines are executed instructions and bytes of the same networks, counted by the same plugin
on the same emulated boards: CMSIS-NN called directly with its best flags (-O2 and inline assembly
for requantization; on Cortex-M55 the ns-cmsis-nn fork, -O3), flash and RAM of its -O3 and -Os
builds. The README beside the models says how they were made. Exit 1 where a ratio is above its
limit.
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
    """A metric of a board and a goal: its limit as a ratio to the baselines."""

    what: str
    board: str
    optimize: Optimize
    baseline: tuple[int, ...]
    at_most: float

    def metric(self, value: Bench) -> int:
        """Value of the metric."""
        if self.what == "flash":
            return value.flash.total
        if self.what == "activations + scratch":
            return value.ram.activations + value.ram.scratch
        return value.instructions


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
class Metric:
    """Metric of a row and a model."""

    what: str
    board: str
    optimize: Optimize
    model: str
    value: int
    baseline: int
    ratio: float
    at_most: float

    @property
    def ok(self) -> bool:
        """Whether it is not above its limit."""
        return self.ratio <= self.at_most


def measure(models: Path, rows: tuple[Row, ...] = ROWS) -> list[Metric]:
    """Count all rows for all models, each image once."""
    counted: dict[tuple[str, Optimize, str], Bench] = {}
    metrics = []
    for row in rows:
        for name, baseline in zip(MODELS, row.baseline, strict=True):
            key = row.board, row.optimize, name
            if key not in counted:
                path = models / f"{name}.tflite"
                x = np.load(path.with_suffix(".npz"))["x"]
                budget = firmware.Budget(row.optimize)
                counted[key] = bench(boards.load(row.board), path, x, budget)
            value = row.metric(counted[key])
            ratio = round(value / baseline, 4)
            place = row.what, row.board, row.optimize, name
            metrics.append(Metric(*place, value, baseline, ratio, row.at_most))
    return metrics


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    beside = Path(__file__).parents[2] / "shared" / "models"
    default = Path(os.environ.get("EDGEBIO_MODELS", beside))
    parser.add_argument("--models", type=Path, default=default, help="folder of the networks")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not (options.models / "emg_cnn.tflite").is_file():
        print(f"{options.models}: no reference models there; say --models", file=sys.stderr)
        return 2
    metrics = measure(options.models)
    if options.json:
        print(json.dumps([asdict(metric) | {"ok": metric.ok} for metric in metrics], indent=2))
        return 0 if all(metric.ok for metric in metrics) else 1
    print(f"{'':<22} {'board':<11} {'for':<9}" + "".join(f"{name:>19}" for name in MODELS))
    for row in ROWS:
        of = [f for f in metrics if (f.what, f.board, f.optimize) == (row.what, row.board,
                                                                      row.optimize)]  # fmt: skip
        cells = "".join(f"{f.value:>11,} {f.ratio:.3f}{' ' if f.ok else '!'} " for f in of)
        print(f"{row.what:<22} {row.board:<11} {row.optimize:<8}{cells} <= {row.at_most}")
    return 0 if all(metric.ok for metric in metrics) else 1


if __name__ == "__main__":
    sys.exit(main())
