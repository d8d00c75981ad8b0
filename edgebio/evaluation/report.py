"""Report of an evaluation: all folds of a protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edgebio import storage
from edgebio.errors import EdgebioError
from edgebio.evaluation.evaluation import DOCUMENT
from edgebio.report.charts import curves
from edgebio.report.page import (
    Columns,
    Figure,
    Page,
    Section,
    Table,
    Tile,
    decimal,
    metric,
    percent,
)
from edgebio.tasks import description, task_of_run
from edgebio.tasks.measurement_sections import measurement_sections
from edgebio.tasks.report_sections import decisions_section, fold_name, training_section
from edgebio.tasks.run_folder import OUTPUTS, QUANTIZE
from edgebio.tasks.subjects_section import VOTED, interval_text, subjects_section, vote_delay
from edgebio.training.metrics import class_metrics, confusion_counts
from edgebio.training.statistics import deviation, mean

Document = Mapping[str, Any]

_ACCURACIES: Columns = {"float": metric("accuracy"), "int8": metric("accuracy_int8")}
_VOTED: Columns = {name: metric(key) for key, name in VOTED.items()}


def evaluation_page(folder: Path) -> Page:
    """Compose the report of an evaluation's folder.

    Raises
    ------
    EdgebioError
        Where the folder holds no evaluation, or a file of it is damaged.
    """
    document = storage.read_json(folder / DOCUMENT)
    if "mean_over_people" not in document:
        raise EdgebioError(
            f"{folder / DOCUMENT}: written by another version of edgebio; run edgebio evaluate "
            "again"
        )
    folds = document["folds"]
    task = task_of_run(folder / folds[0]["place"])
    runs = [task.load_run(folder / fold["place"]) for fold in folds]
    first = runs[0]
    setup = [
        description.describe_dataset(document["dataset"]),
        *description.describe_protocol(document["protocol"], first.metrics["validation"]),
        f"{_count(document)} trained, quantized and run as the generated C. Training and early "
        "stopping use no recordings of the test set.",
        *task.describe(first),
    ]
    measured, notes = _measurements(folder, folds)
    sections = [
        Section("Setup", setup),
        _subjects_section(document, first),
        *_seed_sections(document),
        *_condition_sections(document),
        *_calibration_sections(document),
        _decisions_section(folder, folds, runs),
        training_section([each.metrics["history"] for each in runs], None),
        task.fold_section(first, folds, document["mean"]),
        *_artifact_sections(document),
        _quantization_section(folder, document),
        *measured,
    ]
    return Page(
        title=first.recipe.title or document["recipe"],
        subtitle=f"{document['recipe']} on {document['dataset']}, {document['protocol']}",
        tiles=_tiles(document),
        sections=sections,
        source="evaluation.json and the runs of its folds",
        notes=notes,
    )


def _tiles(document: Document) -> list[Tile]:
    """Metrics at the top; accuracies are means over subjects, as the interval is."""
    count, pooled = len(document["people"]), document["mean"]
    average, spread = document["mean_over_people"], document["deviation_over_people"]
    bounds, baseline = document["interval"]["accuracy_int8"], document.get("baseline")
    over = f"mean over {count} subjects" if count > 1 else "one subject"
    interval = f"; 95\u00a0%: {100 * bounds[0]:.1f} to {percent(bounds[1])}" if bounds else ""
    deviation_text = f", ±\u00a0{percent(spread['accuracy'])}" if count > 1 else ""
    tiles = [
        Tile("accuracy, int8", percent(average["accuracy_int8"]), over + interval),
        Tile("accuracy, float", percent(average["accuracy"]), over + deviation_text),
        Tile("macro F1, int8", decimal(pooled["macro_f1_int8"]), "mean over folds" * (count > 1)),
        Tile("ROC-AUC, int8", decimal(pooled["roc_auc_int8"]), "one against the rest"),
    ]
    if baseline:
        by_subject = baseline["mean_over_people"]["accuracy"]
        remark = over if by_subject is not None else "mean over the same folds"
        value = baseline["accuracy"] if by_subject is None else by_subject
        tiles.append(Tile("linear discriminant", percent(value), remark))
    return tiles


def _count(document: Document) -> str:
    seeds, networks = len(document["seeds"]), len(document["folds"])
    folds = f"{networks // seeds} fold{'s' if networks > seeds else ''}"
    if networks == 1:
        return "One fold,"
    return f"{folds}, each" if seeds == 1 else f"{folds} with {seeds} seeds: {networks} networks,"


def _subjects_section(document: Document, first: Any) -> Section:
    baseline = document.get("baseline")
    lda = {row["subject"]: row["accuracy"] for row in baseline["people"]} if baseline else {}
    spec = first.frontend.frontend
    delay = vote_delay(spec.step, spec.rate) if first.recipe.data.segments == "step" else ""
    section = subjects_section(document["people"], delay, lda)
    if not baseline or lda:
        return section
    spread = f" ± {percent(baseline['deviation']['accuracy'])} over folds"
    pooled = f"The linear discriminant on the same folds: {percent(baseline['accuracy'])}"
    pooled += spread if len(baseline["folds"]) > 1 else ""
    return replace(section, text=[*section.text, f"{pooled}."])


def _seed_sections(document: Document) -> list[Section]:
    rows = document["seeds"]
    if len(rows) == 1:
        return []
    summary = [
        {
            "seed": name,
            **{key: statistic([row[key] for row in rows]) for key in ("accuracy", "accuracy_int8")},
        }
        for name, statistic in (("mean", mean), ("standard deviation", deviation))
    ]
    table = Table.tabulate([*rows, *summary], {"seed": "{seed}", **_ACCURACIES})
    return [Section("By seed", ["Mean over folds; every fold was trained from each seed."],
                    tables=[table])]  # fmt: skip


def _condition_sections(document: Document) -> list[Section]:
    columns: Columns = {"trained on": "{trained}", "tested on": "{tested}", "folds": "{folds}"}
    table = Table.tabulate(document["conditions"], {**columns, **_ACCURACIES, **_VOTED})
    text = ["Accuracy from each condition of the recordings to each; mean over folds."]
    return [Section("By condition", text, tables=[table])] if document["conditions"] else []


def _calibration_sections(document: Document) -> list[Section]:
    rows = document.get("calibration")
    if not rows:
        return []
    text = [
        "A network trained on other subjects is calibrated as by edgebio calibrate, on the first "
        "repetitions of each class of the wearer's first session. It is tested on the second "
        "session, with the statistics of that session's unlabeled signal; in the last column, "
        "with those of the first session."
    ]
    columns: Columns = {
        "repetitions": "{repetitions}",
        "labeled signal, s": "{signal_seconds:.0f}",
        "computing, s": lambda r: "–" if r["seconds"] is None else f"{r['seconds']:.1f}",
        "int8": metric("accuracy_int8"),
        "95 % over subjects": lambda r: interval_text(r["interval"]),
        **_VOTED,
        "statistics of session 1": metric("accuracy_as_calibrated"),
    }
    figures = []
    if len(rows) > 1:
        by_subject = list(zip(*([p["accuracy_int8"] for p in r["people"]] for r in rows),
                              strict=True))  # fmt: skip
        series = {"subject": by_subject, "mean": [np.mean(by_subject, axis=0).tolist()]}
        seconds = [row["signal_seconds"] for row in rows]
        chart = curves(
            "Accuracy after calibration", series, "labeled signal, s", "accuracy, int8", seconds
        )
        caption = "Accuracy of the int8 network on another session, by labeled signal."
        figures = [Figure(chart, caption)]
    return [Section("Calibrated to the wearer", text, figures, [Table.tabulate(rows, columns)])]


def _decisions_section(folder: Path, folds: Sequence[Document], runs: Sequence[Any]) -> Section:
    """Decisions of all folds together."""
    classes = runs[0].frontend.classes
    labels = np.concatenate([each.labels() for each in runs])
    outputs = np.concatenate(
        [np.load(folder / fold["place"] / OUTPUTS, allow_pickle=False) for fold in folds]
    )
    counts = confusion_counts(labels, outputs.argmax(axis=1), len(classes))
    network = "the int8 networks of all folds" if len(folds) > 1 else "the int8 network"
    return decisions_section(counts, classes, class_metrics(counts), labels, outputs, network)


def _quantization_section(folder: Path, document: Document) -> Section:
    folds, rows = document["folds"], []
    for fold in folds:
        report = storage.read_json(folder / fold["place"] / QUANTIZE)
        snr = [layer["snr_db"] for layer in report["layers"] if layer["snr_db"] is not None]
        rows.append(
            {
                "name": fold_name(fold, folds), **fold, "size": f"{report['bytes']['int8']:,}",
                "differing": f"{report['decisions_differing']:,} of {report['windows']:,}",
                "snr": f"{min(snr):.1f}\u00a0dB" if snr else "exact",
                "time": f"{fold['seconds']:.0f}",
            }
        )  # fmt: skip
    if len(rows) > 1:
        blank = dict.fromkeys(("differing", "snr", "size", "epochs", "time"), "")
        rows += [
            {**blank, **document["mean"], "name": "mean"},
            {**blank, **document["deviation"], "name": "standard deviation"},
        ]
    columns: Columns = {
        "fold": "{name}", **_ACCURACIES, "decided differently": "{differing}",
        "lowest SNR of a layer": "{snr}", "bytes": "{size}", "epochs": "{epochs}",
        "seconds": "{time}",
    }  # fmt: skip
    return Section("Float against int8, by fold", tables=[Table.tabulate(rows, columns)])


def _artifact_sections(document: Document) -> list[Section]:
    """Segments left out of each fold; all seeds leave out the same."""
    folds = document["folds"][: len(document["folds"]) // len(document["seeds"])]
    counts = {**{reason: reason for reason in description.REASONS}, "of": "of their segments"}
    rows = [
        {"fold": fold["fold"], "set": name, "recordings": len(recordings),
         **{key: sum(row.get(key, 0) for row in recordings) for key in counts}}
        for fold in folds
        for name, recordings in fold["left_out"].items()
        if recordings
    ]  # fmt: skip
    columns = {"fold": "{fold}", "set": "{set}", "recordings": "{recordings}"}
    columns |= {name: f"{{{key}:,}}" for key, name in counts.items()}
    text = ["Segments with artifacts are neither trained nor tested on."]
    table = Table.tabulate(rows, columns)
    return [Section("Segments left out", text, tables=[table])] if rows else []


def _measurements(folder: Path, folds: Sequence[Document]) -> tuple[list[Section], list[str]]:
    """Sections, and notes, of what validate, bench and hil measured of the folds."""
    sections, notes = [], []
    for fold in folds:
        more, remarks = measurement_sections(folder / fold["place"], fold["model_sha256"])
        name = f"fold {fold_name(fold, folds)}"
        sections += [replace(each, title=f"{each.title}, {name}") for each in more]
        notes += [f"{name}: {remark}" for remark in remarks]
    return sections, notes
