"""From a journal to recordings: one for each repetition, its label after the transition."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.acquisition.journal import read_journal
from edgebio.errors import EdgebioError
from edgebio.recordings import Recording
from edgebio.recordings.recording import UNLABELED
from edgebio.sources import Chunk


@dataclass
class _Stretch:
    """Contiguous samples of one run."""

    chunks: list[Chunk] = field(default_factory=list)

    @property
    def samples(self) -> npt.NDArray[np.int16]:
        return np.concatenate([chunk.samples for chunk in self.chunks])

    @property
    def times(self) -> npt.NDArray[np.float64]:
        return np.concatenate([chunk.times for chunk in self.chunks])


@dataclass(frozen=True)
class Assembly:
    """What a journal holds.

    Attributes
    ----------
    recordings
        One for each accepted repetition; the rest before it and the transition are unlabeled. A gap
        cuts a recording in two.
    samples, lost, gaps
        Samples that are there, samples that are missing as far as it is known, and the reasons of
        the gaps.
    notes
        The documents of the runs, with the start of each recording.
    """

    recordings: list[Recording]
    samples: int
    lost: int
    gaps: list[str]
    notes: dict[str, Any]


def assemble(path: Path) -> Assembly:
    """Make the recordings of a journal.

    Raises
    ------
    EdgebioError
        If no repetition was accepted.
    """
    runs = list(_runs(path))
    again: set[tuple[str, int]] = set()  # trials that a later run recorded or asked for again
    for run in reversed(runs):
        run.trials = {trial: each for trial, each in run.trials.items() if trial not in again}
        again |= run.trials.keys()
    recordings: list[Recording] = []
    gaps: list[str] = []
    starts: list[float] = []
    samples = lost = 0
    for run in runs:
        gaps += run.gaps
        lost += run.lost
        samples += sum(len(chunk.samples) for each in run.stretches for chunk in each.chunks)
        for recording, start in run.recordings():
            recordings.append(recording)
            starts.append(start)
    if not recordings:
        raise EdgebioError(f"{path}: no repetition was recorded")
    notes = {"runs": [run.document for run in runs], "starts": starts, "lost": lost, "gaps": gaps}
    return Assembly(recordings, samples, lost, gaps, notes)


def accepted_trials(path: Path) -> tuple[dict[str, Any], set[tuple[str, int]]]:
    """Document of the first run, and the trials that need not be recorded again."""
    first: dict[str, Any] = {}
    trials: set[tuple[str, int]] = set()
    for kind, content in read_journal(path):
        if kind == "R":
            first = first or content
        elif kind == "T":
            trial = (content["class"], content["repetition"])
            (trials.add if content["accepted"] else trials.discard)(trial)
    return first, trials


class _Run:
    """One run of the recorder: its samples and trials."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.stretches: list[_Stretch] = []
        self.gaps: list[str] = []
        self.lost = 0
        self.trials: dict[tuple[str, int], dict[str, Any]] = {}
        self._end: int | None = None
        self._cut = False

    def add(self, chunk: Chunk) -> None:
        if self._end is None or chunk.first != self._end or self._cut:
            self.stretches.append(_Stretch())
            self.lost += max(0, chunk.first - (self._end or chunk.first))
        self._cut = False
        self.stretches[-1].chunks.append(chunk)
        self._end = chunk.end

    def cut(self, reason: str) -> None:
        self.gaps.append(reason)
        self._cut = True

    def recordings(self) -> Iterator[tuple[Recording, float]]:
        """Recordings of the accepted trials, and when each starts, in seconds since 1970."""
        document = self.document
        classes = tuple(document["classes"])
        accepted = sorted(
            (trial for trial in self.trials.values() if trial["accepted"]),
            key=lambda trial: float(trial["start"]),
        )
        for stretch in self.stretches:
            times, samples = stretch.times, stretch.samples
            done = 0
            for trial in accepted:
                begin, steady, end = np.searchsorted(
                    times, [trial["start"], trial["steady"], trial["end"]]
                ).tolist()
                if end <= begin or end == done:
                    continue
                labels = np.full(end - done, UNLABELED, np.int16)
                labels[max(steady, done) - done :] = classes.index(trial["class"])
                recording = Recording(
                    samples[done:end], float(document["rate"]), document["units"], labels, classes,
                    document["subject"], document["session"], int(trial["repetition"]),
                    document["url"],
                )  # fmt: skip
                yield recording, float(times[done]) + float(document["epoch"])
                done = end


def _runs(path: Path) -> Iterator[_Run]:
    run: _Run | None = None
    for kind, content in read_journal(path):
        if kind == "R":
            if run is not None:
                yield run
            run = _Run(content)
        elif run is None:
            raise EdgebioError(f"{path}: damaged: no run at its start")
        elif kind == "S":
            run.add(content)
        elif kind == "G":
            run.cut(content["reason"])
        elif kind == "T":
            run.trials[content["class"], content["repetition"]] = content
    if run is not None:
        yield run
