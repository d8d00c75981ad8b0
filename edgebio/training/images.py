"""Recordings to labelled int8 images, computed by the firmware's own front end."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSettings, FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.frontend.twin import Twin
from edgebio.recipes import DataSettings, Normalization
from edgebio.recordings.recording import Recording
from edgebio.training.segments import cut


@dataclass(frozen=True, eq=False)
class Images:
    """Labelled images, kept as STFT columns, as images that follow one another share most of them.

    Attributes
    ----------
    pixels
        int8, shape (n_columns, bins, channels): all recordings one after the other.
    starts
        int64, shape (n,): first column of every image.
    labels
        int16, shape (n,): class of every image.
    recordings
        int32, shape (n,): number of the recording that every image was cut from.
    columns
        Columns of one image.
    sittings
        By recording: the person and the session that it is of.
    ends
        int64, shape (n_recordings,): columns up to and with each recording.
    left_out
        By recording: what `edgebio.training.segments.cut` left out of it.
    """

    pixels: npt.NDArray[np.int8]
    starts: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int16]
    recordings: npt.NDArray[np.int32]
    columns: int
    sittings: tuple[tuple[str, str], ...]
    ends: npt.NDArray[np.int64]
    left_out: tuple[dict[str, int], ...] = ()

    def __len__(self) -> int:
        return len(self.starts)

    def signal(
        self, most: int, starts: npt.NDArray[np.int64] | None = None
    ) -> npt.NDArray[np.int8]:
        """Whole windows, labelled or not, evenly drawn: what there is without labels.

        Parameters
        ----------
        most
            Windows that are drawn, of those there are.
        starts
            int64, shape (n,): first columns of those to draw from; of all recordings if None.

        Returns
        -------
        ndarray
            int8, shape (n, columns, bins, channels).
        """
        if starts is None:
            starts = self._windows(range(len(self.ends)))
        return self.at(starts[np.unique(np.linspace(0, len(starts) - 1, most).astype(np.int64))])

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of one image: (columns, bins, channels)."""
        return (self.columns, *self.pixels.shape[1:])

    def take(self, index: npt.NDArray[np.integer] | slice) -> npt.NDArray[np.int8]:
        """Images by their numbers: int8, shape (len(index), columns, bins, channels)."""
        return self.at(self.starts[index])

    def at(
        self, starts: npt.NDArray[np.integer], apart: npt.NDArray[np.floating] | None = None
    ) -> npt.NDArray[np.int8]:
        """Images by their first columns, labelled or not.

        Parameters
        ----------
        starts
            int64, shape (n,).
        apart
            float, shape (n,): how many columns of the signal lie from each of an image's columns to
            the next, about its middle; the nearest are taken, and beyond the ends of a recording
            its first and its last one. 1 if None.

        Returns
        -------
        ndarray
            int8, shape (n, columns, bins, channels).
        """
        number, places = np.arange(self.columns), starts[:, None]
        if apart is None:
            places = places + number
        else:
            middle = (self.columns - 1) / 2
            places = np.rint(places + middle + apart[:, None] * (number - middle)).astype(np.int64)
            whose = np.searchsorted(self.ends, starts, side="right")[:, None]
            places = np.clip(places, self._begins[whose], self.ends[whose] - 1)
        found: npt.NDArray[np.int8] = self.pixels[places]
        return found

    def all(self) -> npt.NDArray[np.int8]:
        """Every image: int8, shape (n, columns, bins, channels)."""
        return self.take(slice(None))

    def by_sitting(self) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
        """Go through the sittings that images are of.

        Yields
        ------
        chosen, starts : ndarray
            int64: numbers of the sitting's images; and the first column of every whole window of
            its signal, labelled or not.
        """
        for sitting in dict.fromkeys(self.sittings):
            own = [k for k, other in enumerate(self.sittings) if other == sitting]
            chosen = np.flatnonzero(np.isin(self.recordings, own))
            if len(chosen):
                yield chosen, self._windows(own)

    @property
    def _begins(self) -> npt.NDArray[np.int64]:
        """First column of each recording: int64, shape (n_recordings,)."""
        return np.concatenate([[0], self.ends[:-1]]).astype(np.int64)

    def _windows(self, numbers: Sequence[int]) -> npt.NDArray[np.int64]:
        """First columns of all whole windows of some recordings."""
        begins = self._begins
        spans = [np.arange(begins[k], self.ends[k] - self.columns + 1) for k in numbers]
        return np.concatenate(spans).astype(np.int64)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Put images of several groups of recordings one after the other."""
        if len(parts) == 1:
            return parts[0]
        columns = np.cumsum([0, *(len(part.pixels) for part in parts)])
        numbers = np.cumsum([0, *(len(part.left_out) for part in parts)], dtype=np.int32)
        return cls(
            pixels=np.concatenate([part.pixels for part in parts]),
            starts=np.concatenate([p.starts + k for p, k in zip(parts, columns, strict=False)]),
            labels=np.concatenate([part.labels for part in parts]),
            recordings=np.concatenate(
                [p.recordings + k for p, k in zip(parts, numbers, strict=False)]
            ),
            columns=parts[0].columns,
            sittings=tuple(sitting for part in parts for sitting in part.sittings),
            ends=np.concatenate([p.ends + k for p, k in zip(parts, columns, strict=False)]),
            left_out=tuple(left for part in parts for left in part.left_out),
        )

    @classmethod
    def of(
        cls, twin: Twin, recordings: Sequence[Recording], stride: int, data: DataSettings
    ) -> Self:
        """Cut recordings into images; besides the pixels, few recordings' worth is held at a time.

        Parameters
        ----------
        twin
            Front end, with its standardisation.
        recordings
            What to cut; their samples are only read.
        stride
            Columns from one image to the next; the device's own is ``spec.step_frames``.
        data
            Where images are cut, see `edgebio.training.segments.cut`.
        """
        spec = twin.spec
        counts = [spec.frames_in(len(r.samples)) for r in recordings]
        pixels = np.empty((sum(counts), spec.n_bins, spec.channels), np.int8)
        starts, labels, first = [np.empty(0, np.int64)], [np.empty(0, np.int16)], 0
        left_out = []
        made = twin.pixels_of(r.samples for r in recordings)
        for recording, count, part in zip(recordings, counts, made, strict=True):
            pixels[first : first + count] = part
            begin, label, without = cut(recording, spec, stride, data)
            starts.append(first + begin)
            labels.append(label)
            left_out.append(without)
            first += count
        lengths = [len(part) for part in starts[1:]]
        return cls(
            pixels=pixels,
            starts=np.concatenate(starts).astype(np.int64),
            labels=np.concatenate(labels).astype(np.int16),
            recordings=np.repeat(np.arange(len(recordings), dtype=np.int32), lengths),
            columns=spec.frames,
            sittings=tuple((r.subject, r.session) for r in recordings),
            ends=np.cumsum(counts, dtype=np.int64),
            left_out=tuple(left_out),
        )


@dataclass(frozen=True, eq=False)
class ImageSet:
    """What one network is trained and tested on, with the front end that was learned for it.

    Attributes
    ----------
    spec, standardisation
        Front end; the statistics are the training side's.
    classes
        Class names.
    train, validation, test
        Images: of every column, every decision and every decision; or of every beat.
    data
        Where they are cut.
    normalise
        Whose statistics they are standardised by, see `edgebio.recipes.Normalization`.
    """

    spec: FrontendSpec
    standardization: Standardization
    classes: tuple[str, ...]
    train: Images
    validation: Images
    test: Images
    data: DataSettings
    normalise: Normalization

    @property
    def decisions(self) -> int:
        """How many decisions the device makes on what is trained on."""
        overlap = self.spec.step_frames if self.data.segments == "step" else 1
        return max(1, len(self.train) // overlap)

    def tuned_on(self, recordings: Sequence[Recording]) -> Self:
        """Return the same set with other training images, and none to stop by.

        The front end stays as it was learned; standardised by session, they are by their own.

        Raises
        ------
        EdgebioError
            Where recordings are not alike, or none has a labelled window.
        """
        spec_of(self.spec.settings(), recordings)
        cut = _Cut(self.spec, self.standardization, self.data, self.normalise)
        images = cut.images(recordings, 1)
        if not len(images) or recordings[0].classes != self.classes:
            raise EdgebioError(
                f"{recordings[0].source}: no labelled window of the same classes to tune on"
            )
        return replace(self, train=images, validation=cut.images([], self.spec.step_frames))


def spec_of(settings: FrontendSettings, recordings: Sequence[Recording]) -> FrontendSpec:
    """Front end for recordings that must all be alike.

    Raises
    ------
    EdgebioError
        Where rates, channel counts, units or class names differ, or the rate does not suit the
        settings; the text names the recording.
    """
    first = recordings[0]
    for field in ("rate", "channels", "units", "classes"):
        for recording in recordings:
            one, other = getattr(first, field), getattr(recording, field)
            if one != other:
                raise EdgebioError(
                    f"{recording.source}: {field} {_said(other)}, but {first.source} has "
                    f"{_said(one)}; what is learned together must be alike"
                )
    try:
        return FrontendSpec(**settings.model_dump(), rate=first.rate, channels=first.channels)
    except ValueError as error:
        detail = str(error).splitlines()[-2].split(" [type=")[0].strip()
        raise EdgebioError(f"{first.source}: {detail}; change [frontend] of the recipe") from None


def image_set(
    settings: FrontendSettings,
    train: Sequence[Recording],
    validation: Sequence[Recording],
    test: Sequence[Recording],
    data: DataSettings | None = None,
    normalise: Normalization = "training",
) -> ImageSet:
    """Run the front end over the sides of a fold, its statistics learned from `train` alone.

    Parameters
    ----------
    settings
        Front end.
    train, validation, test
        Recordings of each side.
    data
        Where images are cut; every stride if None.
    normalise
        Other than ``"training"``, it standardises the images, but not the front end of the result,
        by the signal of the sitting that they are of: what a wearer's calibration would do.

    Raises
    ------
    EdgebioError
        Where recordings are not alike, or a class has no image on the training side, or the test
        side has none at all.
    """
    data = data or DataSettings()
    spec = spec_of(settings, [*train, *validation, *test])
    classes = train[0].classes
    # The columns are computed twice rather than kept: in octaves they are larger than the samples.
    learned = Standardization.learn(spec, Twin(spec).columns_of(r.samples for r in train))
    cut = _Cut(spec, learned, data, normalise)
    images = cut.images(train, 1)
    every_class(images.labels, spec, train)
    validated, tested = (cut.images(side, spec.step_frames) for side in (validation, test))
    if test and not len(tested):
        raise EdgebioError(
            f"no labelled window of {spec.segment_length} samples among the {len(test)} test recordings "
            f"({test[0].source}, ...)"
        )
    return ImageSet(spec, learned, classes, images, validated, tested, data, normalise)


def every_class(
    labels: npt.NDArray[np.integer], spec: FrontendSettings, train: Sequence[Recording]
) -> None:
    """Refuse a training side that leaves a class without a window.

    Parameters
    ----------
    labels
        Integers, shape (n,): class of every window of the side.
    spec
        What windows were cut by.
    train
        Recordings of the side.

    Raises
    ------
    EdgebioError
        Names the classes.
    """
    classes = train[0].classes
    counts = np.bincount(labels, minlength=len(classes))
    if not counts.all():
        missing = ", ".join(repr(classes[k]) for k in np.flatnonzero(counts == 0))
        raise EdgebioError(
            f"no window of {spec.segment_length} samples of class {missing} among the {len(train)} "
            f"training recordings ({train[0].source}, ...); every class needs samples"
        )


@dataclass(frozen=True)
class _Cut:
    """How recordings become images, whichever side they stand on."""

    spec: FrontendSpec
    learned: Standardization
    data: DataSettings
    normalise: Normalization

    def images(self, recordings: Sequence[Recording], stride: int) -> Images:
        if self.normalise == "training" or not recordings:
            return Images.of(Twin(self.spec, self.learned), recordings, stride, self.data)
        sittings: dict[tuple[str, str], list[Recording]] = {}
        for r in recordings:
            sittings.setdefault((r.subject, r.session), []).append(r)
        plain = Twin(self.spec)
        own = {
            sitting: Standardization.learn(self.spec, plain.columns_of(r.samples for r in those))
            for sitting, those in sittings.items()
        }
        return Images.joined(
            [
                Images.of(Twin(self.spec, own[sitting]), list(those), stride, self.data)
                for sitting, those in itertools.groupby(
                    recordings, lambda r: (r.subject, r.session)
                )
            ]
        )


def _said(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)
