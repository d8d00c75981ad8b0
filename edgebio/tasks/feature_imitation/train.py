"""Train by a recipe with ``[imitation]``: the LSTM, the CNN, and both together.

The LSTM needs no labels: it learns from all windows of the training side. CNN and tuning need them,
and are trained with several shares of the labelled windows.
"""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import progress, storage
from edgebio.errors import EdgebioError
from edgebio.frontend.standardization import PIXEL_SCALE
from edgebio.tasks.feature_imitation import networks
from edgebio.models.keras import keras, tf
from edgebio.protocols import Fold
from edgebio.recipes import Recipe, TrainingSettings
from edgebio.recipes.imitation import FeatureImitationSettings
from edgebio.recordings.recording import Recording
from edgebio.training.features import IMITATED, imitated
from edgebio.training.images import every_class, spec_of
from edgebio.tasks.feature_imitation.run import (
    CLASSIFIER,
    TUNED,
    WINDOWS,
    Arrays,
    FeatureScale,
    ImitationFrontend,
    r2_by_feature,
)
from edgebio.tasks.stft_classifier.run import FRONTEND, LOGS, MODEL
from edgebio.training.metrics import by_class, confusion, instability, roc_auc, scores
from edgebio.training.signals import LARGEST, Scale, Signals, compand, filtered

_WINDOWS_AT_ONCE = 256  # of all channels
_MOST_GAIN = 4.0  # octaves
_LOUDNESS = (0.25, 8.0)  # rms in deviations between which a window's weight follows it

Floats = npt.NDArray[np.float32]


def imitate(recipe: Recipe, fold: Fold, kept: Sequence[Recording], folder: Path) -> dict[str, Any]:
    """Train on one side of a fold, score on the other, and keep what a run needs.

    Parameters
    ----------
    recipe
        With ``[imitation]``.
    fold
        Sides. Where it has recordings to tune on, their labels are used, and otherwise those of
        `kept`.
    kept
        Recordings that the LSTM, the signal's scale and the features' scale are learned from.
    folder
        The run; everything but its recipe and metrics.json is written there.

    Returns
    -------
    dict
        What metrics.json holds of the result: ``r2`` by feature, of the features themselves;
        ``accuracy`` and the other scores of the classifier on imitated features;
        ``windows``, how many were tested; ``left_out``, artefacts by recording; and
        ``percentages``, a row for each share of the labelled windows with the accuracy of ``true``
        features, of ``imitated`` ones, and of both networks ``tuned`` together.
    """
    settings, training = recipe.feature_imitation, recipe.training
    if settings is None:
        raise EdgebioError(f"{recipe.name}: has no [imitation]")
    if training.normalization != "training":
        raise EdgebioError(
            f"{recipe.name}: training.normalization = {training.normalization!r} is for images; an "
            'imitation is standardised by its "training" side'
        )
    spec = spec_of(recipe.frontend, [*kept, *fold.tune, *fold.test])
    ahead = settings.horizon * spec.step
    classes = kept[0].classes
    signals = filtered(spec, kept)
    scale = Scale.learn(signals)

    def cut(recordings: Sequence[Recording], those: Sequence[Floats]) -> Signals:
        found = Signals.of(spec, recordings, those, scale, recipe.data, ahead)
        if not len(found):
            raise EdgebioError(
                f"{recordings[0].source}, ...: no labelled window of {spec.segment_length} samples, with "
                f"{ahead} samples before it, among {len(recordings)} recordings"
            )
        return found

    train = cut(kept, signals)
    labelled = cut(fold.tune, filtered(spec, fold.tune)) if fold.tune else train
    every_class(labelled.labels, spec, fold.tune or kept)
    test = cut(fold.test, filtered(spec, fold.test))
    whose = [r.subject for r in (fold.tune or kept)]
    known = _features(train, settings)
    told = FeatureScale.learn(known)
    true = known if labelled is train else _features(labelled, settings)
    expected = _features(test, settings)

    keras.backend.clear_session()
    keras.utils.set_random_seed(training.seed)
    tf.config.experimental.enable_op_determinism()
    imitator, history = _fit_imitator(train, told, settings, training, folder / LOGS)
    said, said_of_test = _say(imitator, labelled, settings), _say(imitator, test, settings)

    def classifier() -> Any:
        keras.utils.set_random_seed(training.seed)
        shape = (spec.channels, len(IMITATED), len(classes))
        return networks.classifier(settings, *shape, recipe.model.dropout)

    rows: list[dict[str, Any]] = []
    targets = _Targets(labelled.labels, len(classes), training)
    true_of_test = _told(told.encode(expected))
    for percentage in progress.track(settings.percentages, "classifiers"):
        share = first_windows(labelled, whose, percentage)
        on_true, _ = _fit_classifier(
            classifier(), _told(told.encode(true)), share, targets, settings, training
        )
        on_said, learning = _fit_classifier(classifier(), said, share, targets, settings, training)
        probability = _predict(on_said, said_of_test)
        both = _tune(imitator, on_said, labelled, share, targets, settings, training)
        tuned = _through(both, test, settings)
        rows.append(
            {
                "percentage": percentage,
                "windows": len(share),
                **{
                    name: scores(test.labels, values.argmax(axis=1))["accuracy"]
                    for name, values in (
                        ("true", _predict(on_true, true_of_test)),
                        ("imitated", probability),
                        ("tuned", tuned),
                    )
                },
            }
        )

    rng = np.random.default_rng(training.seed)
    _save(folder / MODEL, imitator)
    _save(folder / CLASSIFIER, on_said)
    _save(folder / TUNED, both)
    frontend = ImitationFrontend(
        classes=classes, frontend=spec, prediction=settings.horizon, entropy=settings.entropy,
        signal=scale, told=told,
    )  # fmt: skip
    storage.write_text(folder / FRONTEND, frontend.model_dump_json(indent=2) + "\n")
    some = np.sort(rng.choice(len(train), min(recipe.quantize.samples, len(train)), replace=False))
    of_those = _say(imitator, train, settings, some)
    one_each = train.seen(some)[np.arange(len(some)), some % spec.channels]
    arrays = Arrays(
        calibration=_steps(compand(one_each), settings),
        calibration_told=of_those,
        codes=compand(test.values),
        starts=test.starts,
        labels=test.labels,
        recordings=test.recordings,
        subjects=np.array([r.subject for r in fold.test], np.str_),
        features=expected,
        told=said_of_test[:, :, 0],
        probability=probability,
    )
    with storage.replacing(folder / WINDOWS) as temporary:
        np.savez_compressed(temporary, **vars(arrays))
    decided = probability.argmax(axis=1)
    counts = confusion(test.labels, decided, len(classes))
    return {
        "classes": classes,
        "features": list(IMITATED),
        "prediction": settings.horizon,
        "parameters": int(imitator.count_params()),
        "parameters_classifier": int(on_said.count_params()),
        "epochs": len(history["loss"]),
        "best_epoch": len(history["loss"]),
        "r2": r2_by_feature(expected, told.decode(said_of_test[:, :, 0])),
        "percentages": rows,
        **scores(test.labels, decided),
        "roc_auc": roc_auc(test.labels, probability),
        "instability": instability(test.labels, decided, test.recordings),
        "by_class": by_class(counts),
        "confusion": counts,
        "windows": len(test),
        "left_out": {"train": labelled.left_out, "test": test.left_out},
        "history": history,
        "history_classifier": learning,
    }


