"""The page of one run."""

from pathlib import Path

import numpy as np

from edgebio import storage
from edgebio.quantize.quantize import MODEL, OUTPUTS, REPORT
from edgebio.report import parts, persons, words
from edgebio.report.page import Page, Section, figure, read, share
from edgebio.training import run as runs


def page(folder: Path) -> Page:
    """Tell everything that is known of a run; see `edgebio.report.page.write`."""
    run = runs.load(folder)
    metrics, classes = run.metrics, run.frontend.classes
    test = run.test()
    about = [
        *parts.divided(run),
        words.frontend(run.frontend.frontend, run.recipe.data),
        words.training(run.recipe, metrics),
    ]
    if without := words.left_out(metrics.get("left_out", {})):
        about.append(without)
    quantized = read(folder / REPORT) if (folder / REPORT).is_file() else None
    sections = [Section("What was asked", about)]
    if quantized and (folder / OUTPUTS).is_file():
        outputs = np.load(folder / OUTPUTS, allow_pickle=False)
        counts, by_class = quantized["confusion_int8"], quantized["by_class_int8"]
        sections.append(
            parts.decisions(counts, classes, by_class, test.labels, outputs, "the int8 network")
        )
    else:
        counts, by_class = metrics["confusion"], metrics["by_class"]
        probability = run.probability()
        sections.append(
            parts.decisions(
                counts, classes, by_class, test.labels, probability, "the float network"
            )
        )
    sections.append(persons.of_run(run, quantized is not None))
    stops = metrics["best_epoch"] if metrics["best_epoch"] != metrics["epochs"] else None
    sections += [
        parts.curves([metrics["history"]], stops), parts.examples(run), parts.attention(run)
    ]  # fmt: skip
    tiles = [
        ("accuracy, float", share(metrics["accuracy"]), "by window"),
        ("balanced accuracy", share(metrics["balanced_accuracy"]), "mean recall"),
        ("macro F1", figure(metrics["macro_f1"]), ""),
        ("ROC-AUC", figure(metrics["roc_auc"]), "mean, one against the rest"),
    ]
    notes: list[str] = []
    if quantized:
        tiles[0] = ("accuracy, int8", share(quantized["accuracy_int8"]),
                    f"float {share(quantized['accuracy_float'])}")  # fmt: skip
        tiles[1] = ("balanced accuracy", share(quantized["balanced_accuracy_int8"]), "int8")
        tiles[2] = ("macro F1", figure(quantized["macro_f1_int8"]), "int8")
        tiles[3] = ("ROC-AUC", figure(quantized["roc_auc_int8"]), "int8, one against the rest")
        tiles.append(("model", f"{quantized['bytes']['int8'] / 1024:.1f} KB", "model.tflite"))
        sections.append(parts.quantization(quantized))
        more, notes = parts.kept(folder, storage.sha256(folder / MODEL))
        sections += more
    return Page(
        title=run.recipe.title or run.recipe.name,
        subtitle=f"{run.recipe.name} on {metrics['dataset']}, {words.side(metrics['test'])}",
        tiles=tiles,
        sections=sections,
        made_from=f"model {quantized['model_sha256'][:16]}…" if quantized else "a float network",
        notes=notes,
    )
