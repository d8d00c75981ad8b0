"""Labeled int8 STFT images of recordings, computed by the firmware's own front end."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from edgebio.frontend.standardization import PIXEL_SCALE
from edgebio.frontend.twin import Twin
from edgebio.processes.worker_pool import map_in_order
from edgebio.recipes import DataSettings
from edgebio.recordings.recording import Recording
from edgebio.training.segments import cut_segments


def pixels_to_float(pixels: npt.NDArray[np.int8]) -> npt.NDArray[np.float32]:
    """Pixels in standard deviations, as networks take them."""
    return pixels.astype(np.float32) * np.float32(PIXEL_SCALE)


@dataclass(frozen=True, eq=False)
class Images:
    """Labeled images, stored as STFT frames, of which successive images share most.

    Attributes
    ----------
    pixels
        int8, shape (n_frames, bins, channels): all recordings one after the other.
    starts, labels, recordings
        int, shape (n,): first frame and class of every image, and number of its recording.
    frames
        Frames of one image.
    sessions
        By recording: its subject and session.
    ends
        int64, shape (n_recordings,): number of frames up to the end of each recording.
    exclusions
        By recording: artifacts, see `edgebio.training.segments.cut_segments`.
    """

    pixels: npt.NDArray[np.int8]
    starts: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int16]
    recordings: npt.NDArray[np.int32]
    frames: int
    sessions: tuple[tuple[str, str], ...]
    ends: npt.NDArray[np.int64]
    exclusions: tuple[dict[str, int], ...] = ()

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of one image: (frames, bins, channels)."""
        return (self.frames, *self.pixels.shape[1:])

    def all(self) -> npt.NDArray[np.int8]:
        """Every image: int8, shape (n, frames, bins, channels)."""
        return self.take(slice(None))

    def take(self, index: npt.NDArray[np.integer] | slice) -> npt.NDArray[np.int8]:
        """Images by their numbers: int8, shape (len(index), frames, bins, channels)."""
        return self.at(self.starts[index])

    def at(
        self, starts: npt.NDArray[np.integer], spacing: npt.NDArray[np.floating] | None = None
    ) -> npt.NDArray[np.int8]:
        """Images by their first frames, labeled or not: int8, shape (n, frames, bins, channels).

        `spacing`, float, shape (n,), is the distance in the signal, in frames, of an image's
        successive frames, about the image's middle; 1 if None. The nearest frames are taken, and
        those beyond an end of the recording are its first or last one.
        """
        offsets, numbers = np.arange(self.frames), starts[:, None]
        if spacing is None:
            numbers = numbers + offsets
        else:
            middle = (self.frames - 1) / 2
            numbers = np.rint(numbers + middle + spacing[:, None] * (offsets - middle))
            recording = np.searchsorted(self.ends, starts, side="right")[:, None]
            first, last = self._first_frames[recording], self.ends[recording] - 1
            numbers = np.clip(numbers.astype(np.int64), first, last)
        images: npt.NDArray[np.int8] = self.pixels[numbers]
        return images

    def spread(
        self, count: int, starts: npt.NDArray[np.int64] | None = None
    ) -> npt.NDArray[np.int8]:
        """Images of the whole signal, labeled or not, spread evenly over it.

        At most `count` are taken of those that begin at `starts`; of all recordings if None.
        """
        if starts is None:
            starts = self._image_starts(range(len(self.ends)))
        return self.at(starts[np.unique(np.linspace(0, len(starts) - 1, count).astype(np.int64))])

    def by_session(self) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
        """Iterate over the sessions of subjects that have images.

        Yields
        ------
        index, starts : ndarray
            int64: numbers of the session's images; and the first frame of every possible image of
            its signal, labeled or not.
        """
        for session in dict.fromkeys(self.sessions):
            own = [k for k, other in enumerate(self.sessions) if other == session]
            index = np.flatnonzero(np.isin(self.recordings, own))
            if len(index):
                yield index, self._image_starts(own)

    @property
    def _first_frames(self) -> npt.NDArray[np.int64]:
        """First frame of each recording: int64, shape (n_recordings,)."""
        return np.concatenate([[0], self.ends[:-1]]).astype(np.int64)

    def _image_starts(self, recordings: Sequence[int]) -> npt.NDArray[np.int64]:
        """First frames of all possible images of some recordings."""
        first = self._first_frames
        spans = [np.arange(first[k], self.ends[k] - self.frames + 1) for k in recordings]
        return np.concatenate(spans).astype(np.int64)

    @classmethod
    def cut(
        cls,
        twin: Twin,
        recordings: Sequence[Recording],
        step_frames: int,
        data: DataSettings,
        session_twins: Mapping[tuple[str, str], Twin] | None = None,
    ) -> Self:
        """Cut recordings into images, few recordings at a time so that memory is bounded.

        The front end is `twin`, with its standardization, or the one of the recording's subject and
        session. See `edgebio.training.segments.cut_segments` for `step_frames` and `data`.
        """
        spec = twin.spec
        counts = [spec.frames_in(len(r.samples)) for r in recordings]
        pixels = np.empty((sum(counts), spec.n_bins, spec.channels), np.int8)
        starts, labels, first = [np.empty(0, np.int64)], [np.empty(0, np.int16)], 0
        exclusions = []
        sessions = tuple((r.subject, r.session) for r in recordings)
        twins = [(session_twins or {}).get(session, twin) for session in sessions]
        parts = map_in_order(
            lambda pair: pair[0].pixels(pair[1].samples), zip(twins, recordings, strict=True)
        )
        for recording, count, part in zip(recordings, counts, parts, strict=True):
            pixels[first : first + count] = part
            frames, label, excluded = cut_segments(recording, spec, step_frames, data)
            starts.append(first + frames)
            labels.append(label)
            exclusions.append(excluded)
            first += count
        lengths = [len(part) for part in starts[1:]]
        return cls(
            pixels=pixels,
            starts=np.concatenate(starts).astype(np.int64),
            labels=np.concatenate(labels).astype(np.int16),
            recordings=np.repeat(np.arange(len(recordings), dtype=np.int32), lengths),
            frames=spec.frames,
            sessions=sessions,
            ends=np.cumsum(counts, dtype=np.int64),
            exclusions=tuple(exclusions),
        )