def first_windows(
    signals: Signals, subjects: Sequence[str], percentage: float
) -> npt.NDArray[np.int64]:
    """Choose a share of each person's windows of each class: those that were recorded first.

    Overlapping windows drawn at random would show nearly all of the signal.

    Parameters
    ----------
    signals
        Windows, in order of time.
    subjects
        Whose the recordings are, by their number.
    percentage
        Share in per cent; at least one window is taken of each.

    Returns
    -------
    ndarray
        int64: numbers of windows, rising.
    """
    people = np.unique(np.array(subjects), return_inverse=True)[1][signals.recordings]
    chosen = []
    for person in np.unique(people):
        for label in np.unique(signals.labels):
            own = np.flatnonzero((people == person) & (signals.labels == label))
            chosen.append(own[: int(np.ceil(len(own) * percentage / 100))])
    return np.sort(np.concatenate(chosen))


def _features(signals: Signals, settings: FeatureImitationSettings) -> npt.NDArray[np.float64]:
    """True features of all windows that are to be told: shape (n, channels, 4)."""
    return np.concatenate(
        [
            imitated(signals.told(slice(k, k + _WINDOWS_AT_ONCE)), settings.entropy)
            for k in range(0, len(signals), _WINDOWS_AT_ONCE)
        ]
    )


def _steps(codes: npt.NDArray[np.int8], settings: FeatureImitationSettings) -> npt.NDArray[np.int8]:
    """Codes (..., window) as the LSTM's time steps (..., steps, samples, 1)."""
    return codes.reshape(*codes.shape[:-1], -1, settings.samples_per_step, 1)


