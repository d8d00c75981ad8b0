"""Tables of measured results, made from the JSON documents that edgebio's commands print.

    python tools/results.py                 put the tables of README.md in step with docs/results
    python tools/results.py --check         exit with 1 where they are not
    python tools/results.py measure NAME    run the command of docs/results/index.toml again

The documentation calls `table` for the page "Results", so that no number is typed by hand.
"""

import argparse
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Sequence
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


def document(name: str) -> Document | None:
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


def _evaluation(measured: Document) -> str:
    subjects = measured["people"]
    baseline = measured.get("baseline") or {}
    by_subject = {row["subject"]: row for row in baseline.get("people", [])}
    rows = [
        [f"subject {row['subject']}", _ratio(row["accuracy"]), _ratio(row["accuracy_int8"]),
         _ratio(row["macro_f1_int8"]), _ratio(by_subject.get(row["subject"], {}).get("accuracy"))]
        for row in subjects
    ]  # fmt: skip
    mean, low_high = measured["mean_over_people"], measured["interval"]["accuracy_int8"]
    baseline_mean = baseline.get("mean_over_people", {}).get("accuracy") or baseline.get("accuracy")
    rows.append(
        ["**mean**", _ratio(mean["accuracy"]), f"**{_ratio(mean['accuracy_int8'])}**",
         _ratio(mean["macro_f1_int8"]), _ratio(baseline_mean)]
    )  # fmt: skip
    if low_high:
        interval = f"{low_high[0]:.3f} to {low_high[1]:.3f}"
        rows.append(["95 % interval over subjects", "", interval, "", ""])
    header = ["", "float", "int8", "macro F1, int8", "LDA"]
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


_TABLES = {
    "evaluation": _evaluation,
    "conditions": _conditions,
    "classes": _classes,
    "ladder": _ladder,
    "bench": _bench,
}


def without_paths(value: Any) -> Any:
    """Copy of a document without the keys that name files of the machine that measured."""
    if isinstance(value, dict):
        return {k: without_paths(v) for k, v in value.items() if k not in MACHINE_KEYS}
    return [without_paths(item) for item in value] if isinstance(value, list) else value


def measure(name: str) -> None:
    """Run the command of an entry and keep its document."""
    words = shlex.split(entries()[name]["command"])[1:]
    command = [sys.executable, "-m", "edgebio", *words, "--json"]
    printed = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    store(name, json.loads(printed))


def store(name: str, measured: Document) -> None:
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
