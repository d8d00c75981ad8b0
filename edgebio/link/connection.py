"""A session with a device on a port: requests, answers, and frames that come unasked."""

import random
import time
from collections.abc import Callable, Iterator

from edgebio.errors import DeviceError
from edgebio.link import frames
from edgebio.link.errors import DeviceRestartedError, NoAnswerError, ProtocolError, RefusedError
from edgebio.link.frames import Frame
from edgebio.link.messages import ANSWER, CODES, MESSAGES, VERSION, PayloadError, Record
from edgebio.link.pipeline import Pipeline
from edgebio.link.serial_port import SerialPort

Handler = Callable[[Frame], None]

_ERROR = MESSAGES["error"].kind
_SPARE_BYTES = 256  # of the device's receive buffer, for pings and repeated requests
_PROBE_INTERVAL = 0.25  # seconds between pings until a device answers


def ignore(frame: Frame) -> None:
    """Drop answers to abandoned requests, and events that nobody waits for."""


class Connection:
    """A session with a device; for the parameters see `Client`.

    `on_frame` gets the frames that arrive while an answer is awaited. A stream sets it, so that any
    request may be sent between two decisions.
    """

    def __init__(self, url: str, baud: int, timeout: float, retry_after: float) -> None:
        self.url = url
        self.timeout = timeout
        self.retry_after = retry_after
        self.on_frame: Handler = ignore
        self._parser = frames.Parser()
        self._port = SerialPort(url, baud)
        self._receive_bytes = self._payload_bytes = 0
        try:
            self.open()
        except BaseException:
            self.close()
            raise

    @property
    def damaged_frames(self) -> int:
        """Frames from the device that were dropped: wrong CRC, COBS or length."""
        return self._parser.damaged_frames

    def close(self) -> None:
        """Close the port."""
        self._port.close()

    def open(self) -> None:
        """Open a new session; a device that is starting loses the first pings."""
        self._session = random.randrange(1, 1 << 32)
        self._sequence = random.randrange(1 << 16)
        ping = MESSAGES["ping"]
        frame = Frame(ping.kind, self._sequence, ping.pack_request(session=self._session, open=1))
        received_before = self._parser.received_bytes
        noise = b""
        other_frames: list[Frame] = []
        deadline = time.monotonic() + self.timeout
        while time.monotonic() < deadline:
            self._port.write(frames.encode(frame))
            answer, data = self._await_answer(frame, _PROBE_INTERVAL, other_frames.append)
            noise = (noise + data)[:16]
            if answer:
                self.unpack("ping", answer)
                limits = self.request("identify")
                self._receive_bytes = limits["receive_bytes"] - _SPARE_BYTES
                self._payload_bytes = limits["payload_bytes"]
                self.streaming = False
                return
        if any(other.kind not in (ping.kind, _ERROR) for other in other_frames):
            raise NoAnswerError(
                f"{self.url}: the device is busy and does not answer within {self.timeout:g} s; "
                "try again, or reset it"
            )
        if self._parser.received_bytes > received_before:
            raise ProtocolError(
                f"{self.url}: this is no edgebio device (it sends {noise!r}); is it the right "
                "port, and the right baud rate?"
            )
        raise NoAnswerError(
            f"{self.url}: nothing answers within {self.timeout:g} s; is the board powered, and "
            "does it run an edgebio image (edgebio flash)?"
        )

    def request(self, name: str, *, handler: Handler | None = None, **values: object) -> Record:
        """Send a request with these fields until it is answered.

        `handler` gets all other frames that arrive; `on_frame` if None.
        """
        message = MESSAGES[name]
        frame = Frame(message.kind, self._next_sequence(), message.pack_request(**values))
        deadline = time.monotonic() + self.timeout
        while time.monotonic() < deadline:
            self._port.write(frames.encode(frame))
            answer, _ = self._await_answer(frame, self.retry_after, handler or self.on_frame)
            if answer:
                return self.unpack(name, answer)
        raise NoAnswerError(
            f"{self.url}: no answer to {name} within {self.timeout:g} s; "
            "the device hangs or the cable is cut"
        )

    def ping(self, handler: Handler | None = None) -> Record:
        """Keep the session alive."""
        return self.request("ping", handler=handler, session=self._session, open=0)

    def receive(self, seconds: float, handler: Handler) -> bool:
        """Hand over the frames that arrive within `seconds`; False if none arrived."""
        received = False
        for frame in self._frames(self._port.read(seconds)):
            received = True
            handler(frame)
        return received

    def unpack(self, name: str, frame: Frame) -> Record:
        """Values of an answer or event; `ProtocolError` if it is malformed."""
        try:
            return MESSAGES[name].unpack(frame.kind, frame.payload)
        except PayloadError as error:
            raise ProtocolError(f"{self.url}: the device's {name} is malformed: {error}") from None

    def raise_refusal(self, frame: Frame) -> None:
        """Raise the error that an error frame reports."""
        values = self.unpack("error", frame)
        name, text = CODES["error"].find(values["code"]) or (str(values["code"]), "unknown code")
        if name == "session":
            raise DeviceRestartedError(f"{self.url}: the device restarted in the middle of work")
        raise RefusedError(
            f"{self.url}: the device refuses: {text.rstrip('.')} [{values['detail']}]",
            name,
            values["detail"],
        )

    def stop_stream(self) -> Record | None:
        """End the stream that is open, or that a failure has left open; None if there is none."""
        end = None
        if self.streaming:
            try:
                end = self.request("stream_stop")
            except RefusedError as error:
                if error.code != "idle":
                    raise
            self.streaming = False
        return end

    # Bulk

    def pipeline(self, *, resend: bool = True) -> Pipeline:
        """Start a transfer in pieces, as many in flight as the device can buffer."""
        return Pipeline(self._receive_bytes, resend=resend)

    def piece_bytes(self, name: str, unit: int) -> int:
        """Most bytes of data in one piece: whole units, and two pieces in flight."""
        half = self._receive_bytes // 2
        payload = min(self._payload_bytes, half - (frames.encoded_bytes(half) - half))
        units = (payload - MESSAGES[name].request_bytes) // unit
        if units < 1:
            raise DeviceError(f"{self.url}: the device's receive buffer is too small for a sample")
        return units * unit

    def send_piece(self, name: str, pipeline: Pipeline, end: int, **values: object) -> bool:
        """Send the piece up to position `end`; False if it does not fit into the pipeline."""
        message = MESSAGES[name]
        payload = message.pack_request(**values)
        if not pipeline.fits(frames.encoded_bytes(len(payload))):
            return False
        encoded = frames.encode(Frame(message.kind, self._next_sequence(), payload))
        pipeline.add(self._sequence, end, len(encoded))
        self._port.write(encoded)
        return True

    def drain(self, pipeline: Pipeline, handler: Handler) -> None:
        """Ping, to learn what has become of the pieces in flight."""
        self.ping(handler)
        pipeline.drain()

    def check_progress(self, pipeline: Pipeline, name: str) -> None:
        """Raise `NoAnswerError` if the device has accepted nothing of a transfer for too long."""
        if pipeline.stalled_seconds > self.timeout:
            raise NoAnswerError(
                f"{self.url}: the device answers, but the {name} makes no progress; "
                "the connection is too noisy"
            )

    def _await_answer(
        self, request: Frame, seconds: float, handler: Handler
    ) -> tuple[Frame | None, bytes]:
        """Wait for the answer to `request`; returns it and the first bytes that arrived."""
        received = b""
        answer: Frame | None = None
        deadline = time.monotonic() + seconds
        while not answer and (left := deadline - time.monotonic()) > 0:
            data = self._port.read(left)
            received = (received + data)[:64]
            for frame in self._frames(data):
                if frame.sequence == request.sequence and frame.kind == request.kind | ANSWER:
                    answer = frame
                elif frame.sequence == request.sequence and frame.kind == _ERROR:
                    self.raise_refusal(frame)
                else:
                    handler(frame)
        return answer, received

    def _frames(self, data: bytes) -> Iterator[Frame]:
        for frame in self._parser.feed(data):
            if frame.version != VERSION:
                raise ProtocolError(
                    f"{self.url}: the device speaks protocol version {frame.version}, this "
                    f"edgebio {VERSION}; build and flash its image again"
                )
            yield frame

    def _next_sequence(self) -> int:
        self._sequence = (self._sequence + 1) % (1 << 16)
        return self._sequence
