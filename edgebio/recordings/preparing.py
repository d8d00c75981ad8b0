"""What a job changes of recordings before anything is split: classes, channels, band, rate, beats.

Whatever is changed here is changed for every use of the recordings, so that a board has to be given
the same: the band is for studies, as no device runs a filter backwards in time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.recording import UNLABELLED, Recording

_ORDER = 4  # of the Butterworth band-pass, run both ways
_WORST_RATIO = 1000  # largest factor of a change of rate


def with_classes(
    recordings: Sequence[Recording], classes: Mapping[str, Sequence[str]]
) -> list[Recording]:
    """Merge classes, and leave those out that are named nowhere.

    Parameters
    ----------
    recordings
        Recordings of one list of classes.
    classes
        By name of the new class: the old ones that are in it. Ones that these recordings do not
        know are passed over, so that one table serves several data sets.

    Raises
    ------
    EdgebioError
        Where none of a new class's old ones is there, or one is in two.
    """
    made = []
    for r in recordings:
        table = np.full(len(r.classes) + 1, UNLABELLED, np.int16)  # its last is for UNLABELLED
        for label, (name, old) in enumerate(classes.items()):
            found = [k for k, known in enumerate(r.classes) if known in old]
            if not found:
                raise EdgebioError(
                    f"{r.source}: none of {_listed(old)}, which make class {name!r}; it has "
                    f"{_listed(r.classes)}"
                )
            if (table[found] != UNLABELLED).any():
                raise EdgebioError(f"class {name!r} takes {_listed(old)}, one of which is taken")
            table[found] = label
        made.append(replace(r, labels=table[r.labels], classes=tuple(classes)))
    return made


def numbered_as(recording: Recording, classes: Sequence[str]) -> Recording:
    """Give a recording another list of classes: its labels follow their names.

    Parameters
    ----------
    recording
        What is numbered anew.
    classes
        Names, in the order wanted. What is labelled as one that is not among them becomes
        unlabelled.
    """
    place = {name: index for index, name in enumerate(classes)}
    table = [place.get(name, UNLABELLED) for name in recording.classes]
    labels = np.array([*table, UNLABELLED], np.int16)[recording.labels]
    return replace(recording, labels=labels, classes=tuple(classes))


def with_channels(recordings: Sequence[Recording], channels: Sequence[int]) -> list[Recording]:
    """Keep some channels, in the order given.

    Raises
    ------
    EdgebioError
        Where a recording has no such channel.
    """
    for r in recordings:
        if max(channels) >= r.channels:
            raise EdgebioError(
                f"{r.source}: no channel {max(channels)}; its {r.channels} are numbered from 0"
            )
    return [
        replace(r, samples=np.ascontiguousarray(r.samples[:, list(channels)])) for r in recordings
    ]


def band_passed(recording: Recording, low: float, high: float) -> Recording:
    """Zero-phase band-pass, as studies have it: 4th-order Butterworth both ways, in float64.

    Parameters
    ----------
    recording
        What to filter; its counts are rounded again.
    low, high
        Corners in Hz.

    Raises
    ------
    EdgebioError
        Where the upper corner is not below half the rate.
    """
    from scipy import signal

    if not high < recording.rate / 2:
        raise EdgebioError(
            f"{recording.source}: {high:g} Hz is not below half of {recording.rate:g} Hz"
        )
    sections = signal.butter(_ORDER, (low, high), "bandpass", fs=recording.rate, output="sos")
    # A constant is no signal of the band, but padding would not forget a large one at the ends.
    centred = recording.samples - recording.samples.mean(axis=0)
    length = min(len(centred) - 1, int(3 * recording.rate / low))
    filtered = signal.sosfiltfilt(sections, centred, axis=0, padlen=max(0, length))
    return replace(recording, samples=_counts(filtered))


def at_rate(recording: Recording, rate: float) -> Recording:
    """Resample, by a polyphase filter that keeps what is above half of the lower rate out.

    Labels are those of the nearest sample; beats move to theirs.

    Raises
    ------
    EdgebioError
        Where the rates are in no ratio of small numbers.
    """
    from scipy import signal

    if recording.rate == rate:
        return recording
    ratio = Fraction(rate / recording.rate).limit_denominator(_WORST_RATIO)
    up, down = ratio.numerator, ratio.denominator
    if not up or abs(up / down * recording.rate / rate - 1) > 1e-6 or up > _WORST_RATIO:
        raise EdgebioError(
            f"{recording.source}: {recording.rate:g} Hz does not become {rate:g} Hz by a ratio of "
            f"whole numbers up to {_WORST_RATIO}"
        )
    samples = _counts(
        signal.resample_poly(recording.samples.astype(np.float64), up, down, padtype="line")
    )
    nearest = np.minimum(np.arange(len(samples)) * down // up, len(recording.labels) - 1)
    labels, beats = recording.labels[nearest], None
    if recording.beats is not None:
        moved = np.minimum((recording.beats * up + down // 2) // down, len(samples) - 1)
        beats, first = np.unique(moved, return_index=True)
        labels[beats] = recording.labels[recording.beats[first]]
    return replace(recording, samples=samples, rate=rate, labels=labels, beats=beats)


def _counts(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    limits = np.iinfo(np.int16)
    return np.clip(np.rint(values), limits.min, limits.max).astype(np.int16)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
