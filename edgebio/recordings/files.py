"""Recordings in files: edgebio's own NPZ, and plain CSV and NPZ of anybody's.

edgebio's NPZ holds any number of recordings of one rate, channel count and class list, end to end:

===========  ======================  ==============================================
array        type and shape          content
===========  ======================  ==============================================
edgebio      int, ()                 version of this layout, 1
samples      int16 (n, channels)     converter counts
labels       int16 (n,)              index into classes; -1 where there is none
rate         float, ()               samples a second
units        str, ()                 what one count is
classes      str (k,)                class names
lengths      int (r,)                samples of each recording; they add up to n
repetitions  int (r,)                number of each within its person, session, class
subjects     str (r,)                who
sessions     str (r,)                which sitting
sources      str (r,)                file that each came from
conditions   str (r,)                level of force, for example; may be missing
beats        int64 (b,)              samples of heart beats, from their recording's first
beat_counts  int (r,)                beats of each recording, -1 where nobody told them; both
                                     arrays may be missing
===========  ======================  ==============================================

No array holds Python objects, so nothing in it is ever unpickled.
"""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import storage
from edgebio.errors import EdgebioError
from edgebio.recordings import text
from edgebio.recordings.order import natural
from edgebio.recordings.recording import UNLABELLED, Recording

MOST_BYTES = 2 << 30
"""Largest array that is taken into memory."""

_VERSION = 1
_SHAPES = {  # array: kinds of its dtype, and its dimensions
    "samples": ("i", 2),
    "labels": ("i", 1),
    "rate": ("fiu", 0),
    "units": ("U", 0),
    "classes": ("U", 1),
    "lengths": ("iu", 1),
    "repetitions": ("iu", 1),
    "subjects": ("U", 1),
    "sessions": ("U", 1),
    "sources": ("U", 1),
}
_SEPARATORS = (",", ";", "\t")


@dataclass(frozen=True)
class Layout:
    """What a plain file does not say of itself.

    Attributes
    ----------
    rate
        Samples a second; None where the file says so (an NPZ with an array ``rate``).
    lsb
        Units of one count, for files of decimal numbers; None takes whole numbers only.
    units
        What the numbers are: ``"mV"``; a count is then ``lsb`` of them.
    columns
        Columns of a CSV that are channels, by name or by number from 1; all but `label_column`
        if empty.
    label_column
        Column of a CSV, or array of an NPZ, that holds the class of every sample.
    label
        Class of the whole file, where no column tells.
    subject, session, repetition
        Who, which sitting, which trial.
    """

    rate: float | None = None
    lsb: float | None = None
    units: str = "counts"
    columns: tuple[str, ...] = ()
    label_column: str | None = None
    label: str | None = None
    subject: str = "1"
    session: str = "1"
    repetition: int = 0


def load(path: Path) -> list[Recording]:
    """Read a file that `save` wrote.

    Raises
    ------
    EdgebioError
        Where the file is missing, cut, of another version, or not consistent in itself.
    """
    with _opened(path) as arrays:
        if "edgebio" not in arrays:
            raise EdgebioError(
                f"{path}: not a file of edgebio's; make one of it: edgebio data import {path} "
                "--rate HZ -o OUT.npz"
            )
        version = _array(path, arrays, "edgebio", "iu", 0)
        if int(version) != _VERSION:
            raise EdgebioError(f"{path}: layout version {version}; this edgebio reads {_VERSION}")
        held = {name: _array(path, arrays, name, *shape) for name, shape in _SHAPES.items()}
        held["conditions"] = (
            _array(path, arrays, "conditions", "U", 1)
            if "conditions" in arrays
            else np.zeros(len(held["lengths"]), np.str_)
        )
        beats = _beats(path, arrays, len(held["lengths"]))
    samples, labels, lengths = held["samples"], held["labels"], held["lengths"]
    for name in ("samples", "labels"):
        if held[name].dtype != np.int16:
            raise EdgebioError(f"{path}: array {name} is {held[name].dtype}; expected int16")
    if not len(lengths) or (lengths < 0).any() or int(lengths.sum()) != len(samples):
        raise EdgebioError(f"{path}: lengths do not add up to the {len(samples)} samples")
    for name in ("repetitions", "subjects", "sessions", "sources", "conditions"):
        if len(held[name]) != len(lengths):
            raise EdgebioError(f"{path}: {len(held[name])} {name} for {len(lengths)} recordings")
    if len(labels) != len(samples):
        raise EdgebioError(f"{path}: {len(labels)} labels for {len(samples)} samples")
    ends = np.cumsum(lengths).tolist()
    return [
        Recording(
            samples=samples[end - length : end],
            rate=float(held["rate"]),
            units=str(held["units"]),
            labels=labels[end - length : end],
            classes=tuple(held["classes"].tolist()),
            subject=str(held["subjects"][index]),
            session=str(held["sessions"][index]),
            repetition=int(held["repetitions"][index]),
            source=str(held["sources"][index]),
            condition=str(held["conditions"][index]),
            beats=beats[index],
        )
        for index, (length, end) in enumerate(zip(lengths.tolist(), ends, strict=True))
    ]


