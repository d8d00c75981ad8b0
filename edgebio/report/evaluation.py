"""The page of an evaluation: all folds of a protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edgebio.errors import EdgebioError
from edgebio.evaluation import people
from edgebio.evaluation.evaluate import DOCUMENT
from edgebio.quantize.quantize import OUTPUTS, REPORT
from edgebio.report import imitation, parts, persons, svg, words
from edgebio.report.page import Figure, Page, Section, Table, figure, read, share
from edgebio.training import imitation as imitated
from edgebio.training import run as runs
from edgebio.training.imitation import ImitationRun
from edgebio.training.run import Run
from edgebio.training.scores import by_class, confusion


def page(folder: Path, document: Mapping[str, Any]) -> Page:
    """Tell everything that is known of an evaluation; see `edgebio.report.page.write`."""
    if "mean_over_people" not in document:
        raise EdgebioError(
            f"{folder / DOCUMENT}: has no mean_over_people: it is of another edgebio; run edgebio "
            "evaluate again"
        )
    folds = document["folds"]
    loaded = [_load(folder / fold["place"]) for fold in folds]
    first = loaded[0]
    if isinstance(first, Run):
        seen = [
            words.frontend(first.frontend.frontend, first.recipe.data),
            words.training(first.recipe, first.metrics),
        ]
        shown = [_of_first(part(first), folds) for part in (parts.examples, parts.attention)]
    else:
        seen = imitation.asked(first)
        shown = [imitation.by_fold(folds, document["mean"])]
    asked = [
        words.data(document["dataset"]),
        *words.protocol(document["protocol"], first.metrics["validation"]),
        f"{_counted(document)} was trained, quantized and run as C that the "
        "board would run. All that training learns from or stops by comes from the training side; "
        "how the recipe's own options were chosen stands in the recipe.",
        *seen,
    ]
    costs, notes = _kept(folder, folds)
    sections = [
        Section("What was asked", asked),
        _people(document, first),
        *_seeds(document),
        *_conditions(document),
        *_calibration(document),
        _decisions(folder, folds, loaded),
        parts.curves([run.metrics["history"] for run in loaded], None),
        *shown,
        *_left_out(document),
        _quantization(folder, document),
        *costs,
    ]
    return Page(
        title=first.recipe.title or document["recipe"],
        subtitle=f"{document['recipe']} on {document['dataset']}, {document['protocol']}",
        tiles=_tiles(document),
        sections=sections,
        made_from="evaluation.json and the runs of its folds",
        notes=notes,
    )


def _tiles(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Accuracies are means over people, as the interval is."""
    count, pooled = len(document["people"]), document["mean"]
    mean, spread = document["mean_over_people"], document["deviation_over_people"]
    bounds, baseline = document["interval"]["accuracy_int8"], document.get("baseline")
    whose = f"mean over {count} people" if count > 1 else "one person"
    between = f"; 95\u00a0%: {100 * bounds[0]:.1f} to {share(bounds[1])}" if bounds else ""
    over = f"{whose}, ±\u00a0{share(spread['accuracy'])}" if count > 1 else whose
    together = "all windows of a fold" if count > 1 else ""
    tiles = [
        ("accuracy, int8", share(mean["accuracy_int8"]), whose + between),
        ("accuracy, float", share(mean["accuracy"]), over),
        ("macro F1, int8", figure(pooled["macro_f1_int8"]), together),
        ("ROC-AUC, int8", figure(pooled["roc_auc_int8"]), "one against the rest"),
    ]
    if baseline:
        alone = baseline["mean_over_people"]["accuracy"]
        about = whose if alone is not None else "mean over the same folds"
        value = baseline["accuracy"] if alone is None else alone
        tiles.append(("linear discriminant", share(value), about))
    return tiles


def _load(folder: Path) -> Run | ImitationRun:
    return imitated.load(folder) if imitated.is_one(folder) else runs.load(folder)


