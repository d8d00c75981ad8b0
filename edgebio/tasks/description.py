"""Descriptions in English: data set, protocol, front end, training."""

from collections.abc import Mapping, Sequence
from typing import Any

from edgebio import datasets, protocols
from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSpec
from edgebio.recipes import DataSettings, Recipe, TrainingSettings
from edgebio.report.page import Listing, join_words

REASONS = ("flat", "clipped", "large")
"""Kinds of artifact, as metrics.json counts them."""

FOLD = "result.json"
"""File in a run that is a fold of an evaluation or a search."""

_LISTED = 6  # recordings with artifacts that are listed one by one
_NORMALIZATION = {
    "training": "the statistics of the training set",
    "session": "the statistics of each subject's own session, without labels, as `edgebio "
    "calibrate` does for a wearer",
    "layers": "the statistics of each subject's own session, without labels, as `edgebio "
    "calibrate` does for a wearer; so is the output of each convolution",
}


def describe_dataset(name: str) -> str:
    """Describe a data set, with its citation and license."""
    try:
        dataset = datasets.get(name)
    except EdgebioError:
        return f"Data: {name}."  # an imported file that has been moved since
    text = (
        f"Data: {dataset.name}, {dataset.title}; {dataset.channels} channels at "
        f"{dataset.rate:g} Hz, {len(dataset.classes)} classes."
    )
    if dataset.citation:
        text += f" Citation: {dataset.citation}. License: {dataset.license}."
    return f"{text} Caveat: {dataset.caveat}" if dataset.caveat else text


def describe_protocol(name: str, validation: Mapping[str, Any]) -> list[str | Listing]:
    """Describe a protocol, with its diagram.

    Parameters
    ----------
    name
        Of the protocol.
    validation
        The validation set of a fold, as in metrics.json.
    """
    diagram, text = protocols.diagram(name), f"Protocol: {name}. {protocols.describe(name)}"
    if not diagram:
        return [text]
    if " v " in diagram and not validation["recordings"]:
        text += (
            " Training runs its full length here, so the validation subjects (v) are trained on "
            "too."
        )
    unit = "Rows are subjects, columns are sessions"
    if "(people)" in diagram or "(people;" in diagram or "(subjects" in diagram:
        unit = "Each mark is a subject"
    tuning = ", + tuning" if "+" in diagram else ""
    return [f"{text} {unit}: # training{tuning}, ? test, . not used.", Listing(diagram)]


def describe_split(data: DataSettings, metrics: Mapping[str, Any]) -> list[str | Listing]:
    """Describe how ``edgebio train`` split the recordings of a run; see `describe_protocol`."""
    if data.protocol:
        first, *rest = describe_protocol(data.protocol, metrics["validation"])
        return [f"{first} This run is its first fold, {metrics['fold']}.", *rest]
    if data.test_sessions:
        train = _names("session", data.train_sessions) if data.train_sessions else "all others"
        return [
            "Protocol: split by session, with the same subjects in both sets. Trained on "
            f"{train}, tested on {_names('session', data.test_sessions)}."
        ]
    last = f"last {data.test_repetitions} repetitions" if data.test_repetitions > 1 else (
        "last repetition"
    )  # fmt: skip
    return [
        "Protocol: split by repetition, with the same subjects in both sets. Tested on the "
        f"{last} of each class and session, trained on the earlier ones."
    ]


def describe_frontend(spec: FrontendSpec, data: DataSettings) -> str:
    """Describe the front end and the segments."""

    def ms(samples: int) -> str:
        return f"{1000 * samples / spec.rate:.0f} ms"

    frames, bins, channels = spec.image_shape
    hertz = spec.rate / spec.n_fft
    step = f"one every {ms(spec.step)}" if data.segments == "step" else "one per heart beat"
    return (
        f"Input: segments of {spec.segment_length} samples ({ms(spec.segment_length)}), {step}. A "
        f"{spec.n_fft}-point STFT every {spec.hop_length} samples gives bins from "
        f"{spec.bins[0] * hertz:.0f} to {(spec.bins[1] - 1) * hertz:.0f} Hz as base-2 logarithms "
        f"in int8: images of {frames} frames, {bins} bins and {channels} channels, computed by "
        "the firmware's fixed-point code."
    )