def save(path: Path, recordings: Sequence[Recording]) -> Path:
    """Write recordings of one rate, channel count, unit and class list to a file for `load`.

    Returns
    -------
    Path
        `path` with the suffix ``.npz``, which it is given where it has another.

    Raises
    ------
    EdgebioError
        Where there is nothing to write, or the recordings differ in what must be one.
    """
    if not recordings:
        raise EdgebioError(f"{path}: no recordings to write")
    first = recordings[0]
    for other in recordings:
        for what in ("rate", "channels", "units", "classes"):
            mine, theirs = getattr(first, what), getattr(other, what)
            if mine != theirs:
                raise EdgebioError(
                    f"{other.source}: {what} {theirs}, but {first.source} has {mine}; "
                    "one file holds one of them"
                )
    if path.suffix != ".npz":
        path = path.with_name(path.name + ".npz")
    with storage.replacing(path) as temporary:
        np.savez_compressed(
            temporary,
            edgebio=np.array(_VERSION),
            samples=np.concatenate([r.samples for r in recordings]),
            labels=np.concatenate([r.labels for r in recordings]),
            rate=np.array(first.rate, np.float64),
            units=np.array(first.units, np.str_),
            classes=np.array(first.classes, np.str_),
            lengths=np.array([len(r.samples) for r in recordings]),
            repetitions=np.array([r.repetition for r in recordings]),
            subjects=np.array([r.subject for r in recordings], np.str_),
            sessions=np.array([r.session for r in recordings], np.str_),
            sources=np.array([r.source for r in recordings], np.str_),
            conditions=np.array([r.condition for r in recordings], np.str_),
            beats=np.concatenate([[] if r.beats is None else r.beats for r in recordings]).astype(
                np.int64
            ),
            beat_counts=np.array([-1 if r.beats is None else len(r.beats) for r in recordings]),
        )
    return path


def read(path: Path, layout: Layout) -> list[Recording]:
    """Read a file of edgebio's, or a plain CSV or NPZ.

    A CSV has one row a sample, separated by commas, semicolons or tabs, with or without a line of
    column names. An NPZ has a 2-D array ``samples`` (or is the only 2-D array in the file), one row
    a sample, and may have a ``rate``.

    Raises
    ------
    EdgebioError
        Where the file is missing, cut, ragged, not finite, or `layout` lacks what it does not say.
    """
    if path.suffix.lower() == ".npz":
        with _opened(path) as arrays:
            ours = "edgebio" in arrays
        return load(path) if ours else [_read_npz(path, layout)]
    return [_read_csv(path, layout)]


def unify(recordings: Sequence[Recording]) -> list[Recording]:
    """Give recordings one list of classes: every class of theirs, in natural order."""
    union = tuple(natural(name for r in recordings for name in r.classes))
    place = {name: index for index, name in enumerate(union)}
    unified = []
    for r in recordings:
        table = np.array([*(place[name] for name in r.classes), UNLABELLED], np.int16)
        unified.append(replace(r, labels=table[r.labels], classes=union))
    return unified


# --- plain files ---------------------------------------------------------------------------------


