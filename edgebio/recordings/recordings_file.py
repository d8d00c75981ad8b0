"""edgebio's own file format: recordings of one rate, channel count, unit and class list in an NPZ.

===========  ======================  ======================================================
array        type and shape          content
===========  ======================  ======================================================
edgebio      int, ()                 version of this format, 1
samples      int16 (n, channels)     converter counts of all recordings, end to end
labels       int16 (n,)              index into classes; -1 for no class
rate         float, ()               sampling rate in Hz
units        str, ()                 meaning of one count
classes      str (k,)                class names
lengths      int (r,)                samples of each recording; their sum is n
repetitions  int (r,)                number of each within its subject, session and class
subjects     str (r,)                subject of each
sessions     str (r,)                session of each
sources      str (r,)                file that each came from
conditions   str (r,)                level of force, for example; optional
beats        int64 (b,)              samples of heart beats, counted within each recording
beat_counts  int (r,)                beats of each recording, -1 for not annotated; both arrays
                                     are optional
acquisition  str, ()                 JSON: device, placement, prompts, gaps of a guided recording;
                             optional
===========  ======================  ======================================================

No array holds Python objects: nothing is ever unpickled.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import storage
from edgebio.errors import EdgebioError
from edgebio.recordings.readers import npz
from edgebio.recordings.recording import Recording

_VERSION = 1
_ARRAYS = {  # kinds of dtype, and dimensions
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
    "conditions": ("U", 1),
}
_TEXTS = ("subject", "session", "source", "condition")  # of each recording; arrays are plurals


def is_recordings_file(path: Path) -> bool:
    """Return whether a file is an NPZ of edgebio's own format."""
    if path.suffix.lower() != ".npz":
        return False
    with npz.open_npz(path) as arrays:
        return "edgebio" in arrays


def read_recordings_file(path: Path) -> list[Recording]:
    """Read a file that `save_recordings` wrote; refuse one that is damaged or inconsistent."""
    with npz.open_npz(path) as arrays:
        if "edgebio" not in arrays:
            raise EdgebioError(
                f"{path}: not a recordings file; convert it: edgebio data import {path} "
                "--rate HZ -o OUT.npz"
            )
        version = npz.read_array(path, arrays, "edgebio", "iu", 0)
        if int(version) != _VERSION:
            raise EdgebioError(f"{path}: format version {version}; this edgebio reads {_VERSION}")
        content = {
            name: npz.read_array(path, arrays, name, *expected)
            for name, expected in _ARRAYS.items()
            if name in arrays or name != "conditions"
        }
        lengths = content["lengths"]
        beats = _split_beats(path, arrays, len(lengths))
    content.setdefault("conditions", np.zeros(len(lengths), np.str_))
    samples, labels = content["samples"], content["labels"]
    for name in ("samples", "labels"):
        if content[name].dtype != np.int16:
            raise EdgebioError(f"{path}: array {name} is {content[name].dtype}; expected int16")
    if not len(lengths) or (lengths < 0).any() or int(lengths.sum()) != len(samples):
        raise EdgebioError(f"{path}: lengths do not add up to the {len(samples)} samples")
    for name in ("repetitions", *(f"{text}s" for text in _TEXTS)):
        if len(content[name]) != len(lengths):
            raise EdgebioError(f"{path}: {len(content[name])} {name} for {len(lengths)} recordings")
    if len(labels) != len(samples):
        raise EdgebioError(f"{path}: {len(labels)} labels for {len(samples)} samples")
    ends = np.cumsum(lengths).tolist()
    return [
        Recording(
            samples=samples[end - length : end],
            rate=float(content["rate"]),
            units=str(content["units"]),
            labels=labels[end - length : end],
            classes=tuple(content["classes"].tolist()),
            repetition=int(content["repetitions"][index]),
            beats=beats[index],
            **{text: str(content[f"{text}s"][index]) for text in _TEXTS},
        )
        for index, (length, end) in enumerate(zip(lengths.tolist(), ends, strict=True))
    ]


def save_recordings(
    path: str | Path,
    recordings: Sequence[Recording],
    acquisition: Mapping[str, Any] | None = None,
) -> Path:
    """Write recordings of one rate, channel count, unit and class list to one file.

    `acquisition` says how they were taken, see `read_acquisition`. Returns the path of the file;
    ``.npz`` is appended where it ends otherwise.
    """
    path = Path(path)
    if not recordings:
        raise EdgebioError(f"{path}: no recordings to write")
    check_alike(recordings)
    first = recordings[0]
    if path.suffix != ".npz":
        path = path.with_name(path.name + ".npz")
    texts: dict[str, Any] = {
        f"{text}s": np.array([getattr(r, text) for r in recordings], np.str_) for text in _TEXTS
    }
    if acquisition is not None:
        texts["acquisition"] = np.array(json.dumps(acquisition), np.str_)
    with storage.replacing(path) as temporary:
        np.savez_compressed(
            temporary,
            edgebio=np.array(_VERSION),
            samples=np.concatenate([r.samples for r in recordings])
            if len(recordings) > 1
            else first.samples,
            labels=np.concatenate([r.labels for r in recordings]),
            rate=np.array(first.rate, np.float64),
            units=np.array(first.units, np.str_),
            classes=np.array(first.classes, np.str_),
            lengths=np.array([len(r.samples) for r in recordings]),
            repetitions=np.array([r.repetition for r in recordings]),
            beats=np.concatenate([[] if r.beats is None else r.beats for r in recordings]).astype(
                np.int64
            ),
            beat_counts=np.array([-1 if r.beats is None else len(r.beats) for r in recordings]),
            **texts,
        )
    return path


def read_acquisition(path: Path) -> dict[str, Any] | None:
    """How the recordings of a file were taken; None where it does not say.

    The document has ``runs`` (device, rate, units, gain, classes, plan, subject, session,
    placement), ``starts`` (of each recording, in seconds since 1970), ``lost`` samples and the
    reasons of the ``gaps``.
    """
    with npz.open_npz(path) as arrays:
        if "acquisition" not in arrays:
            return None
        text = npz.read_array(path, arrays, "acquisition", "U", 0)
    try:
        document = json.loads(str(text))
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise EdgebioError(f"{path}: array acquisition is damaged")
    return document


def check_alike(recordings: Sequence[Recording]) -> None:
    """Refuse recordings that differ in rate, channel count, unit or classes."""
    first = recordings[0]
    for other in recordings:
        for field in ("rate", "channels", "units", "classes"):
            if getattr(first, field) != getattr(other, field):
                raise EdgebioError(
                    f"{other.source}: {field} {getattr(other, field)}, but {first.source} has "
                    f"{getattr(first, field)}; one file holds recordings of one {field}"
                )


def _split_beats(path: Path, arrays: Any, recordings: int) -> list[npt.NDArray[np.int64] | None]:
    """Beats of each recording; None where the file has none."""
    if "beat_counts" not in arrays:
        return [None] * recordings
    beats = npz.read_array(path, arrays, "beats", "i", 1).astype(np.int64)
    counts = npz.read_array(path, arrays, "beat_counts", "i", 1).astype(np.int64)
    ends = np.cumsum(np.maximum(counts, 0))
    if len(counts) != recordings or counts.min(initial=-1) < -1 or ends[-1] != len(beats):
        raise EdgebioError(
            f"{path}: beat_counts of {len(counts)} recordings do not add up to the {len(beats)} "
            f"beats of {recordings}"
        )
    return [
        beats[end - count : end] if count >= 0 else None
        for count, end in zip(counts.tolist(), ends.tolist(), strict=True)
    ]
