"""Figures by person, of a run or of an evaluation."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgebio.evaluation import figures, imitation, people
from edgebio.evaluation.people import REJECTED_SHARE, VOTES
from edgebio.report import svg, words
from edgebio.report.page import Figure, Section, Table, figure
from edgebio.training.imitation import ImitationRun
from edgebio.training.run import Run
from edgebio.training.scores import scores

DECIDED = (
    ("accuracy_vote", f"vote over {VOTES}"),
    ("accuracy_sure", f"{100 * REJECTED_SHARE:.0f} % rejected"),
)
"""What every table tells of int8 besides: figures, and their columns' names."""

_COLUMNS = (
    ("accuracy", "float"),
    ("accuracy_int8", "int8"),
    ("balanced_accuracy_int8", "balanced int8"),
    ("macro_f1_int8", "macro F1 int8"),
    ("roc_auc_int8", "ROC-AUC int8"),
    ("instability_int8", "instability int8"),
    ("accuracy_decided", "decided"),
    ("rejection_rate", "rejected"),
    *DECIDED,
)


def of_run(run: Run | ImitationRun, quantized: bool) -> Section:
    """Everybody whom a run is tested on; empty where that is one person.

    Parameters
    ----------
    quantized
        Whether int8 is known; otherwise only the float network's accuracy is told.
    """
    if len(run.metrics["test"]["subjects"]) < 2:
        return Section("By person")
    if not quantized:
        return section(_float(run), run)
    found = imitation if isinstance(run, ImitationRun) else figures
    return section(found.by_person(run.folder)[0], run)


def section(
    everyone: Sequence[Mapping[str, Any]],
    run: Run | ImitationRun,
    classical: Mapping[str, float] | None = None,
) -> Section:
    """Table and dots, over the mean and its bootstrap interval.

    Parameters
    ----------
    everyone
        Of each person: ``subject`` and figures, as far as known.
    run
        The run, or one of those, that they were tested by.
    classical
        Accuracy of the linear discriminant, by person.
    """
    classical = classical or {}
    columns = [
        (key, name) for key, name in _COLUMNS if any(row.get(key) is not None for row in everyone)
    ]
    known = dict(columns)
    kind = "int8" if "accuracy_int8" in known else "float"
    own = [row["accuracy_int8" if kind == "int8" else "accuracy"] for row in everyone]
    bounds = people.interval(own)
    dots = [
        (
            row["subject"],
            {
                "float": row["accuracy"],
                "int8": row.get("accuracy_int8"),
                "other": classical.get(row["subject"]),
            },
        )
        for row in everyone
    ]
    caption = "Accuracy by window of each person tested: "
    caption += "int8 (full), float (hollow)" if kind == "int8" else "float"
    caption += ", linear discriminant (grey)" if classical else ""
    caption += f". The dashed line is the mean of {kind}"
    caption += ", the band its 95 % bootstrap interval over people." if bounds else "."
    rows = [[row["subject"], *(figure(row[key]) for key in known)] for row in everyone]
    if len(everyone) > 1:
        rows += _summary([[row[key] for row in everyone] for key in known])
    if classical:
        cells = [figure(classical.get(row["subject"])) for row in everyone]
        if len(everyone) > 1:
            cells += [row[1] for row in _summary([list(classical.values())])]
        rows = [[*row, cell] for row, cell in zip(rows, cells, strict=True)]
    names = ["person", *known.values()] + (["LDA"] if classical else [])
    drawn = svg.people("Accuracy by person", dots, float(np.mean(own)), bounds)
    return Section(
        "By person",
        words=[told] if (told := _told(known, run)) else [],
        figures=[Figure(drawn, caption)],
        tables=[Table(names, rows)],
    )


def _told(known: Mapping[str, str], run: Run | ImitationRun) -> str:
    """What the columns are that do not say it themselves."""
    said = []
    if "instability_int8" in known:
        said.append(
            "Instability is the share of window decisions that differ from the one before under "
            "the same class."
        )
    if "accuracy_vote" in known:
        late = ""
        if run.recipe.data.windows == "stride":
            spec = run.frontend.frontend
            late = f" ({words.late(spec.step, spec.rate)})"
        said.append(
            "Decided is the accuracy of the device's decisions by the recipe's own vote and "
            "threshold, a rejected one counted as wrong. The last columns are what a majority "
            f"vote over {VOTES} windows would bring, which is late by {VOTES // 2} of them{late}, "
            f"and the accuracy of what is left without the {100 * REJECTED_SHARE:.0f} % of a "
            "person's windows that the network is least certain of."
        )
    return " ".join(said)


def _summary(columns: Sequence[Sequence[float | None]]) -> list[list[str]]:
    """Rows of mean, spread and bootstrap interval, over people."""
    bounds = [people.interval(column) for column in columns]
    return [
        ["mean", *(figure(people.mean(column)) for column in columns)],
        ["standard deviation", *(figure(people.deviation(column)) for column in columns)],
        ["95 % interval", *(f"{b[0]:.3f} –\u00a0{b[1]:.3f}" if b else "–" for b in bounds)],
    ]


def _float(run: Run | ImitationRun) -> list[dict[str, Any]]:
    """Scores of the float network, by person."""
    if isinstance(run, ImitationRun):
        kept = run.arrays
        whose, probability = kept.subjects[kept.recordings], kept.probability
    else:
        whose = np.array(run.test_subjects())[run.test().recordings]
        probability = run.probability()
    labels, decided = run.labels(), probability.argmax(axis=1)
    return [
        {"subject": str(subject), **scores(labels[whose == subject], decided[whose == subject])}
        for subject in dict.fromkeys(whose.tolist())
    ]
