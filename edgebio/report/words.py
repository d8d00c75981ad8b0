"""What was asked, in words: recipe, data, front end and protocol."""

from collections.abc import Mapping, Sequence
from typing import Any

from edgebio import datasets, protocols
from edgebio.errors import EdgebioError
from edgebio.evaluation.people import VOTES
from edgebio.frontend.spec import FrontendSpec
from edgebio.recipes import DataSettings, Recipe, TrainingSettings

REASONS = ("flat", "clipped", "large")
"""Why a window is an artefact, as metrics.json counts them."""

_NAMED = 6  # recordings that are told one by one


def data(name: str) -> str:
    """Say what a data set is, with the work to cite and its terms."""
    try:
        found = datasets.get(name)
    except EdgebioError:
        return f"Data: {name}."  # an imported file that has been moved since
    said = (
        f"Data: {found.name}, {found.title}; {found.channels} channels at {found.rate:g} Hz, "
        f"{len(found.classes)} classes."
    )
    if found.citation:
        said += f" To cite: {found.citation}. Licence: {found.licence}."
    if found.caveat:
        said += f" Caveat: {found.caveat}"
    return said


def protocol(name: str, validation: Mapping[str, Any]) -> list[str]:
    """Describe a protocol and give its picture, which begins with a line break.

    Parameters
    ----------
    name
        Its name.
    validation
        That side of a fold, as metrics.json tells it.
    """
    picture = protocols.picture(name)
    said = f"Protocol: {name}. {protocols.describe(name)}"
    if not picture:
        return [said]
    if " v " in picture and not validation["recordings"]:
        said += (
            " Those who would tell when to stop (v) are trained on too here: training runs its "
            "full length."
        )
    tuned = ", + tuned on afterwards" if "+" in picture else ""
    each = "A row is a person, a column a session"
    if "(people)" in picture or "(people;" in picture:
        each = "Each mark is a person"
    legend = f" {each}; # is trained on{tuned}, ? tested on, . left alone."
    return [said + legend, "\n" + picture]


def division(asked: DataSettings, metrics: Mapping[str, Any]) -> list[str]:
    """Say how ``edgebio train`` divided the recordings of a run; see `protocol`."""
    if asked.protocol:
        said, *picture = protocol(asked.protocol, metrics["validation"])
        return [f"{said} This is its first fold, {metrics['fold']}.", *picture]
    if asked.test_sessions:
        return [
            "Protocol: by sessions, everybody on both sides; tested on "
            f"{_named('session', asked.test_sessions)}, trained on "
            f"{_named('session', asked.train_sessions) if asked.train_sessions else 'all others'}."
        ]
    return [
        "Protocol: by repetitions, everybody on both sides; tested on the last "
        f"{asked.test_repetitions} of each class and session, trained on those before."
    ]


def frontend(spec: FrontendSpec, asked: DataSettings) -> str:
    """Describe the front end, and where its images were cut."""

    def ms(samples: int) -> str:
        return f"{1000 * samples / spec.rate:.0f} ms"

    rows, bins, channels = spec.image_shape
    hertz = spec.rate / spec.fft
    when = f"a decision every {ms(spec.step)}" if asked.windows == "stride" else "one a heart beat"
    return (
        f"What the network sees: windows of {spec.window} samples ({ms(spec.window)}), {when}; "
        f"a {spec.fft}-point STFT every {spec.hop} samples, of it the bins "
        f"from {spec.bins[0] * hertz:.0f} to {(spec.bins[1] - 1) * hertz:.0f} Hz, as base-2 "
        f"logarithms in int8: images of {rows} columns, {bins} bins and {channels} channels, "
        "computed in the firmware's own fixed-point arithmetic."
    )


