"""Recordings to labelled int8 images, computed by the firmware's own front end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSettings, FrontendSpec
from edgebio.frontend.standard import Standardisation
from edgebio.frontend.twin import Twin
from edgebio.recipes import DataSettings
from edgebio.recordings.recording import Recording
from edgebio.training.windows import cut


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
    left_out
        By recording: what `edgebio.training.windows.cut` left out of it.
    """

    pixels: npt.NDArray[np.int8]
    starts: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int16]
    recordings: npt.NDArray[np.int32]
    columns: int
    left_out: tuple[dict[str, int], ...] = ()

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of one image: (columns, bins, channels)."""
        return (self.columns, *self.pixels.shape[1:])

    def take(self, index: npt.NDArray[np.integer] | slice) -> npt.NDArray[np.int8]:
        """Images by their numbers: int8, shape (len(index), columns, bins, channels)."""
        taken: npt.NDArray[np.int8] = self.pixels[
            self.starts[index][:, None] + np.arange(self.columns)
        ]
        return taken

    def all(self) -> npt.NDArray[np.int8]:
        """Every image: int8, shape (n, columns, bins, channels)."""
        return self.take(slice(None))

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
            Columns from one image to the next; the device's own is ``spec.stride``.
        data
            Where images are cut, see `edgebio.training.windows.cut`.
        """
        spec = twin.spec
        counts = [spec.columns_in(len(r.samples)) for r in recordings]
        pixels = np.empty((sum(counts), spec.width, spec.channels), np.int8)
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
            columns=spec.columns,
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
    """

    spec: FrontendSpec
    standardisation: Standardisation
    classes: tuple[str, ...]
    train: Images
    validation: Images
    test: Images
    data: DataSettings

    @property
    def decisions(self) -> int:
        """How many decisions the device makes on what is trained on."""
        overlap = self.spec.stride if self.data.windows == "stride" else 1
        return max(1, len(self.train) // overlap)

    def tuned_on(self, recordings: Sequence[Recording]) -> Self:
        """Return the same set with other training images, and none to stop by.

        The front end stays as it was learned.

        Raises
        ------
        EdgebioError
            Where recordings are not alike, or none has a labelled window.
        """
        spec_of(self.spec.settings(), recordings)
        twin = Twin(self.spec, self.standardisation)
        images = Images.of(twin, recordings, 1, self.data)
        if not len(images) or recordings[0].classes != self.classes:
            raise EdgebioError(
                f"{recordings[0].source}: no labelled window of the same classes to tune on"
            )
        none = Images.of(twin, [], self.spec.stride, self.data)
        return replace(self, train=images, validation=none)


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
) -> ImageSet:
    """Run the front end over the sides of a fold, its statistics learned from `train` alone.

    `data` says where images are cut; every stride if None.

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
    learned = Standardisation.learn(spec, Twin(spec).columns_of(r.samples for r in train))
    twin = Twin(spec, learned)
    images = Images.of(twin, train, 1, data)
    counts = np.bincount(images.labels, minlength=len(classes))
    if not counts.all():
        missing = ", ".join(repr(classes[k]) for k in np.flatnonzero(counts == 0))
        raise EdgebioError(
            f"no window of {spec.window} samples of class {missing} among the {len(train)} "
            f"training recordings ({train[0].source}, ...); every class needs samples"
        )
    others = [Images.of(twin, side, spec.stride, data) for side in (validation, test)]
    if test and not len(others[1]):
        raise EdgebioError(
            f"no labelled window of {spec.window} samples among the {len(test)} test recordings "
            f"({test[0].source}, ...)"
        )
    validated, tested = others
    return ImageSet(spec, learned, classes, images, validated, tested, data)


def _said(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)
