"""Recordings in files: edgebio's own NPZ, and the formats of others.

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

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import storage
from edgebio.errors import EdgebioError
from edgebio.recordings import npz, table
from edgebio.recordings.layout import Layout
from edgebio.recordings.order import natural
from edgebio.recordings.preparing import numbered_as
from edgebio.recordings.recording import Recording

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


def load(path: Path) -> list[Recording]:
    """Read a file that `save` wrote.

    Raises
    ------
    EdgebioError
        Where the file is missing, cut, of another version, or not consistent in itself.
    """
    with npz.opened(path) as arrays:
        if "edgebio" not in arrays:
            raise EdgebioError(
                f"{path}: not a file of edgebio's; make one of it: edgebio data import {path} "
                "--rate HZ -o OUT.npz"
            )
        version = npz.array(path, arrays, "edgebio", "iu", 0)
        if int(version) != _VERSION:
            raise EdgebioError(f"{path}: layout version {version}; this edgebio reads {_VERSION}")
        held = {name: npz.array(path, arrays, name, *shape) for name, shape in _SHAPES.items()}
        held["conditions"] = (
            npz.array(path, arrays, "conditions", "U", 1)
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
    """Read a file of edgebio's, or one of anybody's: see `plain` and `clinical`.

    Raises
    ------
    EdgebioError
        Where the file is missing, cut, ragged, not finite, or `layout` lacks what it does not say.
    """
    from edgebio.recordings import clinical, plain

    kind = path.suffix.lower()
    if kind == ".npz":
        with npz.opened(path) as arrays:
            ours = "edgebio" in arrays
        if ours:
            return load(path)
    readers = {".npz": plain.npz_table, ".mat": plain.mat_table, ".edf": clinical.edf_table,
               ".bdf": clinical.edf_table, ".hea": clinical.wfdb_table}  # fmt: skip
    return table.recordings(readers.get(kind, plain.csv_table)(path, layout), layout)


def unify(recordings: Sequence[Recording]) -> list[Recording]:
    """Give recordings one list of classes: every class of theirs, in natural order."""
    union = natural(name for r in recordings for name in r.classes)
    return [numbered_as(r, union) for r in recordings]


def _beats(path: Path, arrays: Any, recordings: int) -> list[npt.NDArray[np.int64] | None]:
    """Beats of each recording, from the arrays that older files do not have."""
    if "beat_counts" not in arrays:
        return [None] * recordings
    places = npz.array(path, arrays, "beats", "i", 1).astype(np.int64)
    counts = npz.array(path, arrays, "beat_counts", "i", 1).astype(np.int64)
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
