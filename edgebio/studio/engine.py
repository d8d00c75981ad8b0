"""The thread behind the page: it reads the source, guides a recording, and decides."""

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edgebio import tflite
from edgebio.acquisition import Placement, Plan, RecordingSession, check_signal
from edgebio.errors import EdgebioError
from edgebio.runtime.device import Device
from edgebio.runtime.host_decisions import HostDecisions
from edgebio.runtime.live_decisions import LiveDecision, LiveDecisions
from edgebio.runtime.motor_test import CursorTest, TargetMatching, motor_test
from edgebio.runtime.session import Session
from edgebio.sources import Chunk, LiveStream, source_of
from edgebio.studio.hub import Hub, image_message, json_message, signal_message

_STEP = 0.02  # seconds
_STATE_INTERVAL = 0.1
_CHECK_INTERVAL = 1.0
_BEHIND = 5.0  # seconds of samples that may wait for a board


class Engine:
    """Owner of the live source; all methods may be called from any thread.

    Parameters
    ----------
    hub
        Where messages go.
    data
        Folder of data sets for replays.
    """

    def __init__(self, hub: Hub, data: Path | None = None) -> None:
        self._hub, self._data = hub, data
        self._calls: queue.Queue[Callable[[], None]] = queue.Queue()
        self._stream: LiveStream | None = None
        self._recorder: RecordingSession | None = None
        self._decider: _Decider | None = None
        self._recent: list[Chunk] = []
        self._published = 0
        self._next_state = self._next_check = 0.0
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="studio engine", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop everything; a recording that is not finished can be continued."""
        self._closing = True
        self._thread.join(timeout=10)

    def open_source(self, url: str) -> dict[str, Any]:
        """Open a source, in place of the one that is open; returns its description."""
        stream = LiveStream(source_of(url, self._data), on_status=self._tell)
        stream.__enter__()
        self._call(lambda: self._set_stream(stream))
        known = stream.description
        return {"url": known.url, "name": known.name, "rate": known.rate, "units": known.units,
                "channels": list(known.channel_names), "notes": list(known.notes)}  # fmt: skip

    def close_source(self) -> None:
        """Close the source."""
        self._call(lambda: self._set_stream(None))

    def start_recording(self, plan: Plan, placement: Placement, output: Path) -> None:
        """Begin a guided recording, or continue one."""

        def start() -> None:
            self._stop_deciding()
            self._recorder = RecordingSession(self._open_stream(), plan, output, placement)
            self._published = 0

        self._call(start)

    def recording(self, action: str) -> dict[str, Any]:
        """Pause, resume, repeat, or end and save the recording; returns what was saved."""
        result: dict[str, Any] = {}

        def act() -> None:
            recorder = self._recorder
            if recorder is None:
                raise EdgebioError("nothing is being recorded")
            if action == "save":
                assembly = recorder.save()
                result.update(recordings=len(assembly.recordings), lost=assembly.lost,
                              reaction=assembly.notes["reaction_seconds"])  # fmt: skip
                self._recorder = None
                self._hub.send(json_message(kind="recorded", **result))
            else:
                {"pause": recorder.pause, "resume": recorder.resume, "repeat": recorder.repeat}[
                    action
                ]()

        self._call(act)
        return result

    def start_deciding(self, model: Path, board: str, port: str) -> list[str]:
        """Decide about the source with a model, here or on a board; returns its classes."""
        graph = tflite.read(model)
        host, device = HostDecisions(graph), None
        if board or port:
            device = Device.emulate(board, model) if board else Device(port, model)

        def start() -> None:
            self._stop_deciding()
            session = Session(device) if device else None
            decisions = LiveDecisions(self._open_stream(), host, session)
            self._decider = _Decider(decisions, device, self._hub, self._open_stream().cue)

        try:
            self._call(start)
        except EdgebioError:
            if device:
                device.close()
            raise
        return list(host.metadata.classes)

    def start_test(self, kind: str, directions: tuple[str, ...]) -> None:
        """Begin a test of control; decisions must be running."""

        def start() -> None:
            if self._decider is None:
                raise EdgebioError("start the decisions first")
            classes = self._decider.decisions.metadata.classes
            self._decider.test = motor_test(kind, classes, directions)

        self._call(start)

    def stop_deciding(self) -> dict[str, Any]:
        """End the decisions; returns their counts and delays."""
        result: dict[str, Any] = {}
        self._call(lambda: result.update(self._stop_deciding() or {}))
        return result

    def _open_stream(self) -> LiveStream:
        if self._stream is None:
            raise EdgebioError("open a source first")
        return self._stream

    def _call(self, function: Callable[[], None]) -> None:
        """Run a function in the engine's thread, and raise what it raises."""
        done, errors = threading.Event(), list[Exception]()

        def run() -> None:
            try:
                function()
            except Exception as error:
                errors.append(error)
            done.set()

        self._calls.put(run)
        if not done.wait(60):
            raise EdgebioError("the source does not answer")
        if errors:
            raise errors[0]

    def _run(self) -> None:
        while not self._closing:
            with contextlib.suppress(queue.Empty):
                self._calls.get(block=self._stream is None, timeout=0.2)()
            if self._stream is None:
                continue
            try:
                self._step()
            except Exception as error:  # shown on the page: this thread must go on
                text = str(error) or type(error).__name__
                self._hub.send(json_message(kind="error", text=text))
                self._set_stream(None)
        self._set_stream(None)

    def _step(self) -> None:
        assert self._stream is not None
        if self._recorder is not None:
            state = self._recorder.step(_STEP)
            chunks = [c for c in self._recorder.signal if c.first >= self._published]
            now = time.monotonic()
            if now >= self._next_state or state.phase == "done":
                self._next_state = now + _STATE_INTERVAL
                self._hub.send(
                    json_message(
                        kind="prompt", phase=state.phase, name=state.name,
                        following=state.following, remaining=round(state.remaining, 2),
                        seconds=state.seconds, done=state.done, total=state.total,
                        message=state.message,
                    )
                )  # fmt: skip
            if state.phase == "done":
                self._calls.put(self._finish)
        else:
            chunks = self._stream.read(_STEP)
            if self._decider is not None:
                self._decider.add(chunks)
        for chunk in chunks:
            self._published = chunk.end
            self._hub.send(signal_message(chunk.first, chunk.samples))
            self._recent.append(chunk)
        self._check()

    def _finish(self) -> None:
        if self._recorder is not None:
            recorder, self._recorder = self._recorder, None
            assembly = recorder.save()
            self._hub.send(
                json_message(
                    kind="recorded", recordings=len(assembly.recordings), lost=assembly.lost,
                    reaction=assembly.notes["reaction_seconds"],
                )
            )  # fmt: skip

    def _check(self) -> None:
        """Send the quality of every channel once a second."""
        assert self._stream is not None
        now = time.monotonic()
        if now < self._next_check or not self._recent:
            return
        self._next_check = now + _CHECK_INTERVAL
        samples = np.concatenate([chunk.samples for chunk in self._recent])
        self._recent.clear()
        rate = self._stream.description.rate
        if len(samples) < rate / 4:
            return
        check = check_signal(samples, rate)
        self._hub.send(
            json_message(
                kind="quality", channels=check.quality(), rms=check.rms.round(1).tolist(),
                findings=[finding.text for finding in check.findings], lost=self._stream.lost,
                status=self._stream.status,
            )
        )  # fmt: skip

    def _set_stream(self, stream: LiveStream | None) -> None:
        self._stop_deciding()
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None
        if self._stream is not None:
            self._stream.__exit__(None, None, None)
        self._stream = stream
        self._recent.clear()
        self._published = 0

    def _stop_deciding(self) -> dict[str, Any] | None:
        if self._decider is None:
            return None
        decider, self._decider = self._decider, None
        return decider.close()

    def _tell(self, text: str) -> None:
        self._hub.send(json_message(kind="status", text=text))