def _real(windows: Floats, settings: FeatureImitationSettings) -> Floats:
    """Input of the float imitator: what the int8 one is given, in the pixels' scale."""
    return _steps(compand(windows), settings).astype(np.float32) * np.float32(PIXEL_SCALE)


def _told(units: npt.NDArray[np.floating]) -> Floats:
    """Input of the classifier: shape (n, channels, 1, 4)."""
    return units[:, :, None, :].astype(np.float32)


class _Drawn(keras.utils.Sequence):  # type: ignore[misc]
    """Mini-batches of one channel's windows, drawn anew in every epoch, with their features."""

    def __init__(
        self, signals: Signals, told: FeatureScale, settings: FeatureImitationSettings,
        training: TrainingSettings,
    ) -> None:  # fmt: skip
        self.signals, self.told = signals, told
        self.settings, self.training = settings, training
        self.epoch = 0

    def __len__(self) -> int:
        return max(1, self.training.epoch_images // self.training.batch)

    def __getitem__(self, number: int) -> tuple[Floats, Floats, Floats]:
        rng = np.random.default_rng([self.training.seed, self.epoch, number])
        count = self.training.batch
        signals = self.signals
        channel = rng.integers(0, signals.values.shape[1], count)
        chosen = rng.integers(0, len(signals), count)
        octaves = np.clip(rng.normal(0, self.settings.gain_octaves, count), -_MOST_GAIN, _MOST_GAIN)
        gain = np.exp2(octaves).astype(np.float32)[:, None]
        seen, ahead = (
            np.clip(windows[np.arange(count), channel] * gain, -LARGEST, LARGEST)
            for windows in (signals.seen(chosen), signals.told(chosen))
        )
        features = imitated(ahead, self.settings.entropy)
        # The unit is relative, but what counts is the feature itself, and so the loud windows.
        weights = np.clip(features[:, IMITATED.index("rms")], *_LOUDNESS)
        return (
            _real(seen, self.settings),
            self.told.encode(features).astype(np.float32),
            (weights / weights.mean()).astype(np.float32),
        )

    def on_epoch_end(self) -> None:
        """Draw others in the next epoch."""
        self.epoch += 1


def _fit_imitator(
    signals: Signals, told: FeatureScale, settings: FeatureImitationSettings, training: TrainingSettings,
    logs: Path,
) -> tuple[Any, dict[str, list[float]]]:  # fmt: skip
    """Train the LSTM on windows of the training side; returns it in the form that converts."""
    network = networks.imitator(settings, signals.window, len(IMITATED), unroll=True)
    batches = _Drawn(signals, told, settings, training)
    rate = keras.optimizers.schedules.CosineDecay(
        training.learning_rate, training.epochs * len(batches)
    )
    network.compile(keras.optimizers.Adam(rate, clipnorm=1.0, jit_compile=False), "mse")
    with progress.bar("imitating", training.epochs * len(batches)) as advance:
        history = network.fit(
            batches,
            epochs=training.epochs,
            shuffle=False,  # the batches come drawn
            callbacks=[
                keras.callbacks.TerminateOnNaN(),
                keras.callbacks.TensorBoard(logs, write_graph=False),
                keras.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: advance(1)),
            ],
            verbose=0,
        ).history
    if not np.isfinite(history["loss"]).all():
        raise EdgebioError(
            f"the loss is not finite in epoch {len(history['loss'])}: training diverged; lower "
            f"training.learning_rate ({training.learning_rate:g})"
        )
    rolled = networks.imitator(settings, signals.window, len(IMITATED))
    rolled.set_weights(network.get_weights())
    return rolled, {name: [float(x) for x in values] for name, values in history.items()}


def _say(
    imitator: Any, signals: Signals, settings: FeatureImitationSettings,
    index: npt.NDArray[np.integer] | None = None,
) -> Floats:  # fmt: skip
    """What the LSTM says of windows: the classifier's input, shape (n, channels, 1, 4)."""
    chosen = np.arange(len(signals)) if index is None else index
    channels = signals.values.shape[1]
    parts = []
    for k in range(0, len(chosen), _WINDOWS_AT_ONCE):
        windows = _real(signals.seen(chosen[k : k + _WINDOWS_AT_ONCE]), settings)
        said = imitator(windows.reshape(-1, *windows.shape[2:]), training=False).numpy()
        parts.append(said.reshape(-1, channels, 1, len(IMITATED)))
    return np.concatenate(parts)


