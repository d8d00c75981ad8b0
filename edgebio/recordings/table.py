"""What a file holds, whatever its format, and the recordings that it becomes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings import text
from edgebio.recordings.layout import Layout
from edgebio.recordings.order import natural
from edgebio.recordings.recording import UNLABELLED, Recording

MOST_RECORDINGS = 100_000
"""Of one file; more come of a column that tells something else."""


@dataclass(frozen=True, eq=False)
class Words:
    """A word a sample.

    Attributes
    ----------
    codes
        int64, shape (n,): which of `names`; -1 for none.
    names
        The words.
    """

    codes: npt.NDArray[np.int64]
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Table:
    """Samples as a file gives them, and what it tells of them.

    Attributes
    ----------
    path
        The file.
    values
        Numbers, shape (n, channels).
    at
        Says where a value stands.
    words
        Of every sample: ``labels``, ``repetition``, ``subject``, ``session``; as far as told.
    rate
        In Hz, where the file says it.
    units
        Of the numbers, where the file says it.
    beats
        Samples of heart beats, where the file says them.
    """

    path: Path
    values: npt.NDArray[Any]
    at: text.Place
    words: Mapping[str, Words] = field(default_factory=dict)
    rate: float | None = None
    units: str | None = None
    beats: npt.NDArray[np.int64] | None = None


def words(values: Sequence[str] | npt.NDArray[Any]) -> Words:
    """Give every sample a word; numbers are written without needless decimals ("2.0" is "2")."""
    if isinstance(values, np.ndarray):
        found, codes = np.unique(values.ravel(), return_inverse=True)
        names = [str(name) for name in found.tolist()]
    else:
        seen: dict[str, int] = {}
        codes = np.array([seen.setdefault(word, len(seen)) for word in values], np.int64)
        names = list(seen)
    plain = [_plain(name) for name in names]
    known = tuple(natural(set(plain) - {""}))
    place = {"": -1} | {name: index for index, name in enumerate(known)}
    return Words(np.array([place[name] for name in plain], np.int64)[codes], known)


def recordings(table: Table, layout: Layout) -> list[Recording]:
    """Make recordings of a table: one, or one a repetition, sitting and person that it tells.

    A repetition goes to where the next begins: what lies between goes with the one before it, and
    what lies before all of them with the first.

    Raises
    ------
    EdgebioError
        Where the rate is not told, or a number is not finite, not whole, or not of 16 bits.
    """
    path, values = table.path, table.values
    rate = layout.rate if layout.rate is not None else table.rate
    if rate is None:
        raise EdgebioError(f"{path}: does not say its rate; add --rate HZ")
    if not values.size:
        raise EdgebioError(f"{path}: no samples")
    for what, told in table.words.items():
        if len(told.codes) != len(values):
            raise EdgebioError(f"{path}: {len(told.codes)} {what} for {len(values)} samples")
    counts, units = _counts(table, layout)
    labels, classes = _labels(table, layout)
    starts, numbers = _cut(table, layout)
    ends = [*starts[1:], len(values)]
    made = []
    for start, end, number in zip(starts, ends, numbers, strict=True):
        beats = table.beats
        if beats is not None:
            beats = beats[(beats >= start) & (beats < end)] - start
        made.append(
            Recording(
                samples=counts[start:end],
                rate=rate,
                units=units,
                labels=labels[start:end],
                classes=classes,
                subject=_one(table, "subject", start, layout.subject),
                session=_one(table, "session", start, layout.session),
                repetition=number,
                source=str(path),
                beats=beats,
            )
        )
    return made


def _counts(table: Table, layout: Layout) -> tuple[npt.NDArray[np.int16], str]:
    """Counts of 16 bits, and what one of them is."""
    values = table.values
    text.check_finite(values, table.at)
    units = layout.units or table.units or "counts"
    if layout.lsb is not None:
        with np.errstate(over="ignore"):
            values = np.rint(values / layout.lsb)
        units = f"{layout.lsb:g} {units}"
    elif (values != np.rint(values)).any():
        raise EdgebioError(
            f"{table.path}: decimal numbers; say how many units one count of the converter is: "
            f"--lsb {_smallest_step(values):.6g} (the smallest step in the file)"
        )
    return text.to_counts(values, table.at), units


def _smallest_step(values: npt.NDArray[np.float64]) -> float:
    """Smallest difference between two values that is more than the rounding of their digits."""
    steps = np.diff(np.unique(values))
    real = steps[steps > 1e-9 * max(float(np.abs(values).max()), 1e-30)]
    return float(real.min()) if real.size else 1.0


def _labels(table: Table, layout: Layout) -> tuple[npt.NDArray[np.int16], tuple[str, ...]]:
    """Labels and class names, of a word a sample, of one for all, or none."""
    count, told = len(table.values), table.words.get("labels")
    if layout.label is not None or told is None:
        if layout.label is None:
            return np.full(count, UNLABELLED, np.int16), ()
        return np.zeros(count, np.int16), (layout.label,)
    used = [told.names[k] for k in np.unique(told.codes[told.codes >= 0]).tolist()]
    named = dict(zip(used, used, strict=True))
    if layout.classes is not None:
        for word in used:
            if word not in layout.classes:
                raise EdgebioError(
                    f"{table.path}: label {word!r} is none of [classes]: "
                    f"{', '.join(layout.classes) or 'there are none'}"
                )
        named = {word: layout.classes[word] for word in used}
    classes = tuple(natural(set(named.values()) - {""}))
    if len(classes) > np.iinfo(np.int16).max:
        raise EdgebioError(f"{table.path}: {len(classes):,} labels; is it a column of classes?")
    place = {"": UNLABELLED} | {name: index for index, name in enumerate(classes)}
    lookup = [place[named.get(word, "")] for word in told.names]
    return np.array([*lookup, UNLABELLED], np.int16)[told.codes], classes


def _cut(table: Table, layout: Layout) -> tuple[list[int], list[int]]:
    """First sample of every recording, and its repetition's number."""
    count = len(table.values)
    begins = np.zeros(count, bool)
    for what in ("subject", "session"):
        if what in table.words:
            codes = table.words[what].codes
            begins[1:] |= codes[1:] != codes[:-1]
    numbers = None
    if "repetition" in table.words:
        numbers = _numbers(table)
        fresh = numbers[1:] != numbers[:-1]
        if layout.between is not None:
            inside = np.flatnonzero(numbers != layout.between)
            if not len(inside):
                raise EdgebioError(f"{table.path}: repetition is {layout.between} throughout")
            fresh &= numbers[1:] != layout.between
            if inside[0]:
                fresh[inside[0] - 1] = False  # what comes before the first goes with it
        begins[1:] |= fresh
    begins[0] = True
    starts = np.flatnonzero(begins)
    if len(starts) > MOST_RECORDINGS:
        raise EdgebioError(
            f"{table.path}: {len(starts):,} changes of repetition, session or person; up to "
            f"{MOST_RECORDINGS:,} recordings are made of a file"
        )
    if numbers is None:
        return starts.tolist(), [layout.repetition] * len(starts)
    ends = [*starts[1:].tolist(), count]
    found = []
    for start, end in zip(starts.tolist(), ends, strict=True):
        own = numbers[start:end]
        own = own[own != layout.between] if layout.between is not None else own
        found.append(int(own[0]) if len(own) else layout.repetition)
    return starts.tolist(), found


def _numbers(table: Table) -> npt.NDArray[np.int64]:
    """Number of the repetition of every sample."""
    told = table.words["repetition"]
    for word in told.names:
        if not (word.isascii() and word.isdecimal() and len(word) < 10):
            raise EdgebioError(f"{table.path}: repetition {word!r}; expected whole numbers from 0")
    if (told.codes < 0).any():
        row = int(np.flatnonzero(told.codes < 0)[0])
        raise EdgebioError(f"{table.path}: sample {row}: no repetition; expected a whole number")
    return np.array([int(word) for word in told.names] or [0], np.int64)[told.codes]


def _one(table: Table, what: str, row: int, otherwise: str) -> str:
    """Word that holds at a row."""
    told = table.words.get(what)
    if told is None or told.codes[row] < 0:
        return otherwise
    return told.names[int(told.codes[row])]


def _plain(word: str) -> str:
    """Write a number without decimals ("2.0" and "2" are one word)."""
    try:
        number = float(word)
    except ValueError:
        return word
    return str(int(number)) if number.is_integer() else word
