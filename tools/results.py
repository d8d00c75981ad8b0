"""Tables of measured results, made from the JSON documents that edgebio's commands print.

    python tools/results.py                 put the tables of README.md in step with docs/results
    python tools/results.py --check         exit with 1 where they are not
    python tools/results.py measure NAME    run the command of docs/results/index.toml again

The documentation calls `table` for the page "Results", so that no number is typed by hand.
"""

import argparse
import functools
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "results"
README = ROOT / "README.md"
MARK = re.compile(r"(<!-- results: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
MACHINE_KEYS = {"report", "place", "model", "folder", "run"}
"""Keys that hold paths of the machine that measured."""

Document = dict[str, Any]


def entries() -> dict[str, dict[str, str]]:
    """Entries of index.toml by the name of their document."""
    with (FOLDER / "index.toml").open("rb") as file:
        return tomllib.load(file)


def document(name: str) -> Any:
    """Measured document, or None where the command has not been run."""
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def table(name: str) -> str:
    """Markdown table of a measured document."""
    measured = document(name)
    if measured is None:
        return "*Not measured yet.*\n"
    return _TABLES[entries()[name]["kind"]](measured)


def section(name: str) -> str:
    """Heading, note, table and command of an entry, as the page "Results" shows them."""
    entry = entries()[name]
    return "\n".join(
        [f"## {entry['title']}", "", entry["note"], "", table(name),
         "```console", f"$ {entry['command']} --json", "```", ""]
    )  # fmt: skip


def _rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _evaluation(measured: Document, *, votes: bool = False) -> str:
    """Accuracy by subject; with `votes`, that of the device's decisions too."""
    subjects = measured["people"]
    baseline = measured.get("baseline") or {}
    by_subject = {row["subject"]: row for row in baseline.get("people", [])}

    def decided(row: Document, mark: str = "") -> list[str]:
        return [f"{mark}{_ratio(row['accuracy_decided'])}{mark}"] if votes else []

    rows = [
        [f"subject {row['subject']}", _ratio(row["accuracy"]), _ratio(row["accuracy_int8"]),
         *decided(row), _ratio(row["macro_f1_int8"]),
         _ratio(by_subject.get(row["subject"], {}).get("accuracy"))]
        for row in subjects
    ]  # fmt: skip
    mean, low_high = measured["mean_over_people"], measured["interval"]["accuracy_int8"]
    baseline_mean = baseline.get("mean_over_people", {}).get("accuracy") or baseline.get("accuracy")
    rows.append(
        ["**mean**", _ratio(mean["accuracy"]), f"**{_ratio(mean['accuracy_int8'])}**",
         *decided(mean, "**"), _ratio(mean["macro_f1_int8"]), _ratio(baseline_mean)]
    )  # fmt: skip
    if low_high:
        interval = f"{low_high[0]:.3f} to {low_high[1]:.3f}"
        shown = [interval]
        if votes:
            low_high = measured["interval"]["accuracy_decided"]
            shown.append(f"{low_high[0]:.3f} to {low_high[1]:.3f}")
        rows.append(["95 % interval over subjects", "", *shown, "", ""])
    header = ["", "float", "int8", *(["int8, votes"] if votes else []), "macro F1, int8", "LDA"]
    if not baseline:
        header, rows = header[:-1], [row[:-1] for row in rows]
    return _rows(header, rows)


def _conditions(measured: Document) -> str:
    return _rows(
        ["trained at", "tested at", "float", "int8"],
        [
            [row["trained"], row["tested"], _ratio(row["accuracy"]), _ratio(row["accuracy_int8"])]
            for row in measured["conditions"]
        ],
    )


def _classes(measured: Document) -> str:
    rows = [
        [row["class"], f"{row['windows']:,}", _ratio(row["recall"]), _ratio(row["precision"]),
         _ratio(row["f1"])]
        for row in measured["seeds"][0]["classes"]
    ]  # fmt: skip
    mean = measured["mean"]
    text = f"Accuracy {_ratio(mean['accuracy_int8'])}, macro F1 {_ratio(mean['macro_f1_int8'])}."
    return text + "\n\n" + _rows(["class, int8", "beats", "recall", "precision", "F1"], rows)


def _ladder(measured: Document) -> str:
    return _rows(
        ["rung", "compared", "differing", "SNR"],
        [
            [f"{row['rung']}. {row['name']}", f"{row['compared']:,}",
             "–" if row["snr_db"] is not None else f"{row['differing']:,}",
             "–" if row["snr_db"] is None else f"{row['snr_db']:.1f} dB"]
            for row in measured["rungs"]
        ],
    )  # fmt: skip


def _bench(measured: Document) -> str:
    ram = measured["ram"]
    return _rows(
        ["", "emg-grips"],
        [
            ["multiply-accumulates", f"{measured['macs']:,}"],
            ["instructions an inference", f"{measured['instructions']:,}"],
            ["flash, bytes", f"{measured['flash']['total']:,}"],
            ["RAM, bytes: total (activations, scratch, stack)",
             f"{ram['total']:,} ({ram['activations']:,}, {ram['scratch']:,}, {ram['stack']:,})"],
        ],
    )  # fmt: skip


# Executed instructions per multiply-accumulate of TFLM's interpreter with CMSIS-NN on a Cortex-M4:
# the fewest of the four reference networks of tools/bench_networks.py (2.59, 4.20, 2.85 and 2.95).
_TFLM_PER_MAC = 1_907_102 / 737_472


def _stream(measured: Document) -> str:
    stream = measured["stream"]
    both = (measured, stream)

    def energy(part: Document) -> str:
        value = part["energy_uj"]
        return f"{value['low']:,.0f} to {value['high']:,.0f}" if value else "not published"

    tflm = round(measured["macs"] * _TFLM_PER_MAC, -4)
    share = stream["instructions"] / measured["instructions"]
    text = _rows(
        [measured["board"], "whole window", f"decision every {stream['hop_frames']} of "
         f"{stream['window_frames']} frames"],
        [
            ["multiply-accumulates", *(f"{part['macs']:,}" for part in both)],
            ["instructions", *(f"{part['instructions']:,}" for part in both)],
            ["of the whole window", "1", f"{share:.3f}"],
            ["of TFLM with CMSIS-NN, estimated",
             *(f"{part['instructions'] / tflm:.3f}" for part in both)],
            ["time, estimated, ms",
             *(f"{part['time_us']['estimate'] / 1000:.2f}" for part in both)],
            ["energy, estimated, uJ", *map(energy, both)],
            ["flash, bytes", *(f"{part['flash']['total']:,}" for part in both)],
            ["RAM, bytes", *(f"{part['ram']['total']:,}" for part in both)],
        ],
    )  # fmt: skip
    notes = [
        "Time: " + measured["time_us"]["note"] + ".",
        *(["Energy: " + measured["energy_uj"]["source"] + "."] if measured["energy_uj"] else []),
        f"TFLM with CMSIS-NN, whole window: about {tflm:,.0f} instructions, an estimate by the "
        f"{_TFLM_PER_MAC:.2f} per multiply-accumulate that were counted on a network of this kind.",
    ]
    return text + "\n" + " ".join(notes) + "\n"


def _boards(measured: Document) -> str:
    header = [
        "", "decisions compared", "images, logits, decisions that differ", "due every, ms",
        "a decision on the board, estimated, ms",
        "from one decision to the next on the emulator, ms: median, longest",
        "flash, bytes: stream, whole windows", "RAM, bytes: stream, whole windows",
        "CPU time to generate the C, s: stream, whole windows",
    ]  # fmt: skip
    cells = [
        [row["board"], f"{row['decisions']:,}", ", ".join(map(str, row["differing"].values())),
         f"{row['due']:g}", f"{row['estimated']:g}",
         f"{row['median_interval']:g}, {row['longest_interval']:g}",
         f"{row['stream']['flash']:,}, {row['whole']['flash']:,}",
         f"{row['stream']['ram']:,}, {row['whole']['ram']:,}",
         f"{row['stream']['compile_seconds']:g}, {row['whole']['compile_seconds']:g}"]
        for row in measured["boards"]
    ]  # fmt: skip
    first, *lines = zip(header, *cells, strict=True)  # a column for each board
    return _rows(first, lines)


def _networks(measured: Sequence[Document]) -> str:
    rows = [
        [row["network"], f"{row['baseline']:,}", f"{row['value']:,}", _ratio(row["ratio"])]
        for row in measured
    ]
    return _rows(["network", "CMSIS-NN", "edgebio", "ratio"], rows)


def _forms(measured: Sequence[Document]) -> str:
    """Instructions of a network by what its kernels are chosen for, with flash and RAM."""
    by_form = {(row["optimize"], row["network"]): row for row in measured}
    header = ["network", "CMSIS-NN"]
    for form in ("speed", "fastest"):
        header += [f"`{form}`", "ratio", "flash, bytes", "RAM, bytes"]
    rows = []
    for fastest in (row for row in measured if row["optimize"] == "fastest"):
        row = [fastest["network"], f"{fastest['baseline']:,}"]
        for each in (by_form["speed", fastest["network"]], fastest):
            sizes = (f"{each['flash']:,}", f"{each['ram']:,}")
            row += [f"{each['value']:,}", _ratio(each["ratio"]), *sizes]
        rows.append(row)
    return _rows(header, rows)


_TABLES: dict[str, Callable[[Any], str]] = {
    "evaluation": _evaluation,
    "votes": functools.partial(_evaluation, votes=True),
    "stream": _stream,
    "boards": _boards,
    "conditions": _conditions,
    "classes": _classes,
    "ladder": _ladder,
    "bench": _bench,
    "networks": _networks,
    "forms": _forms,
}


def without_paths(value: Any) -> Any:
    """Copy of a document without the keys that name files of the machine that measured."""
    if isinstance(value, dict):
        return {k: without_paths(v) for k, v in value.items() if k not in MACHINE_KEYS}
    return [without_paths(item) for item in value] if isinstance(value, list) else value


def measure(name: str) -> None:
    """Run the command of an entry and keep its document."""
    program, *words = shlex.split(entries()[name]["command"])
    command = [sys.executable, *(["-m", program] if program == "edgebio" else []), *words, "--json"]
    printed = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    store(name, json.loads(printed))


def store(name: str, measured: Any) -> None:
    """Write a measured document into docs/results."""
    text = json.dumps(without_paths(measured), indent=1, ensure_ascii=False)
    (FOLDER / f"{name}.json").write_text(text + "\n", "utf-8")


def readme() -> str:
    """README.md with its tables made anew."""
    return MARK.sub(lambda m: m[1] + table(m[2]) + m[3], README.read_text("utf-8"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where stale")
    parser.add_argument("action", nargs="*", metavar="measure NAME")
    options = parser.parse_args()
    for name in options.action[1:]:
        measure(name)
    if readme() != README.read_text("utf-8"):
        if options.check:
            sys.exit("README.md is not in step with docs/results: python tools/results.py")
        README.write_text(readme(), "utf-8")


if __name__ == "__main__":
    main()
