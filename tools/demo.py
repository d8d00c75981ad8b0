"""The main job end to end on an emulated board: what ``make demo`` runs.

Trains on one person's first session of real forearm EMG, quantizes, proves the ladder, builds for
a Cortex-M4, counts, and lets the emulated board decide the grips of the second session over its
serial port. Without the recordings it says so and takes the synthetic set.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
REAL, SYNTHETIC = ("emg-3dc", "2"), ("emg-synthetic", "1")

WINDOWS = 1000  # that the board decides on
console = Console(highlight=False, soft_wrap=True)
seconds: dict[str, float] = {}


def edgebio(stage: str, *words: str) -> dict[str, Any]:
    """Run one command of edgebio as a user would, and return its JSON document."""
    console.print(f"[bold]$ edgebio {' '.join(words)}[/bold]", soft_wrap=True)
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "edgebio", *words, "--json"], stdout=subprocess.PIPE, check=False
    )
    seconds[stage] = time.monotonic() - start
    if done.returncode:
        sys.exit(done.returncode)  # the command has said why
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def data() -> tuple[str, str]:
    """Data set and person: real recordings where there are any."""
    sets = {row["name"]: row for row in edgebio("data", "data", "list")["datasets"]}
    if sets[REAL[0]]["folder"]:
        return REAL
    console.print("Real recordings are not here (edgebio data fetch emg-3dc): SYNTHETIC EMG.")
    return SYNTHETIC


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--board", default="mps2-an386")
    parser.add_argument("--folder", type=Path, default=Path("demo"))
    arguments = parser.parse_args()
    folder, board = arguments.folder, arguments.board
    run, image = str(folder / "run"), str(folder / "image")

    dataset, person = data()
    edgebio("train", "train", "emg-grips", "--dataset", dataset, "--subject", person, "-o", run)
    quantized = edgebio("quantize", "quantize", run)
    ladder = edgebio("validate", "validate", run, "--board", board)
    built = edgebio("build", "build", run, "--board", board, "-o", image)
    counted = edgebio("bench", "bench", run, "--board", board)
    decided = edgebio(
        "classify", "classify", f"{dataset}:{person}:2", "--board", board, "--model", run,
        "--windows", str(WINDOWS),
    )  # fmt: skip

    kind = "SYNTHETIC recordings" if dataset == SYNTHETIC[0] else "real recordings"
    table = Table(title=f"{dataset}, person {person}: {kind}", show_header=False)
    table.add_row("float accuracy, session 2", f"{quantized['accuracy_float']:.3f}")
    table.add_row("int8 accuracy, session 2", f"{quantized['accuracy_int8']:.3f}")
    table.add_row(
        f"decided on {board} over serial, first {decided['windows']:,} windows",
        f"{decided['correct'] / decided['labelled']:.3f}",
    )
    for what, count in decided["differing"].items():
        table.add_row(f"windows with {what} unlike the host's", f"{count}")
    for rung in ladder["rungs"]:
        ratio = rung["snr_db"]
        found = f"{rung['differing']} of {rung['compared']:,} differ"
        table.add_row(
            f"rung {rung['rung']}: {rung['name']}", found if ratio is None else f"{ratio} dB"
        )
    table.add_row("flash of the image", f"{built['flash']['total']:,} bytes")
    table.add_row("RAM of the image", f"{built['ram']['total']:,} bytes")
    table.add_row("instructions of an inference", f"{counted['instructions']:,}")
    table.add_row("multiply-accumulates", f"{counted['macs']:,}")
    for stage, spent in seconds.items():
        table.add_row(f"seconds: {stage}", f"{spent:.1f}")
    table.add_row("seconds: all", f"{sum(seconds.values()):.1f}")
    for what, where in {
        "run (recipe, network, metrics, logs)": run,
        "model": f"{run}/model.tflite",
        "image and its sources": image,
    }.items():
        table.add_row(what, where)
    console.print(table)


if __name__ == "__main__":
    main()
