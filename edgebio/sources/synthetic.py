"""``synthetic://``: a computed signal that follows the prompts, for a first try and for tests."""

import time
import zlib

import numpy as np
import numpy.typing as npt

from edgebio.sources.replay import QUIET_NAMES
from edgebio.sources.source import Chunk, Source, SourceDescription
from edgebio.sources.url import SourceUrl

_CHUNK = 0.01  # seconds
_RAMP = 0.08  # seconds, time constant of a contraction
_REST, _ACTIVE = 8.0, 400.0  # counts: noise of a quiet muscle, and of the strongest contraction


class SyntheticSource(Source):
    """Noise whose strength on each channel tells what the subject was asked to do.

    It is no model of a muscle (the data set ``emg-synthetic`` is one): the name of the cue gives
    each channel a share of the strength, the same in every session, and a cue takes effect after
    ``delay`` seconds, so that the labels of a recording can be checked.

    Options: ``channels`` (8), ``rate`` (1000 Hz), ``delay`` (0.25 s), ``mains`` (counts at 50 Hz),
    ``seed``.
    """

    def __init__(self, url: SourceUrl) -> None:
        url.check_options("channels", "rate", "delay", "mains", "seed")
        self._url = url
        self._channels = url.integer("channels", 8, most=256)
        self._rate = url.number("rate", 1000.0) or 1000.0
        self._delay = url.number("delay", 0.25, above=False) or 0.0
        self._mains = url.number("mains", 5.0, above=False) or 0.0
        self._seed = url.integer("seed", 1, least=0)

    def open(self) -> None:  # noqa: D102
        self.description = SourceDescription(
            self._url.text, "computed signal", self._rate,
            tuple(f"channel {number + 1}" for number in range(self._channels)), "synthetic counts",
            notes=(f"follows each prompt after {self._delay:g} s",),
        )  # fmt: skip
        self._rng = np.random.default_rng(self._seed)
        self._start = time.monotonic()
        self._sent = 0
        self._strength = np.full(self._channels, _REST)
        self._target = self._strength
        self._last = np.zeros(self._channels)
        self._cues: list[tuple[float, str]] = []

    def close(self) -> None:  # noqa: D102
        pass

    def cue(self, name: str, time: float) -> None:  # noqa: D102
        self._cues.append((time + self._delay, name))

    def read(self, seconds: float) -> list[Chunk]:  # noqa: D102
        least = self._start + self._sent / self._rate + _CHUNK
        time.sleep(max(0.0, min(seconds, least - time.monotonic())))
        due = int((time.monotonic() - self._start) * self._rate)
        chunks = []
        while self._sent < due:
            while self._cues and self._start + self._sent / self._rate >= self._cues[0][0]:
                self._target = self._strengths(self._cues.pop(0)[1])
            count = min(due - self._sent, max(1, int(_CHUNK * self._rate)))
            if self._cues:
                until = int((self._cues[0][0] - self._start) * self._rate) + 1 - self._sent
                count = min(count, max(1, until))
            times = self._start + np.arange(self._sent, self._sent + count) / self._rate
            chunks.append(Chunk(self._sent, self._samples(times - self._start), times))
            self._sent += count
        return chunks

    def _strengths(self, name: str) -> npt.NDArray[np.float64]:
        """Strength of each channel in counts for the name of a class."""
        if name in QUIET_NAMES or not name:
            return np.full(self._channels, _REST)
        shares = np.random.default_rng([self._seed, zlib.crc32(name.encode())])
        return _REST + _ACTIVE * shares.uniform(0.02, 1.0, self._channels) ** 2

    def _samples(self, times: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
        decay = np.exp(-np.arange(1, len(times) + 1) / (_RAMP * self._rate))[:, None]
        strength = self._target + (self._strength - self._target) * decay
        self._strength = strength[-1]
        white = self._rng.standard_normal((len(times), self._channels))
        before = np.vstack([self._last, white[:-1]])
        self._last = white[-1]
        mains = self._mains * np.sin(2 * np.pi * 50 * times)[:, None]
        signal = np.rint(strength * (0.8 * white - 0.6 * before) + mains)
        return np.asarray(signal.clip(-32768, 32767), np.int16)
