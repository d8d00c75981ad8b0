"""Build small files of every kind that recordings come in, import each, and print a table.

    python tools/signal_files.py [--json]

Each file is made here from the same counts (`signal_kinds`), so that what is imported can be
compared with what was written. A kind that cannot be read must be refused in one line.
"""

import argparse
import json
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from signal_kinds import KINDS, Kind

from edgebio.errors import EdgebioError
from edgebio.recordings import ImportOptions, Recording, import_recordings


@dataclass(frozen=True)
class Outcome:
    """What became of a kind."""

    name: str
    ok: bool
    note: str


def try_kind(kind: Kind, folder: Path) -> Outcome:
    """Write and import a file of a kind, and compare."""
    path = folder / f"file{kind.suffix}"
    kind.write(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            recordings = import_recordings([path], ImportOptions(**kind.options))
    except EdgebioError as error:
        message = str(error).replace(str(path), path.name)
        refused = kind.refusal is not None and kind.refusal in message and "\n" not in message
        return Outcome(kind.name, refused, f"refused: {message}")
    if kind.refusal is not None:
        return Outcome(kind.name, False, f"imported; expected a refusal with {kind.refusal!r}")
    return _compare(kind, recordings)


def _compare(kind: Kind, recordings: list[Recording]) -> Outcome:
    problems = []
    if recordings[0].rate != kind.rate:
        problems.append(f"{recordings[0].rate:g} Hz instead of {kind.rate:g}")
    samples = np.concatenate([recording.samples for recording in recordings])
    if samples.shape != kind.samples.shape:
        problems.append(f"shape {samples.shape} instead of {kind.samples.shape}")
    elif (samples != kind.samples).any():
        problems.append(f"{int((samples != kind.samples).sum())} values differ")
    if kind.labels is not None:
        names = [[*r.classes, ""][label] for r in recordings for label in r.labels.tolist()]
        if names != kind.labels.tolist():
            problems.append("other labels")
    if len(recordings) != kind.recordings:
        problems.append(f"{len(recordings)} recordings instead of {kind.recordings}")
    return Outcome(kind.name, not problems, "; ".join(problems) or "0 values differ")


def main() -> int:
    """Print the table; 1 if a kind failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    outcomes = []
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(try_kind(kind, Path(folder)))
    if arguments.json:
        print(json.dumps([vars(outcome) for outcome in outcomes], indent=2))
    else:
        for outcome in outcomes:
            print(f"{'ok  ' if outcome.ok else 'FAIL'}  {outcome.name:40} {outcome.note}")
        print(f"{sum(o.ok for o in outcomes)} of {len(outcomes)} kinds as expected")
    return 0 if all(outcome.ok for outcome in outcomes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
