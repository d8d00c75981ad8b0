"""The page of a search: what it found for a board, and how it chose."""

from collections.abc import Mapping, Sequence
from typing import Any

from edgebio import protocols
from edgebio.report import svg, words
from edgebio.report.page import Figure, Page, Section, Table, figure, share

_STATES = {
    "done": "scored on all folds",
    "stopped": "stopped, dominated on the folds so far",
    "over": "beyond a limit, not trained",
    "failed": "could not be trained",
    "same": "met before",
}


def page(document: Mapping[str, Any]) -> Page:
    """Tell everything that is known of a search; see `edgebio.report.page.write`."""
    front, own = document["front"], document["recipe_itself"]
    best = front[0] if front else None
    limits = _limits(document["limits"])
    tiles = [
        ("on the front", str(len(front)), f"of {_trained(document)} candidates trained"),
        ("accuracy" if document["metric"] == "accuracy" else _metric(document),
         share(best["accuracy"]) if best else "–", best["name"] if best else "nothing fits"),
        ("the recipe itself", share(own["accuracy"]) if own else "–",
         f"over {words.listed(list(own['over']))}" if own and own["over"] else "the same folds"),
        ("limits", limits[0] if limits else "the board's", "; ".join(limits[1:])),
    ]  # fmt: skip
    return Page(
        title=f"Search around {document['recipe']} for {document['board']}",
        subtitle=f"{document['title'] or document['recipe']}, on {document['dataset']}",
        tiles=tiles,
        sections=[_asked(document), _front(document), _all(document), _beside(document)],
        made_from="search.json",
    )


def _asked(document: Mapping[str, Any]) -> Section:
    mhz = document["clock_hz"] / 1e6
    known = next((r["cost"] for r in document["front"] if r["cost"]["cycles"]), None)
    basis = (
        "estimated cycles (Arm's table of timings, without flash wait states)"
        if known
        else "executed instructions, taken for one cycle each"
    )
    epochs = f"{document['epochs']} epochs each" if document["epochs"] else "the recipe's epochs"
    folds = len(document["inner_folds"])
    said = [
        words.data(document["dataset"]),
        f"Costs were counted before any training: the image of an untrained network of the same "
        f"shape was built and run on the emulated {document['core']}. Flash and RAM are of the "
        f"whole image of edgebio build; a decision's time is that of the columns that are new with "
        f"it and of the network: {basis} at {mhz:g} MHz. What is told of the front was built and "
        "counted again with trained weights.",
        f"Candidates were chosen by {_sides(document['chosen_on'])}, which were divided again by "
        f"{document['protocol']} ({protocols.describe(document['protocol'])}) into {folds} inner "
        f"fold{'s' if folds > 1 else ''}. No candidate has met {_sides(document['put_away'])}.",
        f"{_metric(document).capitalize()} is of the int8 network's windows on the inner folds, "
        f"{epochs}. A fold has its own seed; the front and the recipe itself were trained with "
        f"{document['seeds']} seeds. As the best of many, these figures flatter: "
        "edgebio evaluate tells, on recordings that were put away and people that nothing was "
        "chosen by, what a recipe is worth.",
        "A candidate was stopped after a fold where another took no more flash and time and did "
        "no worse on the same folds; luck on later folds might have saved it.",
    ]
    return Section("What was asked", said)


def _front(document: Mapping[str, Any]) -> Section:
    metric = _metric(document)
    dots = {}
    for row in document["candidates"]:
        if row["state"] == "done" and row["cost"]:
            dots[row["number"]] = _dot(row, "other", row["accuracy"], row["cost"], metric)
    for row in document["left_the_front"]:
        dots[row["number"]] = _dot(row, "other", row["accuracy"], row["cost"], metric)
    own = document["recipe_itself"]
    if own:
        dots[own["number"]] = _dot(own, "own", own["accuracy"], own["cost"], metric)
    for row in document["front"]:
        dots[row["number"]] = _dot(row, "front", row["accuracy"], row["cost"], metric)
    limits = document["limits"]
    figures = []
    if dots:
        told = (
            "Full: the front, by number; orange: the recipe itself; grey: other candidates that "
            "were scored on all folds."
        )
        figures = [
            Figure(
                svg.pareto(
                    f"{metric.capitalize()} over the time of a decision",
                    [(label, cost["latency"], y, kind, text)
                     for label, y, cost, kind, text in dots.values()],
                    "ms a decision", limits["latency"],
                ),
                f"{metric.capitalize()} over the computing of a decision, in ms. {told}",
            ),
            Figure(
                svg.pareto(
                    f"{metric.capitalize()} over flash",
                    [(label, cost["flash"] / 1024, y, kind, text)
                     for label, y, cost, kind, text in dots.values()],
                    "KB of flash", limits["flash"] / 1024 if limits["flash"] else None,
                ),
                f"{metric.capitalize()} over the image's flash, in KB. {told}",
            ),
        ]  # fmt: skip
    rows = [_row(row) for row in document["front"]]
    numbers = {row["number"] for row in document["front"]}
    if own and own["number"] not in numbers:
        over = f", over {words.listed(list(own['over']))}" if own["over"] else ""
        rows.append([f"the recipe itself{over}", *_row(own)[1:]])
    columns = [
        "recipe", metric, "by seed", "ms", "flash", "RAM", "instructions", "network", "STFT",
    ]  # fmt: skip
    said = [] if rows else ["Nothing that was tried is within the limits."]
    return Section("The front", said, figures, [Table(columns, rows)] if rows else [])


