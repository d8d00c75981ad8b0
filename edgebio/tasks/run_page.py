"""The report of a run: what the pages of all tasks share."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgebio import storage
from edgebio.report.page import Page, Section, Tile
from edgebio.tasks.description import describe_run, describe_set
from edgebio.tasks.measurement_sections import measurement_sections
from edgebio.tasks.report_sections import decisions_section, quantization_section, training_section
from edgebio.tasks.run_folder import MODEL, OUTPUTS, QUANTIZE, Run
from edgebio.tasks.subjects_section import subjects_section, vote_delay
from edgebio.training.metrics import decision_metrics

Document = Mapping[str, Any]


def read_quantization(run: Run) -> Document | None:
    """Content of a run's quantize.json; None if it is not quantized."""
    path = run.folder / QUANTIZE
    return storage.read_json(path) if path.is_file() else None


def compose(
    run: Run,
    quantized: Document | None,
    tiles: Sequence[Tile],
    description: Sequence[str],
    sections: Sequence[Section],
    subject_rows: Sequence[dict[str, Any]] | None,
) -> Page:
    """Compose the report of a run from what `edgebio.tasks.task.Task.page` collects.

    `subject_rows` are those of `edgebio.tasks.results.Score`; None if the run is not quantized.
    """
    metrics, test = run.metrics, run.test_set()
    values: Any = test.probability
    source, suffix, network = metrics, "", "the float network"
    if quantized:
        values = np.load(run.folder / OUTPUTS, allow_pickle=False)
        source, suffix, network = dict(quantized), "_int8", "the int8 network"
    stopped = metrics["best_epoch"] if metrics["best_epoch"] != metrics["epochs"] else None
    spec = run.frontend.frontend
    content = [
        Section("Setup", [*describe_run(run), *description]),
        decisions_section(
            source[f"confusion{suffix}"], run.frontend.classes, source[f"by_class{suffix}"],
            test.labels, values, network,
        ),
    ]  # fmt: skip
    if len(metrics["test"]["subjects"]) > 1:
        delay = vote_delay(spec.step, spec.rate) if run.recipe.data.segments == "step" else ""
        content.append(subjects_section(subject_rows or _float_rows(run), delay))
    content += [training_section([metrics["history"]], stopped), *sections]
    notes: list[str] = []
    if quantized:
        measured, notes = measurement_sections(run.folder, storage.sha256(run.folder / MODEL))
        content += [quantization_section(quantized), *measured]
    return Page(
        title=run.recipe.title or run.recipe.name,
        subtitle=f"{run.recipe.name} on {metrics['dataset']}, {describe_set(metrics['test'])}",
        tiles=tiles,
        sections=content,
        source=f"model {quantized['model_sha256'][:16]}…" if quantized else "a float network",
        notes=notes,
    )


def _float_rows(run: Run) -> list[dict[str, Any]]:
    """Metrics of the float network's decisions by subject."""
    test = run.test_set()
    subjects, decisions = np.array(test.subjects)[test.recordings], test.probability.argmax(axis=1)
    return [
        {"subject": subject, **decision_metrics(test.labels[own], decisions[own])}
        for subject in dict.fromkeys(subjects.tolist())
        for own in [subjects == subject]
    ]
