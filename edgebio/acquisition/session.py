"""A guided recording as it goes on: prompts, pauses, repetitions, and what reaches the disk."""

import time
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edgebio.acquisition.assemble import Assembly, accepted_trials, assemble
from edgebio.acquisition.journal import JournalWriter, journal_path
from edgebio.acquisition.plan import Plan, Trial
from edgebio.acquisition.quality import SignalCheck, check_signal
from edgebio.acquisition.reaction import reaction_seconds
from edgebio.errors import EdgebioError
from edgebio.recordings.recordings_file import save_recordings
from edgebio.sources import Chunk, LiveStream

Phase = Literal["check", "rest", "hold", "paused", "done"]
REST = "rest"
"""Prompt between two repetitions."""

_CHECK_SECONDS = 3.0
_RETRIES = 2  # of a repetition that has a gap or a bad signal
_LATE = 2.0  # seconds to wait for the last samples of a repetition
_SHOWN = 4.0  # seconds of signal that a display gets


@dataclass(frozen=True)
class Placement:
    """Whose signal it is, and how it was taken.

    Attributes
    ----------
    subject, session
        Their names.
    note
        Where the electrodes are.
    gain
        Of the amplifier, where the source does not state it.
    """

    subject: str = "1"
    session: str = "1"
    note: str = ""
    gain: str = ""


@dataclass(frozen=True, eq=False)
class SessionState:
    """What a display shows.

    Attributes
    ----------
    phase, name, following
        Phase; what the subject is to do now; and next.
    remaining, seconds
        Seconds that are left of the phase, and of which there were so many.
    done, total
        Repetitions.
    check
        The last check of the signal.
    message
        The last event worth a line.
    """

    phase: Phase
    name: str
    following: str
    remaining: float
    seconds: float
    done: int
    total: int
    check: SignalCheck | None
    message: str


