"""The host's end of the link: one device on one port."""

import contextlib
import dataclasses
import random
import time
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from types import TracebackType
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from edgebio.errors import DeviceError, EdgebioError
from edgebio.link import frames, packing
from edgebio.link.errors import (
    ProtocolError,
    RefusedError,
    DeviceRestartedError,
    NoAnswerError,
)
from edgebio.link.frames import Frame
from edgebio.link.serial_port import SerialPort
from edgebio.link.messages import ANSWER, CODES, MESSAGES, VERSION, Layout, PayloadError, Record
from edgebio.link.pipeline import Pipeline
from edgebio.link.results import (
    Decision,
    Description,
    FlashImage,
    Identity,
    ImageRun,
    Rest,
    Settings,
    Statistics,
    StreamEnd,
    WindowRun,
    reason,
)
from edgebio.link.sample_queue import Samples
from edgebio.link.trace import Trace

Handler = Callable[[Frame], None]

_SPARE = 256  # bytes of the device's receive ring left free for heart-beats and repeated requests
_ERROR = MESSAGES["error"].kind
_PROBE_EVERY = 0.25  # seconds between pings while a device has not answered yet


class Client:
    """A device, from ``open`` to ``close``; use it in a ``with`` statement, from one thread.

    Parameters
    ----------
    url
        Any serial URL of pyserial: ``/dev/ttyACM0``, ``COM3``, ``socket://host:port``, a pty.
    baud
        Bits per second of a real line.
    patience
        Seconds that a device may take to answer, at the start and to any request.
    retry_after
        Seconds after which a request is sent again.

    Raises
    ------
    DeviceError
        One of `edgebio.link.errors`: the port is missing, busy or forbidden, nothing answers,
        something foreign answers, and so on; each is one clear line.

    Examples
    --------
    >>> with Client("/dev/ttyACM0") as device:  # doctest: +SKIP
    ...     for decision in device.stream(samples):
    ...         print(decision.decision)
    """

    def __init__(
        self, url: str, *, baud: int = 921_600, patience: float = 10.0, retry_after: float = 0.5
    ) -> None:
        self.url = url
        self._patience = patience
        self._retry_after = retry_after
        self._parser = frames.Parser()
        # Takes frames that come while an answer is waited for: between two decisions of a stream
        # anything may be asked, and nothing of the stream is lost by it.
        self._unasked: Handler = _ignore
        self._line = SerialPort(url, baud)
        try:
            self._open()
        except BaseException:
            self._line.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the port back."""
        self._line.close()

    @property
    def damaged(self) -> int:
        """Frames from the device that were dropped: wrong CRC, COBS or length."""
        return self._parser.damaged

    # Requests

    def ping(self) -> int:
        """Heart-beat: device time in microseconds, modulo 2^32."""
        return int(self._request("ping", session=self._session, open=0)["time"])

    def identify(self) -> Identity:
        """Which board and which image."""
        return Identity(**self._request("identify"))

    def describe(self) -> Description:
        """Which model."""
        return Description(**self._request("describe"))

    def statistics(self) -> Statistics:
        """Counters of the device, since it started."""
        return Statistics(**self._request("statistics"))

    def image(self) -> FlashImage:
        """What lies in the device's flash; 0 bytes where it has none."""
        return FlashImage(**self._request("image"))

    def reset(self) -> None:
        """Restart the device and wait until it answers again."""
        self._request("reset")
        self._open()

    def settings(self) -> Settings:
        """By which settings the device decides."""
        return Settings(**self._request("settings"))

    def configure(self, settings: Settings) -> None:
        """Change the settings of the decision, until this client is closed or the device restarts.

        Raises
        ------
        RefusedError
            Where a setting is not possible.
        """
        self._stop_stream()
        self._request("configure", **dataclasses.asdict(settings))

    def now(self) -> Rest:
        """What the device decides now, and why; between streams it is rest."""
        return _rest(self._request("stream_now"))

    def run_image(
        self, image: bytes | npt.NDArray[np.generic], *, handler: Handler | None = None
    ) -> ImageRun:
        """Run the network on one image.

        Parameters
        ----------
        image
            The network's input, of any shape with the model's number of bytes.
        handler
            Gets all frames that come besides answers.
        """
        data = image if isinstance(image, bytes) else np.ascontiguousarray(image).tobytes()
        expected = self._description.input_bytes
        if len(data) != expected:
            raise EdgebioError(f"the model takes {expected} bytes an image, not {len(data)}")
        self._upload("image", data, 1, handler or _ignore)
        run = self._request("run_image", handler=handler, crc=zlib.crc32(data))
        return ImageRun(self._output(run), run["model_us"])

    def run_window(
        self, samples: npt.NDArray[np.int16], *, handler: Handler | None = None
    ) -> WindowRun:
        """Run front end, from reset, and network on one window of samples.

        Parameters
        ----------
        samples
            int16, shape (window, channels).
        handler
            Gets all frames that come besides answers.
        """
        self._check_channels(samples)
        if len(samples) != self._description.window:
            raise EdgebioError(
                f"a window of this model is {self._description.window} samples, not {len(samples)}"
            )
        data = np.ascontiguousarray(samples, "<i2").tobytes()
        self._upload("window", data, 2 * self._description.channels, handler or _ignore)
        run = self._request("run_window", handler=handler, crc=zlib.crc32(data))
        return WindowRun(self._output(run), run["image_crc"], run["frontend_us"], run["model_us"])

    @contextlib.contextmanager
    def trace(
        self, what: Literal["layers", "stages"], *, data: bool = True, first: int = 0,
        last: int = 0xFFFF,
    ) -> Iterator[Trace]:  # fmt: skip
        """Trace what is run in the block, on an image that is built for it.

        Parameters
        ----------
        what
            Layers of the network, or stages of the front end.
        data
            All that they make, or its size and CRC-32 alone.
        first, last
            The first and the last of them.

        Yields
        ------
        Trace
            Give its `handle` to the run; it is whole once the block has ended.

        Raises
        ------
        RefusedError
            Where the image is not built for it (code ``request``).
        """
        trace = Trace()
        self._stop_stream()
        self._request(
            "trace_begin", what=CODES["traced"][what], data=int(data), first=first, last=last
        )
        yield trace
        end = self._request("trace_end", handler=trace.handle)
        trace.finish(end["events"], end["bytes"])

    def stream(
        self,
        samples: npt.NDArray[np.int16] | Iterable[npt.NDArray[np.int16]],
        *,
        on_gap: Literal["wait", "restart"] = "wait",
        pace: float | None = None,
        on_rest: Callable[[Rest], None] | None = None,
    ) -> Generator[Decision, None, None]:
        """Stream samples from reset and yield the device's decisions, in order, none missing.

        Parameters
        ----------
        samples
            int16, shape (n, channels), or several such pieces as they come.
        on_gap
            What becomes of samples that were lost on the line. ``"wait"``: they are sent again,
            the device waits for them, and every decision is as if nothing had happened.
            ``"restart"``, for live sources whose past is worth nothing: they stay lost, the device
            begins anew after the gap, and `Decision.origin` says where.
        pace
            Samples a second to send them at, as a live source would; None sends them as fast as
            the device takes them. With a pace, and with ``"restart"``, the device decides for rest
            where no samples come for its time-out.
        on_rest
            Called with what the device decides without a window: rest, at the start, after a gap
            and after a time-out.

        Yields
        ------
        Decision
            One a window.
        """
        source = Samples(samples, self._check_channels, pace, max(1, self._description.step // 2))
        timed = pace is not None or on_gap == "restart"
        return _Stream(self, source, on_gap, timed, on_rest).run()

    # How requests travel

    def _open(self) -> None:
        """Ping until answered; a device that is starting loses what it is sent at first."""
        self._session = random.randrange(1, 1 << 32)
        self._sequence = random.randrange(1 << 16)
        received_before = self._parser.received
        frame = Frame(
            MESSAGES["ping"].kind,
            self._sequence,
            MESSAGES["ping"].request.pack(session=self._session, open=1),  # type: ignore[union-attr]
        )
        nonsense = b""
        frames_of_others: list[Frame] = []
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            self._line.write(frames.encode(frame))
            answer, heard = self._listen(frame, _PROBE_EVERY, frames_of_others.append)
            nonsense = (nonsense + heard)[:16]
            if answer:
                self._unpack(_layout(MESSAGES["ping"].answer), answer, "ping")
                self._identity = self.identify()
                self._description = self.describe()
                self._streaming = False
                return
        if any(other.kind not in (frame.kind, _ERROR) for other in frames_of_others):
            raise NoAnswerError(
                f"{self.url}: an edgebio device is busy there and does not answer within "
                f"{self._patience:g} s; try again, or reset it"
            )
        if self._parser.received > received_before:
            raise ProtocolError(
                f"{self.url}: something answers, but it is no edgebio device "
                f"(it says {nonsense!r}); is it the right port, and the right baud rate?"
            )
        raise NoAnswerError(
            f"{self.url}: nothing answers within {self._patience:g} s; is the board powered, and "
            "does it carry an edgebio image (edgebio flash)?"
        )

    def _request(self, name: str, *, handler: "Handler | None" = None, **values: object) -> Record:
        """Ask, again if need be, until answered; `handler` gets all other frames that come."""
        message = MESSAGES[name]
        frame = Frame(message.kind, self._next_sequence(), _layout(message.request).pack(**values))
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            self._line.write(frames.encode(frame))
            answer, _ = self._listen(frame, self._retry_after, handler or self._unasked)
            if answer:
                return self._unpack(_layout(message.answer), answer, name)
        raise NoAnswerError(
            f"{self.url}: no answer to {name} within {self._patience:g} s; "
            "the device hangs or the line is cut"
        )

    def _listen(
        self, request: Frame, seconds: float, handler: "Handler"
    ) -> tuple[Frame | None, bytes]:
        """Wait for the answer to `request`; returns it and the bytes that came."""
        heard = b""
        found: Frame | None = None
        deadline = time.monotonic() + seconds
        while not found and (left := deadline - time.monotonic()) > 0:
            data = self._line.read(left)
            heard = (heard + data)[:64]
            for frame in self._frames(data):
                if frame.sequence == request.sequence and frame.kind == request.kind | ANSWER:
                    found = frame
                elif frame.sequence == request.sequence and frame.kind == _ERROR:
                    self._refuse(frame)
                else:
                    handler(frame)
        return found, heard

    def _frames(self, data: bytes) -> Iterator[Frame]:
        for frame in self._parser.feed(data):
            if frame.version != VERSION:
                raise ProtocolError(
                    f"{self.url}: the device speaks protocol version {frame.version}, this "
                    f"edgebio {VERSION}; build and flash its image anew"
                )
            yield frame

    def _refuse(self, frame: Frame) -> None:
        values = self._unpack(_layout(MESSAGES["error"].event), frame, "error")
        name, text = CODES["error"].find(values["code"]) or (str(values["code"]), "unknown code")
        if name == "session":
            raise DeviceRestartedError(f"{self.url}: the device restarted in the middle of the work")
        raise RefusedError(
            f"{self.url}: the device refuses: {text.rstrip('.')} [{values['detail']}]",
            name,
            values["detail"],
        )

    def _unpack(self, layout: Layout, frame: Frame, name: str) -> Record:
        try:
            return layout.unpack(frame.payload)
        except PayloadError as error:
            raise ProtocolError(f"{self.url}: the device's {name} is malformed: {error}") from None

    def _next_sequence(self) -> int:
        self._sequence = (self._sequence + 1) % (1 << 16)
        return self._sequence

    def _check_channels(self, samples: npt.NDArray[np.int16]) -> None:
        if not self._description.frontend:
            raise EdgebioError("the image on the device carries no front end: it takes images only")
        channels = self._description.channels
        if samples.dtype != np.int16 or samples.ndim != 2 or samples.shape[1] != channels:
            raise EdgebioError(
                f"the device takes int16 samples of {channels} channels, "
                f"not {samples.dtype} of shape {samples.shape}"
            )

    # Bulk

    @property
    def _credit(self) -> int:
        return self._identity.receive_bytes - _SPARE

    def _room(self, fixed: int, unit: int) -> int:
        """Most bytes of bulk in one piece: whole units, and two pieces under way."""
        half = self._credit // 2
        payload = min(self._identity.payload_bytes, half - (frames.encoded_bytes(half) - half))
        units = (payload - fixed) // unit
        if units < 1:
            raise DeviceError(f"{self.url}: the device's receive ring is too small for one sample")
        return units * unit

    def _send_piece(self, name: str, pipeline: Pipeline, end: int, **values: object) -> None:
        message = MESSAGES[name]
        frame = Frame(message.kind, self._next_sequence(), _layout(message.request).pack(**values))
        encoded = frames.encode(frame)
        pipeline.sent(frame.sequence, end, len(encoded))
        self._line.write(encoded)

    def _heed(self, seconds: float, handler: "Handler") -> bool:
        """Hand over the frames that come within `seconds`; False if none came."""
        came = False
        for frame in self._frames(self._line.read(seconds)):
            came = True
            handler(frame)
        return came

    def _upload(self, target: str, data: bytes, unit: int, other: "Handler") -> None:
        layout = _layout(MESSAGES["upload"].request)
        most = self._room(layout.fixed_bytes, unit)
        pipeline = Pipeline(self._credit)
        kind = MESSAGES["upload"].kind

        def handle(frame: Frame) -> None:
            if frame.kind == kind | ANSWER:
                answer = self._unpack(_layout(MESSAGES["upload"].answer), frame, "upload")
                pipeline.answered(frame.sequence, answer["next"])
            elif frame.kind == _ERROR and pipeline.holds(frame.sequence):
                self._refuse(frame)
            else:
                other(frame)

        self._stop_stream()
        watch = _Watch(self, "upload")
        while pipeline.taken < len(data):
            while (at := pipeline.position) < len(data):
                piece = data[at : at + most]
                if not pipeline.fits(frames.encoded_bytes(layout.fixed_bytes + len(piece))):
                    break
                self._send_piece(
                    "upload", pipeline, at + len(piece),
                    target=CODES["target"][target], offset=at, data=piece,
                )  # fmt: skip
            if not self._heed(self._retry_after, handle):
                self._drain(pipeline, handle)
            watch.look(pipeline)

    def _drain(self, pipeline: Pipeline, handler: "Handler") -> None:
        """Find out by a heart-beat what has become of the pieces under way."""
        self._request("ping", handler=handler, session=self._session, open=0)
        pipeline.drained()

    def _stop_stream(self) -> StreamEnd | None:
        """End the stream that is open, or that a failure has left open; None if there is none."""
        if not self._streaming:
            return None
        try:
            end = StreamEnd(**self._request("stream_stop"))
        except RefusedError as error:
            if error.code != "idle":
                raise
            end = None
        self._streaming = False
        return end

    def _output(self, run: Record) -> npt.NDArray[np.int8]:
        output: bytes = run["output"]
        while len(output) < self._description.output_bytes:
            output += self._request("output", offset=len(output))["data"]
        return np.frombuffer(output, np.int8)


class _Stream:
    """One stream: samples out, decisions in, nothing lost."""

    def __init__(
        self,
        client: Client,
        source: Samples,
        on_gap: str,
        timed: bool,
        on_rest: Callable[[Rest], None] | None,
    ) -> None:
        self._client = client
        self._source = source
        self._on_gap = on_gap
        self._timed = timed
        self._on_rest = on_rest
        self._layout = _layout(MESSAGES["stream_samples"].request)
        self._sample_bytes = 2 * client._description.channels
        self._pipeline = Pipeline(client._credit, resend=on_gap == "wait")
        self._made = 0  # decisions, as the device says
        self._next = 0  # decision wanted next
        self._arrived: dict[int, Decision] = {}

    def run(self) -> Generator[Decision, None, None]:
        client = self._client
        client._streaming = True
        client._unasked = self._handle
        try:
            client._request(
                "stream_start", on_gap=CODES["on_gap"][self._on_gap], timed=int(self._timed)
            )
            yield from self._decisions()
        except GeneratorExit:  # the caller wants no more, and may have closed the port already
            client._unasked = _ignore
            with contextlib.suppress(DeviceError):
                client._stop_stream()
            raise
        finally:
            client._unasked = _ignore
        end = client._stop_stream()
        if end and self._on_gap == "wait" and end.decisions != self._next:
            raise ProtocolError(
                f"{client.url}: the device made {end.decisions} decisions, {self._next} arrived"
            )

    def _decisions(self) -> Iterator[Decision]:
        client = self._client
        watch = _Watch(client, "stream")
        quiet_since = time.monotonic()
        while not self._complete():
            self._send()
            if client._heed(self._patience(), self._handle):
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since >= client._retry_after:
                quiet_since = time.monotonic()
                client._drain(self._pipeline, self._handle)
            while self._next < self._made or self._arrived:
                if self._next not in self._arrived:
                    self._recall()
                self._next += 1
                yield self._arrived.pop(self._next - 1)
            watch.look(self._pipeline)

    def _complete(self) -> bool:
        if self._on_gap == "wait":
            arrived = self._pipeline.taken >= self._source.end
        else:
            arrived = self._pipeline.position >= self._source.end and self._pipeline.idle
        return self._source.exhausted and arrived and self._next >= self._made

    def _patience(self) -> float:
        """Seconds to wait for frames: until samples are due, where nothing else is."""
        due = self._source.due_in(self._pipeline.position)
        retry = self._client._retry_after
        return retry if due is None else min(retry, max(due, 0.001))

    def _send(self) -> None:
        client, pipeline = self._client, self._pipeline
        room = client._room(self._layout.fixed_bytes, self._sample_bytes)
        most = room // client._description.channels  # at 8 bits a value
        step, kept = client._description.step, client._description.kept
        while True:
            at = pipeline.position
            # Decisions that wait for the host have limited room on the device; so many samples
            # cannot make more than it keeps.
            allowed = (kept - 1 - (self._made - self._next)) * step - (at - pipeline.taken) - 1
            piece = self._source.piece(at, min(most, allowed))
            bits = packing.width(piece)
            piece = piece[: room * 8 // (bits * client._description.channels)]
            packed = packing.pack(piece, bits)
            encoded = frames.encoded_bytes(self._layout.fixed_bytes + len(packed))
            if not len(piece) or not pipeline.fits(encoded):
                return
            client._send_piece(
                "stream_samples", pipeline, at + len(piece),
                first=at, decided=self._next, count=len(piece), bits=bits, packed=packed,
            )  # fmt: skip

    def _handle(self, frame: Frame) -> None:
        client = self._client
        if frame.kind == MESSAGES["stream_samples"].kind | ANSWER:
            answer = client._unpack(
                _layout(MESSAGES["stream_samples"].answer), frame, "stream_samples"
            )
            self._pipeline.answered(frame.sequence, answer["next"])
            self._source.forget(self._pipeline.taken)
            self._made = max(self._made, answer["decisions"])
        elif frame.kind == MESSAGES["decision"].kind:
            self._keep(frame)
        elif frame.kind == MESSAGES["rest"].kind:
            if self._on_rest:
                layout = _layout(MESSAGES["rest"].event)
                self._on_rest(_rest(client._unpack(layout, frame, "rest")))
        elif frame.kind == _ERROR and self._pipeline.holds(frame.sequence):
            self._refuse(frame)

    def _refuse(self, frame: Frame) -> None:
        try:
            self._client._refuse(frame)
        except RefusedError as error:
            if error.code != "idle":
                raise
            # A device on its way down has closed its stream, but still has its session.
            url = self._client.url
            raise DeviceRestartedError(
                f"{url}: the device dropped the stream: it restarted in the middle of the work"
            ) from None

    def _keep(self, frame: Frame) -> None:
        values = self._client._unpack(_layout(MESSAGES["decision"].event), frame, "decision")
        decision = _decision(values)
        if decision.index >= self._next:
            self._arrived[decision.index] = decision

    def _recall(self) -> None:
        """Ask again for the decision wanted next."""
        values = self._client._request("stream_recall", index=self._next)
        self._arrived[self._next] = _decision(values)


def _decision(values: Record) -> Decision:
    logits = np.frombuffer(values["logits"], np.int8)
    return Decision(**values | {"logits": logits, "reason": reason(values["reason"])})


def _rest(values: Record) -> Rest:
    return Rest(**values | {"reason": reason(values["reason"])})


class _Watch:
    """Ends a transfer in which the device answers, but takes nothing for too long."""

    def __init__(self, client: Client, what: str) -> None:
        self._client = client
        self._what = what
        self._taken = -1
        self._since = time.monotonic()

    def look(self, pipeline: Pipeline) -> None:
        now = time.monotonic()
        if pipeline.idle or pipeline.taken != self._taken:
            self._taken, self._since = pipeline.taken, now
        elif now - self._since > self._client._patience:
            raise NoAnswerError(
                f"{self._client.url}: the device answers, but the {self._what} does not get on; "
                "the line is too bad"
            )


def _layout(layout: Layout | None) -> Layout:
    if layout is None:
        raise AssertionError("the message has no such side")
    return layout


def _ignore(frame: Frame) -> None:
    """Answers to requests that were given up, and events that nobody waits for."""