def describe_training(recipe: Recipe, metrics: Mapping[str, Any]) -> str:
    """Describe network and training of a run with these metrics."""
    model, training = recipe.model, recipe.training
    if metrics.get("new_people"):
        training = training.for_new_subjects()
    early_stopping = training.patience and metrics["validation"]["recordings"]
    augment = [
        name.replace("_", " ") for name, value in training.augment.model_dump().items() if value
    ]
    options = [
        *describe_loss(training),
        *_if(training.weight_decay, f"weight decay {training.weight_decay:g}"),
        *_if(training.ema_momentum,
             f"moving average of the weights with momentum {training.ema_momentum:g}"),
        *_if(augment, f"augmentation by {join_words(augment)}"),
    ]  # fmt: skip
    costs = [f"{name} {cost:g}" for name, cost in training.costs.items()]
    teacher = training.teacher.filters if training.teacher else ()
    pretraining = metrics.get("others", {"recordings": 0})["recordings"]
    return " ".join(
        [
            f"Network: {model.family} with {_numbers(model.filters)} filters"
            + (f", a hidden layer of {model.dense}" if model.dense else "")
            + (f", dropout {model.dropout:g}" if model.dropout else "")
            + f" ({metrics['parameters']:,} parameters).",
            f"Training: {'up to ' if early_stopping else ''}{training.epochs} epochs, batch size "
            f"{training.batch}, Adam with a cosine schedule from {training.learning_rate:g}, seed "
            f"{training.seed}{''.join(f', {option}' for option in options)}.",
            *_if(pretraining, f"Before that it was pretrained on {pretraining:,} recordings of "
                 f"{join_words(recipe.other_datasets)}."),
            *_if(teacher, f"It learned from the labels and from a teacher of {_numbers(teacher)} "
                 "filters."),
            *_if(early_stopping, f"Training stops after {training.patience} epochs without a lower "
                 "validation loss and keeps the weights of the best epoch."),
            *_if(metrics["tune"]["recordings"], "It was then tuned to the tested subject: "
                 f"{recipe.training.tune_epochs} epochs from "
                 f"{recipe.training.tune_learning_rate:g}."),
            *_if(training.prior, "Its probabilities are divided by the class frequencies to the "
                 f"power {training.prior:g}, which favors rare classes."),
            *_if(costs, f"Cost of a missed segment: {join_words(costs)}; 1 for any other class."),
            f"Images are standardized by {_NORMALIZATION[training.normalization]}.",
        ]
    )  # fmt: skip


def describe_loss(training: TrainingSettings) -> list[str]:
    """Describe how classes and labels are weighted in the loss."""
    power = training.class_weights
    exponent = f" to the power {power:g}" if power != 1 else ""
    return [
        *_if(power, f"classes weighted by inverse frequency{exponent}"),
        *_if(training.label_smoothing, f"label smoothing {training.label_smoothing:g}"),
    ]


def _if(condition: Any, text: str) -> list[str]:
    return [text] if condition else []


def describe_artifacts(left_out: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Describe the segments that were left out, as metrics.json counts them; empty if none."""
    sets = []
    for name, rows in left_out.items():
        counts = [
            f"subject {row['subject']}, session {row['session']}: "
            + " and ".join(f"{row[reason]:,} {reason}" for reason in REASONS if row.get(reason))
            + f" of {row['of']:,}"
            for row in rows[:_LISTED]
        ]
        if len(rows) > _LISTED:
            counts.append(f"{len(rows) - _LISTED} more recordings")
        if rows:
            sets.append(f"{name} ({'; '.join(counts)})")
    return f"Segments left out as artifacts: {', '.join(sets)}." if sets else ""


def describe_run(run: Any) -> list[str | Listing]:
    """Describe data set, protocol and sets of a run."""
    split: list[str | Listing] = [
        f"Protocol: that of an evaluation; this run is its fold {run.metrics['fold']}."
    ]
    if not (run.folder / FOLD).is_file():  # the recipe of a fold need not name the protocol
        split = describe_split(run.recipe.data, run.metrics)
    return [
        describe_dataset(run.metrics["dataset"]), *split, describe_sets(run.metrics),
        *filter(None, [describe_artifacts(run.metrics.get("left_out", {}))]),
    ]  # fmt: skip


def describe_sets(metrics: Mapping[str, Any]) -> str:
    """Describe the train, tuning, validation and test sets of a run's metrics.json."""
    train, tune, validation, test = (
        metrics[name] for name in ("train", "tune", "validation", "test")
    )
    text = f"Trained on {describe_set(train)} ({train['recordings']:,} recordings)."
    if tune["recordings"]:
        text += f" Tuned on {describe_set(tune)} ({tune['recordings']:,} recordings)."
    if validation["recordings"]:
        same = set(validation["subjects"]) <= set(train["subjects"])
        name = "the last repetitions of each class" if same else describe_set(validation)
        text += f" Validated on {name} ({validation['recordings']:,} recordings)."
    return (
        f"{text} Tested on {describe_set(test)} ({test['recordings']:,} recordings, "
        f"{test['windows']:,} segments)."
    )


def describe_set(recordings: Mapping[str, Any]) -> str:
    """Subjects and sessions of a set."""
    sessions = _names("session", recordings["sessions"])
    return f"{_names('subject', recordings['subjects'])}, {sessions}"


def _numbers(values: Sequence[int]) -> str:
    return join_words([str(value) for value in values])


def _names(kind: str, names: Sequence[str]) -> str:
    return f"{kind if len(names) == 1 else kind + 's'} {join_words(names)}"
