"""``serial:///dev/ttyUSB0?baud=115200``: numbers in text lines, as any Arduino prints them."""

import time

import numpy as np
import numpy.typing as npt

from edgebio.errors import DeviceError, EdgebioError
from edgebio.link.serial_port import SerialPort
from edgebio.sources.counts import OPTIONS, CountScale
from edgebio.sources.source import Chunk, Source, SourceDescription, SourceError
from edgebio.sources.text_lines import LineBuffer, TextLayout, recognize, round_rate
from edgebio.sources.timeline import Timeline
from edgebio.sources.url import SourceUrl

_LOOK = 2.0  # seconds of lines in which layout and rate are recognized
_LEAST_LINES = 20
_SILENCE = 5.0  # seconds without a line after which a port is refused
_STALL = 0.5  # seconds without a line after which lost samples are looked for
_SETTLE = 0.25  # seconds after a stall in which what was only late arrives
_MODULI = (1 << 8, 1 << 16, 1 << 24, 1 << 32)  # of counters that start over
_TIME_UNITS = (1.0, 1e-3, 1e-6)  # seconds of a count of a time column


class SerialTextSource(Source):
    """Lines of numbers on a serial port: separators, columns and rate are found and told.

    A column that counts samples or time tells what is lost; without one, a stall after which fewer
    samples arrive than were due is a gap. A damaged line is a gap of one sample.

    Options: ``baud`` (115200), ``rate`` (Hz, instead of the measured one), ``lsb`` (units of one
    count, for decimals), ``units``, ``highpass`` (Hz).
    """

    def __init__(self, url: SourceUrl) -> None:
        url.check_options("baud", "rate", "units", *OPTIONS)
        if not url.place:
            raise EdgebioError(f"source {url.text!r}: name a port: edgebio sources lists them")
        self._url = url
        self._baud = url.integer("baud", 115_200)
        self._rate = url.number("rate")
        self._scale = CountScale.from_url(url, url.options.get("units", "counts"))
        self._port: SerialPort | None = None
        self._waiting: list[str] = []
        self._arrival = 0.0
        self._gap = ""

    def open(self) -> None:  # noqa: D102
        try:
            self._port = SerialPort(self._url.place, self._baud)
        except DeviceError as error:
            raise SourceError(f"{self._url.text}: {error}") from None
        try:
            lines, arrivals = self._look()
            self._describe(lines, arrivals)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:  # noqa: D102
        if self._port is not None:
            self._port.close()
            self._port = None

    def read(self, seconds: float) -> list[Chunk]:  # noqa: D102
        lines = self._waiting or self._read_lines(seconds)
        self._waiting = []
        now = time.monotonic()
        if not lines:
            return []
        if self._layout.counter is None and now - self._arrival > _STALL:
            lines, now = self._settle(lines, now)
        self._arrival = now
        rows = [self._layout.parse(line) for line in lines]
        return self._chunks(rows, now)

    def _look(self) -> tuple[list[str], list[float]]:
        """Read the first lines, and when each arrived."""
        self._lines = LineBuffer()
        start = last = time.monotonic()
        lines: list[str] = []
        arrivals: list[float] = []
        while time.monotonic() - start < _LOOK or len(lines) < _LEAST_LINES:
            new = self._read_lines(0.05)
            now = time.monotonic()
            if new:
                last = now
            elif now - last > _SILENCE:
                some = f"{len(lines)} lines" if lines else "nothing"
                raise SourceError(
                    f"{self._url.text}: {some} in {now - start:.0f} s; check the baud rate, and "
                    "that the device sends"
                )
            lines += new
            arrivals += [now] * len(new)
        return lines, arrivals

    def _describe(self, lines: list[str], arrivals: list[float]) -> None:
        layout = recognize(lines)
        if layout is None:
            raise SourceError(
                f"{self._url.text}: no numbers in lines such as {lines[-1][:40]!r}; check the baud "
                "rate, or let the device print numbers separated by commas"
            )
        measured = (len(lines) - 1) / (arrivals[-1] - arrivals[0])
        values = np.array([row for line in lines if (row := layout.parse(line)) is not None])
        source = "measured"
        if layout.counts == "time":
            unit = min(_TIME_UNITS, key=lambda each: abs(np.log(measured * layout.step * each)))
            measured, source = 1 / (layout.step * unit), "by its time column"
        rate = self._rate or round_rate(measured)
        if not 0.9 * measured < rate < 1.1 * measured:
            raise SourceError(
                f"{self._url.text}: rate {rate:g} Hz, but {measured:.4g} lines arrive in a second"
            )
        channels = layout.channels(values)
        if self._scale.lsb is None and (channels != np.rint(channels)).any():
            raise EdgebioError(
                f"{self._url.text}: decimal numbers; give the units of one count: "
                f"{self._url.text}{'&' if self._url.options else '?'}lsb=0.001"
            )
        notes = [layout.describe()]
        if self._rate is None:
            notes.append(f"{rate:g} Hz, {source} as {measured:.5g}; give rate= if that is wrong")
        self.description = SourceDescription(
            self._url.text, f"text lines on {self._url.place}", rate, layout.names,
            self._scale.count_units, notes=tuple(notes),
        )  # fmt: skip
        self._layout: TextLayout = layout
        self._scaler, self._timeline = self._scale.stream(rate), Timeline(rate)
        first = next(i for i, line in enumerate(lines) if layout.parse(line) is not None)
        self._waiting = lines[first:]
        self._first, self._arrival, self._gap = 0, arrivals[-1], ""
        self._counter: float | None = None

    def _read_lines(self, seconds: float) -> list[str]:
        assert self._port is not None
        try:
            return self._lines.feed(self._port.read(seconds))
        except DeviceError as error:
            raise SourceError(str(error)) from None

    def _settle(self, lines: list[str], now: float) -> tuple[list[str], float]:
        """After a stall: wait for what was only late, and skip the numbers of what is lost."""
        end = now + _SETTLE
        while (left := end - time.monotonic()) > 0:
            lines = lines + self._read_lines(left)
        now = time.monotonic()
        rate = self.description.rate
        lost = round((now - self._arrival) * rate) - len(lines)
        if lost > 0.25 * (now - self._arrival) * rate:
            self._first += lost
            self._gap = "the source stalled"
            self._timeline.restart()
        return lines, now

    def _chunks(self, rows: list[npt.NDArray[np.float64] | None], now: float) -> list[Chunk]:
        """Chunks of rows, cut where a row is damaged or the counter skips."""
        chunks: list[Chunk] = []
        run: list[npt.NDArray[np.float64]] = []
        left = len(rows)

        def flush() -> None:
            if not run:
                return
            values = self._layout.channels(np.array(run))
            arrival = now - left / self.description.rate
            times = self._timeline.times(self._first, len(run), arrival)
            chunks.append(Chunk(self._first, self._scaler.counts(values), times, self._gap))
            self._first += len(run)
            self._gap = ""
            run.clear()

        for row in rows:
            if row is None:
                flush()
                if self._layout.counter is None:
                    self._first += 1
                self._gap = "a line is damaged"
                left -= 1
                continue
            if self._layout.counter is not None:
                lost, reason = self._lost(float(row[self._layout.counter]))
                if reason:
                    flush()
                    self._first += lost
                    self._gap = reason
            run.append(row)
            left -= 1
        flush()
        return chunks

    def _lost(self, value: float) -> tuple[int, str]:
        """Samples lost before one by its counter, and the reason if it is a gap."""
        before, self._counter = self._counter, value
        if before is None:
            return 0, ""
        step = (value - before) / self._layout.step
        if self._layout.counts == "samples":
            if step < 0:
                wider = next((each for each in _MODULI if before < each), _MODULI[-1])
                step += self._layout.modulus or wider
                if not 1 <= step < max(before, value) / 4:
                    return 0, "the source restarted its counter"
            return int(step) - 1, "lines are lost" if step > 1 else ""
        if step < -0.5:
            return 0, "the source restarted its clock"
        return max(0, round(step) - 1), "lines are lost" if step >= 1.75 else ""
