"""The main job end to end on an emulated board: what ``make demo`` runs.

It trains on the first session of one person's forearm EMG, quantizes, proves the ladder, builds for
a Cortex-M4, counts instructions, and streams the second session to the emulated board over its
serial port. Then comes a Pico that stands alone: demo_pico.py. Recordings that are not here are
fetched; without a network it reports so and uses the synthetic set: demo_recordings.py.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import demo_pico
import demo_recordings
from rich.console import Console
from rich.table import Table

from edgebio.errors import EdgebioError

ROOT = Path(__file__).resolve().parents[1]
SEGMENTS = 1000  # that the board classifies
console = Console(highlight=False, soft_wrap=True)
seconds: dict[str, float] = {}


def edgebio(stage: str, *arguments: str) -> dict[str, Any]:
    """Run one command of edgebio as a user would, and return its JSON document."""
    console.print(f"[bold]$ edgebio {' '.join(arguments)}[/bold]", soft_wrap=True)
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "edgebio", *arguments, "--json"], stdout=subprocess.PIPE, check=False
    )
    seconds[stage] = time.monotonic() - start
    if done.returncode:
        sys.exit(done.returncode)  # the command has reported why
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--board", default="mps2-an386")
    parser.add_argument("--folder", type=Path, default=Path("demo"))
    arguments = parser.parse_args()
    folder, board = arguments.folder, arguments.board
    run, image = str(folder / "run"), str(folder / "image")

    start = time.monotonic()
    try:
        (dataset, subject), text = demo_recordings.choose_recordings()
    except EdgebioError as error:
        sys.exit(f"edgebio: {error}")
    seconds["recordings"] = time.monotonic() - start
    console.print(text)
    edgebio("train", "train", "emg-grips", "--dataset", dataset, "--subject", subject, "-o", run)
    quantized = edgebio("quantize", "quantize", run)
    ladder = edgebio("validate", "validate", run, "--board", board)
    built = edgebio("build", "build", run, "--board", board, "-o", image)
    counted = edgebio("bench", "bench", run, "--board", board)
    classified = edgebio(
        "classify", "classify", f"{dataset}:{subject}:2", "--board", board, "--model", run,
        "--segments", str(SEGMENTS),
    )  # fmt: skip

    kind = "SYNTHETIC recordings" if dataset == demo_recordings.SYNTHETIC[0] else "real recordings"
    accuracy = classified["correct"] / classified["labelled"]
    table = Table(title=f"{dataset}, subject {subject}: {kind}", show_header=False)
    table.add_row("float accuracy, session 2", f"{quantized['accuracy_float']:.3f}")
    table.add_row("int8 accuracy, session 2", f"{quantized['accuracy_int8']:.3f}")
    table.add_row(
        f"accuracy on {board} over serial, first {classified['windows']:,} segments",
        f"{accuracy:.3f}",
    )
    for values, count in classified["differing"].items():
        table.add_row(f"segments whose {values} differ from the host's", f"{count}")
    for rung in ladder["rungs"]:
        ratio = rung["snr_db"]
        difference = f"{rung['differing']} of {rung['compared']:,} differ"
        table.add_row(
            f"rung {rung['rung']}: {rung['name']}", difference if ratio is None else f"{ratio} dB"
        )
    table.add_row("flash of the image", f"{built['flash']['total']:,} bytes")
    table.add_row("RAM of the image", f"{built['ram']['total']:,} bytes")
    table.add_row("instructions of an inference", f"{counted['instructions']:,}")
    table.add_row("multiply-accumulates", f"{counted['macs']:,}")
    for stage, spent in seconds.items():
        table.add_row(f"seconds: {stage}", f"{spent:.1f}")
    table.add_row("seconds: all", f"{sum(seconds.values()):.1f}")
    for description, path in {
        "run (recipe, network, metrics, logs)": run,
        "model": f"{run}/model.tflite",
        "image and its sources": image,
    }.items():
        table.add_row(description, path)
    console.print(table)

    seconds.clear()
    table = demo_pico.main(edgebio, folder, dataset, subject)
    for stage, spent in seconds.items():
        table.add_row(f"seconds: {stage}", f"{spent:.1f}")
    console.print(table)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