class _Targets:
    """Smoothed targets and class weights of labelled windows."""

    def __init__(
        self, labels: npt.NDArray[np.integer], classes: int, training: TrainingSettings
    ) -> None:
        smooth = training.label_smoothing
        self.labels = labels
        self.targets = (np.eye(classes) * (1 - smooth) + smooth / classes).astype(np.float32)
        self.weighted = training.class_weights

    def of(self, share: npt.NDArray[np.integer]) -> tuple[Floats, Floats]:
        """Targets and weights of some windows."""
        labels = self.labels[share]
        counts = np.bincount(labels, minlength=len(self.targets))
        balanced = len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        weights = balanced if self.weighted else np.ones(len(counts))
        return self.targets[labels], weights.astype(np.float32)[labels]


def _fit_classifier(
    network: Any, told: Floats, share: npt.NDArray[np.int64], targets: _Targets,
    settings: FeatureImitationSettings, training: TrainingSettings,
) -> tuple[Any, dict[str, list[float]]]:  # fmt: skip
    """Train the CNN on features of some windows; what is drawn depends on their number alone."""
    expected, weights = targets.of(share)

    def batch(drawn: npt.NDArray[np.int64]) -> tuple[Floats, ...]:
        return told[share[drawn]], expected[drawn], weights[drawn]

    return _fit(network, batch, len(share), settings.classifier_epochs, 3e-3, training)


def _tune(
    imitator: Any, classifier: Any, signals: Signals, share: npt.NDArray[np.int64],
    targets: _Targets, settings: FeatureImitationSettings, training: TrainingSettings,
) -> Any:  # fmt: skip
    """Train copies of both networks on, together, on some labelled windows."""
    unrolled = networks.imitator(settings, signals.window, len(IMITATED), unroll=True)
    unrolled.set_weights(imitator.get_weights())
    copied = keras.models.clone_model(classifier)
    copied.set_weights(classifier.get_weights())
    both = networks.joined(unrolled, copied)
    expected, weights = targets.of(share)

    def batch(drawn: npt.NDArray[np.int64]) -> tuple[Floats, ...]:
        return _real(signals.seen(share[drawn]), settings), expected[drawn], weights[drawn]

    rate = training.tune_learning_rate
    return _fit(both, batch, len(share), training.tune_epochs, rate, training)[0]


def _through(both: Any, signals: Signals, settings: FeatureImitationSettings) -> Floats:
    """Class probabilities of both networks as one: shape (n, classes)."""
    return np.concatenate(
        [
            both(_real(signals.seen(slice(k, k + _WINDOWS_AT_ONCE)), settings),
                 training=False).numpy()
            for k in range(0, len(signals), _WINDOWS_AT_ONCE)
        ]
    )  # fmt: skip


def _predict(classifier: Any, told: Floats) -> Floats:
    probability: Floats = classifier(told, training=False).numpy()
    return probability


_CLASSIFIED = 64  # windows of a mini-batch


def _fit(
    network: Any, batch: Callable[[npt.NDArray[np.int64]], tuple[Floats, ...]], windows: int,
    epochs: int, rate: float, training: TrainingSettings,
) -> tuple[Any, dict[str, list[float]]]:  # fmt: skip
    """Train a classifying network; an epoch draws no more than a tenth of `epoch_images`."""
    batches = _Shuffled(batch, windows, training)
    schedule = keras.optimizers.schedules.CosineDecay(rate, epochs * len(batches))
    optimizer = keras.optimizers.Adam(schedule, jit_compile=False)
    network.compile(optimizer, "categorical_crossentropy", weighted_metrics=["accuracy"])
    history = network.fit(batches, epochs=epochs, shuffle=False, verbose=0).history
    return network, {name: [float(x) for x in values] for name, values in history.items()}


class _Shuffled(keras.utils.Sequence):  # type: ignore[misc]
    """Mini-batches of labelled windows in a new order every epoch."""

    def __init__(
        self, batch: Callable[[npt.NDArray[np.int64]], tuple[Floats, ...]], windows: int,
        training: TrainingSettings,
    ) -> None:  # fmt: skip
        self.batch, self.windows, self.training = batch, windows, training
        self.epoch = 0
        self._shuffle()

    def __len__(self) -> int:
        return max(1, len(self.order) // _CLASSIFIED)

    def __getitem__(self, number: int) -> tuple[Floats, ...]:
        return self.batch(self.order[number * _CLASSIFIED : (number + 1) * _CLASSIFIED])

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch."""
        self.epoch += 1
        self._shuffle()

    def _shuffle(self) -> None:
        most = max(_CLASSIFIED, self.training.epoch_images // 10)
        rng = np.random.default_rng([self.training.seed, self.epoch])
        self.order = rng.permutation(self.windows)[:most]


def _save(path: Path, network: Any) -> None:
    with storage.replacing(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # says that .h5 is old
        network.save_weights(temporary, save_format="h5")