class _Decider:
    """A thread that decides, so that a slow board does not hold up the signals."""

    def __init__(
        self, decisions: LiveDecisions, device: Device | None, hub: Hub,
        cue: Callable[[str], float],
    ) -> None:  # fmt: skip
        self.decisions = decisions
        self.test: TargetMatching | CursorTest | None = None
        self._device, self._hub, self._cue = device, hub, cue
        self._target = ""
        self._chunks: queue.Queue[Chunk | None] = queue.Queue()
        self._waiting = 0
        self._skipped = False
        self._thread = threading.Thread(target=self._run, name="studio decisions", daemon=True)
        self._thread.start()

    def add(self, chunks: list[Chunk]) -> None:
        """Decide about further chunks; what a slow board cannot take is a gap."""
        for chunk in chunks:
            if self._waiting > _BEHIND * self.decisions.metadata.frontend.rate:
                self._skipped = True
                continue
            if self._skipped:
                chunk = Chunk(chunk.first, chunk.samples, chunk.times, "the board fell behind")
                self._skipped = False
            self._waiting += len(chunk.samples)
            self._chunks.put(chunk)

    def close(self) -> dict[str, Any]:
        """End, and return counts and delays."""
        self._chunks.put(None)
        self._thread.join(timeout=30)
        if self._device is not None:
            self._device.close()
        return self.decisions.document()

    def _run(self) -> None:
        try:
            while (chunk := self._chunks.get()) is not None:
                for each in self.decisions.decide(chunk):
                    self._publish(each)
                self._waiting -= len(chunk.samples)
        except EdgebioError as error:
            self._hub.send(json_message(kind="error", text=str(error)))

    def _publish(self, each: LiveDecision) -> None:
        decision = each.decision
        values = self.decisions.outputs.probabilities(decision.outputs[None])[0]
        self._hub.send(image_message(each.image))
        self._hub.send(
            json_message(
                kind="decision", name=decision.name,
                reason=decision.event.reason, probabilities=[round(float(x), 3) for x in values],
                delay=round(each.delay_ms, 1), decisions=self.decisions.decisions,
                differing=self.decisions.differing,
            )
        )  # fmt: skip
        if self.test is not None:
            shown = self.test.update(time.monotonic(), decision.name)
            target = shown["target"]
            if isinstance(target, str) and target != self._target:
                self._target = target
                self._cue(target)  # a replay follows it, as a subject does
            self._hub.send(json_message(**shown | {"kind": "test", "test": self.test.kind}))
            if self.test.done:
                self.test = None
