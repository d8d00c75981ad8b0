"""The classical baseline: Hudgins' time-domain features and linear discriminant analysis.

Of each window and channel: mean absolute value, waveform length, zero crossings and slope sign
changes (`edgebio.training.features.hudgins`). It has float arithmetic and a zero-phase filter,
neither of which a streaming device has: it is a floor for accuracy, not for cost.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import signal
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSettings
from edgebio.protocols import Fold
from edgebio.recipes import DataSettings
from edgebio.recordings.recording import Recording
from edgebio.training.features import hudgins
from edgebio.training.scores import scores
from edgebio.training.windows import cut

Band = tuple[float, float]

_BAND: Band = (20.0, 450.0)  # Hz, of surface EMG
_THRESHOLD = 10.0  # counts that a crossing or a turn has to exceed, to be more than noise


def score(fold: Fold, spec: FrontendSettings, data: DataSettings) -> dict[str, float]:
    """Train on one side of a fold and score on the other.

    Parameters
    ----------
    fold
        Sides.
    spec, data
        What windows are cut by, so that they are those of the network. Where the front end has a
        low-pass, its band is the band here; otherwise that of surface EMG.

    Returns
    -------
    dict
        See `edgebio.training.scores.scores`.
    """
    # It cannot be tuned: where the wearer's own recordings are there, they serve it best alone.
    # It stops nowhere early: who would say when serves to learn from.
    learned = fold.tune or (*fold.train, *fold.validation)
    (train, train_labels), (test, test_labels) = (
        _side(side, spec, data) for side in (learned, fold.test)
    )
    if len(np.unique(train_labels)) < 2 or not len(test_labels):
        raise EdgebioError(
            f"fold {fold.name!r}: LDA needs windows of two classes to train on and one to test on"
        )
    model = make_pipeline(
        StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage=1e-3)
    )
    model.fit(train, train_labels)
    return scores(test_labels, model.predict(test))


def features(
    samples: npt.NDArray[np.int16],
    rate: float,
    begin: npt.NDArray[np.integer],
    window: int,
    band: Band = _BAND,
) -> npt.NDArray[np.float64]:
    """Hudgins features of windows of one recording.

    Parameters
    ----------
    samples
        int16, shape (n, channels), in counts. The mean is removed and a 4th-order Butterworth
        band-pass is run both ways.
    rate
        In Hz.
    begin
        First sample of every window.
    window
        Samples of a window.
    band
        Corners in Hz; the upper one is nine tenths of the Nyquist frequency at most.

    Returns
    -------
    ndarray
        float64, shape (windows, 4 * channels): MAV, WL, ZC and SSC of all channels in turn.
    """
    high = min(band[1], 0.45 * rate)
    sections = signal.butter(4, (band[0], high), "bandpass", fs=rate, output="sos")
    centred = samples - samples.mean(axis=0)
    filtered = signal.sosfiltfilt(sections, centred, axis=0)
    return hudgins(filtered, begin, window, _THRESHOLD)


def _side(
    recordings: Sequence[Recording], spec: FrontendSettings, data: DataSettings
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int16]]:
    band = (spec.highpass, spec.lowpass) if spec.lowpass else _BAND
    values, labels = [], []
    for recording in recordings:
        columns, label, _ = cut(recording, spec, spec.stride, data)
        if not len(columns):
            continue
        labels.append(label)
        values.append(
            features(recording.samples, recording.rate, columns * spec.hop, spec.window, band)
        )
    if not labels:
        raise EdgebioError(
            f"{recordings[0].source}, ...: no window of {spec.window} samples to score the "
            "baseline by"
        )
    return np.concatenate(values), np.concatenate(labels)
