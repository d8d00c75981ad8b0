"""A model's network as a stream and as whole windows, on emulated boards: decisions and bytes.

    python tools/bench_streaming.py MODEL RECORDING [--boards NAME,...] [--segments N] [--json]

For each board both images are built, and the recording is streamed to the one whose network
computes only what is new: every image, logit and decision is compared with those of this machine.
QEMU's boards get the samples at the recording's rate; a Pico in rp2040js, which is slower than
that, as fast as it takes them. Times between decisions are those of the board's clock. Exit 1 if a
decision differs, or generating the C takes more than 3 s of CPU time.
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from edgebio import api, boards, compiler, firmware, tflite
from edgebio.datasets.selection import select
from edgebio.firmware.stream_choice import stream_hop
from edgebio.parity.decisions import ComparedSession
from edgebio.runtime.device import Device
from edgebio.runtime.session import Session
from edgebio.tflite.metadata import require_metadata

BOARDS = ("mps2-an386", "netduinoplus2", "pico")
MOST_SECONDS = 3.0


@dataclass(frozen=True)
class Form:
    """Bytes of an image, and CPU seconds in which its C is generated."""

    flash: int
    ram: int
    compile_seconds: float


@dataclass(frozen=True)
class Streamed:
    """Decisions of a board, and what its two forms take; times in milliseconds."""

    board: str
    decisions: int
    differing: dict[str, int]
    real_time: bool
    longest_interval: float  # from one decision to the next
    median_interval: float
    estimated: float  # time of a decision on the board itself
    due: float
    stream: Form
    whole: Form


def measure(board: str, model: Path, recording: str, segments: int) -> Streamed:
    """Build both forms for a board, and compare the decisions of the stream."""
    target = boards.load(board)
    spec = require_metadata(tflite.read(model), "streaming").frontend
    real_time = target.emulator is not None and target.emulator.program == "qemu"
    with tempfile.TemporaryDirectory(prefix="edgebio-streaming-") as scratch:
        forms, estimated = {}, 0.0
        for name, stream in (("stream", True), ("whole", False)):
            folder = Path(scratch) / name
            manifest = api.build(model, target, folder, stream=stream, allow_late=True)
            if stream and manifest.deadline:
                estimated = manifest.deadline.estimated_us / 1000
            start, hop = time.process_time(), stream_hop(tflite.read(model), target.isa, stream)
            compiler.generate(model, folder / "compiled", target.isa, hop=hop)
            seconds = round(time.process_time() - start, 2)
            forms[name] = Form(manifest.flash.total, manifest.ram.total, seconds)
        with Device.emulate_image(Path(scratch) / "stream") as device:
            compared = ComparedSession(Session(device))
            for _ in compared.run(select(recording, None, None), segments, real_time=real_time):
                pass
            document = compared.document()
    return Streamed(
        board=board,
        decisions=compared.segments,
        differing=compared.differing,
        real_time=real_time,
        longest_interval=document["interval"]["max"],
        median_interval=document["interval"]["median"],
        estimated=round(estimated, 2),
        due=round(1000 * spec.step / spec.rate, 2),
        stream=forms["stream"],
        whole=forms["whole"],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", type=Path, help="a run or a .tflite with a front end")
    parser.add_argument("recording", help="such as emg-3dc:2:2")
    parser.add_argument("--boards", default=",".join(BOARDS))
    parser.add_argument("--segments", type=int, default=300, help="decisions of a board")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    model = firmware.model_file(options.model)
    rows = []
    for board in options.boards.split(","):
        segments = options.segments if board != "pico" else options.segments // 6
        rows.append(measure(board, model, options.recording, segments))
        print(rows[-1], file=sys.stderr)
    if options.json:
        print(json.dumps({"boards": [asdict(row) for row in rows]}))
    slow = any(f.compile_seconds > MOST_SECONDS for row in rows for f in (row.stream, row.whole))
    if slow or any(sum(row.differing.values()) for row in rows):
        sys.exit("a decision differs, or the C takes too long")


if __name__ == "__main__":
    main()