def _read_csv(path: Path, layout: Layout) -> Recording:
    body = text.read(path)
    head, _, rest = body.partition(b"\n")
    separator = next((s for s in _SEPARATORS if s.encode() in head), ",").encode()
    fields = [field.strip().strip(b'"') for field in head.split(separator)]
    names: list[str] = []
    first_line = 1
    if not any(text.is_number(field) for field in fields):
        names = [field.decode("utf-8", "replace") for field in fields]
        body, first_line = rest, 2
        if not body:
            raise EdgebioError(f"{path}: only a line of names; expected one line a sample")

    channels = [_column(path, name, names, len(fields)) for name in layout.columns]
    words = None
    if layout.label_column is not None:
        told = _column(path, layout.label_column, names, len(fields))
        channels = [i for i in channels or range(len(fields)) if i != told]
        if not channels:
            raise EdgebioError(f"{path}: no column besides the labels")
        body, words = _take_column(body, separator, told, len(fields), str(path), first_line)
    elif separator != b",":
        body = body.replace(separator, b",")
    values = text.numbers(body, len(fields), str(path), "any", first_line)
    if channels:
        values = values[:, channels]
    return _recording(path, values, text.in_text(str(path), first_line, channels), words, layout)


def _column(path: Path, name: str, names: Sequence[str], count: int) -> int:
    """Index of a column that is named, or numbered from 1."""
    if name in names:
        return list(names).index(name)
    if name.isdecimal() and 1 <= int(name) <= count:
        return int(name) - 1
    there = f"columns {', '.join(names)}" if names else f"{count} columns without names"
    raise EdgebioError(f"{path}: no column {name!r}; it has {there}")


def _take_column(
    body: bytes, separator: bytes, index: int, columns: int, source: str, first_line: int
) -> tuple[bytes, list[str]]:
    """Take the words of one column out of delimited rows, and leave zeros there."""
    words, rows = [], []
    for line, row in enumerate(body.removesuffix(b"\n").split(b"\n"), first_line):
        fields = row.split(separator)
        if len(fields) != columns:
            raise EdgebioError(f"{source}: line {line}: {len(fields)} fields, expected {columns}")
        words.append(fields[index].strip().strip(b'"').decode("utf-8", "replace"))
        fields[index] = b"0"
        rows.append(b",".join(fields))
    return b"\n".join(rows) + b"\n", words


def _read_npz(path: Path, layout: Layout) -> Recording:
    with _opened(path) as arrays:
        headers = {name: _header(path, arrays, name) for name in arrays.files}
        flat = [name for name, (shape, _) in headers.items() if len(shape) == 2]
        name = "samples" if "samples" in flat else flat[0] if len(flat) == 1 else None
        if name is None:
            raise EdgebioError(
                f"{path}: expected an array samples (n, channels), or a single 2-D array; "
                f"it has {', '.join(headers) or 'none'}"
            )
        values = _array(path, arrays, name, "iuf", 2)
        if layout.rate is None and "rate" in headers:
            layout = replace(layout, rate=float(_array(path, arrays, "rate", "fiu", 0)))
        words = None
        if layout.label_column is not None:
            if layout.label_column not in headers:
                raise EdgebioError(
                    f"{path}: no array {layout.label_column!r}; it has {', '.join(headers)}"
                )
            words = [str(w) for w in _array(path, arrays, layout.label_column, "iuUf", 1).tolist()]
            if len(words) != len(values):
                raise EdgebioError(f"{path}: {len(words)} labels for {len(values)} samples")
    return _recording(path, values, _in_array(str(path)), words, layout)


def _recording(
    path: Path,
    values: npt.NDArray[Any],
    at: text.Place,
    words: Sequence[str] | None,
    layout: Layout,
) -> Recording:
    """Make a recording of numbers: whole ones as they are, others by the layout's lsb."""
    source = str(path)
    if layout.rate is None:
        raise EdgebioError(f"{path}: does not say its rate; add --rate HZ")
    if not values.size:
        raise EdgebioError(f"{path}: no samples")
    text.check_finite(values, at)
    units = layout.units
    if layout.lsb is not None:
        with np.errstate(over="ignore"):
            values = np.rint(values / layout.lsb)
        units = f"{layout.lsb:g} {layout.units}"
    elif (values != np.rint(values)).any():
        raise EdgebioError(
            f"{path}: decimal numbers; say how many units one count of the converter is: "
            f"--lsb {_smallest_step(values):.6g} (the smallest step in the file)"
        )
    labels, classes = _labels(words, layout.label, len(values))
    return Recording(
        samples=text.to_counts(values, at),
        rate=layout.rate,
        units=units,
        labels=labels,
        classes=classes,
        subject=layout.subject,
        session=layout.session,
        repetition=layout.repetition,
        source=source,
    )


def _in_array(source: str) -> text.Place:
    """Name places of a table that was an array."""
    return lambda row, column: f"{source}: sample {row}, channel {column}"


