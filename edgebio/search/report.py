"""Report of a search: its Pareto front for a board, and all candidates."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from edgebio import protocols, storage
from edgebio.report.page import (
    Columns,
    Figure,
    Listing,
    Page,
    Section,
    Table,
    Tile,
    decimal,
    join_words,
    percent,
)
from edgebio.report.pareto import ParetoPoint, pareto_front
from edgebio.search import DOCUMENT
from edgebio.tasks import description

Document = Mapping[str, Any]

_STATES: Final = {
    "done": "scored on all folds",
    "stopped": "stopped early, dominated",
    "over": "over a limit, not trained",
    "failed": "training failed",
    "same": "duplicate",
}


def search_page(folder: Path) -> Page:
    """Compose the report of a search's folder.

    Raises
    ------
    EdgebioError
        Where search.json is missing or damaged.
    """
    document = storage.read_json(folder / DOCUMENT)
    front, own = document["front"], document["recipe_itself"]
    limits = _limits(document["limits"])
    trained = sum(document["counts"].get(state, 0) for state in ("done", "stopped", "failed"))
    over = f"over {join_words(list(own['over']))}" if own and own["over"] else "the same folds"
    return Page(
        title=f"Search around {document['recipe']} for {document['board']}",
        subtitle=f"{document['title'] or document['recipe']}, on {document['dataset']}",
        tiles=[
            Tile("Pareto front", str(len(front)), f"of {trained} trained candidates"),
            Tile(
                _metric(document), percent(front[0]["accuracy"] if front else None),
                front[0]["name"] if front else "no candidate fits",
            ),
            Tile("original recipe", percent(own["accuracy"] if own else None), over),
            Tile("limits", limits[0] if limits else "the board's", "; ".join(limits[1:])),
        ],
        sections=[
            Section("Setup", _setup(document)),
            _front_section(document),
            _candidates_section(document),
            *_next_steps(document),
        ],
        source="search.json",
    )  # fmt: skip


def _setup(document: Document) -> list[str]:
    cycles = any(row["cost"]["cycles"] for row in document["front"][:1] if row["cost"])
    basis = (
        "estimated cycles (Arm's instruction timings, without flash wait states)"
        if cycles
        else "executed instructions, one cycle each"
    )
    epochs, seeds = document["epochs"] or "the recipe's", document["seeds"]
    folds, protocol = len(document["inner_folds"]), document["protocol"]
    cpu = document.get("cpu") or document["core"]
    return [
        description.describe_dataset(document["dataset"]),
        f"Costs are measured before training: an untrained network of the same shape is built and "
        f"run on the emulated {cpu}. Flash and RAM are those of the whole image of edgebio build. "
        "The time of a decision is that of its new frames and of the network: "
        f"{basis} at {document['clock_hz'] / 1e6:g} MHz. The front was measured again with "
        "trained weights.",
        f"Used to choose candidates: {_recordings(document['chosen_on'])}, split by {protocol} "
        f"({protocols.describe(protocol)}) into {folds} inner fold{'s' if folds > 1 else ''}. "
        f"Held out from all candidates: {_recordings(document['put_away'])}.",
        f"{_metric(document).capitalize()} is that of the int8 network on the inner folds, after "
        f"{epochs} epochs. The front and the original recipe were trained with {seeds} "
        f"seed{'s' if seeds > 1 else ''}. Metrics of the best of many candidates are optimistic: "
        "run edgebio evaluate on held-out subjects.",
        "A candidate is stopped after a fold on which another one with no more flash and time "
        "scores no worse; later folds might have favored it.",
    ]


def _front_section(document: Document) -> Section:
    metric, own, limits = _metric(document), document["recipe_itself"], document["limits"]
    roles: dict[int, tuple[Document, Literal["front", "reference", "other"]]] = {
        row["number"]: (row, "other")
        for row in [
            *(row for row in document["candidates"] if row["state"] == "done" and row["cost"]),
            *document["left_the_front"],
        ]
    }
    if own:
        roles[own["number"]] = own, "reference"
    roles |= {row["number"]: (row, "front") for row in document["front"]}
    figures = []
    for key, unit, xlabel, quantity in (
        ("latency", 1, "time of a decision, ms", "the time of a decision"),
        ("flash", 1024, "flash of the image, KB", "flash"),
    ):
        points = [
            ParetoPoint(
                str(row["number"]), row["cost"][key] / unit, row["accuracy"], role,
                _tooltip(row, metric),
            )
            for row, role in roles.values()
        ]  # fmt: skip
        if points:
            title = f"{metric.capitalize()} over {quantity}"
            limit = limits[key] / unit if limits[key] else None
            chart = pareto_front(title, points, xlabel, metric, "original recipe", limit)
            caption = f"{title}. Candidates of the front are labeled with their numbers."
            figures.append(Figure(chart, caption))
    rows = [*document["front"]]
    if own and own["number"] not in {row["number"] for row in rows}:
        over = f", over {join_words(list(own['over']))}" if own["over"] else ""
        rows.append({**own, "name": f"original recipe{over}"})
    if not rows:
        return Section("Pareto front", ["No candidate is within the limits."], figures)
    columns: Columns = {
        "recipe": "{name}",
        metric: "{accuracy:.4f}",
        "by seed": lambda row: " ".join(map(decimal, row["by_seed"])),
        **_COSTS,
        "instructions": lambda row: f"{row['cost']['network'] + row['cost']['frontend']:,}",
        **_NETWORK,
    }
    return Section("Pareto front", figures=figures, tables=[Table.tabulate(rows, columns)])


def _candidates_section(document: Document) -> Section:
    counts = [f"{count:,} {_STATES[state]}" for state, count in document["counts"].items() if count]
    columns: Columns = {
        "candidate": "{number}",
        "": lambda row: row["reason"] or _STATES[row["state"]],
        _metric(document): lambda row: decimal(row["accuracy"]),
        **_COSTS,
        **_NETWORK,
        "learning rate": "{learning_rate:.2g}",
    }
    text = [f"{join_words(counts)}; {document['seconds'] / 60:.0f} minutes."] if counts else []
    if document["gave_up"]:
        text.append(f"The search gave up {document['gave_up']}.")
    table = Table.tabulate(document["candidates"], columns)
    return Section("All candidates", text, tables=[table])


def _next_steps(document: Document) -> list[Section]:
    if not document["front"]:
        return []
    limits, file = document["limits"], document["front"][0]["file"]
    budgets = "".join(
        f" --{name}-budget {limits[name]}" for name in ("flash", "ram") if limits[name]
    )
    commands = (
        f"edgebio evaluate {file} --protocol P\nedgebio train {file} -o run\n"
        f"edgebio quantize run\nedgebio build run --board {document['board']}{budgets} -o image"
    )
    text = "The recipes of the front are files in this folder. To use the first one:"
    return [Section("Next steps", [text, Listing(commands)])]


def _tooltip(row: Document, metric: str) -> str:
    cost = row["cost"]
    return (
        f"{row['number']}: {metric} {row['accuracy']:.4f}, {cost['latency']:.2f} ms, "
        f"{cost['flash']:,} bytes of flash, {cost['ram']:,} of RAM; {_network(row)}; {_stft(row)}"
    )


def _network(row: Document) -> str:
    """Family, filters with a prime behind each pooled block, and the hidden layer."""
    blocks = "-".join(
        f"{filters}{'′' if k in row['pool_after'] else ''}"
        for k, filters in enumerate(row["filters"])
    )
    return f"{row['family']} {blocks}" + (f"-({row['dense']})" if row["dense"] else "")


def _stft(row: Document) -> str:
    return f"{row['fft']}/{row['hop']}, {row['columns']}×{row['bins'][1] - row['bins'][0]}"


def _cost(key: str, form: str) -> Callable[[Document], str]:
    return lambda row: format(row["cost"][key], form) if row["cost"] else "–"


_COSTS: Final[Columns] = {"ms": _cost("latency", ".2f"), "flash": _cost("flash", ","),
                 "RAM": _cost("ram", ",")}  # fmt: skip
_NETWORK: Final[Columns] = {"network": _network, "STFT": _stft}


def _metric(document: Document) -> str:
    return str(document["metric"]).replace("_", " ")


def _limits(limits: Mapping[str, float | None]) -> list[str]:
    units = {"latency": "{:g} ms", "flash": "{:,} bytes of flash", "ram": "{:,} bytes of RAM"}
    return [units[name].format(limits[name]) for name in units if limits[name] is not None]


def _recordings(rows: Sequence[Document]) -> str:
    sessions: dict[str, list[str]] = {}
    for row in rows:
        sessions.setdefault(row["session"], []).append(row["subject"])
    return "; ".join(
        f"session {session} of subject{'s' if len(subjects) > 1 else ''} {join_words(subjects)}"
        for session, subjects in sessions.items()
    )
