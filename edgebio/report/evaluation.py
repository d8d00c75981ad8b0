"""The page of an evaluation: all folds of a protocol."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgebio.evaluation import people
from edgebio.evaluation.people import REJECTED_SHARE, VOTES
from edgebio.quantize.quantize import OUTPUTS, REPORT
from edgebio.report import imitation, parts, svg, words
from edgebio.report.page import Figure, Page, Section, Table, figure, read, share
from edgebio.training import imitation as imitated
from edgebio.training import run as runs
from edgebio.training.imitation import ImitationRun
from edgebio.training.run import Run
from edgebio.training.scores import by_class, confusion

_COLUMNS = (
    ("accuracy", "float"),
    ("accuracy_int8", "int8"),
    ("balanced_accuracy_int8", "balanced int8"),
    ("macro_f1_int8", "macro F1 int8"),
    ("roc_auc_int8", "ROC-AUC int8"),
    ("instability_int8", "instability int8"),
    ("accuracy_decided", "decided"),
    ("rejection_rate", "rejected"),
    ("accuracy_vote", f"vote over {VOTES}"),
    ("accuracy_sure", f"{100 * REJECTED_SHARE:.0f} % rejected"),
)


def page(folder: Path, document: Mapping[str, Any]) -> Page:
    """Tell everything that is known of an evaluation; see `edgebio.report.page.write`."""
    folds = document["folds"]
    loaded = [_load(folder / fold["place"]) for fold in folds]
    first = loaded[0]
    if isinstance(first, Run):
        seen = [
            words.frontend(first.frontend.frontend, first.recipe.data),
            words.training(first.recipe, first.metrics),
        ]
        shown = parts.examples(first)
    else:
        seen = imitation.asked(first)
        shown = imitation.by_fold(folds, document["mean"])
    asked = [
        words.data(document["dataset"]),
        *words.protocol(document["protocol"]),
        f"{_counted(document)} was trained, quantized and run as C that the "
        "board would run. Every choice comes from the training side.",
        *seen,
    ]
    sections = [
        Section("What was asked", asked),
        _people(document, first),
        *_seeds(document),
        *_conditions(document),
        *_calibration(document),
        _decisions(folder, folds, loaded),
        parts.curves([run.metrics["history"] for run in loaded], None),
        shown,
        _quantization(folder, folds),
    ]
    several = len(document["seeds"]) > 1
    mean, spread, baseline = document["mean"], document["deviation"], document.get("baseline")
    bounds = document["interval"]["accuracy_int8"]
    about = f"{100 * bounds[0]:.1f} to {100 * bounds[1]:.1f} %, 95 % over people" if bounds else ""
    tiles = [
        ("accuracy, int8", share(mean["accuracy_int8"]), about or "one person"),
        ("accuracy, float", share(mean["accuracy"]),
         f"± {share(spread['accuracy'])} over {'networks' if several else 'folds'}"
         if len(folds) > 1 else "one fold"),
        ("macro F1, int8", figure(mean["macro_f1_int8"]), ""),
        ("ROC-AUC, int8", figure(mean["roc_auc_int8"]), "one against the rest"),
    ]  # fmt: skip
    if baseline:
        tiles.append(("linear discriminant", share(baseline["accuracy"]), "same folds"))
    return Page(
        title=first.recipe.title or document["recipe"],
        subtitle=f"{document['recipe']} on {document['dataset']}, {document['protocol']}",
        tiles=tiles,
        sections=sections,
        made_from="evaluation.json and the runs of its folds",
    )


def _load(folder: Path) -> Run | ImitationRun:
    return imitated.load(folder) if imitated.is_one(folder) else runs.load(folder)


def _people(document: Mapping[str, Any], first: Run | ImitationRun) -> Section:
    late = ""
    if isinstance(first, Run) and first.recipe.data.windows == "stride":
        spec = first.frontend.frontend
        late = f" ({VOTES // 2 * 1000 * spec.step / spec.rate:.0f} ms)"
    everyone, baseline = document["people"], document.get("baseline")
    classical: dict[str, float] = {}
    if baseline:
        once = document["folds"][: len(baseline["folds"])]  # the first seed's
        for fold, row in zip(once, baseline["folds"], strict=True):
            # A figure of several people pooled is nobody's own.
            if len(fold["people"]) == 1:
                subject = fold["people"][0]["subject"]
                classical[subject] = row["accuracy"]
    several = len(everyone) > 1
    bounds = document["interval"]["accuracy_int8"]
    dots = [
        (
            row["subject"],
            {
                "float": row["accuracy"],
                "int8": row["accuracy_int8"],
                "other": classical.get(row["subject"]),
            },
        )
        for row in everyone
    ]
    mean = float(np.mean([row["accuracy_int8"] for row in everyone]))
    caption = "Accuracy by window of each person tested: int8 (full), float (hollow)"
    caption += ", linear discriminant (grey)" if classical else ""
    caption += ". The dashed line is the mean of int8"
    caption += ", the band its 95 % bootstrap interval over people." if bounds else "."
    rows = [[row["subject"], *(figure(row[key]) for key, _ in _COLUMNS)] for row in everyone]
    if several:
        rows += _summary([[row[key] for row in everyone] for key, _ in _COLUMNS])
    if classical:
        own = [figure(classical.get(row["subject"])) for row in everyone]
        below = [row[1] for row in _summary([list(classical.values())])] if several else []
        for row, value in zip(rows, [*own, *below], strict=True):
            row.append(value)
    columns = ["person", *(name for _, name in _COLUMNS)] + (["LDA"] if classical else [])
    lead = [
        "Instability is the share of window decisions that differ from the one before under the "
        "same class; decided is the accuracy of the device's decisions by the recipe's own vote "
        "and threshold, a rejected one counted as wrong. The last columns are what a majority "
        f"vote over {VOTES} windows would bring, which is late by {VOTES // 2} of them{late}, and "
        f"the accuracy of what is left without the {100 * REJECTED_SHARE:.0f} % of a person's "
        "windows that the network is least certain of."
    ]
    if baseline and not classical:
        spread = share(baseline["deviation"]["accuracy"])
        over = f" ± {spread} over folds" if len(baseline["folds"]) > 1 else ""
        lead.append(
            f"The linear discriminant on the same folds: {share(baseline['accuracy'])}{over}."
        )
    return Section(
        "By person",
        words=lead,
        figures=[Figure(svg.people("Accuracy by person", dots, mean, bounds), caption)],
        tables=[Table(columns, rows)],
    )


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
    cells = [
        [row["trained"], row["tested"], str(row["folds"]), figure(row["accuracy"]),
         figure(row["accuracy_int8"])]
        for row in rows
    ]  # fmt: skip
    words = ["Levels of force, or other conditions of a recording; mean over folds."]
    columns = ["trained at", "tested at", "folds", "float", "int8"]
    return [Section("By condition", words, tables=[Table(columns, cells)])]


def _calibration(document: Mapping[str, Any]) -> list[Section]:
    """Accuracy against what a wearer gave to learn from, where it was asked for."""
    rows = document.get("calibration")
    if not rows:
        return []
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
            figure(row["accuracy_as_calibrated"]),
        ]
        for row in rows
    ]
    columns = [
        "repetitions", "labelled signal, s", "taught in, s", "int8", "95 % over people",
        "statistics of session 1",
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


def _summary(columns: Sequence[Sequence[float | None]]) -> list[list[str]]:
    """Rows of mean, spread and bootstrap interval, over people."""
    bounds = [people.interval(column) for column in columns]
    return [
        ["mean", *(figure(people.mean(column)) for column in columns)],
        ["standard deviation", *(figure(people.deviation(column)) for column in columns)],
        ["95 % interval", *(f"{b[0]:.3f} –\u00a0{b[1]:.3f}" if b else "–" for b in bounds)],
    ]


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


def _quantization(folder: Path, folds: Sequence[Mapping[str, Any]]) -> Section:
    rows, several = [], len({fold["seed"] for fold in folds}) > 1
    for fold in folds:
        found = read(folder / fold["place"] / REPORT)
        least = [layer["snr_db"] for layer in found["layers"] if layer["snr_db"] is not None]
        rows.append(
            [
                fold["fold"] + (f", seed {fold['seed']}" if several else ""),
                figure(found["accuracy_float"]),
                figure(found["accuracy_int8"]),
                f"{found['decisions_differing']:,} of {found['windows']:,}",
                f"{min(least):.1f} dB" if least else "exact",
                f"{found['bytes']['int8']:,}",
                str(fold["epochs"]),
                f"{fold['seconds']:.0f}",
            ]
        )
    columns = [
        "fold", "float", "int8", "decided otherwise", "lowest SNR of a layer", "bytes",
        "epochs", "seconds",
    ]  # fmt: skip
    return Section("Float against int8, by fold", tables=[Table(columns, rows)])