def training(recipe: Recipe, metrics: Mapping[str, Any]) -> str:
    """Describe network and training of a run, whose metrics are given."""
    model, how = recipe.model, recipe.training
    if metrics.get("new_people"):
        how = how.for_new_people()
    hidden = f", a hidden layer of {model.dense}" if model.dense else ""
    size = f" ({metrics['parameters']:,} parameters)"
    dropout = f", dropout {model.dropout:g}" if model.dropout else ""
    stops = how.patience and metrics["validation"]["recordings"]
    fitted = [*weighted(how)]
    if how.weight_decay:
        fitted.append(f"weight decay {how.weight_decay:g}")
    if how.average:
        fitted.append(f"weights averaged by {how.average:g} a step")
    settings = "".join(f", {each}" for each in fitted)
    added = [
        name.replace("_", " ") for name, value in how.augment.model_dump().items() if value
    ]  # fmt: skip
    augmented = f", augmented by {listed(added)}" if added else ""
    stopped = ""
    if stops:
        stopped = (
            f" It stops after {how.patience} epochs without a smaller loss on what is held out of "
            "training, and keeps the weights of the smallest."
        )
    tuned = ""
    if metrics["tune"]["recordings"]:
        gently = recipe.training
        tuned = (
            f" Then {gently.tune_epochs} epochs from {gently.tune_learning_rate:g} on recordings "
            "of the person tested."
        )
    prior = ""
    if how.prior:
        prior = (
            " Its probabilities are divided by the frequencies of the classes to the power "
            f"{how.prior:g}, so that rare ones are decided for sooner."
        )
    costs = ""
    if how.costs:
        said = listed([f"{name} {cost:g}" for name, cost in how.costs.items()])
        costs = f" A miss counts by its class: {said}; any other 1."
    before = ""
    if "others" in metrics:
        before = (
            f" It learned from {metrics['others']['recordings']:,} recordings of "
            f"{listed(recipe.other_sets)} too before it learned from its own."
        )
    taught = ""
    if how.teacher:
        larger = listed([str(f) for f in how.teacher.filters])
        taught = f" It learned from a teacher of {larger} filters beside the labels."
    by = {
        "training": "the statistics of the training side",
        "session": "the signal, labels unseen, of the person and session that they are of, as "
        "edgebio calibrate does for a wearer",
        "layers": "the signal, labels unseen, of the person and session that they are of, and so "
        "is what each convolution makes of them, as edgebio calibrate does for a wearer",
    }
    return (
        f"Network: {model.family} with {listed([str(f) for f in model.filters])} filters{hidden}"
        f"{dropout}{size}. Training: {'up to ' if stops else ''}{how.epochs} epochs of batches of "
        f"{how.batch}, Adam from {how.learning_rate:g} on a cosine, seed {how.seed}{settings}"
        f"{augmented}.{before}{taught}{stopped}{tuned}{prior}{costs} "
        f"Images are standardised by {by[how.normalise]}."
    )


def weighted(how: TrainingSettings) -> list[str]:
    """Say how classes and labels count in the loss."""
    said = []
    if how.class_weights:
        power = f" to the power {how.class_weights:g}" if how.class_weights != 1 else ""
        said.append(f"classes weighted by their inverse frequency{power}")
    if how.label_smoothing:
        said.append(f"labels smoothed by {how.label_smoothing:g}")
    return said


def late(step: int, rate: float) -> str:
    """Delay of a vote over `VOTES` windows of every `step` samples: until most are of a class."""
    return f"{VOTES // 2 * 1000 * step / rate:.0f} ms"


def left_out(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Say which windows were left out as artefacts, as metrics.json counts them; or nothing."""
    sides = []
    for side, rows in found.items():
        if not rows:
            continue
        places = [
            f"person {row['subject']}, session {row['session']}: "
            + " and ".join(f"{row[why]:,} {why}" for why in row if why in REASONS and row[why])
            + f" of {row['of']:,}"
            for row in rows[:_NAMED]
        ]
        more = f"; and in {len(rows) - _NAMED} more recordings" if len(rows) > _NAMED else ""
        sides.append(f"{side} ({'; '.join(places)}{more})")
    return f"Windows left out as artefacts: {', '.join(sides)}." if sides else ""


def listed(items: Sequence[str]) -> str:
    """Join words with commas and a last ``and``."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def sides(metrics: Mapping[str, Any]) -> str:
    """Say who was trained on, held out and tested, of a run's metrics.json."""
    train, tune, held, test = (metrics[name] for name in ("train", "tune", "validation", "test"))
    said = f"Trained on {side(train)}: {train['recordings']:,} recordings."
    if tune["recordings"]:
        said += f" Then tuned on {side(tune)}: {tune['recordings']:,} recordings."
    if held["recordings"]:
        alike = set(held["subjects"]) <= set(train["subjects"])
        whose = "their last repetitions of each class" if alike else side(held)
        said += f" Held out of training: {whose}, {held['recordings']:,} recordings."
    return (
        f"{said} Tested on {side(test)}: {test['recordings']:,} recordings, {test['windows']:,} "
        "windows."
    )


def side(found: dict[str, list[str]]) -> str:
    """Say whose recordings one side of a fold holds."""
    people = _named("person", found["subjects"], "people")
    return f"{people}, {_named('session', found['sessions'])}"


def _named(what: str, names: Sequence[str], several: str = "") -> str:
    """Say which ones of a kind, whose plural is regular unless it is told."""
    return f"{what if len(names) == 1 else several or what + 's'} {listed(names)}"