def _all(document: Mapping[str, Any]) -> Section:
    counts = [f"{count:,} {_STATES[state]}" for state, count in document["counts"].items() if count]
    minutes = document["seconds"] / 60
    rows = []
    for row in document["candidates"]:
        cost = row["cost"]
        rows.append(
            [
                str(row["number"]),
                row["reason"] or _STATES[row["state"]],
                figure(row["accuracy"]),
                f"{cost['latency']:.2f}" if cost else "–",
                f"{cost['flash']:,}" if cost else "–",
                f"{cost['ram']:,}" if cost else "–",
                _network(row),
                _stft(row),
                f"{row['learning_rate']:.2g}",
            ]
        )
    columns = [
        "candidate", "", _metric(document), "ms", "flash", "RAM", "network", "STFT", "rate",
    ]  # fmt: skip
    said = [f"{words.listed(counts)}, in {minutes:.0f} minutes of work."] if counts else []
    if document["gave_up"]:
        said.append(f"The search gave up {document['gave_up']}.")
    return Section("All candidates", said, tables=[Table(columns, rows)])


def _beside(document: Mapping[str, Any]) -> Section:
    if not document["front"]:
        return Section("")
    limits = document["limits"]
    flags = f" --flash-budget {limits['flash']}" if limits["flash"] else ""
    flags += f" --ram-budget {limits['ram']}" if limits["ram"] else ""
    file = document["front"][0]["file"]
    return Section(
        "Going on",
        [
            "Each recipe of the front is a file beside this page. For the first of them:",
            f"\nedgebio evaluate {file} --protocol P\nedgebio train {file} -o run\n"
            f"edgebio quantize run\nedgebio build run --board {document['board']}{flags} -o image",
        ],
    )


def _dot(
    row: Mapping[str, Any], kind: str, value: float, cost: Mapping[str, Any], metric: str
) -> tuple[str, float, Mapping[str, Any], str, str]:
    text = (
        f"{row['number']}: {metric} {value:.4f}, {cost['latency']:.2f} ms, {cost['flash']:,} bytes "
        f"of flash, {cost['ram']:,} of RAM; {_network(row)}; {_stft(row)}"
    )
    return str(row["number"]), value, cost, kind, text


def _row(row: Mapping[str, Any]) -> list[str]:
    cost = row["cost"]
    return [
        row["name"],
        f"{row['accuracy']:.4f}",
        " ".join(figure(value) for value in row["by_seed"]),
        f"{cost['latency']:.2f}",
        f"{cost['flash']:,}",
        f"{cost['ram']:,}",
        f"{cost['network'] + cost['frontend']:,}",
        _network(row),
        _stft(row),
    ]


def _network(row: Mapping[str, Any]) -> str:
    """Family, filters with a stroke behind each block that is pooled, and the hidden layer."""
    blocks = "-".join(
        f"{filters}{'′' if k in row['pool_after'] else ''}"
        for k, filters in enumerate(row["filters"])
    )
    dense = f"-({row['dense']})" if row["dense"] else ""
    return f"{row['family']} {blocks}{dense}"


def _stft(row: Mapping[str, Any]) -> str:
    return f"{row['fft']}/{row['hop']}, {row['columns']}×{row['bins'][1] - row['bins'][0]}"


def _metric(document: Mapping[str, Any]) -> str:
    return str(document["metric"]).replace("_", " ")


def _trained(document: Mapping[str, Any]) -> int:
    return sum(document["counts"].get(state, 0) for state in ("done", "stopped", "failed"))


def _limits(found: Mapping[str, float | None]) -> list[str]:
    said = []
    if found["latency"] is not None:
        said.append(f"{found['latency']:g} ms")
    said += [
        f"{found[name]:,} bytes of {told}"
        for name, told in (("flash", "flash"), ("ram", "RAM"))
        if found[name] is not None
    ]
    return said


def _sides(found: Sequence[Mapping[str, Any]]) -> str:
    sessions: dict[str, list[str]] = {}
    for row in found:
        sessions.setdefault(row["session"], []).append(row["subject"])
    return "; ".join(
        f"session {session} of {'person' if len(people) == 1 else 'people'} {words.listed(people)}"
        for session, people in sessions.items()
    )