def _people(document: Mapping[str, Any], first: Run | ImitationRun) -> Section:
    baseline = document.get("baseline")
    alone = {row["subject"]: row["accuracy"] for row in baseline["people"]} if baseline else {}
    found = persons.section(document["people"], first, alone)
    if not baseline or alone:
        return found
    spread = share(baseline["deviation"]["accuracy"])
    over = f" ± {spread} over folds" if len(baseline["folds"]) > 1 else ""
    pooled = f"The linear discriminant on the same folds: {share(baseline['accuracy'])}{over}."
    return replace(found, words=[*found.words, pooled])


def _counted(document: Mapping[str, Any]) -> str:
    seeds, trained = len(document["seeds"]), len(document["folds"])
    if trained == 1:
        return "One fold; it"
    if seeds == 1:
        return f"{trained} folds; each"
    once = trained // seeds
    return (
        f"{'One fold' if once == 1 else f'{once} folds'} by {seeds} seeds: {trained} networks; each"
    )


def _seeds(document: Mapping[str, Any]) -> list[Section]:
    """How much of a figure is the luck of where training began."""
    rows = document["seeds"]
    if len(rows) == 1:
        return []
    cells = [[str(r["seed"]), figure(r["accuracy"]), figure(r["accuracy_int8"])] for r in rows]
    cells += [
        [name, *(figure(of([row[key] for row in rows])) for key in ("accuracy", "accuracy_int8"))]
        for name, of in (("mean", people.mean), ("standard deviation", people.deviation))
    ]
    words = ["Every fold was trained from each seed; mean over folds."]
    return [Section("By seed", words, tables=[Table(["seed", "float", "int8"], cells)])]


def _conditions(document: Mapping[str, Any]) -> list[Section]:
    """Accuracy from each condition to each, where recordings name them."""
    rows = document["conditions"]
    if not rows:
        return []
    voted = dict(persons.DECIDED)
    figures = ("accuracy", "accuracy_int8", *voted)
    cells = [
        [row["trained"], row["tested"], str(row["folds"]), *(figure(row[key]) for key in figures)]
        for row in rows
    ]
    words = ["Levels of force, or other conditions of a recording; mean over folds."]
    columns = ["trained at", "tested at", "folds", "float", "int8", *voted.values()]
    return [Section("By condition", words, tables=[Table(columns, cells)])]


def _calibration(document: Mapping[str, Any]) -> list[Section]:
    """Accuracy against what a wearer gave to learn from, where it was asked for."""
    rows = document.get("calibration")
    if not rows:
        return []
    voted = dict(persons.DECIDED)
    words = [
        "A network of other people is calibrated as edgebio calibrate does it: on the first "
        "repetitions of each class of the wearer's first session. It is tested on the second "
        "session, by the statistics of that session's own signal, labels unseen; and, in the last "
        "column, by those of the first."
    ]
    cells = [
        [
            str(row["repetitions"]),
            f"{row['signal_seconds']:.0f}",
            "–" if row["seconds"] is None else f"{row['seconds']:.1f}",
            figure(row["accuracy_int8"]),
            f"{row['interval'][0]:.3f} –\u00a0{row['interval'][1]:.3f}" if row["interval"] else "–",
            *(figure(row[key]) for key in (*voted, "accuracy_as_calibrated")),
        ]
        for row in rows
    ]
    columns = [
        "repetitions", "labelled signal, s", "taught in, s", "int8", "95 % over people",
        *voted.values(), "statistics of session 1",
    ]  # fmt: skip
    drawn = []
    if len(rows) > 1:
        people = {
            person["subject"]: [row["people"][k]["accuracy_int8"] for row in rows]
            for k, person in enumerate(rows[0]["people"])
        }
        at = [row["signal_seconds"] for row in rows]
        drawn = [
            Figure(
                svg.teaching("Accuracy against calibration", at, people),
                "Accuracy by window of the int8 network on another session, after calibration on "
                "so many seconds of labelled signal.",
            )
        ]
    return [Section("Calibrated to the wearer", words, drawn, [Table(columns, cells)])]


