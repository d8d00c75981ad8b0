"""What every live source has in common: a description, chunks of samples with times, and cues."""

import abc
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError


class SourceError(EdgebioError):
    """A live source that cannot be opened, has gone, or sends nonsense; exit code 1."""

    exit_code = 1


@dataclass(frozen=True)
class SourceDescription:
    """What a source sends.

    Attributes
    ----------
    url, name
        How the source was asked for, and what it is, for people.
    rate
        Nominal sampling rate in Hz.
    channel_names
        One for each channel.
    units
        Meaning of one count, as `Recording.units`.
    gain
        Gain of the amplifier, where it is known.
    notes
        What was recognized or assumed, a sentence each.
    """

    url: str
    name: str
    rate: float
    channel_names: tuple[str, ...]
    units: str
    gain: str = ""
    notes: tuple[str, ...] = ()

    @property
    def channels(self) -> int:
        """Number of channels."""
        return len(self.channel_names)


@dataclass(frozen=True, eq=False)
class Marker:
    """An event in the signal: its name, and its time by `time.monotonic`."""

    name: str
    time: float


@dataclass(frozen=True, eq=False)
class Chunk:
    """Consecutive samples of all channels.

    Attributes
    ----------
    first
        Number of the first sample since the source was opened; numbers of lost samples are skipped.
    samples
        int16, shape (n, channels): counts.
    times
        float64, shape (n,): when each was sampled, in seconds by `time.monotonic`.
    gap
        Why it does not continue the chunk before it; empty where it does.
    markers
        Events of the source.
    """

    first: int
    samples: npt.NDArray[np.int16]
    times: npt.NDArray[np.float64]
    gap: str = ""
    markers: tuple[Marker, ...] = ()

    @property
    def end(self) -> int:
        """Number of the sample after the last one."""
        return self.first + len(self.samples)


class Source(abc.ABC):
    """A live source, open during a ``with`` statement.

    A subclass reads from where samples come; `edgebio.sources.stream.LiveStream` adds what all
    need: a thread that reads in time, a bounded buffer, and opening again what has disappeared.

    Attributes
    ----------
    description
        Known once the source is open.
    paced : bool
        Whether samples arrive at the stated rate.
    """

    description: SourceDescription
    paced = True

    @abc.abstractmethod
    def open(self) -> None:
        """Open the source, and describe it.

        Raises
        ------
        SourceError
            If it is not there; says what is missing, and how to get it.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Close the source; it can be opened again."""

    @abc.abstractmethod
    def read(self, seconds: float) -> list[Chunk]:
        """Samples that have arrived, waiting up to `seconds` for the first of them.

        Raises
        ------
        SourceError
            If the source has gone.
        EndOfSourceError
            If it has ended by itself.
        """

    def cue(self, name: str, time: float) -> None:  # noqa: B027 - most sources need not know
        """Tell the source what the subject is asked to do from `time` on; most ignore it."""

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


class EndOfSourceError(SourceError):
    """A source that has nothing more to send, such as a file that was played to its end."""
