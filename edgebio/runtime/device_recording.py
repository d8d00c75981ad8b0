"""Recordings of what a device that stands alone samples, labeled by the host's cues."""

import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from edgebio.link.client import Client
from edgebio.link.observer import MarkRecord, ObservedRecord, SampleRecord
from edgebio.recordings import Recording
from edgebio.recordings.recording import UNLABELED

_POLL_SECONDS = 0.05


def record(
    device: Client,
    seconds: float,
    *,
    classes: Sequence[str] = (),
    units: str = "counts",
    subject: str = "1",
    session: str = "1",
    step: Callable[[float], None] = lambda elapsed: None,
) -> list[Recording]:
    """Record the samples of a device that stands alone.

    Parameters
    ----------
    seconds
        Duration by the host's clock.
    classes
        Names of the classes. A cue (`Client.cue`) with the index of a class labels the samples from
        there on; with any other number they belong to no class, as those before the first cue do.
    units
        Meaning of one count.
    step
        Called again and again with the seconds that have passed, to give cues.

    Returns
    -------
    list of Recording
        One for each stretch without a lost sample; `save_recordings` writes them.
    """
    records: list[ObservedRecord] = []
    with device.record() as observer:
        start = time.monotonic()
        while (elapsed := time.monotonic() - start) < seconds:
            step(elapsed)
            records += observer.poll(min(_POLL_SECONDS, seconds - elapsed))
        observer.stop()
        records += observer.poll(_POLL_SECONDS)
    return recordings_of(
        records, device.description.rate, classes=classes, units=units, subject=subject,
        session=session, source=f"{device.identify().board} on {device.url}",
    )  # fmt: skip


def recordings_of(
    records: Iterable[ObservedRecord],
    rate: float,
    *,
    classes: Sequence[str] = (),
    units: str = "counts",
    subject: str = "1",
    session: str = "1",
    source: str = "device",
) -> list[Recording]:
    """Join the samples among `records`, see `record`; `rate` is in Hz."""
    pieces: list[SampleRecord] = []
    marks: list[MarkRecord] = []
    for each in records:
        if isinstance(each, SampleRecord):
            pieces.append(each)
        elif isinstance(each, MarkRecord):
            marks.append(each)
    ends = [piece.first + len(piece.samples) for piece in pieces]
    gaps = [i for i in range(1, len(pieces)) if pieces[i].first != ends[i - 1]]
    result: list[Recording] = []
    for start, end in zip([0, *gaps], [*gaps, len(pieces)], strict=True):
        if start == end:
            continue
        samples = np.concatenate([piece.samples for piece in pieces[start:end]])
        labels = np.full(len(samples), UNLABELED, np.int16)
        for mark in marks:
            at = max(0, mark.next_frame - pieces[start].first)
            labels[at:] = mark.label if mark.label < len(classes) else UNLABELED
        result.append(
            Recording(
                samples, rate, units, labels, tuple(classes), subject, session, len(result), source
            )
        )
    return result