def _decisions(
    folder: Path, folds: Sequence[Mapping[str, Any]], loaded: Sequence[Run | ImitationRun]
) -> Section:
    """All folds' decisions together."""
    classes = loaded[0].frontend.classes
    labels = np.concatenate([run.labels() for run in loaded])
    outputs = np.concatenate(
        [np.load(folder / fold["place"] / OUTPUTS, allow_pickle=False) for fold in folds]
    )
    counts = confusion(labels, outputs.argmax(axis=1), len(classes))
    pooled = " of all folds" if len(folds) > 1 else ""
    return parts.decisions(
        counts, classes, by_class(counts), labels, outputs, f"the int8 networks{pooled}"
    )


def _quantization(folder: Path, document: Mapping[str, Any]) -> Section:
    rows = []
    for fold in document["folds"]:
        found = read(folder / fold["place"] / REPORT)
        least = [layer["snr_db"] for layer in found["layers"] if layer["snr_db"] is not None]
        rows.append(
            [
                _named(fold, document["folds"]),
                figure(found["accuracy_float"]),
                figure(found["accuracy_int8"]),
                f"{found['decisions_differing']:,} of {found['windows']:,}",
                f"{min(least):.1f}\u00a0dB" if least else "exact",
                f"{found['bytes']['int8']:,}",
                str(fold["epochs"]),
                f"{fold['seconds']:.0f}",
            ]
        )
    if len(rows) > 1:
        blank = [""] * (len(rows[0]) - 3)
        rows += [
            [name, figure(of["accuracy"]), figure(of["accuracy_int8"]), *blank]
            for name, of in (
                ("mean", document["mean"]), ("standard deviation", document["deviation"])
            )
        ]  # fmt: skip
    columns = [
        "fold", "float", "int8", "decided otherwise", "lowest SNR of a layer", "bytes",
        "epochs", "seconds",
    ]  # fmt: skip
    return Section("Float against int8, by fold", tables=[Table(columns, rows)])


def _left_out(document: Mapping[str, Any]) -> list[Section]:
    """Artefacts of each fold's sides; those of the first seed are those of all."""
    folds = document["folds"][: len(document["folds"]) // len(document["seeds"])]
    rows = [
        [fold["fold"], side, str(len(found)),
         *(f"{sum(row.get(why, 0) for row in found):,}" for why in (*words.REASONS, "of"))]
        for fold in folds
        for side, found in fold["left_out"].items()
        if found
    ]  # fmt: skip
    if not rows:
        return []
    said = ["Artefacts: nothing was learned from these windows, and no figure counts them."]
    columns = ["fold", "side", "recordings", *words.REASONS, "of their windows"]
    return [Section("Windows left out", said, tables=[Table(columns, rows)])]


def _kept(folder: Path, folds: Sequence[Mapping[str, Any]]) -> tuple[list[Section], list[str]]:
    """What ``edgebio validate``, ``bench`` and ``hil`` have left in the folds, as `parts.kept`."""
    sections, notes = [], []
    for fold in folds:
        found, without = parts.kept(folder / fold["place"], fold["model_sha256"])
        where = f"fold {_named(fold, folds)}"
        sections += [replace(one, title=f"{one.title}, {where}") for one in found]
        notes += [f"{where}: {note}" for note in without]
    return sections, notes


def _of_first(section: Section, folds: Sequence[Mapping[str, Any]]) -> Section:
    """A section that shows the first fold, and says so where there are others."""
    if len(folds) == 1 or not section.figures:
        return section
    return replace(section, words=[f"By the network of fold {_named(folds[0], folds)}."])


def _named(fold: Mapping[str, Any], folds: Sequence[Mapping[str, Any]]) -> str:
    """Name of a fold among others, with its seed where there are several."""
    several = len({each["seed"] for each in folds}) > 1
    return f"{fold['fold']}, seed {fold['seed']}" if several else str(fold["fold"])
