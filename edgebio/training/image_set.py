"""The images of a fold, with the front end whose statistics were learned from its training set."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSettings, FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.frontend.twin import Twin
from edgebio.processes.worker_pool import map_in_order
from edgebio.recipes import DataSettings, Normalization
from edgebio.recordings.recording import Recording
from edgebio.training.images import Images


@dataclass(frozen=True, eq=False)
class ImageSet:
    """What one network is trained, validated and tested on.

    The front end has the statistics of the training set; `normalization` says which statistics
    standardize the images. There is an image for every frame of the training set, and for every
    decision of the others; or for every beat.
    """

    spec: FrontendSpec
    standardization: Standardization
    classes: tuple[str, ...]
    train: Images
    validation: Images
    test: Images
    data: DataSettings
    normalization: Normalization

    @property
    def decisions(self) -> int:
        """Number of decisions that the device makes on the training set."""
        overlap = self.spec.step_frames if self.data.segments == "step" else 1
        return max(1, len(self.train) // overlap)

    def with_training_set(self, recordings: Sequence[Recording]) -> Self:
        """Return the same set with another training set, and no validation set.

        The front end stays as it was learned; standardized by session, the images have the
        statistics of their own sessions.

        Raises
        ------
        EdgebioError
            If recordings differ in kind, or none has a labeled segment.
        """
        frontend_spec(self.spec.settings(), recordings)
        cut = functools.partial(
            _cut, self.spec, self.standardization, self.data, self.normalization
        )
        images = cut(recordings, 1)
        if not len(images) or recordings[0].classes != self.classes:
            raise EdgebioError(
                f"{recordings[0].source}: no labeled segment of the same classes to tune on"
            )
        return replace(self, train=images, validation=cut([], self.spec.step_frames))


def frontend_spec(settings: FrontendSettings, recordings: Sequence[Recording]) -> FrontendSpec:
    """Front end for recordings of one rate, channel count, unit and list of classes.

    Raises
    ------
    EdgebioError
        If they differ, or the rate does not suit the settings; the text names the recording.
    """
    first = recordings[0]
    for field in ("rate", "channels", "units", "classes"):
        for recording in recordings:
            if getattr(first, field) != getattr(recording, field):
                raise EdgebioError(
                    f"{recording.source}: {field} {_text(getattr(recording, field))}, but "
                    f"{first.source} has {_text(getattr(first, field))}; all recordings that one "
                    "network learns from must agree"
                )
    try:
        return FrontendSpec(**settings.model_dump(), rate=first.rate, channels=first.channels)
    except ValueError as error:
        detail = str(error).splitlines()[-2].split(" [type=")[0].strip()
        raise EdgebioError(f"{first.source}: {detail}; change [frontend] of the recipe") from None


def build_image_set(
    settings: FrontendSettings,
    train: Sequence[Recording],
    validation: Sequence[Recording],
    test: Sequence[Recording],
    data: DataSettings | None = None,
    normalization: Normalization = "training",
) -> ImageSet:
    """Run the front end over a fold's recordings, its statistics learned from `train` alone.

    Normalized other than by ``"training"``, the images, but not the front end of the result, are
    standardized by the signal of their own session: what a wearer's calibration does.

    Raises
    ------
    EdgebioError
        If recordings differ in kind, a class has no image in the training set, or the test set has
        no image.
    """
    data = data or DataSettings()
    spec = frontend_spec(settings, [*train, *validation, *test])
    # The frames are computed twice rather than stored: in octaves they are larger than the samples.
    standardization = _learn(spec, train)
    cut = functools.partial(_cut, spec, standardization, data, normalization)
    images = cut(train, 1)
    require_every_class(images.labels, spec, train)
    validation_images, test_images = (cut(r, spec.step_frames) for r in (validation, test))
    if test and not len(test_images):
        raise EdgebioError(
            f"no labeled segment of {spec.segment_length} samples among the {len(test)} test "
            f"recordings ({test[0].source}, ...)"
        )
    return ImageSet(
        spec, standardization, train[0].classes, images, validation_images, test_images, data,
        normalization,
    )  # fmt: skip


def require_every_class(
    labels: npt.NDArray[np.integer], spec: FrontendSettings, train: Sequence[Recording]
) -> None:
    """Refuse a training set that leaves a class without a segment.

    `labels`, int, shape (n,), are the classes of its segments.
    """
    classes = train[0].classes
    counts = np.bincount(labels, minlength=len(classes))
    if not counts.all():
        missing = ", ".join(repr(classes[k]) for k in np.flatnonzero(counts == 0))
        raise EdgebioError(
            f"no segment of {spec.segment_length} samples of class {missing} among the "
            f"{len(train)} training recordings ({train[0].source}, ...); every class needs samples"
        )


def _cut(
    spec: FrontendSpec,
    standardization: Standardization,
    data: DataSettings,
    normalization: Normalization,
    recordings: Sequence[Recording],
    step_frames: int,
) -> Images:
    """Cut recordings, of the training, validation or test set, into images."""
    sessions: dict[tuple[str, str], list[Recording]] = {}
    if normalization != "training":
        for recording in recordings:
            sessions.setdefault((recording.subject, recording.session), []).append(recording)
    twins = {name: Twin(spec, _learn(spec, group)) for name, group in sessions.items()}
    return Images.cut(Twin(spec, standardization), recordings, step_frames, data, twins)


def _learn(spec: FrontendSpec, recordings: Sequence[Recording]) -> Standardization:
    frames = map_in_order(Twin(spec).log_magnitudes, (r.samples for r in recordings))
    return Standardization.learn(spec, frames)


def _text(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)
