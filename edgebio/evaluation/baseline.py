"""The classical baseline: Hudgins' time-domain features and linear discriminant analysis.

Of each segment and channel: mean absolute value, waveform length, zero crossings and slope sign
changes (`edgebio.training.features.hudgins_features`). It uses float arithmetic and a zero-phase
filter, neither of which a streaming device has: it is a floor for accuracy, not for cost.
"""

from collections.abc import Sequence
from typing import Any, Literal, TypedDict, cast

import numpy as np
import numpy.typing as npt

from edgebio import progress
from edgebio.errors import EdgebioError
from edgebio.evaluation import statistics
from edgebio.evaluation.statistics import Metrics, mean_metrics, metric_deviations
from edgebio.frontend.spec import FrontendSettings
from edgebio.protocols import Fold
from edgebio.recipes import DataSettings, Recipe
from edgebio.recordings.recording import Recording
from edgebio.training.features import hudgins_features
from edgebio.training.metrics import decision_metrics
from edgebio.training.segments import cut_segments

Baseline = Literal["lda"]
Band = tuple[float, float]

_METRICS = ("accuracy", "balanced_accuracy", "macro_f1")
_BAND: Band = (20.0, 450.0)  # Hz, of surface EMG
_THRESHOLD = 10.0  # counts that a crossing or a turn has to exceed, to be more than noise


class BaselineResult(TypedDict):
    """Metrics of the baseline over folds, and over the subjects of folds that test only one."""

    name: Baseline
    accuracy: float | None
    balanced_accuracy: float | None
    macro_f1: float | None
    deviation: Metrics
    folds: list[dict[str, Any]]
    people: list[dict[str, Any]]
    mean_over_people: Metrics
    deviation_over_people: Metrics


def score_folds(recipe: Recipe, folds: Sequence[Fold]) -> BaselineResult:
    """Train and score on every fold; see `score`."""
    rows = [
        {"fold": fold.name, **score(fold, recipe.frontend, recipe.data)}
        for fold in progress.track(folds, "baseline")
    ]
    # Metrics of several subjects pooled belong to none of them.
    single = [
        {"people": [{"subject": fold.test[0].subject, "windows": 0, **row}]}
        for fold, row in zip(folds, rows, strict=True)
        if len({r.subject for r in fold.test}) == 1
    ]
    subjects = statistics.by_subject(single, _METRICS)
    result: Any = {
        "name": "lda",
        **mean_metrics(rows, _METRICS),
        "deviation": metric_deviations(rows, _METRICS),
        "folds": rows,
        "people": subjects,
        "mean_over_people": mean_metrics(subjects, _METRICS),
        "deviation_over_people": metric_deviations(subjects, _METRICS),
    }
    return cast(BaselineResult, result)


def score(fold: Fold, spec: FrontendSettings, data: DataSettings) -> dict[str, float]:
    """Train on a fold in one stage, and score its test set.

    Segments are those of the network. See `edgebio.training.metrics.decision_metrics`.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, train_labels, _ = segment_features(fold.one_stage_train, spec, data)
    test, test_labels, _ = segment_features(fold.test, spec, data)
    if len(np.unique(train_labels)) < 2 or not len(test_labels):
        raise EdgebioError(
            f"fold {fold.name!r}: LDA needs segments of two classes to train on and one to test on"
        )
    model = make_pipeline(
        StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage=1e-3)
    )
    model.fit(train, train_labels)
    return decision_metrics(test_labels, model.predict(test))


def segment_features(
    recordings: Sequence[Recording], spec: FrontendSettings, data: DataSettings
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int16], npt.NDArray[np.intp]]:
    """Hudgins' features of the labeled segments of recordings.

    Parameters
    ----------
    recordings
        Recordings to cut.
    spec
        Length and step of the segments. A front end with a low-pass sets the band; otherwise it is
        that of surface EMG.
    data
        Which segments, see `edgebio.training.segments.cut_segments`.

    Returns
    -------
    features : ndarray
        float64, shape (n, 4 * channels).
    labels : ndarray
        int16, shape (n,).
    groups : ndarray
        int, shape (n,): index of each segment's recording, as
        `edgebio.protocols.ProtocolSplitter.split` takes it.

    Raises
    ------
    EdgebioError
        Where there is no segment.
    """
    band = (spec.highpass, spec.lowpass) if spec.lowpass else _BAND
    features, labels, groups = [], [], []
    for number, recording in enumerate(recordings):
        frames, label, _ = cut_segments(recording, spec, spec.step_frames, data)
        if len(frames):
            starts = frames * spec.hop_length
            features.append(
                filtered_features(
                    recording.samples, recording.rate, starts, spec.segment_length, band
                )
            )
            labels.append(label)
            groups.append(np.full(len(label), number))
    if not labels:
        raise EdgebioError(
            f"{recordings[0].source}, ...: no segment of {spec.segment_length} samples to score "
            "the baseline by"
        )
    return np.concatenate(features), np.concatenate(labels), np.concatenate(groups)


def filtered_features(
    samples: npt.NDArray[np.int16],
    rate: float,
    starts: npt.NDArray[np.integer],
    length: int,
    band: Band = _BAND,
) -> npt.NDArray[np.float64]:
    """Hudgins' features of segments of one recording: float64, shape (segments, 4 * channels).

    Parameters
    ----------
    samples
        int16, shape (n, channels), in counts. The mean is removed, and a 4th-order Butterworth
        band-pass is run in both directions.
    rate, band
        In Hz; the upper corner is limited to nine tenths of the Nyquist frequency.
    starts, length
        First sample of every segment, and samples of a segment.
    """
    from scipy import signal

    high = min(band[1], 0.45 * rate)
    sections = signal.butter(4, (band[0], high), "bandpass", fs=rate, output="sos")
    centered = samples - samples.mean(axis=0)
    filtered = signal.sosfiltfilt(sections, centered, axis=0)
    return hudgins_features(filtered, starts, length, _THRESHOLD)
