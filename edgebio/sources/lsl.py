"""``lsl://NAME``: a stream of the Lab Streaming Layer on this network."""

import os
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError, MissingToolError
from edgebio.sources.counts import OPTIONS, CountScale, RunSplitter
from edgebio.sources.source import Chunk, Source, SourceDescription, SourceError
from edgebio.sources.url import SourceUrl

_WAIT = 3.0  # seconds to look for the stream
_BUFFER = 60  # seconds that liblsl stores
_CHUNK = 4096  # samples
_BREAK = 0.25  # seconds between two samples that are a gap, if longer than three samples


class LslSource(Source):
    """A stream by its name, or by another property where ``NAME`` is empty.

    Time stamps are those of the sender, by the clock of this machine (LSL measures the offset); its
    buffers lose nothing for a minute. Missing time is a gap.

    Options: ``type``, ``source_id``, ``lsb`` (units of one count), ``highpass`` (Hz).
    """

    def __init__(self, url: SourceUrl) -> None:
        url.check_options("type", "source_id", *OPTIONS)
        self._url = url
        self._scale = CountScale.from_url(url, "units")
        self._inlet: Any = None

    def open(self) -> None:  # noqa: D102
        pylsl = import_pylsl()
        info = self._resolve(pylsl)
        where = f"{self._url.text}: stream {info.name()!r}"
        if info.channel_format() == pylsl.cf_string:
            raise SourceError(f"{where} sends text, not samples")
        rate = info.nominal_srate()
        if not rate > 0:
            raise SourceError(f"{where} has no sampling rate; its sender must state one")
        whole = info.channel_format() not in (pylsl.cf_float32, pylsl.cf_double64)
        self._inlet = pylsl.StreamInlet(
            info, max_buflen=_BUFFER, recover=False, processing_flags=pylsl.proc_clocksync
        )
        try:
            self._inlet.open_stream(timeout=_WAIT)
            labels, unit = _channels(self._inlet.info(timeout=_WAIT))
        except Exception as error:
            self.close()
            raise SourceError(f"{where}: {error or 'does not answer'}") from None
        if self._scale.lsb is None and not whole:
            self.close()
            raise EdgebioError(
                f"{where} sends decimals; give the units of one count, such as "
                f"{self._url.text}{'&' if self._url.options else '?'}lsb=0.1"
            )
        scale = CountScale(self._scale.lsb, self._scale.highpass, unit or "counts")
        self.description = SourceDescription(
            self._url.text, f"LSL stream {info.name()} of {info.hostname()}", rate, labels,
            scale.count_units,
        )  # fmt: skip
        self._scaler, self._splitter = scale.stream(rate), RunSplitter()
        self._offset = time.monotonic() - pylsl.local_clock()
        self._first, self._last = 0, 0.0

    def close(self) -> None:  # noqa: D102
        if self._inlet is not None:
            self._inlet.close_stream()
            self._inlet = None

    def read(self, seconds: float) -> list[Chunk]:  # noqa: D102
        try:
            values, stamps = self._inlet.pull_chunk(
                timeout=seconds, max_samples=_CHUNK, min_samples=1, as_numpy=True
            )
        except Exception as error:
            raise SourceError(f"{self._url.text}: the stream has gone ({error})") from None
        if not len(stamps):
            return []
        times: npt.NDArray[np.float64] = np.asarray(stamps) + self._offset
        steps = np.diff(times, prepend=self._last or times[0])
        rate = self.description.rate
        breaks = np.flatnonzero((steps > max(_BREAK, 3 / rate)) | (steps < -_BREAK))
        gaps = {
            int(row): (max(0, round(steps[row] * rate) - 1), "time stamps jump")
            if steps[row] > 0
            else (0, "the sender's clock restarted")
            for row in breaks
        }
        self._last = float(times[-1])
        chunks = []
        numbers = np.asarray(values, np.float64)
        for run in self._splitter.split(numbers, gaps):
            self._first += run.lost
            samples = self._scaler.counts(numbers[run.start : run.end])
            chunks.append(Chunk(self._first, samples, times[run.start : run.end], run.gap))
            self._first += run.end - run.start
        return chunks

    def _resolve(self, pylsl: Any) -> Any:
        wanted = {key: self._url.options[key] for key in ("type", "source_id")
                  if key in self._url.options}  # fmt: skip
        if self._url.place:
            wanted["name"] = self._url.place
        if not wanted:
            raise EdgebioError(f"source {self._url.text!r}: name a stream: edgebio sources")
        if any("'" in value for value in wanted.values()):
            raise EdgebioError(f"source {self._url.text!r}: a name may not contain '")
        condition = " and ".join(f"{key}='{value}'" for key, value in wanted.items())
        streams = pylsl.resolve_bypred(condition, 1, _WAIT)
        if not streams:
            names = sorted({info.name() for info in pylsl.resolve_streams(1.0)})
            there = f"there are {', '.join(names)}" if names else "there is none on this network"
            raise SourceError(f"{self._url.text}: no such LSL stream; {there}")
        return streams[0]


def import_pylsl() -> Any:
    """Import pylsl, or say how to get it."""
    try:
        import pylsl
    except (ImportError, RuntimeError):
        raise MissingToolError('lsl:// needs pylsl: pip install "edgebio[live]"') from None
    if "LSLAPICFG" not in os.environ:
        pylsl.set_config_content("[log]\nlevel = -2\n")  # its notes are not ours
    return pylsl


def _channels(info: Any) -> tuple[tuple[str, ...], str]:
    """Names of the channels, and their unit where all have the same."""
    names, units = [], set()
    channel = info.desc().child("channels").child("channel")
    for number in range(info.channel_count()):
        names.append(channel.child_value("label") or f"channel {number + 1}")
        units.add(channel.child_value("unit"))
        channel = channel.next_sibling()
    unit = units.pop() if len(units) == 1 else ""
    return tuple(names), {"microvolts": "uV", "millivolts": "mV", "volts": "V"}.get(unit, unit)