def _smallest_step(values: npt.NDArray[np.float64]) -> float:
    """Smallest difference between two values that is more than the rounding of their digits."""
    steps = np.diff(np.unique(values))
    real = steps[steps > 1e-9 * max(float(np.abs(values).max()), 1e-30)]
    return float(real.min()) if real.size else 1.0


def _labels(
    words: Sequence[str] | None, label: str | None, count: int
) -> tuple[npt.NDArray[np.int16], tuple[str, ...]]:
    """Labels and class names, from a word a sample, from one for all, or none."""
    if words is None:
        if label is None:
            return np.full(count, UNLABELLED, np.int16), ()
        return np.zeros(count, np.int16), (label,)
    plain = [_plain(word) for word in words]
    classes = tuple(natural(set(plain) - {""}))
    place = {"": UNLABELLED} | {name: index for index, name in enumerate(classes)}
    return np.array([place[word] for word in plain], np.int16), classes


def _plain(word: str) -> str:
    """Write a class number without decimals ("2.0" and "2" are one class)."""
    try:
        number = float(word)
    except ValueError:
        return word
    return str(int(number)) if number.is_integer() else word


# --- NPZ -----------------------------------------------------------------------------------------

_DAMAGED = (
    zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, RuntimeError, SyntaxError,
    NotImplementedError, OverflowError, TypeError,
)  # fmt: skip
"""What zipfile and NumPy's reader raise on files that are cut, damaged or hostile."""


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open an NPZ, and say in one line what is wrong with it where anything is."""
    try:
        if not zipfile.is_zipfile(path):
            path.stat()
            raise EdgebioError(f"{path}: not an NPZ file, or cut")
        with np.load(path, allow_pickle=False) as arrays:
            yield arrays
    except FileNotFoundError:
        raise EdgebioError(f"{path}: no such file") from None
    except OSError as error:
        raise EdgebioError(f"{path}: {error.strerror or error}") from None
    except _DAMAGED as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EdgebioError(f"{path}: damaged or not plain arrays ({reason})") from None


def _header(path: Path, arrays: Any, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array, from its header alone."""
    member = name if name in arrays.zip.namelist() else f"{name}.npy"
    with arrays.zip.open(member) as file:
        major, _ = np.lib.format.read_magic(file)
        reader = (
            np.lib.format.read_array_header_1_0
            if major == 1
            else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = reader(file)
    return shape, dtype


def _array(path: Path, arrays: Any, name: str, kinds: str, dimensions: int) -> npt.NDArray[Any]:
    """Read one array after its header has passed: type, dimensions and size."""
    if name not in arrays:
        raise EdgebioError(f"{path}: no array {name!r}; it has {', '.join(arrays.files) or 'none'}")
    shape, dtype = _header(path, arrays, name)
    if dtype.kind not in kinds or len(shape) != dimensions:
        raise EdgebioError(
            f"{path}: array {name} is {dtype} of shape {shape}; expected {dimensions} dimensions "
            f"of {_words(kinds)}"
        )
    size = dtype.itemsize * int(np.prod(shape, dtype=object))
    if size > MOST_BYTES:
        raise EdgebioError(f"{path}: array {name} is {size:,} bytes; up to {MOST_BYTES:,} are read")
    array: npt.NDArray[Any] = arrays[name]
    return array


def _beats(path: Path, arrays: Any, recordings: int) -> list[npt.NDArray[np.int64] | None]:
    """Beats of each recording, from the arrays that older files do not have."""
    if "beat_counts" not in arrays:
        return [None] * recordings
    places = _array(path, arrays, "beats", "i", 1).astype(np.int64)
    counts = _array(path, arrays, "beat_counts", "i", 1).astype(np.int64)
    ends = np.cumsum(np.maximum(counts, 0))
    if len(counts) != recordings or counts.min(initial=-1) < -1 or ends[-1] != len(places):
        raise EdgebioError(
            f"{path}: beat_counts of {len(counts)} recordings do not add up to the {len(places)} "
            f"beats of {recordings}"
        )
    return [
        places[end - count : end] if count >= 0 else None
        for count, end in zip(counts.tolist(), ends.tolist(), strict=True)
    ]


def _words(kinds: str) -> str:
    if "U" in kinds:
        return "text"
    return "numbers" if "f" in kinds else "whole numbers"
