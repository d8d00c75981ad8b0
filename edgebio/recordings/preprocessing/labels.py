"""Labels and lists of classes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from edgebio.errors import EdgebioError
from edgebio.recordings.natural_order import sort_naturally
from edgebio.recordings.recording import UNLABELED, Recording
from edgebio.suggest import nearest


def merge_classes(
    recordings: Sequence[Recording], classes: Mapping[str, Sequence[str]]
) -> list[Recording]:
    """Merge classes of recordings; a class that is listed nowhere becomes unlabeled.

    `classes` lists the old ones by the name of the new one. Names that the recordings do not have
    are ignored, so that one table serves several data sets; but a new class without any old one is
    refused, and an old one in two of them.
    """
    merged = []
    for r in recordings:
        table = np.full(len(r.classes) + 1, UNLABELED, np.int16)  # the last entry is for UNLABELED
        for label, (name, old) in enumerate(classes.items()):
            matches = [k for k, old_name in enumerate(r.classes) if old_name in old]
            if not matches:
                hint = next(filter(None, (nearest(each, r.classes) for each in old)), "")
                raise EdgebioError(
                    f"{r.source}: class {name!r} needs one of {_quoted(old)}; it has "
                    f"{_quoted(r.classes)}{hint}"
                )
            if (table[matches] != UNLABELED).any():
                raise EdgebioError(
                    f"class {name!r} takes {_quoted(old)}, one of which another class takes too"
                )
            table[matches] = label
        merged.append(replace(r, labels=table[r.labels], classes=tuple(classes)))
    return merged


def renumber_classes(recording: Recording, classes: Sequence[str]) -> Recording:
    """Give a recording another list of classes; a label whose name is missing becomes unlabeled."""
    numbers = {name: index for index, name in enumerate(classes)}
    table = [numbers.get(name, UNLABELED) for name in recording.classes]
    labels = np.array([*table, UNLABELED], np.int16)[recording.labels]
    return replace(recording, labels=labels, classes=tuple(classes))


def unify_classes(recordings: Sequence[Recording]) -> list[Recording]:
    """Give recordings one list of classes: the union of theirs, in natural order."""
    union = sort_naturally(name for r in recordings for name in r.classes)
    return [renumber_classes(r, union) for r in recordings]


def label_by_decisions(
    recording: Recording, decisions: Sequence[tuple[int, int]], classes: tuple[str, ...]
) -> Recording:
    """Label a recording by the decisions on it, and end it with the last one.

    `decisions` hold in order one past the last sample that a decision looked at, and its class; a
    number that indexes none of `classes` leaves the samples unlabeled.
    """
    end = decisions[-1][0] if decisions else 0
    labels = np.full(end, UNLABELED, np.int16)
    begin = 0
    for stop, number in decisions:
        labels[begin:stop] = number if number < len(classes) else UNLABELED
        begin = stop
    return replace(
        recording, samples=recording.samples[:end], labels=labels, classes=classes, repetition=0
    )


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
