"""Sections of what ``edgebio validate``, ``bench`` and ``hil`` measured of a run's model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgebio import boards, storage
from edgebio.errors import EdgebioError
from edgebio.report.charts import bars
from edgebio.report.page import Columns, Figure, Section, Table
from edgebio.tasks.run_documents import BENCH, HIL, VALIDATE


def measurement_sections(folder: Path, model_sha256: str) -> tuple[list[Section], list[str]]:
    """Sections of a run's documents, and notes of those that belong to another model."""
    sections, notes = [], []
    for name, section in ((VALIDATE, ladder_section), (BENCH, cost_section), (HIL, hil_section)):
        if not (folder / name).is_file():
            continue
        document = storage.read_json(folder / name)
        if document.get("model_sha256") == model_sha256:
            sections.append(section(document))
        else:
            notes.append(f"{name} belongs to another model and is not shown.")
    return sections, notes


def ladder_section(document: Mapping[str, Any]) -> Section:
    """Rungs that ``edgebio validate`` compared."""
    state = {True: "holds", False: "BROKEN", None: "not compared"}
    table = Table.tabulate(
        document["rungs"],
        {
            "rung": "{rung} {name}",
            "compared": "{compared:,}",
            "differing": lambda r: "–" if r["snr_db"] is not None else f"{r['differing']:,}",
            "SNR": lambda r: "–" if r["snr_db"] is None else f"{r['snr_db']:.1f}\u00a0dB",
            "": lambda r: state[r["ok"]],
        },
    )
    board = f" on {document['board']}" if document["board"] else ""
    text = f"Result of edgebio validate{board} with recordings: {document['recordings']}."
    return Section("The ladder", [text], tables=[table])


def cost_section(document: Mapping[str, Any]) -> Section:
    """Instructions, time and memory that ``edgebio bench`` measured."""
    flash, ram, layers = document["flash"], document["ram"], document["layers"]
    rows = [["instructions per inference", f"{document['instructions']:,}"]]
    if document.get("cycles"):
        rows.append(["cycles, estimated", f"about {document['cycles']['estimate']:,}"])
    rows += [
        *_time(document),
        *_energy(document, "inference"),
        *_stream(document.get("stream")),
        ["multiply-accumulates", f"{document['macs']:,}"],
        ["flash", f"{flash['total']:,} bytes"],
        ["RAM", f"{ram['total']:,} bytes"],
        *([f"RAM: {part}", f"{ram[part]:,} bytes"] for part in ("activations", "scratch", "stack")),
    ]
    chart = bars(
        "Instructions by layer",
        [
            (f"{layer['index']} {layer['operator'].lower()}", layer["instructions"],
             f"{layer['instructions']:,}")
            for layer in layers
        ],
        "executed instructions",
    )  # fmt: skip
    text = (
        f"Measured on the emulated {document.get('cpu') or document['core']}. Flash and RAM are "
        "those of the network in a minimal application; the front end's share of a decision is "
        "not included."
    )
    caption = "Executed instructions of one inference, by layer."
    return Section(
        f"Cost on {document['board']}", [text], [Figure(chart, caption)],
        [Table(["", "value"], rows)],
    )  # fmt: skip


def _time(document: Mapping[str, Any]) -> list[list[str]]:
    """Row of an inference's time; none for a board that is not known by name."""
    try:
        hertz = boards.load(document["board"]).clock_hz
    except EdgebioError:
        return []  # a board file of the user's own
    if time := document.get("time_us"):
        return [["time per inference", f"about {time['estimate'] / 1000:.3g} ms at "
                 f"{hertz / 1e6:g} MHz (estimate: {time['note']})"]]  # fmt: skip
    ticks, basis = document["instructions"], "one cycle per instruction"
    if document.get("cycles"):
        ticks, basis = document["cycles"]["estimate"], "estimated cycles"
    return [["time per inference", f"about {1000 * ticks / hertz:.3g} ms at {hertz / 1e6:g} MHz "
             f"({basis})"]]  # fmt: skip


def _energy(document: Mapping[str, Any], what: str) -> list[list[str]]:
    """Row of the energy, where a figure of the chip is published."""
    if not (energy := document.get("energy_uj")):
        return []
    figures = f"about {energy['low']:.3g} to {energy['high']:.3g} uJ"
    return [[f"energy per {what}", f"{figures} (estimate: {energy['source']})"]]


def _stream(stream: Mapping[str, Any] | None) -> list[list[str]]:
    """Rows of a decision that computes only what is new."""
    if not stream:
        return []
    what = f"decision every {stream['hop_frames']} of {stream['window_frames']} frames"
    rows = [[f"instructions per {what}", f"{stream['instructions']:,}"]]
    if time := stream.get("time_us"):
        rows.append([f"time per {what}", f"about {time['estimate'] / 1000:.3g} ms (estimate)"])
    return [*rows, *_energy(stream, what)]


def hil_section(document: Mapping[str, Any]) -> Section:
    """Checks, comparisons and latencies of ``edgebio hil``."""
    checks = {check["name"]: check for check in document["checks"]}
    state = {True: "holds", False: "FAILED", None: "not run"}
    columns: Columns = {"check": "{name}", "result": "{note}", "": lambda check: state[check["ok"]]}
    tables = [Table.tabulate(checks.values(), columns)]
    measures = [measure for check in checks.values() for measure in check["measures"]]
    if measures:
        columns = {
            "stage or layer": "{name}",
            "values": "{compared:,}",
            "differing": "{differing:,}",
            "largest difference": "{worst}",
            "cosine": lambda m: f"{m['cosine']:.6f}" if m["differing"] else "exact",
        }
        caption = "Values of the board against the host."
        tables.append(Table.tabulate(measures, columns, caption))
    latency, soak = checks.get("latency", {}), checks.get("soak", {}).get("latency")
    times = {
        name: {key: value / 1000 for key, value in latency[micros].items()}
        for micros, name in (("frontend_us", "front end"), ("model_us", "network"))
        if micros in latency
    }
    estimated = latency.get("estimated_us", {})
    for micros, name in (("frontend_us", "front end"), ("model_us", "network")):
        if name in times and micros in estimated:
            times[name]["estimated"] = estimated[micros] / 1000
    if soak:
        times["last sample to decision, streamed"] = soak
    if times:
        names = list(dict.fromkeys(key for row in times.values() for key in row))
        rows = [
            [name, *(f"{row[key]:.2f}" if key in row else "–" for key in names)]
            for name, row in times.items()
        ]
        caption = "By the board's clock; the streamed latency by the host's."
        if estimated:
            caption += " Estimated: when the image was built, without its traces."
        tables.append(Table(["milliseconds", *names], rows, caption))
    text = f"Result of edgebio hil for the board on {document['port']}."
    return Section(f"Hardware in the loop: {document['board']}", [text], tables=tables)
