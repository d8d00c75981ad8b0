"""The host's end of the link: one device on one port."""

import contextlib
import dataclasses
import time
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import cached_property
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from edgebio.boards import usb_ports
from edgebio.errors import DeviceError, EdgebioError
from edgebio.link import results
from edgebio.link.connection import Connection, Handler, ignore
from edgebio.link.errors import PortError, RefusedError
from edgebio.link.frames import Frame
from edgebio.link.link_source import LinkSource
from edgebio.link.messages import ANSWER, CODES, MESSAGES, Record
from edgebio.link.observer import Observer, Watched
from edgebio.link.results import DecisionEvent, RestEvent, Settings
from edgebio.link.sample_queue import SampleQueue
from edgebio.link.stream import OnGap, Stream
from edgebio.link.trace import Trace
from edgebio.tflite import Graph

Samples = npt.NDArray[np.int16]


class Client:
    """A device, from opening the port to `close`; use it from one thread, in a ``with`` statement.

    Parameters
    ----------
    url
        Any serial URL of pyserial: ``/dev/ttyACM0``, ``COM3``, ``socket://host:port``, a pty; or
        ``usb``, the one board on its own USB.
    baud
        Bits per second of a serial line.
    timeout, retry_after
        Seconds that a device may take to answer, and after which a request is repeated.

    Attributes
    ----------
    graph : Graph or None
        The model that the device runs, if its file is at hand.

    Raises
    ------
    DeviceError
        One of `edgebio.link.errors`, each in one line: the port is missing, busy or forbidden,
        nothing answers, something else answers, and so on.
    """

    def __init__(
        self, url: str, *, baud: int = 921_600, timeout: float = 10.0, retry_after: float = 0.5
    ) -> None:
        self.url = _port_name(url)
        self.graph: Graph | None = None
        self._connection = Connection(self.url, baud, timeout, retry_after)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the port."""
        self._connection.close()

    @property
    def damaged_frames(self) -> int:
        """Frames from the device that were dropped: wrong CRC, COBS or length."""
        return self._connection.damaged_frames

    @cached_property
    def description(self) -> results.Description:
        """The model, as described when it was first needed."""
        return self.describe()

    def ping(self) -> int:
        """Keep the session alive; returns the device time in microseconds, modulo 2^32."""
        return int(self._connection.ping()["time_us"])

    def identify(self) -> results.Identity:
        """Ask for board and image."""
        return results.Identity(**self._connection.request("identify"))

    def describe(self) -> results.Description:
        """Ask for the model."""
        return results.Description(**self._connection.request("describe"))

    def statistics(self) -> results.Statistics:
        """Counters since the device started."""
        return results.Statistics(**self._connection.request("statistics"))

    def image(self) -> results.FlashImage:
        """Size and hash of the image in the device's flash; 0 bytes if it has none.

        A device that stands alone reads it in its idle times; this waits for that.
        """
        deadline = time.monotonic() + self._connection.timeout
        while True:
            try:
                return results.FlashImage(**self._connection.request("image"))
            except RefusedError as error:
                if error.code != "incomplete" or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def reset(self) -> None:
        """Restart the device and wait until it answers again."""
        self._connection.request("reset")
        self._connection.open()

    def enter_bootloader(self) -> None:
        """Let the device enter its boot loader, which ends the link.

        Raises `RefusedError` (code ``request``) if it has none.
        """
        self._connection.request("enter_bootloader")

    def settings(self) -> Settings:
        """Current settings of the decision."""
        return Settings(**self._connection.request("settings"))

    def configure(self, settings: Settings) -> None:
        """Change the settings of the decision until this client is closed or the device restarts.

        A setting out of range raises `RefusedError`.
        """
        self._connection.stop_stream()
        self._connection.request("configure", **dataclasses.asdict(settings))

    def current_decision(self) -> RestEvent:
        """Current decision of the device; between streams it is rest."""
        return RestEvent.of(self._connection.request("current_decision"))

    def run_image(
        self, image: bytes | npt.NDArray[np.generic], *, handler: Handler | None = None
    ) -> results.ImageRun:
        """Run the network on one input of any shape with the model's number of bytes.

        `handler` gets all frames besides answers.
        """
        data = image if isinstance(image, bytes) else np.ascontiguousarray(image).tobytes()
        expected = self.description.input_bytes
        if len(data) != expected:
            raise EdgebioError(f"an input of this model has {expected} bytes, not {len(data)}")
        self._upload("image", data, 1, handler or ignore)
        run = self._connection.request("run_image", handler=handler, crc=zlib.crc32(data))
        return results.ImageRun(self._output(run), run["model_us"])

    def run_segment(
        self, samples: Samples, *, handler: Handler | None = None
    ) -> results.SegmentRun:
        """Run front end, from reset, and network on a segment: int16 (segment length, channels).

        `handler` gets all frames besides answers.
        """
        self._check_samples(samples)
        length = self.description.segment_length
        if len(samples) != length:
            raise EdgebioError(f"a segment of this model has {length} samples, not {len(samples)}")
        data = np.ascontiguousarray(samples, "<i2").tobytes()
        self._upload("segment", data, 2 * self.description.channels, handler or ignore)
        run = self._connection.request("run_segment", handler=handler, crc=zlib.crc32(data))
        return results.SegmentRun(
            self._output(run), run["model_us"], run["image_crc"], run["frontend_us"]
        )

    @contextlib.contextmanager
    def trace(
        self, source: Literal["layers", "stages"], *, data: bool = True, first: int = 0,
        last: int = 0xFFFF,
    ) -> Iterator[Trace]:  # fmt: skip
        """Trace outputs of the runs in the block, of layers or of front-end stages.

        Give the trace's `handle` to the run; it is complete when the block has ended. Without
        `data` it has only sizes and CRC-32s. Raises `RefusedError` (code ``request``) if the image
        is not built for it.
        """
        trace = Trace()
        self._connection.stop_stream()
        self._connection.request(
            "trace_begin", source=CODES["trace_source"][source], data=int(data), first=first,
            last=last,
        )  # fmt: skip
        yield trace
        end = self._connection.request("trace_end", handler=trace.handle)
        trace.finish(end["events"], end["bytes"])

    def watch(self, *records: Watched) -> Observer:
        """Watch a device that stands alone, in a ``with`` statement; iterate over its records.

        The device decides as if nobody watched: records that find no room on the line are dropped,
        and `Observer.lost_records` counts them.

        Parameters
        ----------
        records
            ``"signals"``, ``"images"``, ``"decisions"``, ``"counters"``; all if none is given.
        """
        chosen = records or ("signals", "images", "decisions", "counters")
        return Observer(self._connection, self.description, chosen, recording=False)

    def record(self, *records: Watched) -> Observer:
        """Record the samples of a device that stands alone, with the cues of `cue`; see `watch`."""
        return Observer(self._connection, self.description, records, recording=True)

    def link_source(self, *, real_time: bool = False) -> LinkSource:
        """Become the sample source of a device that was built for it; see `LinkSource`."""
        return LinkSource(self._connection, self.description, real_time=real_time)

    def cue(self, label: int) -> results.CueTime:
        """Mark this moment in a recording with a number; returns it in the device's time."""
        return results.CueTime(**self._connection.request("cue", label=label))

    def stream(
        self,
        samples: Samples | Iterable[Samples],
        *,
        on_gap: OnGap = "wait",
        pace: float | None = None,
        on_rest: Callable[[RestEvent], None] | None = None,
    ) -> Generator[DecisionEvent, None, None]:
        """Stream samples from reset and yield the decisions, in order, none missing.

        Parameters
        ----------
        samples
            int16, shape (n, channels), or such pieces as they arrive.
        on_gap
            Samples that were lost on the wire are sent again (``"wait"``), and every decision is as
            if nothing had happened; or, for live sources, they stay lost (``"restart"``), the
            device starts over after the gap, and `DecisionEvent.origin` says where.
        pace
            Samples per second; None: as fast as the device accepts them. With a pace, and with
            ``"restart"``, the device decides for rest if no samples arrive for its time-out.
        on_rest
            Called with decisions without a segment: rest at the start, after a gap or time-out.
        """
        queue = SampleQueue(samples, self._check_samples, pace, max(1, self.description.step // 2))
        timed = pace is not None or on_gap == "restart"
        return Stream(self._connection, self.description, queue, on_gap, timed, on_rest).run()

    def open_stream(
        self,
        *,
        on_gap: OnGap = "wait",
        real_time: bool = False,
        on_rest: Callable[[RestEvent], None] | None = None,
    ) -> Stream:
        """Open a stream in a ``with`` statement, for `Stream.feed`; see `stream`.

        With `real_time`, the device decides for rest if it is not fed for its time-out.
        """
        queue = SampleQueue((), self._check_samples, None, 1)
        return Stream(self._connection, self.description, queue, on_gap, real_time, on_rest)

    def _check_samples(self, samples: Samples) -> None:
        description = self.description
        if not description.frontend:
            raise EdgebioError("the image on the device has no front end: it accepts images only")
        expected = f"expected int16 of shape (n, {description.channels})"
        if not isinstance(samples, np.ndarray):
            raise EdgebioError(f"samples are a {type(samples).__name__}; {expected}")
        if samples.dtype != np.int16 or samples.ndim != 2:
            raise EdgebioError(f"samples are {samples.dtype} of shape {samples.shape}; {expected}")
        if samples.shape[1] != description.channels:
            raise EdgebioError(f"samples have {samples.shape[1]} channels; {expected}")

    def _upload(self, target: str, data: bytes, unit: int, on_other: Handler) -> None:
        connection, kind = self._connection, MESSAGES["upload"].kind
        connection.stop_stream()
        most = connection.piece_bytes("upload", unit)
        pipeline = connection.pipeline()

        def handle(frame: Frame) -> None:
            if frame.kind == kind | ANSWER:
                answer = connection.unpack("upload", frame)
                pipeline.acknowledge(frame.sequence, answer["next_offset"])
            elif frame.kind == MESSAGES["error"].kind and pipeline.contains(frame.sequence):
                connection.raise_refusal(frame)
            else:
                on_other(frame)

        while pipeline.accepted < len(data):
            while (offset := pipeline.position) < len(data):
                piece = data[offset : offset + most]
                if not connection.send_piece(
                    "upload", pipeline, offset + len(piece), target=CODES["target"][target],
                    offset=offset, data=piece,
                ):  # fmt: skip
                    break
            if not connection.receive(connection.retry_after, handle):
                connection.drain(pipeline, handle)
            connection.check_progress(pipeline, "upload")

    def _output(self, run: Record) -> npt.NDArray[np.int8]:
        output: bytes = run["output"]
        while len(output) < self.description.output_bytes:
            output += self._connection.request("output", offset=len(output))["data"]
        return np.frombuffer(output, np.int8)


def _port_name(url: str) -> str:
    try:
        return usb_ports.resolve(url)
    except DeviceError as error:
        raise PortError(str(error)) from None