class RecordingSession:
    """Guide a subject through a plan, and write everything that arrives.

    Call `step` again and again; the other methods may be called between.

    Parameters
    ----------
    stream
        An open stream.
    plan, placement
        What is asked, and who does it.
    output
        The file to write in the end; the journal is beside it, and an interrupted recording with
        the same plan is continued.
    pause_on_failure
        Pause where a channel is clipped or dead; otherwise it is only reported.

    Raises
    ------
    EdgebioError
        If the unfinished recording beside `output` has another plan or source.
    """

    def __init__(
        self, stream: LiveStream, plan: Plan, output: Path, placement: Placement | None = None,
        *, pause_on_failure: bool = True,
    ) -> None:  # fmt: skip
        self.signal: deque[Chunk] = deque()
        self.reactions: list[float] = []
        self.message = ""
        self._stream, self._plan, self._output = stream, plan, output
        self._pause_on_failure = pause_on_failure
        journal = journal_path(output)
        document = _document(stream, plan, placement or Placement())
        finished: set[tuple[str, int]] = set()
        if journal.exists():
            before, finished = accepted_trials(journal)
            _check_same(journal, before, document)
            self.message = f"continues {journal.name}: {len(finished)} repetitions are there"
        self._waiting = deque(
            trial for trial in plan.trials if (trial.name, trial.repetition) not in finished
        )
        self._done: list[Trial] = [
            trial for trial in plan.trials if (trial.name, trial.repetition) in finished
        ]
        self._journal = JournalWriter(journal)
        self._journal.add("R", document)
        self._phase: Phase = "check"
        self._start = self._cue(REST)
        self._end = self._start + _CHECK_SECONDS
        self._check: SignalCheck | None = None
        self._retries = 0

    @property
    def state(self) -> SessionState:
        """What to show now."""
        following = self._waiting[0].name if self._waiting else ""
        name = following if self._phase == "hold" else REST
        if self._phase == "hold":
            following = REST
        left = max(0.0, self._end - time.monotonic())
        return SessionState(
            self._phase, name, following, left, self._end - self._start, len(self._done),
            len(self._plan.trials), self._check, self._stream.status or self.message,
        )  # fmt: skip

    def step(self, seconds: float = 0.05) -> SessionState:
        """Take what arrives within `seconds`, and move on where it is time."""
        for chunk in self._stream.read(seconds):
            self._journal.add_samples(chunk)
            self.signal.append(chunk)
        oldest = (
            self.signal[-1].times[-1] - max(_SHOWN, self._end - self._start + 1.5)
            if self.signal
            else 0.0
        )
        while len(self.signal) > 1 and self.signal[0].times[-1] < oldest:
            self.signal.popleft()
        now = time.monotonic()
        if self._phase in ("paused", "done") or now < self._end:
            return self.state
        if self._phase == "hold":
            arrived = bool(self.signal) and self.signal[-1].times[-1] >= self._end
            if arrived or now > self._end + _LATE:
                self._finish_trial()
        elif self._phase == "check":
            self._finish_check()
        else:
            self._begin("hold", self._waiting[0].name, self._plan.seconds)
        return self.state

    def pause(self) -> None:
        """Stop prompting; a repetition that has begun is asked again."""
        if self._phase not in ("paused", "done"):
            self._phase = "paused"
            self._cue(REST)
            self.message = "paused"

    def resume(self) -> None:
        """Continue after a pause."""
        if self._phase == "paused":
            self.message = ""
            self._begin("rest", REST, self._plan.rest_seconds)

    def repeat(self) -> None:
        """Ask for the last repetition again; its samples stay in the file without a label."""
        if self._done and self._phase != "done":
            trial = self._done.pop()
            self._journal.add("T", {**_trial(trial, 0.0, 0.0, 0.0), "accepted": False})
            self._waiting.appendleft(trial)
            self.message = f"{trial.name} is asked again"
            self._begin("rest", REST, self._plan.rest_seconds)

    def close(self) -> None:
        """Bring everything onto the disk; the recording can be continued."""
        self._journal.close()

    def save(self) -> Assembly:
        """End the recording: write the file, and remove the journal.

        Raises
        ------
        EdgebioError
            If there is no repetition yet; the recording goes on.
        """
        if not self._done:
            raise EdgebioError(f"{self._output.name}: no repetition was recorded yet")
        self._journal.close()
        assembly = assemble(self._journal.path)
        notes = {**assembly.notes, "reaction_seconds": median(self.reactions)}
        save_recordings(self._output, assembly.recordings, acquisition=notes)
        self._journal.path.unlink()
        return replace(assembly, notes=notes)

    def _begin(self, phase: Phase, name: str, seconds: float) -> None:
        self._phase = phase
        self._start = self._cue(name)
        self._end = self._start + seconds

    def _cue(self, name: str) -> float:
        now = self._stream.cue(name)
        self._journal.add("M", {"name": name, "time": now})
        return now

    def _between(
        self, begin: float, end: float
    ) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.float64], str]:
        """Samples and times of a stretch, and the reason of a gap in it."""
        samples, times, gap = [], [], ""
        for chunk in self.signal:
            inside = (chunk.times >= begin) & (chunk.times < end)
            if inside.any():
                gap = gap or (chunk.gap if chunk.times[0] > begin else "")
                samples.append(chunk.samples[inside])
                times.append(chunk.times[inside])
        if not samples:
            channels = self._stream.description.channels
            return np.zeros((0, channels), np.int16), np.zeros(0), "nothing arrived"
        return np.concatenate(samples), np.concatenate(times), gap

    def _finish_check(self) -> None:
        rate = self._stream.description.rate
        samples, times, _ = self._between(self._start, self._end)
        if len(samples) < rate / 2:
            self.message = "no samples arrive: check the source"
            self._begin("check", REST, _CHECK_SECONDS)
            return
        measured = (len(times) - 1) / max(times[-1] - times[0], 1e-9)
        self._check = check_signal(samples, rate, measured, at_rest=True)
        findings = [each.text for each in self._check.findings]
        self._journal.add("M", {"name": "signal check", "time": self._end, "findings": findings})
        if self._check.findings:
            self.message = self._check.findings[0].text
        if not self._check.usable and self._pause_on_failure:
            self._phase = "paused"
            return
        self._next()

    def _finish_trial(self) -> None:
        trial, rate = self._waiting[0], self._stream.description.rate
        steady = self._start + self._plan.transition_seconds
        samples, _, gap = self._between(self._start, self._end)
        problem = gap
        if not gap and len(samples) < 0.9 * self._plan.seconds * rate:
            problem = f"{len(samples)} of {self._plan.seconds * rate:.0f} samples arrived"
        if not problem:
            self._check = check_signal(samples, rate)
            if not self._check.usable and self._pause_on_failure:
                problem = self._check.findings[0].text
        accepted = not problem or self._retries == _RETRIES
        record = {**_trial(trial, self._start, steady, self._end), "accepted": accepted}
        self._journal.add("T", {**record, "problem": problem})
        around, times, _ = self._between(self._start - 1.0, self._end)
        reaction = reaction_seconds(around, times, self._start)
        if accepted:
            self._waiting.popleft()
            self._done.append(trial)
            self._retries = 0
            self.message = problem
            if reaction is not None and trial.name != REST:
                self.reactions.append(reaction)
        else:
            self._retries += 1
            self.message = f"{trial.name} is asked again: {problem}"
        self._journal.sync()
        self._next()

    def _next(self) -> None:
        if self._waiting:
            self._begin("rest", REST, self._plan.rest_seconds)
        else:
            self._phase, self._end = "done", time.monotonic()
            self._cue(REST)


def median(values: list[float]) -> float | None:
    """Median; None of nothing."""
    return round(float(np.median(values)), 3) if values else None


def _trial(trial: Trial, start: float, steady: float, end: float) -> dict[str, Any]:
    return {
        "class": trial.name, "repetition": trial.repetition, "start": start, "steady": steady,
        "end": end,
    }  # fmt: skip


def _document(stream: LiveStream, plan: Plan, placement: Placement) -> dict[str, Any]:
    known = stream.description
    return {
        "url": known.url, "device": known.name, "rate": known.rate, "channels": known.channels,
        "channel_names": list(known.channel_names), "units": known.units,
        "gain": placement.gain or known.gain, "notes": list(known.notes),
        "classes": list(plan.classes), "repetitions": plan.repetitions, "seconds": plan.seconds,
        "rest_seconds": plan.rest_seconds, "transition_seconds": plan.transition_seconds,
        "seed": plan.seed, "subject": placement.subject, "session": placement.session,
        "placement": placement.note, "epoch": time.time() - time.monotonic(),
    }  # fmt: skip


def _check_same(journal: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    for key in ("classes", "repetitions", "rate", "channels", "units", "subject", "session"):
        if before.get(key) != now[key]:
            raise EdgebioError(
                f"{journal}: an unfinished recording with {key} {before.get(key)}, not {now[key]}; "
                "continue it as it was begun, or move it away"
            )
